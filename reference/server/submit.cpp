// mail.submit (SUB) and the vouches it signs (VCH).
#include <algorithm>

#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {
namespace {

constexpr std::size_t head_size_max = 4'096;  // bytes, MSG-22
constexpr std::size_t asig_size_max = 1'024;  // bytes
constexpr std::size_t rcpts_max = 100;        // SUB-1
constexpr std::int64_t dseq_block = 64;       // VCH-3

struct Rcpt {
  std::string addr, domain;
  std::size_t stanza = 0;
};
struct Submission {
  wire::Value env;
  mail::Header header;
  Hash ehash{};
  Bytes asig, head;
  wire::Array stanza_values;
  std::vector<mail::Stanza> stanzas;
  std::vector<Rcpt> rcpts;
  std::optional<std::size_t> sent;
};

Result<Rcpt> read_rcpt(const wire::Value& value) {
  wire::ObjectReader in(value, "rcpt");
  Rcpt out;
  out.addr = in.string("addr", 320);
  out.stanza = static_cast<std::size_t>(in.integer("stanza"));
  AMS_CHECK(in.finish());
  AMS_TRY(wire::Address address, wire::parse_address(out.addr));
  out.domain = std::move(address.domain);
  return out;
}

Result<Submission> read_submission(const wire::Value& args) {
  wire::ObjectReader in(args, "mail.submit", wire::ObjectReader::Unknown::ignore_x);
  Submission out;
  out.env = in.any("env");
  out.asig = in.binary("asig", 1, asig_size_max);
  const wire::Value stanzas = in.any("stanzas");
  out.head = in.binary("head", 0, head_size_max);
  const wire::Array& rcpts = in.array("rcpts", 4'096);
  if (const auto sent = in.optional_integer("sent")) out.sent = static_cast<std::size_t>(*sent);
  AMS_CHECK(in.finish());
  AMS_TRY(out.header, mail::parse_header(out.env));
  AMS_TRY(out.stanzas, mail::parse_stanzas(stanzas));
  out.stanza_values = stanzas.as_array();
  if (rcpts.empty() && !mutant("server.accept_no_rcpts"))
    return fail(Code::schema, "mail.submit.rcpts");
  if (rcpts.size() > rcpts_max && !mutant("server.accept_many_rcpts"))
    return fail(Code::too_many_stanzas, "mail.submit.rcpts");
  std::set<std::string> seen;
  for (const wire::Value& value : rcpts) {
    AMS_TRY(Rcpt rcpt, read_rcpt(value));
    if (!seen.insert(rcpt.addr).second) return fail(Code::schema, "mail.submit.rcpts");
    out.rcpts.push_back(std::move(rcpt));
  }
  out.ehash = mail::ehash(out.env);
  return out;
}

/// SUB-4: the key that the sender's copy may be sealed to.
bool may_keep(const keys::KeyId& to, const Submission& mail, const keys::DomainPolicy& policy) {
  return to == mail.header.sender || policy.terms.shares(to) ||
         (policy.prior && policy.prior->shares(to));
}

Result<> check_indexes(Submission& mail, const keys::DomainPolicy& policy) {
  for (Rcpt& rcpt : mail.rcpts) {
    if (rcpt.stanza < mail.stanzas.size()) continue;
    if (!mutant("server.skip_stanza_index")) return fail(Code::schema, "rcpt.stanza");
    rcpt.stanza %= mail.stanzas.size();
  }
  if (!mail.sent) return {};
  if (*mail.sent >= mail.stanzas.size() || !may_keep(mail.stanzas[*mail.sent].to, mail, policy))
    return fail(Code::schema, "mail.submit.sent");  // SUB-4
  return {};
}

Result<> check_head(const Submission& mail) {
  if (mutant("server.skip_head_hash")) return {};
  if (mail.head.size() != mail.header.head.len ||
      crypto::sha256(mail.head) != mail.header.head.hash)
    return fail(Code::blob_hash, "mail.submit.head");
  return {};
}

}  // namespace

Result<wire::Value> Core::sign_vouch(Txn& txn, const Account& from, const std::string& rdom,
                                     const Hash& ehash, const Hash& rtag) {
  mail::Vouch vouch;
  vouch.ehash = ehash;
  vouch.sdom = options_.domain;
  vouch.rdom = rdom;
  vouch.dkid = chain_->record.op.kid;
  vouch.acct = from.acct;
  vouch.rroot = mail::merkle_root({to_bytes(ByteView(rtag))});
  vouch.day = to_day(now_);
  vouch.dseq = dseq_.next(txn, vouch.day);
  const Bytes key = key_of({from.acct, be64(vouch.day)});
  const std::uint64_t aseq = txn.get_u64(table_aseq, key) + 1;
  txn.put(table_aseq, key, key_of({be64(aseq)}));
  if (aseq == 1) expire_at(txn, (vouch.day + 2) * day_ms, table_aseq, key);
  vouch.aseq = static_cast<std::int64_t>(aseq);
  vouch.age = std::max<std::int64_t>(0, vouch.day - from.created / day_ms);
  return mail::make_vouch(vouch, op_);
}

/// The next number of the domain's day. What a batch uses above the durable reservation, it
/// reserves itself.
std::int64_t Dseq::next(Txn& txn, std::int64_t today) {
  const Bytes key = key_of({as_bytes("dseq"), be64(today)});
  if (today != day) {
    day = today;
    durable = reserved = static_cast<std::int64_t>(txn.get_u64(table_meta, key));
    if (mutant("server.dseq_reuse_after_crash")) durable = reserved = 0;
    used = reserved;
  }
  ++used;
  reserved = std::max(reserved, used > reserved ? used + dseq_block - 1 : reserved);
  if (used > durable) txn.put(table_meta, key, key_of({be64(reserved)}));
  return used;
}

namespace {

/// What must hold before anything is written (SUB-1); the sender's record.
Result<keys::KeyRecord> check_submission(Core& core, Txn& txn, const std::string& addr,
                                         const Core::Account& from, Submission& mail) {
  AMS_TRY(const std::optional<Core::Held> held, core.held_binding(txn, addr));
  if (!held || (held->key != mail.header.sender && !mutant("server.skip_sender_key")))
    return fail(Code::auth_key, "env.skid");
  if (!core.local(mail.header.sdom) && !mutant("server.skip_sdom"))
    return fail(Code::domain_mismatch, "env.sdom");
  AMS_TRY(keys::KeyRecord record, core.record_of(held->key));
  if (!mutant("server.skip_asig_submit")) AMS_CHECK(mail::verify_asig(mail.env, mail.asig, record));
  AMS_CHECK(record.valid_at(core.now_));
  AMS_CHECK(core.not_ended(record.id()));
  if (!mutant("server.skip_times")) AMS_CHECK(mail::in_force(mail.header, core.now_));  // MSG-6
  AMS_CHECK(check_indexes(mail, core.chain_->record.policy));
  for (const Hash& blob : blobs_of(mail.header)) {
    const bool mine = txn.any(table_blob_owner, key_of({blob, Core::owner_put(from.acct)})) ||
                      txn.any(table_blob_owner, key_of({blob, key_char('m'), from.acct})) ||
                      (mutant("server.blob_of_anyone") && txn.any(table_blob_owner, blob));
    const bool fits =
        blob != mail.header.body.hash || txn.get_u64(table_blob_len, blob) == mail.header.body.len;
    if ((!mine || !fits) && !mutant("server.skip_missing_blob"))
      return fail(Code::missing_blob, "env.body");  // BLB-4
  }
  AMS_CHECK(check_head(mail));
  return record;
}

Result<> check_queues(const Core& core, const std::vector<Rcpt>& rcpts) {
  if (mutant("server.skip_queue_limit")) return {};
  for (const Rcpt& rcpt : rcpts) {
    const auto lane = core.lanes_.find(rcpt.domain);
    if (lane == core.lanes_.end()) continue;
    const auto waiting =
        static_cast<std::int64_t>(lane->second.entries.size()) + lane->second.joining;
    if (waiting >= core.options_.queue_max) return fail(Code::queue_full, "rcpt");  // REL-10
  }
  return {};
}

/// A message on its way out of mail.submit.
struct Outgoing {
  const Submission* mail;
  const std::string* sender;
  Core::Account from;
  wire::Value key;         // the sender's record
  std::string asig, head;  // base64url
  Hash vouched;
  Changed changed;
  std::vector<std::pair<std::string, std::uint64_t>> joined;  // queue entries
};

/// A recipient of our own: true when it is settled, by acceptance or by a notice.
bool deliver_here(Core& core, Txn& txn, Outgoing& out, const Rcpt& rcpt, const wire::Value& vouch) {
  const Submission& mail = *out.mail;
  const Parcel parcel{&mail.env, &mail.header, mail.ehash,
                      out.asig,  out.head,     mail.stanza_values[rcpt.stanza],
                      vouch};
  const auto verdict = core.accept_mail(txn, parcel, rcpt.addr, out.changed);
  if (verdict && code_info(*verdict).temporary) return false;
  if (verdict)
    core.add_notice(txn, *out.sender,
                    {mail.ehash, mail.header.id, rcpt.addr, true, *verdict, core.now_ms(),
                     core.chain_->record.op.kid, std::nullopt},
                    out.changed);
  return true;
}

/// Everything for one domain: what is ours at once, the rest as one queue entry (MSG-20).
Result<> route(Core& core, Txn& txn, Outgoing& out, const std::string& rdom,
               const std::vector<const Rcpt*>& rcpts) {
  const Submission& mail = *out.mail;
  wire::Array stanzas, vouches, waiting;
  std::map<std::size_t, std::int64_t> places;
  if (mutant("server.all_stanzas")) stanzas = mail.stanza_values;
  for (const Rcpt* rcpt : rcpts) {
    const Id16 salt = core.drbg_.array<16>();
    const Hash rtag = mail::rtag(salt, rcpt->addr);
    AMS_TRY(wire::Value vouch, core.sign_vouch(txn, out.from, rdom, out.vouched, rtag));
    if (core.local(rdom) && deliver_here(core, txn, out, *rcpt, vouch)) continue;
    const auto [place, fresh] =
        places.emplace(rcpt->stanza, static_cast<std::int64_t>(stanzas.size()));
    if (fresh) stanzas.push_back(mail.stanza_values[rcpt->stanza]);
    waiting.push_back(wire::Object{{"addr", rcpt->addr},
                                   {"salt", to_base64url(salt)},
                                   {"stanza", place->second},
                                   {"vouch", static_cast<std::int64_t>(vouches.size())}});
    vouches.push_back(std::move(vouch));
  }
  if (waiting.empty()) return {};
  const wire::Value delivery = wire::Object{{"asig", out.asig},
                                            {"env", mail.env},
                                            {"head", out.head},
                                            {"key", out.key},
                                            {"rcpts", std::move(waiting)},
                                            {"stanzas", std::move(stanzas)},
                                            {"vouches", std::move(vouches)}};
  out.joined.emplace_back(rdom, core.queue_add(txn, rdom, delivery, *out.sender, mail.header));
  return {};
}

Result<> keep_sent_copy(Core& core, Txn& txn, Outgoing& out) {
  const Submission& mail = *out.mail;
  if (!mail.sent || mutant("server.forget_sent")) return {};
  const Parcel parcel{
      &mail.env, &mail.header, mail.ehash, out.asig, out.head, mail.stanza_values[*mail.sent], {}};
  const Core::Stored copy = Core::to_store(txn, parcel, *out.sender, "sent");
  if (!core.put_mail(txn, copy, *out.sender, out.from, "sent", out.changed))
    return fail(Code::mailbox_full, "mail.submit.sent");
  return {};
}

}  // namespace

Result<> Core::op_submit(const Asked& to, Conn& conn, const wire::Value& args) {
  AMS_TRY(Submission mail, read_submission(args));
  Txn txn(reader_);
  const auto from = account(txn, conn.addr);
  AMS_CHECK(txn.status());
  if (!from) return fail(Code::not_found, "mail.submit");
  const wire::Value answer = wire::Object{{"ehash", to_base64url(mail.ehash)}};
  const Bytes seen = key_of({from->acct, mail.ehash});
  if (txn.get(table_submitted, seen) && mutant("server.submit_refuses_again"))
    return fail(Code::version_conflict, "mail.submit");
  if (txn.get(table_submitted, seen) && !mutant("server.skip_submit_dedup")) {
    answer_stable(to, answer);  // SUB-3
    return {};
  }
  AMS_TRY(const keys::KeyRecord record, check_submission(*this, txn, conn.addr, *from, mail));
  AMS_CHECK(check_queues(*this, mail.rcpts));

  Outgoing out{
      &mail,
      &conn.addr,
      *from,
      record.value(),
      to_base64url(mail.asig),
      to_base64url(mail.head),
      mutant("server.wrong_vouch_ehash") ? mail.ehash : mail::vouch_ehash(mail.env, mail.asig),
      {},
      {}};
  std::map<std::string, std::vector<const Rcpt*>> by_domain;
  for (const Rcpt& rcpt : mail.rcpts) by_domain[rcpt.domain].push_back(&rcpt);
  if (const auto here = by_domain.find(options_.domain); here != by_domain.end())
    std::stable_partition(here->second.begin(), here->second.end(),
                          [&](const Rcpt* rcpt) { return before_groups(txn, rcpt->addr); });
  for (const auto& [rdom, rcpts] : by_domain) AMS_CHECK(route(*this, txn, out, rdom, rcpts));
  AMS_CHECK(keep_sent_copy(*this, txn, out));
  const std::int64_t until = mail.header.exp + day_ms;
  txn.put(table_submitted, seen, key_of({be64(until)}));
  expire_at(txn, until, table_submitted, seen);

  for (const auto& [rdom, seq] : out.joined) ++lanes_[rdom].joining;
  if (mutant("server.ack_before_durable")) ok(to, answer);
  commit(txn, [this, to, answer, changed = std::move(out.changed), joined = std::move(out.joined),
               day = dseq_.day, reserved = dseq_.reserved](const Result<>& outcome) {
    for (const auto& [rdom, seq] : joined) {
      --lanes_[rdom].joining;
      if (!outcome) queue_drop(rdom, seq);  // forgets a lane that nothing joined
    }
    if (!outcome) return refuse(to, outcome.error(), 60);  // STO-2
    if (day == dseq_.day) dseq_.durable = std::max(dseq_.durable, reserved);
    ++stats_.submitted;
    for (const auto& [rdom, seq] : joined) queue_join(rdom, seq, now_, false, true);
    ok(to, answer);  // SUB-2
    push_changed(changed);
  });
  return {};
}

}  // namespace ams::server
