#include "client/redirect.h"

#include <algorithm>

namespace ams::client {
namespace {

constexpr int ask_max = 3;  // of one request: another device may have been faster

}  // namespace

void Redirector::request(bindlog::Type type, std::vector<std::string> to) {
  core_.again = true;
  const auto refuse = [this](Code code, const char* why) {
    core_.tell(CommandFailed{"redirect", Error{code, why}});
  };
  if (!account_.ready()) return refuse(Code::not_found, "no account key");
  if (has_work()) return refuse(Code::version_conflict, "under way");
  if (account_.stored()) return refuse(Code::key_origin, "the key is the domain's");
  stage_ = Stage::checking;
  asked_times_ = attempt_ = 0;
  retry_at_ = core_.now;
  type_ = type;
  to_ = std::move(to);
  std::sort(to_.begin(), to_.end());
}

void Redirector::run() {
  if (stage_ != Stage::checking || asked_ || !link_.up() || core_.now < retry_at_) return;
  asked_ = true;
  watch_.check([this](const Result<bindlog::Checked>& shown) {
    asked_ = false;
    core_.again = true;
    checked(shown);
  });
}

void Redirector::checked(const Result<bindlog::Checked>& shown) {
  if (!shown) return failed(shown.error());
  if (is_wanted(shown->entries.back())) {
    stage_ = Stage::idle;
    return core_.tell(Redirected{std::string(bindlog::name(type_)), to_, shown->seen.version});
  }
  if (asked_times_++ == ask_max) return failed(Error{Code::version_conflict, "bound by others"});
  ask(*shown);
}

bool Redirector::is_wanted(const bindlog::Entry& entry) const {
  return entry.type == type_ && entry.to == to_ && entry.key == account_.record().id();
}

bindlog::Entry Redirector::next(const bindlog::Checked& shown) const {
  bindlog::Entry out;
  out.addr = core_.options.addr;
  out.version = shown.seen.version + 1;
  out.at = to_unix_ms(core_.now);
  out.type = type_;
  out.to = to_;
  out.key = account_.record().id();
  out.policy = keys::policy_at(link_.chain().record, core_.now).mode;
  out.prev = shown.seen.value;
  return out;
}

void Redirector::ask(const bindlog::Checked& shown) {
  const auto entry = bindlog::endorse(next(shown), account_.pair()->signing);
  if (!entry) return failed(entry.error());
  const wire::Value value = bindlog::to_value(*entry);
  if (auto form = bindlog::parse_entry(value); !form) return failed(form.error());
  stage_ = Stage::asking;
  asked_ = true;
  const bool back = type_ == bindlog::Type::key;
  wire::Object args{{"entry", value}};
  if (back) {
    args.emplace("record", account_.record().value());
    args.emplace("version", entry->version);
  }
  link_.request(back ? "keys.associate" : "keys.redirect", std::move(args),
                [this](const Result<wire::Value>& answer) {
                  asked_ = false;
                  core_.again = true;
                  answered(answer);
                });
}

void Redirector::answered(const Result<wire::Value>& answer) {
  stage_ = Stage::checking;  // the log has the last word
  if (!answer && answer.error().code != Code::version_conflict) return failed(answer.error());
  if (!answer || type_ != bindlog::Type::key) return;
  const auto binding = account_.own_binding(*answer);
  if (!binding) return failed(binding.error());
  if (binding->key != account_.record().id())
    return failed(Error{Code::from_binding, "binding of another key"});
  keep(*answer->find("binding"));
}

void Redirector::keep(const wire::Value& binding) {
  asked_ = true;
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_account, row_binding, wire::encode(binding)));
  core_.commit(std::move(batch), [this, binding](const Result<>& outcome) {
    asked_ = false;
    core_.again = true;
    if (!outcome) return failed(outcome.error());
    account_.rebind(binding);
  });
}

/// Temporary: from the beginning, after a while.
void Redirector::failed(const Error& why) {
  core_.again = true;
  if (is_temporary(why)) {
    stage_ = Stage::checking;
    const bool lost = !link_.up();  // the link waits for itself
    retry_at_ = lost ? core_.now : core_.now + core_.backoff(attempt_++);
    return;
  }
  stage_ = Stage::idle;
  core_.tell(CommandFailed{"redirect", why});
}

std::optional<Instant> Redirector::due() const {
  const bool waits = stage_ == Stage::checking && !asked_ && link_.up();
  return waits && retry_at_ > core_.now ? std::optional(retry_at_) : std::nullopt;
}

}  // namespace ams::client
