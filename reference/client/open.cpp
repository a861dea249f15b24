// The inbox's second half: one message from its row to its report.
#include "client/sync.h"
#include "policy/mutant.h"

namespace ams::client {

void Inbox::open(std::int64_t uid, Message& message) {
  message.active = true;
  const wire::Value* kind = message.value.find("kind");
  if (kind && kind->is_string() && kind->as_string() == "notice")
    return open_notice(uid, message.value);
  auto work = begin(uid, message.value);
  if (!work) {
    Hash ehash{};
    if (const wire::Value* env = message.value.find("env")) ehash = mail::ehash(*env);
    return report(uid, Unreadable{uid, ehash, work.error()});
  }
  const auto ask = message.chain_anew ? Lookup::Ask::anew : Lookup::Ask::cached_will_do;
  lookup_.chain((*work)->header.sdom, ask, [this, work = *work](const Result<ChainPtr>& found) {
    if (!found) return later_or_never(work, found.error());
    work->chain = *found;
    fetch_record(work);
  });
}

Result<Inbox::WorkPtr> Inbox::begin(std::int64_t uid, const wire::Value& message) const {
  wire::ObjectReader in(message, "message", wire::ObjectReader::Unknown::ignore_x);
  auto work = std::make_shared<Work>();
  work->uid = uid;
  work->header_value = in.any("env");
  work->asig = in.binary("asig", 1, 512);
  const wire::Value* rewrapped = in.optional("rewrapped");  // RWP-3
  const wire::Value& stanza = rewrapped ? *rewrapped : in.any("stanza");
  in.binary("head", 1, 4096);
  in.optional("vouch");
  in.string("addr");
  in.string("kind", 16);
  AMS_CHECK(in.finish());
  AMS_TRY(work->header, mail::parse_header(work->header_value));
  AMS_TRY(mail::Stanza parsed, mail::parse_stanza(stanza));
  work->stanzas.push_back(std::move(parsed));
  work->rewrapped = rewrapped != nullptr;
  return work;
}

void Inbox::open_notice(std::int64_t uid, const wire::Value& message) {
  const wire::Value* value = message.find("notice");
  if (!value) return report(uid, Unreadable{uid, Hash{}, Error{Code::schema, "message.notice"}});
  auto notice = mail::verify_notice(*value, link_.chain());
  if (!notice) return report(uid, Unreadable{uid, Hash{}, notice.error()});
  report(uid, NoticeReceived{uid, std::move(*notice)});
}

void Inbox::fetch_record(WorkPtr work) {
  lookup_.record(work->header.sender, [this, work](const Result<RecordPtr>& found) {
    if (!found) return later_or_never(work, found.error());
    work->sender = *found;
    fetch_body(work);
  });
}

void Inbox::fetch_body(WorkPtr work) {
  if (work->header.body.len > blob_size_max)
    return later_or_never(work, Error{Code::object_too_large, "body"});
  link_.get_blob(work->header.body.hash, work->header.body.len,
                 [this, work](const Result<Bytes>& got) {
                   if (!got) return later_or_never(work, got.error());
                   work->body = *got;
                   unlock(work);
                 });
}

/// With the key that the stanza names: a pair of ours, be it given up since (KEY-10), or a key of
/// the domain's key store.
void Inbox::unlock(WorkPtr work) {
  const keys::KeyId& to = work->stanzas.front().to;
  const keys::KeyPair* held = account_.pair_of(to);
  if (mutant("client.forget_former_keys") && held != account_.pair()) held = nullptr;
  if (!held && key_store_.is_there()) {
    if (const HeldKey* key = key_store_.find(to)) return ask_shared_secret(work, *key);
    return key_store_.refresh([this, work, to](const Result<>& outcome) {
      if (!outcome) return later_or_never(work, outcome.error());
      if (const HeldKey* key = key_store_.find(to)) return ask_shared_secret(work, *key);
      later_or_never(work, Error{Code::not_member, "key of the store"});
    });
  }
  const keys::KeyPair& own = held ? *held : *account_.pair();
  mail::OpenContext context;
  context.own_record = &own.record;
  context.own_key = &own.encryption;
  verify(work, context);
}

void Inbox::ask_shared_secret(WorkPtr work, const HeldKey& key) {
  auto enc = mail::encapsulated_key(work->header_value, work->stanzas, key.record, work->rewrapped);
  if (!enc) return later_or_never(work, enc.error());
  key_store_.decap(key.record.id(), std::move(*enc),
                   [this, work, record = key.record,
                    group = key_store_.group_address(key)](Result<crypto::Secret> secret) {
                     if (!secret) return later_or_never(work, secret.error());
                     mail::OpenContext context;
                     context.own_record = &record;
                     context.shared_secret = &*secret;
                     context.group = group;
                     verify(work, context);
                   });
}

void Inbox::verify(WorkPtr work, mail::OpenContext context) {
  const auto at = waiting_.find(work->uid);
  if (at == waiting_.end()) return;
  context.reader = core_.options.addr;
  context.rewrapped = work->rewrapped;
  context.sender = work->sender.get();
  context.sender_domain = work->chain.get();
  context.labels = &core_.labels;
  auto letter = mail::open(work->header_value, work->asig, work->stanzas, work->body, context);
  work->body = {};
  if (!letter) {
    const Code code = letter.error().code;
    if (context.shared_secret && code == Code::unwrap)  // the store may say the right one later
      return later_or_never(work, Error{Code::keystore_answer, "shared secret"});
    const bool of_chain =
        code == Code::signature || code == Code::from_binding || code == Code::from_proof;
    if (!of_chain || at->second.chain_anew) return later_or_never(work, letter.error());
    at->second.chain_anew = true;  // the sender's domain may have changed its op key
    at->second.active = false;
    core_.again = true;
    return;
  }
  work->letter = std::move(*letter);
  demand_witnesses(work);
}

/// BLG-41. Its proof does not change any more; the log may be cosigned yet, and says what it says.
void Inbox::demand_witnesses(WorkPtr work) {
  lookup_.vouched(work->letter, *work->chain, [this, work](const Result<>& outcome) {
    const auto at = waiting_.find(work->uid);
    if (at == waiting_.end()) return;
    if (outcome) return fetch_attachment(work);
    const bool patient = core_.now < at->second.first_seen + witnesses_patience;
    if (outcome.error().code != Code::witnesses || patient)
      return later_or_never(work, outcome.error());
    report(work->uid, Unreadable{work->uid, mail::ehash(work->header_value), outcome.error()});
  });
}

void Inbox::fetch_attachment(WorkPtr work) {
  const std::size_t i = work->attachments.size();
  if (i == work->letter.attachments.size()) return deliver(work);
  link_.get_blob(
      work->letter.attachments[i].blob, blob_size_max, [this, work, i](const Result<Bytes>& got) {
        if (!got) return later_or_never(work, got.error());
        auto data = mail::open_attachment(work->header_value, work->letter.attachments[i], *got);
        if (!data) return later_or_never(work, data.error());
        work->attachments.push_back(std::move(*data));
        fetch_attachment(work);
      });
}

void Inbox::deliver(WorkPtr work) {
  const auto at = waiting_.find(work->uid);
  if (at == waiting_.end()) return;
  report(work->uid, Received{work->uid, mail::ehash(work->header_value), at->second.folder,
                             std::move(work->letter), std::move(work->attachments)});
}

/// What a later attempt may cure is tried again, as long as it takes; anything else is told as it
/// is.
void Inbox::later_or_never(WorkPtr work, const Error& why) {
  const auto at = waiting_.find(work->uid);
  if (at == waiting_.end()) return;
  Message& message = at->second;
  // A record that no peer has yet may still be on its way through the directory.
  const bool in_gossip = why.code == Code::not_found && !work->sender &&
                         core_.now < message.first_seen + record_patience;
  if (!is_temporary(why) && !in_gossip)
    return report(work->uid, Unreadable{work->uid, mail::ehash(work->header_value), why});
  message.active = false;
  core_.again = true;
  const bool lost = !link_.up();
  message.retry_at = lost ? core_.now : core_.now + core_.backoff(message.attempt++);
  if (lost || complained_) return;
  complained_ = true;
  const Error unheld{Code::peer_unreachable, "record still in gossip"};
  core_.tell(CommandFailed{"sync", in_gossip ? unheld : why});
}

}  // namespace ams::client
