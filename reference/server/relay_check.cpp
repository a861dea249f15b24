// relay.deliver: the judgements (REL-3 to REL-6, REL-11, REL-14, VCH-4, MSG-6).
#include <algorithm>

#include "policy/mutant.h"
#include "server/deliver_job.h"
#include "wire/address.h"

namespace ams::server {
namespace {

constexpr std::size_t delivery_rcpts_max = 100;  // REL-3

Result<DeliverJob::Rcpt> read_relay_rcpt(const wire::Value& value, std::size_t stanzas,
                                         std::size_t vouches) {
  wire::ObjectReader in(value, "rcpt");
  DeliverJob::Rcpt out;
  out.addr = in.string("addr", 320);
  out.stanza = static_cast<std::size_t>(in.integer("stanza"));
  const Id16 salt = in.bytes<16>("salt");
  out.vouch = static_cast<std::size_t>(in.integer("vouch"));
  AMS_CHECK(in.finish());
  AMS_TRY(wire::Address address, wire::parse_address(out.addr));
  out.domain = std::move(address.domain);
  if (out.stanza >= stanzas) {
    if (!mutant("server.skip_stanza_index")) return fail(Code::schema, "rcpt.stanza");
    out.stanza %= stanzas;
  }
  if (out.vouch >= vouches) return fail(Code::schema, "rcpt.vouch");
  out.tag = mail::rtag(salt, out.addr);
  return out;
}

Result<DeliverJob::Delivery> read_delivery(const wire::Value& value) {
  wire::ObjectReader in(value, "delivery");
  DeliverJob::Delivery out;
  out.env = in.any("env");
  out.asig = in.binary("asig", 1, 1'024);
  const wire::Value stanzas = in.any("stanzas");
  out.head = in.binary("head", 0, 4'096);
  out.vouches = in.array("vouches", 4'096);
  const wire::Array& rcpts = in.array("rcpts", 4'096);
  if (const wire::Value* key = in.optional("key")) out.key = *key;
  AMS_CHECK(in.finish());
  AMS_TRY(out.header, mail::parse_header(out.env));
  AMS_CHECK(mail::parse_stanzas(stanzas));
  out.stanzas = stanzas.as_array();
  if (rcpts.empty()) return fail(Code::schema, "delivery.rcpts");
  if ((rcpts.size() > delivery_rcpts_max || out.vouches.size() > delivery_rcpts_max) &&
      !mutant("server.accept_many_rcpts"))
    return fail(Code::too_many_stanzas, "delivery.rcpts");
  std::set<std::string> seen;
  for (const wire::Value& rcpt_value : rcpts) {
    AMS_TRY(DeliverJob::Rcpt rcpt,
            read_relay_rcpt(rcpt_value, out.stanzas.size(), out.vouches.size()));
    if (!seen.insert(rcpt.addr).second) return fail(Code::schema, "delivery.rcpts");
    out.rcpts.push_back(std::move(rcpt));
  }
  out.ehash = mail::ehash(out.env);
  return out;
}

/// A vouch covers the recipients that point at it (VCH-4).
void judge_vouches(DeliverJob::Delivery& delivery, const keys::Chain& sender,
                   const std::string& rdom) {
  if (mutant("server.skip_vouch")) return;
  const Hash ehash = mail::vouch_ehash(delivery.env, delivery.asig);
  for (std::size_t i = 0; i < delivery.vouches.size(); ++i) {
    mail::VouchCover cover{ehash, delivery.header.sdom, rdom, {}};
    bool open = false;
    for (const auto& rcpt : delivery.rcpts) {
      if (rcpt.vouch != i) continue;
      cover.rtags.push_back(rcpt.tag);
      open = open || rcpt.open();
    }
    if (!open || mail::verify_vouch(delivery.vouches[i], sender, cover)) continue;
    for (auto& rcpt : delivery.rcpts)
      if (rcpt.vouch == i && rcpt.open()) rcpt.refusal = Code::vouch_mismatch;
  }
}

}  // namespace

bool DeliverJob::Delivery::open() const {
  return std::any_of(rcpts.begin(), rcpts.end(), [](const Rcpt& rcpt) { return rcpt.open(); });
}

void DeliverJob::Delivery::refuse_open(Code code) {
  for (Rcpt& rcpt : rcpts)
    if (rcpt.open()) rcpt.refusal = code;
}

Result<std::vector<DeliverJob::Delivery>> read_deliveries(const wire::Value& args,
                                                          std::int64_t batch_max) {
  wire::ObjectReader in(args, "relay.deliver", wire::ObjectReader::Unknown::ignore_x);
  const wire::Array& values = in.array("deliveries", 4'096);
  AMS_CHECK(in.finish());
  if (values.empty()) return fail(Code::schema, "relay.deliver");
  if (static_cast<std::int64_t>(values.size()) > batch_max && !mutant("server.skip_batch_limit"))
    return fail(Code::batch_too_large, "relay.deliver");
  std::vector<DeliverJob::Delivery> out;
  std::size_t rcpts = 0;
  for (const wire::Value& value : values) {
    AMS_TRY(DeliverJob::Delivery delivery, read_delivery(value));
    rcpts += delivery.rcpts.size();
    if (rcpts > deliver_rcpts_max) return fail(Code::batch_too_large, "relay.deliver");
    out.push_back(std::move(delivery));
  }
  return out;
}

/// All that needs no answer from anyone, in the order of REL-16.
void Core::judge(DeliverJob& job) {
  Txn txn(reader_);
  for (auto& delivery : job.deliveries) {
    const mail::Header& header = delivery.header;
    if (header.sdom != job.sdom && !mutant("server.skip_sdom")) {
      delivery.refuse_open(Code::domain_mismatch);  // REL-4
      continue;
    }
    for (auto& rcpt : delivery.rcpts) {
      const Bytes seen = key_of({delivery.ehash, crypto::sha256(as_bytes(rcpt.addr))});
      rcpt.known = txn.get(table_delivered, seen).has_value() && !mutant("server.skip_dedup");
    }
    const auto in_force = mail::in_force(header, now_);  // MSG-6
    if (!in_force && !mutant("server.skip_times")) delivery.refuse_open(in_force.error().code);
    for (auto& rcpt : delivery.rcpts) {
      if (!rcpt.open()) continue;
      if (!local(rcpt.domain) && !mutant("server.skip_not_local"))
        rcpt.refusal = Code::not_local;  // REL-5
      else if (const auto takes = takes_mail(txn, rcpt.addr); !takes)
        rcpt.refusal = takes.error().code;  // not no_such_address: that is for ever
      else if (!*takes)
        rcpt.refusal =
            mutant("server.wrong_code_no_such_address") ? Code::not_local : Code::no_such_address;
    }
    judge_vouches(delivery, *job.sender, options_.domain);
    const bool head_fits = delivery.head.size() == header.head.len &&
                           crypto::sha256(delivery.head) == header.head.hash;
    if (!head_fits && !mutant("server.skip_head_hash")) delivery.refuse_open(Code::blob_hash);
    if (header.body.len > static_cast<std::uint64_t>(options_.limits.blob))
      delivery.refuse_open(Code::object_too_large);
  }
  if (!txn.status())
    for (auto& delivery : job.deliveries) delivery.refuse_open(Code::storage);
}

/// REL-14: the sender's account signed this header, with a key that was valid then.
void Core::judge_record(DeliverJob& job, std::size_t at, const Result<wire::Value>& record_value) {
  auto& delivery = job.deliveries[at];
  if (mutant("server.skip_asig_relay")) return;
  if (!record_value) {
    const bool quarantined = record_value.error().code == Code::kid_quarantined;
    return delivery.refuse_open(quarantined ? Code::kid_quarantined : Code::peer_unreachable);
  }
  const auto held = records_.find(delivery.header.sender);
  const bool known = held != records_.end() && held->second.value() == *record_value;
  const auto record = known ? Result<keys::KeyRecord>(held->second)
                            : keys::KeyRecord::parse_as(*record_value, delivery.header.sender);
  if (!record) return delivery.refuse_open(record.error().code);
  if (const auto asig = mail::verify_asig(delivery.env, delivery.asig, *record); !asig)
    return delivery.refuse_open(asig.error().code);
  if (!record->valid_at(from_unix_ms(delivery.header.ts))) delivery.refuse_open(Code::key_expired);
  if (const auto usable = peer_.usable(record->id()); !usable)
    return delivery.refuse_open(usable.error().code);  // KEV-7
  if (!known) keep_record(*record, delivery.header.sdom);
}

/// The reader's client will ask for the sender's record: what came with the mail need not be
/// fetched.
void Core::keep_record(const keys::KeyRecord& record, const std::string& sdom) {
  hold_record(record);
  auto kept = peer_.publish(wire::Object{{"records", wire::Array{record.value()}}}, sdom, now_);
  if (!kept || kept->writes.empty()) return;
  commit(std::move(kept->writes), [this](const Result<>& outcome) {
    if (!outcome) peer_.handle_write_failure();  // no more lost than a look-up in the directory
  });
  later([this] { pump_peer(); });
}

/// What has to be pulled; mailboxes that cannot take even the body are spared it.
void Core::job_plan(DeliverJob& job) {
  Txn txn(reader_);
  std::set<Hash> planned;
  const auto need = [&](const Hash& hash, std::uint64_t len_max) {
    if (planned.insert(hash).second) job.needs.push_back({hash, len_max});
  };
  for (auto& delivery : job.deliveries) {
    for (auto& rcpt : delivery.rcpts) {
      if (!rcpt.open()) continue;
      const auto to = account(txn, rcpt.addr);
      const std::uint64_t len = delivery.header.body.len;
      if (to ? !room_for(txn, to->acct, len) : !group_has_room(txn, delivery.ehash, rcpt.addr, len))
        rcpt.refusal = Code::mailbox_full;  // REL-7
    }
    if (!delivery.open()) continue;
    need(delivery.header.body.hash, delivery.header.body.len);
    for (const Hash& blob : delivery.header.blobs)
      need(blob, static_cast<std::uint64_t>(options_.limits.blob));
  }
}

wire::Value Core::receipts_of(const DeliverJob& job) {
  wire::Array results;
  for (const auto& delivery : job.deliveries) {
    wire::Array receipts;
    for (const auto& rcpt : delivery.rcpts) {
      mail::Receipt receipt{delivery.ehash, options_.domain, chain_->record.op.kid,
                            rcpt.tag,       !rcpt.refusal,   rcpt.refusal,
                            now_ms()};
      auto value = mail::make_receipt(receipt, op_);
      receipts.push_back(value ? std::move(*value) : wire::Value());
    }
    results.emplace_back(std::move(receipts));
  }
  return wire::Object{{"results", std::move(results)}};
}

}  // namespace ams::server
