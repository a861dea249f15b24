// What became of queued mail: receipts, local second tries, expiry (REL-12, REL-15).
#include <algorithm>

#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {
namespace {

/// A queue entry's row, taken apart; views into it.
struct Entry {
  wire::Value row;
  std::string from;
  const wire::Value* delivery = nullptr;
  const wire::Value* env = nullptr;
  const wire::Array* rcpts = nullptr;
  std::optional<mail::Header> header;
  Hash ehash{};
};

std::optional<Entry> read_entry(Txn& txn, const std::string& rdom, std::uint64_t seq) {
  auto row = txn.get_value(table_queue, key_of({as_bytes(rdom), key_zero, be64(seq)}));
  if (!row) return std::nullopt;
  Entry out;
  out.row = std::move(*row);
  const wire::Value* from = out.row.find("from");
  out.delivery = out.row.find("delivery");
  out.env = out.delivery ? out.delivery->find("env") : nullptr;
  const wire::Value* rcpts = out.delivery ? out.delivery->find("rcpts") : nullptr;
  if (!from || !out.env || !rcpts) return std::nullopt;
  auto header = mail::parse_header(*out.env);
  if (!header) return std::nullopt;
  out.from = from->as_string();
  out.rcpts = &rcpts->as_array();
  out.header = std::move(*header);
  out.ehash = mail::ehash(*out.env);
  return out;
}

std::string addr_of(const wire::Value& rcpt) { return rcpt.find("addr")->as_string(); }

Hash tag_of(const wire::Value& rcpt) {
  const auto salt = from_base64url(rcpt.find("salt")->as_string());
  return mail::rtag(to_array<16>(*salt).value(), addr_of(rcpt));
}

}  // namespace

/// Writes what is left of an entry, or erases it when every recipient is settled.
void Core::finish_entry(Txn& txn, const std::string& rdom, std::uint64_t seq, QueueState state,
                        const Changed& changed) {
  const auto entry = read_entry(txn, rdom, seq);
  const bool over = !entry || state.done.size() == entry->rcpts->size();
  if (over) {
    if (entry) queue_erase(txn, rdom, seq, entry->row);
  } else {
    back_off(txn, rdom, seq, std::move(state));
  }
  commit(txn, [this, rdom, seq, over, changed](const Result<>& outcome) {
    // Not durable: the entry is still there. Asking again is harmless, the receiver remembers
    // (REL-11).
    if (!outcome) return queue_due(rdom, seq, now_ + std::chrono::minutes{5});
    if (over) queue_drop(rdom, seq);
    push_changed(changed);
  });
}

/// One delivery's receipts. Recipients are answered in the order in which they were sent.
void Core::settle(const std::string& rdom, std::uint64_t seq, const wire::Value& receipts,
                  const keys::Chain& chain) {
  Txn txn(reader_);
  const auto entry = read_entry(txn, rdom, seq);
  auto state = queue_state(txn, rdom, seq);
  if (!entry || !state) return queue_due(rdom, seq, now_ + std::chrono::minutes{5});
  Changed changed;
  std::size_t place = 0;
  state->refused.clear();
  for (std::size_t i = 0; i < entry->rcpts->size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (state->done.contains(index)) continue;
    const wire::Value* value = nullptr;
    if (receipts.is_array() && place < receipts.as_array().size())
      value = &receipts.as_array()[place];
    ++place;
    if (!value) continue;
    const auto receipt = mail::verify_receipt(*value, chain);
    const wire::Value& rcpt = (*entry->rcpts)[i];
    if (!receipt || receipt->ehash != entry->ehash || receipt->rdom != rdom ||
        receipt->addr_tag != tag_of(rcpt))
      continue;  // no receipt of this: as if unanswered
    if (receipt->accepted) {
      state->done.insert(index);
      ++stats_.delivered_out;
      continue;
    }
    const Code code = receipt->code.value_or(Code::schema);
    if (code_info(code).temporary) {
      state->refused.emplace(index, *value);
      continue;
    }
    state->done.insert(index);
    add_notice(txn, entry->from,
               {entry->ehash, entry->header->id, addr_of(rcpt), true, code, now_ms(),
                chain_->record.op.kid, *value},
               changed);
  }
  finish_entry(txn, rdom, seq, std::move(*state), changed);
}

/// A recipient of our own whose mailbox could not take it at submission.
void Core::settle_local(const std::string& rdom, std::uint64_t seq) {
  Txn txn(reader_);
  const auto entry = read_entry(txn, rdom, seq);
  auto state = queue_state(txn, rdom, seq);
  if (!entry || !state) return queue_due(rdom, seq, now_ + std::chrono::minutes{5});
  const wire::Array& stanzas = entry->delivery->find("stanzas")->as_array();
  const wire::Array& vouches = entry->delivery->find("vouches")->as_array();
  Changed changed;
  for (std::size_t i = 0; i < entry->rcpts->size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (state->done.contains(index)) continue;
    const wire::Value& rcpt = (*entry->rcpts)[i];
    Parcel parcel{entry->env,
                  &*entry->header,
                  entry->ehash,
                  entry->delivery->find("asig")->as_string(),
                  entry->delivery->find("head")->as_string(),
                  {},
                  {}};
    parcel.stanza = stanzas.at(static_cast<std::size_t>(rcpt.find("stanza")->as_integer()));
    parcel.vouch = vouches.at(static_cast<std::size_t>(rcpt.find("vouch")->as_integer()));
    const auto verdict = accept_mail(txn, parcel, addr_of(rcpt), changed);
    if (verdict && code_info(*verdict).temporary) continue;
    state->done.insert(index);
    if (verdict)
      add_notice(txn, entry->from,
                 {entry->ehash, entry->header->id, addr_of(rcpt), true, *verdict, now_ms(),
                  chain_->record.op.kid, std::nullopt},
                 changed);
  }
  finish_entry(txn, rdom, seq, std::move(*state), changed);
}

/// At exp: ask about what may have arrived, then say what is known.
void Core::settle_expired(const std::string& rdom, std::uint64_t seq) {
  Txn txn(reader_);
  const auto entry = read_entry(txn, rdom, seq);
  const auto state = queue_state(txn, rdom, seq);
  if (!entry || !state) return queue_due(rdom, seq, now_ + std::chrono::minutes{5});
  auto accepted = std::make_shared<std::set<std::int64_t>>();
  auto open = std::make_shared<std::size_t>(1);
  const auto answered = [this, rdom, seq, accepted, open] {
    if (--*open == 0) finish_expired(rdom, seq, *accepted);
  };
  const bool sent = lanes_[rdom].entries.at(seq).sent && !local(rdom);
  for (std::size_t i = 0; i < entry->rcpts->size() && sent; ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (state->done.contains(index) || state->refused.contains(index)) continue;
    ++*open;
    ask(rdom, "relay.status",
        wire::Object{{"addr", addr_of((*entry->rcpts)[i])}, {"ehash", to_base64url(entry->ehash)}},
        [accepted, answered, index](const Outcome& outcome) {
          const wire::Value* verdict = outcome.value ? outcome.value->find("verdict") : nullptr;
          if (verdict && *verdict == wire::Value("accepted")) accepted->insert(index);
          answered();
        });
  }
  answered();
}

void Core::finish_expired(const std::string& rdom, std::uint64_t seq,
                          const std::set<std::int64_t>& accepted) {
  Txn txn(reader_);
  const auto entry = read_entry(txn, rdom, seq);
  auto state = queue_state(txn, rdom, seq);
  if (!entry || !state) return queue_due(rdom, seq, now_ + std::chrono::minutes{5});
  const bool sent = lanes_[rdom].entries.at(seq).sent && !local(rdom);
  Changed changed;
  for (std::size_t i = 0; i < entry->rcpts->size(); ++i) {
    const auto index = static_cast<std::int64_t>(i);
    if (!state->done.insert(index).second) continue;
    if (accepted.contains(index)) {
      ++stats_.delivered_out;
      continue;
    }
    mail::Notice notice{
        entry->ehash,       entry->header->id, addr_of((*entry->rcpts)[i]), false,
        Code::undetermined, now_ms(),          chain_->record.op.kid,       std::nullopt};
    if (const auto refused = state->refused.find(index); refused != state->refused.end()) {
      const auto receipt = mail::parse_receipt(refused->second);
      notice.failed = true;  // a signed refusal is held, and nothing was sent after it (REL-12)
      notice.code = receipt && receipt->code ? *receipt->code : Code::mailbox_full;
      notice.receipt = refused->second;
    } else if (!sent || mutant("server.failed_on_timeout")) {
      notice.failed = true;
      notice.code = local(rdom) ? Code::mailbox_full : Code::peer_unreachable;
    }
    add_notice(txn, entry->from, notice, changed);
  }
  finish_entry(txn, rdom, seq, std::move(*state), changed);
}

}  // namespace ams::server
