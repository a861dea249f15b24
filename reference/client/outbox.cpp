#include "client/outbox.h"

#include "policy/mutant.h"
#include "wire/address.h"
#include "wire/utf8.h"

namespace ams::client {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& addr) {
  return std::find(list.begin(), list.end(), addr) != list.end();
}

void add_new(std::vector<std::string>& list, const std::vector<std::string>& more) {
  for (const std::string& addr : more)
    if (!contains(list, addr)) list.push_back(addr);
}

/// What goes out as text must be text before it enters a signed object.
Result<> check_text(const mail::Draft& draft) {
  if (!wire::is_utf8(draft.subject)) return fail(Code::utf8, "draft.subject");
  for (const mail::Part& part : draft.parts)
    if (!wire::is_utf8(part.text) || !wire::is_utf8(part.type))
      return fail(Code::utf8, "draft.parts");
  for (const mail::Attachment& a : draft.attachments)
    if (!wire::is_utf8(a.name) || !wire::is_utf8(a.type))
      return fail(Code::utf8, "draft.attachments");
  return {};
}

}  // namespace

Outbox::Outbox(Core& core, Link& link, Lookup& lookup, const Account& account,
               KeyStoreLink& key_store)
    : core_(core), link_(link), lookup_(lookup), account_(account), key_store_(key_store) {
  load();
}

void Outbox::load() {
  if (const auto row = core_.row(table_account, row_ticket); row && row->size() == 8)
    last_ticket_ = read_u64(*row);
  const auto each = [&](storage::Table table, const auto& take) {
    const auto visit = [&](ByteView key, ByteView value) {
      if (key.size() == 8) take(entries_[read_u64(key)], value);
      return true;
    };
    if (auto scanned = core_.reader.scan(table, {}, {}, visit); !scanned)
      core_.tell(CommandFailed{"load", scanned.error()});
  };
  each(table_outbox, [&](Entry& entry, ByteView value) {
    auto row = parse_draft_row(value);
    if (!row) return;
    entry.stage = Stage::looking;
    entry.created = row->created;
    entry.draft = std::move(row->draft);
  });
  each(table_sealed, [&](Entry& entry, ByteView value) {
    auto rows = parse_sealed_rows(value);
    if (!rows || rows->empty()) return;
    entry.stage = Stage::sending;
    entry.draft.reset();
    entry.messages = std::move(*rows);
  });
  each(table_failed, [&](Entry& entry, ByteView value) {
    auto row = parse_failed_row(value);
    if (!row) return;
    entry.stage = Stage::failing;
    entry.failure = std::move(*row);
  });
  for (auto& [ticket, entry] : entries_) {
    entry.ticket = ticket;
    entry.retry_at = core_.now;
    if (entry.stage == Stage::saving)  // no row of it could be read
      fail_ticket(entry, FailedRow{"", Code::storage});
  }
}

bool Outbox::has_sealed() const {
  return std::any_of(entries_.begin(), entries_.end(), [](const auto& each) {
    return each.second.stage == Stage::keeping || each.second.stage == Stage::sending;
  });
}

Outbox::Entry* Outbox::find(std::uint64_t ticket) {
  const auto at = entries_.find(ticket);
  return at == entries_.end() ? nullptr : &at->second;
}

// --- a new draft
// -------------------------------------------------------------------------------------------

Result<> Outbox::normalise(mail::Draft& draft) const {
  if (draft.from.empty()) draft.from = core_.options.addr;
  if (draft.from != core_.options.addr) return fail(Code::from_binding, "draft.from");
  std::vector<std::string> recipients;
  add_new(recipients, draft.deliver_to);
  if (recipients.empty()) {
    add_new(recipients, draft.to);
    add_new(recipients, draft.cc);
  }
  draft.deliver_to = std::move(recipients);
  if (draft.deliver_to.empty()) return fail(Code::address_syntax, "draft.deliver_to");
  for (const auto* list : {&draft.deliver_to, &draft.to, &draft.cc})
    for (const std::string& addr : *list)
      if (auto parsed = wire::parse_address(addr); !parsed) return tl::unexpected(parsed.error());
  return check_text(draft);
}

std::uint64_t Outbox::submit(mail::Draft draft) {
  const std::uint64_t ticket = ++last_ticket_;
  core_.again = true;
  if (auto checked = normalise(draft); !checked) {
    core_.tell(SubmitFailed{ticket, "", checked.error()});
    return ticket;
  }
  Entry& entry = entries_[ticket];
  entry.ticket = ticket;
  entry.created = to_unix_ms(core_.now);
  entry.retry_at = core_.now;
  if (mutant("client.forget_outbox")) {
    entry.draft = std::move(draft);
    entry.stage = Stage::looking;
    return ticket;
  }
  entry.busy = true;
  DraftRow row{entry.created, std::move(draft)};
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_outbox, key_of(ticket), to_row(row)));
  batch.puts.push_back(put_row(table_account, row_ticket, key_of(ticket)));
  entry.draft = std::move(row.draft);
  core_.commit(std::move(batch), [this, ticket](const Result<>& outcome) {
    Entry* saved = find(ticket);
    if (!saved) return;
    saved->busy = false;
    core_.again = true;
    if (outcome) {
      saved->stage = Stage::looking;
      return;
    }
    core_.tell(SubmitFailed{ticket, "", outcome.error()});
    entries_.erase(ticket);
  });
  return ticket;
}

// --- keys of the recipients
// --------------------------------------------------------------------------------

void Outbox::look(Entry& entry) {
  entry.busy = true;
  entry.failure.reset();
  entry.keys.clear();
  const std::uint64_t ticket = entry.ticket;
  const std::vector<std::string> recipients = entry.draft->deliver_to;
  entry.reached = recipients;
  entry.staple.reset();
  entry.came_by.clear();
  entry.leads.clear();
  entry.keys_awaited = recipients.size() + 1;
  lookup_.staple(account_.record().id(),
                 [this, ticket](const auto& outcome) { stapled(ticket, outcome); });
  for (const std::string& addr : recipients)
    if (Entry* looking = find(ticket)) look_up(*looking, addr);
}

void Outbox::look_up(Entry& entry, const std::string& addr) {
  lookup_.recipient(addr, [this, ticket = entry.ticket, addr](const Result<Recipient>& outcome) {
    looked(ticket, addr, outcome);
  });
}

/// BLG-31: the addresses that this one stands for take its place. The draft stays as it was
/// written: the next time that we look, the way is gone again from its beginning.
void Outbox::follow(Entry& entry, const std::string& addr, const std::vector<std::string>& to) {
  std::vector<std::string>& all = entry.reached;
  all.erase(std::remove(all.begin(), all.end(), addr), all.end());
  entry.leads[addr] = to;
  const std::size_t depth_max = mutant("client.redirect_depth_short") ? 1 : redirect_depth_max;
  if (depth_of(entry, addr) > depth_max && !mutant("client.skip_redirect_depth"))
    return look_failed(entry, addr, Error{Code::binding_depth, "recipient"});
  if (leads_back(entry, addr) && !mutant("client.skip_redirect_loop"))
    return look_failed(entry, addr, Error{Code::binding_loop, "recipient"});
  for (const std::string& next : to) {
    if (contains(all, next) || entry.leads.contains(next)) continue;  // reached another way too
    if (entry.came_by.size() >= recipients_max && !mutant("client.skip_redirect_depth"))
      return look_failed(entry, addr, Error{Code::binding_depth, "recipient"});
    all.push_back(next);
    entry.came_by[next] = addr;
    ++entry.keys_awaited;
    look_up(entry, next);
    if (mutant("client.follow_first")) break;
  }
}

/// How many were followed, one after another, up to this one.
std::size_t Outbox::depth_of(const Entry& entry, const std::string& addr) {
  std::size_t depth = 1;
  for (auto at = entry.came_by.find(addr); at != entry.came_by.end();
       at = entry.came_by.find(at->second))
    ++depth;
  return depth;
}

/// By any way: whatever order the answers came in, one of them closes the loop.
bool Outbox::leads_back(const Entry& entry, const std::string& addr) {
  std::set<std::string> seen;
  std::vector<std::string> ahead = entry.leads.at(addr);
  while (!ahead.empty()) {
    const std::string next = std::move(ahead.back());
    ahead.pop_back();
    if (next == addr) return true;
    const auto at = entry.leads.find(next);
    if (at != entry.leads.end() && seen.insert(next).second)
      ahead.insert(ahead.end(), at->second.begin(), at->second.end());
  }
  return false;
}

void Outbox::looked(std::uint64_t ticket, const std::string& addr,
                    const Result<Recipient>& outcome) {
  Entry* entry = find(ticket);
  if (!entry || entry->stage != Stage::looking) return;
  if (outcome && !outcome->to.empty()) {
    follow(*entry, addr, outcome->to);
    return look_ended(*entry);
  }
  Result<> usable;
  if (!outcome) usable = tl::unexpected(outcome.error());
  if (outcome) usable = outcome->record->valid_at(core_.now);
  if (usable && outcome) usable = outcome->sealed_to->valid_at(core_.now);
  if (usable) {
    entry->keys[addr] = outcome->sealed_to;
  } else {
    look_failed(*entry, addr, usable.error());
  }
  look_ended(*entry);
}

void Outbox::stapled(std::uint64_t ticket, const Result<std::optional<Staple>>& outcome) {
  Entry* entry = find(ticket);
  if (!entry || entry->stage != Stage::looking) return;
  if (outcome) entry->staple = *outcome;
  if (!outcome) look_failed(*entry, "", outcome.error());
  look_ended(*entry);
}

/// A permanent reason decides over a temporary one: no wait would help.
void Outbox::look_failed(Entry& entry, const std::string& addr, const Error& why) {
  const bool replace = !entry.failure ||
                       (code_info(entry.failure->code).temporary && !code_info(why.code).temporary);
  if (replace) entry.failure = FailedRow{addr, why.code};
}

void Outbox::look_ended(Entry& entry) {
  if (--entry.keys_awaited > 0) return;
  entry.busy = false;
  core_.again = true;
  // A rotation began meanwhile, or ended: looked up again after it.
  const bool other_key = entry.staple && entry.staple->key != account_.record().id();
  if (!entry.failure && (held_ || other_key)) return;
  if (!entry.failure) return seal(entry);
  const FailedRow failure = *entry.failure;
  refused(entry, failure.addr, Error{failure.code, "recipient"});
}

// --- sealing
// ------------------------------------------------------------------------------------------------

Result<SealedRow> Outbox::seal_one(const Entry& entry, std::vector<std::string> recipients,
                                   bool with_sent, const mail::SealOptions& options) {
  const StoredKeys* stored = account_.stored();
  SealedRow row;
  std::vector<const keys::KeyRecord*> records;
  std::map<keys::KeyId, std::int64_t> stanza_of;  // one stanza serves all addresses of a key
  const auto stanza = [&](const keys::KeyRecord& record) {
    const auto index = static_cast<std::int64_t>(records.size());
    const auto [at, is_new] = stanza_of.emplace(record.id(), index);
    if (is_new) records.push_back(&record);
    return at->second;
  };
  for (const std::string& addr : recipients)
    row.recipients.emplace_back(addr, stanza(*entry.keys.at(addr)));
  if (with_sent) row.sent = stanza(stored ? stored->shared : account_.record());  // BND-9
  mail::Draft draft = *entry.draft;
  draft.deliver_to = std::move(recipients);
  const wire::Value& binding = entry.staple ? entry.staple->binding : account_.binding();
  if (stored) {
    AMS_TRY(row.sealed,
            mail::seal_unsigned(draft, stored->record, binding, records, options, core_.drbg));
  } else {
    AMS_TRY(row.sealed, mail::seal(draft, *account_.pair(), binding, records, options, core_.drbg));
  }
  return row;
}

void Outbox::seal(Entry& entry) {
  const mail::Draft& draft = *entry.draft;
  if (auto valid = account_.record().valid_at(core_.now); !valid)  // KEY-7
    return refused(entry, "", valid.error());
  std::vector<std::vector<std::string>> groups(1);
  for (const std::string& addr : entry.reached) {
    if (contains(draft.to, addr) || contains(draft.cc, addr)) {
      groups[0].push_back(addr);
    } else {
      groups.push_back({addr});  // Bcc: a message of its own (MSG-30)
    }
  }
  if (groups[0].empty()) groups.erase(groups.begin());
  if (groups.empty())  // only a loop that was not seen leads to nobody
    return refused(entry, "", Error{Code::binding_depth, "recipient"});
  mail::SealOptions options;
  options.aead = core_.options.aead;
  options.ts = to_unix_ms(core_.now);
  options.life_ms = core_.options.message_life_ms;
  options.mid = core_.drbg.array<16>();
  if (entry.staple && !mutant("client.skip_staple")) options.proof = entry.staple->proof;
  entry.messages.clear();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    auto row = seal_one(entry, groups[i], i == 0, options);
    if (!row) return refused(entry, "", row.error());
    entry.messages.push_back(std::move(*row));
  }
  entry.next = 0;
  if (account_.stored()) return sign_next(entry);
  keep(entry);
}

/// The messages one after the other, by the key store (KST-7).
void Outbox::sign_next(Entry& entry) {
  if (entry.next == entry.messages.size()) return keep(entry);
  entry.busy = true;
  const std::uint64_t ticket = entry.ticket;
  const mail::Sealed& sealed = entry.messages[entry.next].sealed;
  key_store_.sign(account_.stored()->record, mail::asig_text(sealed),
                  [this, ticket](Result<Bytes> asig) {
                    Entry* waiting = find(ticket);
                    if (!waiting) return;
                    waiting->busy = false;
                    core_.again = true;
                    if (!asig) return refused(*waiting, "", asig.error());
                    const StoredKeys* stored = account_.stored();
                    if (!stored || held_) return;  // another key by now: sealed anew under it
                    SealedRow& row = waiting->messages[waiting->next];
                    auto set = mail::set_asig(row.sealed, std::move(*asig), stored->record);
                    if (!set)
                      return refused(*waiting, "", Error{Code::keystore_answer, "signature"});
                    ++waiting->next;
                    sign_next(*waiting);
                  });
}

/// The sealed bytes replace the draft, durably, before the server sees the first of them.
void Outbox::keep(Entry& entry) {
  entry.next = 0;
  entry.blobs_put = 0;
  if (mutant("client.forget_outbox") || mutant("client.reseal_on_retry")) {
    entry.stage = Stage::sending;
    return;
  }
  entry.stage = Stage::keeping;
  entry.busy = true;
  const std::uint64_t ticket = entry.ticket;
  storage::WriteBatch batch;
  batch.puts.push_back(put_row(table_sealed, key_of(ticket), to_row(entry.messages)));
  batch.erases.push_back(erase_row(table_outbox, key_of(ticket)));
  core_.commit(std::move(batch), [this, ticket](const Result<>& outcome) {
    Entry* kept = find(ticket);
    if (!kept) return;
    kept->busy = false;
    core_.again = true;
    if (!outcome) {  // nothing was sent: seal again later
      kept->stage = Stage::looking;
      return retry_later(*kept);
    }
    kept->draft.reset();
    kept->keys.clear();
    kept->attempt = 0;
    kept->stage = Stage::sending;
  });
}

}  // namespace ams::client
