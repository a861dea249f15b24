#include "client/bind_watch.h"

#include "policy/mutant.h"

namespace ams::client {
namespace {

constexpr std::string_view row_log_seen = "log_seen";    // size u64, root, version u64, value
constexpr std::string_view row_log_alarm = "log_alarm";  // AMS-CJ of the history that alarmed
constexpr std::size_t seen_size = 8 + 32 + 8 + 32;

}  // namespace

bool BindWatch::watched() const {
  return link_.up() && account_.ready() && link_.chain().record.log.has_value();
}

bindlog::Seen BindWatch::seen() const {
  const auto row = core_.row(table_account, as_bytes(row_log_seen));
  if (!row || row->size() != seen_size) return {};
  const ByteView in(*row);
  return {read_u64(in), *to_array<32>(in.subspan(8, 32)),
          static_cast<std::int64_t>(read_u64(in.subspan(40))), *to_array<32>(in.subspan(48, 32))};
}

void BindWatch::keep(const bindlog::Seen& seen) {
  Bytes row;
  append_u64(row, seen.size);
  append(row, ByteView(seen.log_root));
  append_u64(row, static_cast<std::uint64_t>(seen.version));
  append(row, ByteView(seen.value));
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_account, row_log_seen, std::move(row)));
  core_.commit(std::move(batch), [](const Result<>&) {});  // lost, more is checked next time
}

void BindWatch::run() {
  if (asked_ || !watched()) return;
  if (link_.epoch() == connection_ && core_.now < next_) return;
  if (mutant("client.skip_history")) return;
  asked_ = true;
  connection_ = link_.epoch();
  const bindlog::Seen before = seen();
  link_.request("keys.history",
                wire::Object{{"from", std::max<std::int64_t>(before.version, 1)},
                             {"size", static_cast<std::int64_t>(before.size)}},
                [this](const Result<wire::Value>& answer) {
                  asked_ = false;
                  core_.again = true;
                  answered(answer);
                });
}

void BindWatch::answered(const Result<wire::Value>& answer) {
  next_ = core_.now + bind_check_interval;
  if (!answer && (!link_.up() || is_temporary(answer.error()))) {
    next_ = core_.now + core_.backoff(attempt_++);
    return;
  }
  attempt_ = 0;
  if (!answer) return alarm(answer.error(), wire::Value());  // withheld
  const wire::Value* shown = answer->find("history");
  if (!shown) return alarm(Error{Code::schema, "keys.history"}, *answer);
  const bindlog::Seen before = seen();
  const auto checked = judge(*shown, before);
  if (!checked) return alarm(checked.error(), *shown);
  if (foreign(*checked, before) != nullptr && !mutant("client.trust_every_version"))
    return alarm(Error{Code::binding_foreign, "keys.history"}, *shown);
  keep(checked->seen);
  if (!checked->complete) next_ = core_.now;
}

Result<bindlog::Checked> BindWatch::judge(const wire::Value& history,
                                          const bindlog::Seen& before) const {
  const keys::Chain& chain = link_.chain();
  AMS_TRY(const bindlog::Identity log,
          bindlog::make_identity(chain.record.domain, to_bytes(ByteView(chain.record.log->vrf)),
                                 chain.record.log->note));
  AMS_TRY(bindlog::Checked checked,
          bindlog::verify_history(history, core_.options.addr, log, before));
  AMS_CHECK(bindlog::holds_at(checked.head.epoch, to_unix_ms(core_.now)));
  return checked;
}

const bindlog::Entry* BindWatch::foreign(const bindlog::Checked& checked,
                                         const bindlog::Seen& before) const {
  for (const bindlog::Entry& entry : checked.entries) {
    if (entry.version <= before.version) continue;  // judged then
    if (account_.pair_of(entry.key) != nullptr && entry.type == bindlog::Type::key) continue;
    const StoredKeys* stored = account_.stored();
    if (stored && stored->record.id() == entry.key) continue;
    // A key store's former keys are not ours to know; its newest is the one in use.
    const bool former = entry.version < checked.seen.version || !checked.complete;
    if (entry.custody == keys::Custody::corporate && former) continue;
    return &entry;
  }
  return nullptr;
}

void BindWatch::alarm(const Error& why, const wire::Value& shown) {
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_account, row_log_alarm, wire::encode(shown)));
  core_.commit(std::move(batch), [this, why](const Result<>&) {
    core_.again = true;
    core_.tell(CommandFailed{"bindings", why});
  });
}

std::optional<Instant> BindWatch::due() const {
  if (asked_ || !watched()) return std::nullopt;
  return next_ > core_.now ? std::optional(next_) : std::nullopt;
}

}  // namespace ams::client
