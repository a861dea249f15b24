// The outbox's second half: sealed messages to the server, and what becomes of a ticket.
#include "client/outbox.h"
#include "policy/mutant.h"

namespace ams::client {
namespace {

const Bytes& blob_at(const mail::Sealed& sealed, std::size_t i) {
  return i == 0 ? sealed.body : sealed.blobs[i - 1];
}

wire::Value submit_args(const SealedRow& row) {
  wire::Array stanzas;
  for (const mail::Stanza& stanza : row.sealed.stanzas) stanzas.push_back(mail::to_value(stanza));
  wire::Array recipients;
  for (const auto& [addr, stanza] : row.recipients)
    recipients.push_back(wire::Object{{"addr", addr}, {"stanza", stanza}});
  wire::Object args{{"env", row.sealed.header},
                    {"asig", to_base64url(row.sealed.asig)},
                    {"stanzas", std::move(stanzas)},
                    {"head", to_base64url(row.sealed.head)},
                    {"rcpts", std::move(recipients)}};
  if (row.sent) args.emplace("sent", *row.sent);
  return args;
}

}  // namespace

void Outbox::send(Entry& entry) {
  if (mutant("client.reseal_on_retry") && entry.attempt > 0 && entry.draft) {
    entry.attempt = 0;
    entry.stage = Stage::looking;  // and so a new message, beside the one that may have arrived
    return;
  }
  const SealedRow& row = entry.messages[entry.next];
  if (entry.blobs_put <= row.sealed.blobs.size()) return put_blobs(entry);
  submit_message(entry);
}

void Outbox::put_blobs(Entry& entry) {
  entry.busy = true;
  const std::uint64_t ticket = entry.ticket;
  const Bytes& blob = blob_at(entry.messages[entry.next].sealed, entry.blobs_put);
  link_.put_blob(crypto::sha256(blob), blob, [this, ticket](const Result<wire::Value>& answer) {
    Entry* sent = find(ticket);
    if (!sent) return;
    sent->busy = false;
    core_.again = true;
    if (!answer) return refused(*sent, "", answer.error());
    ++sent->blobs_put;
  });
}

void Outbox::submit_message(Entry& entry) {
  entry.busy = true;
  const std::uint64_t ticket = entry.ticket;
  link_.request("mail.submit", submit_args(entry.messages[entry.next]),
                [this, ticket](const Result<wire::Value>& answer) { submitted(ticket, answer); });
}

void Outbox::submitted(std::uint64_t ticket, const Result<wire::Value>& answer) {
  Entry* entry = find(ticket);
  if (!entry) return;
  entry->busy = false;
  core_.again = true;
  const SealedRow& row = entry->messages[entry->next];
  const std::string about = row.recipients.size() == 1 ? row.recipients[0].first : std::string();
  if (!answer) {
    if (answer.error().code == Code::missing_blob) entry->blobs_put = 0;
    return refused(*entry, about, answer.error());
  }
  const Hash ehash = mail::ehash(row.sealed.header);
  const wire::Value* named = answer->find("ehash");
  if (!named || !named->is_string() || named->as_string() != to_base64url(ehash))
    return refused(*entry, about, Error{Code::schema, "mail.submit.ehash"});
  if (!entry->accepted) entry->accepted = ehash;
  entry->blobs_put = 0;
  entry->attempt = 0;
  if (++entry->next == entry->messages.size()) finish(*entry);
}

/// All went: the owner hears it now, and the row goes. A crash in between makes us send the same
/// bytes again, which the server answers as before (SUB-3), so the owner hears the same thing
/// again.
void Outbox::finish(Entry& entry) {
  const std::uint64_t ticket = entry.ticket;
  core_.tell(Submitted{ticket, *entry.accepted});
  storage::WriteBatch batch;
  batch.erases.push_back(erase_row(table_sealed, key_of(ticket)));
  if (mutant("client.reseal_on_retry"))
    batch.erases.push_back(erase_row(table_outbox, key_of(ticket)));
  entries_.erase(ticket);
  core_.commit(std::move(batch), [](const Result<>&) {});  // kept: sent once more after a restart
}

Instant Outbox::end_of_life(const Entry& entry) const {
  std::int64_t end = entry.created + core_.options.message_life_ms;
  if (entry.stage == Stage::sending) {
    const wire::Value* exp = entry.messages[entry.next].sealed.header.find("exp");
    if (exp && exp->is_integer()) end = exp->as_integer();
  }
  return from_unix_ms(end);
}

void Outbox::retry_later(Entry& entry) {
  core_.again = true;
  ++entry.attempt;
  // A lost connection is waited for by the link itself.
  entry.retry_at = link_.up() ? core_.now + core_.backoff(entry.attempt - 1) : core_.now;
}

void Outbox::refused(Entry& entry, const std::string& addr, const Error& why) {
  if (is_temporary(why) && !outlived(entry)) {
    core_.log(machine::Log::Level::info, "client.put_off " + std::string(code_info(why.code).name));
    return retry_later(entry);
  }
  // Bytes that went out may have arrived although no answer came.
  const bool unknown = is_temporary(why) && entry.stage == Stage::sending;
  const Code code = unknown ? Code::undetermined : why.code;
  if (entry.stage != Stage::sending || !entry.accepted)
    return fail_ticket(entry, FailedRow{addr, code});
  // The message proper went; a Bcc recipient's did not. The others' still go.
  core_.tell(SubmitFailed{entry.ticket, addr, Error{code, "submit"}});
  core_.again = true;
  entry.blobs_put = 0;
  entry.attempt = 0;
  if (++entry.next == entry.messages.size()) finish(entry);
}

/// What failed is written down first, so that a restart does not try again what the owner was told
/// failed.
void Outbox::fail_ticket(Entry& entry, FailedRow failure) {
  entry.stage = Stage::failing;
  entry.busy = true;
  entry.failure = failure;
  const std::uint64_t ticket = entry.ticket;
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_failed, key_of(ticket), to_row(failure)));
  batch.erases.push_back(erase_row(table_outbox, key_of(ticket)));
  batch.erases.push_back(erase_row(table_sealed, key_of(ticket)));
  core_.commit(std::move(batch), [this, ticket](const Result<>&) {
    if (Entry* written = find(ticket)) written->busy = false;
    core_.again = true;
  });
}

void Outbox::tell_failed(Entry& entry) {
  const std::uint64_t ticket = entry.ticket;
  core_.tell(SubmitFailed{ticket, entry.failure->addr, Error{entry.failure->code, "submit"}});
  storage::WriteBatch batch;
  batch.erases.push_back(erase_row(table_failed, key_of(ticket)));
  entries_.erase(ticket);
  core_.commit(std::move(batch), [](const Result<>&) {});  // kept: told once more after a restart
}

void Outbox::run() {
  std::size_t busy = 0;
  for (const auto& [ticket, entry] : entries_) busy += entry.busy ? 1 : 0;
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    ++at;  // what follows may erase the entry
    if (entry.busy || core_.now < entry.retry_at) continue;
    if (entry.stage == Stage::failing) {
      tell_failed(entry);
      continue;
    }
    if (outlived(entry)) {
      const bool sent = entry.stage == Stage::sending;
      fail_ticket(entry, FailedRow{"", sent ? Code::undetermined : Code::expired});
      continue;
    }
    if (!link_.up() || !account_.ready() || busy >= tickets_at_once_max) continue;
    if (entry.stage == Stage::looking && held_) continue;
    ++busy;
    if (entry.stage == Stage::looking) {
      look(entry);
    } else if (entry.stage == Stage::sending) {
      send(entry);
    }
  }
}

std::optional<Instant> Outbox::due() const {
  std::optional<Instant> out;
  for (const auto& [ticket, entry] : entries_) {
    if (entry.busy) continue;
    if (entry.retry_at > core_.now) out = earlier(out, entry.retry_at);
    if (entry.stage != Stage::failing) out = earlier(out, end_of_life(entry));
  }
  return out;
}

}  // namespace ams::client
