// Publication: what is offered is judged, kept and pushed (spec DIR-1, DIR-6, DIR-18, DIR-23).
#include <algorithm>

#include "directory/objects.h"
#include "directory/peer.h"
#include "policy/mutant.h"
#include "wire/sigform.h"

namespace ams::directory {
namespace {

using Unknown = wire::ObjectReader::Unknown;

/// The kid that an object is of, before anything of it is judged: a record's follows from its
/// bytes (KEY-2), others name it. `fp`: of a record.
std::optional<Id16> kid_of_object(const wire::Value& object, Hash& fp) {
  if (!object.is_object()) return std::nullopt;
  if (tag_of(object) == "key/1") {
    fp = fp_of_record(object);
    return keys::kid_of(fp);
  }
  const wire::Value* kid = object.find("kid");
  return kid != nullptr && kid->is_string() ? from_uuid_text(kid->as_string()) : std::nullopt;
}

bool same(const wire::Value& held, const wire::Value& object) {
  if (!mutant("directory.known_by_hash")) return held == object;
  return wire::encode_without(held, "sig") == wire::encode_without(object, "sig");
}

/// "work": a nonce for each object, or an empty string (DIR-23).
Result<std::vector<std::optional<WorkNonce>>> read_works(const wire::Value* work,
                                                         std::size_t objects) {
  std::vector<std::optional<WorkNonce>> out(objects);
  if (work == nullptr) return out;
  if (!work->is_array() || work->as_array().size() != objects) return fail(Code::schema, "work");
  for (std::size_t i = 0; i < objects; ++i) {
    const wire::Value& text = work->as_array()[i];
    if (!text.is_string()) return fail(Code::schema, "work");
    AMS_TRY(out[i], read_work(text.as_string()));
  }
  return out;
}

}  // namespace

// --- publication --------------------------------------------------------------------------------

Result<Peer::Answered> Peer::publish(const wire::Value& args, std::string_view from_domain,
                                     Instant now, const crypto::VerifyKey* op) {
  begin();
  wire::ObjectReader in(args, "directory.publish", Unknown::ignore_x);
  const wire::Value& records = in.any("records");
  const wire::Value* const work = in.optional("work");
  const bool on = in.optional_boolean("on", false);
  const wire::Value* const grants = in.optional("grants");
  const wire::Value* const vouched = in.optional("vouchers");
  AMS_CHECK(in.finish());
  if (evicted(from_domain)) return fail(Code::peer_evicted, "directory.publish");
  if (!records.is_array())
    return fail(mutant("directory.wrong_code_records") ? Code::proof_form : Code::schema,
                "records");
  if (records.as_array().empty() && !mutant("directory.accept_empty"))
    return fail(Code::schema, "records");
  const std::size_t most = publish_max - (mutant("directory.batch_of_63") ? 1 : 0);
  if (records.as_array().size() > most && !mutant("directory.skip_batch_limit"))
    return fail(Code::batch_too_large, "records");
  const auto nonces = read_works(work, records.as_array().size());
  if (!nonces && mutant("directory.wrong_code_work")) return fail(Code::publisher, "work");
  AMS_CHECK(nonces);
  AMS_TRY(Vouchers vouchers, Vouchers::read(grants, vouched, records.as_array().size()));
  AMS_CHECK(ready());
  if (op != nullptr) grantors_.put(from_domain, *op, now);
  Answered out;
  wire::Array results;
  Draft draft;
  for (std::size_t i = 0; i < records.as_array().size(); ++i) {
    const auto kid = judge(records.as_array()[i],
                           {(*nonces)[i], from_domain, on, &vouchers, i, nullptr}, draft, now);
    if (kid) {
      results.push_back(wire::Object{{"kid", to_uuid_text(*kid)}});
    } else {
      count(kid.error().code);
      results.push_back(wire::Object{{"code", code_info(kid.error().code).name}});
    }
  }
  vouch(draft, from_domain, now);
  AMS_CHECK(keep(draft, out.writes));
  // A light peer answers for its own users' keys: they stay in its outbox until each full peer has
  // them.
  if (!draft.changed.empty() && (options_.full || from_domain == options_.domain))
    push(draft.changed, from_domain, options_.full ? nullptr : &out.writes);
  out.answer = wire::Object{{"results", std::move(results)}};
  return out;
}

/// DIR-18, cheapest checks first: size, kid, known, who answers for it, quota, and only then the
/// signature.
Result<Id16> Peer::judge(const wire::Value& object, const Offer& offer, Draft& draft, Instant now) {
  const std::string_view from_domain = offer.from_domain;
  if (!object.is_object())
    return fail(mutant("directory.wrong_code_records") ? Code::proof_form : Code::schema, "object");
  const Bytes bytes = wire::encode(object);
  if (bytes.size() > object_size_max && !mutant("directory.skip_object_size"))
    return fail(Code::object_too_large, "object");
  Hash fp{};
  const auto kid = kid_of_object(object, fp);
  if (!kid) return fail(Code::schema, "object.kid");
  AMS_TRY(const verifiable::Map* map, holdings_.map());
  const auto drafted = draft.entries.find(*kid);
  const bool known = drafted != draft.entries.end() || map->find(*kid);
  if (known) {
    // The hashes leave out the signature: only the very bytes that were verified are known.
    AMS_TRY(const wire::Array held, holdings_.objects(*kid));
    if (std::any_of(held.begin(), held.end(), [&](const auto& one) { return same(one, object); })) {
      if (mutant("directory.refuse_known")) return fail(Code::card_stale, "object");
      AMS_CHECK(this->held(*kid));  // kid_quarantined, for both of them
      return *kid;
    }
  } else if (tag_of(object) != "key/1") {
    if (mutant("directory.skip_verify")) return *kid;
    return fail(Code::not_found, "object.kid");  // DIR-1: the record comes first
  }
  std::optional<Backing> backing;  // a domain that answers for a new key (DIR-60)
  if (!known) {
    AMS_TRY(backing, backing_of(object, {*kid, fp}, offer, now));
  }
  // What a peer passes on and no domain answers for has a budget (DIR-54).
  const bool relayed = is_peer(from_domain) && !backing && !mutant("directory.relay_spends_quota");
  const std::string_view payer =
      offer.on && !mutant("directory.one_relay_budget") ? "" : from_domain;
  if (relayed && !known && !relayed_.has(payer, now) && !mutant("directory.relay_without_end"))
    return fail(Code::publisher, "relayed");
  const bool granted = backing && !mutant("directory.grant_counts_for_relayer");
  const std::string_view publisher = granted ? backing->vouched.grant->domain : from_domain;
  const Instant quota_now = mutant("directory.no_refill") ? Instant{} : now;
  const bool spent = !relayed && !may_publish(publisher, quota_now);
  const bool paid =
      spent && check_work(options_.domain, bytes, offer.nonce, options_.work_bits, now).has_value();
  if (spent && !paid && !mutant("directory.quota_last")) return fail(Code::publisher, "quota");
  const std::size_t before = draft.changed.size();
  if (const auto taken = take(object, *kid, draft); !taken) {
    if (mutant("directory.skip_verify")) return *kid;
    return tl::unexpected<Error>(taken.error());
  }
  if (spent && !paid) return fail(Code::publisher, "quota");
  if (!relayed && !paid && draft.changed.size() != before) charge(publisher, now);
  if (relayed && !known) (void)relayed_.take(payer, now);
  if (!known)
    note_new(
        draft, {*kid, fp},
        backing && (!paid || mutant("directory.work_keeps_grant")) ? &backing->vouched : nullptr,
        relayed);
  const auto& entry = draft.entries.at(*kid);
  if (entry.records().size() > 1 && !mutant("directory.skip_quarantine"))
    return fail(Code::kid_quarantined, "kid");  // kept: both are the evidence (KEY-6)
  return *kid;
}

/// Verifies an object and takes it into the draft of its entry.
Result<> Peer::take(const wire::Value& object, const Id16& kid, Draft& draft) {
  auto at = draft.entries.find(kid);
  if (at == draft.entries.end()) {
    AMS_TRY(auto held, holdings_.entry(kid));
    if (!held) {
      AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse_as(object, kid));
      draft.entries.emplace(kid, keys::Entry(std::move(record)));
      draft.changed.insert(kid);
      ++stats_.published;
      return {};
    }
    at = draft.entries.emplace(kid, std::move(*held)).first;
  }
  AMS_TRY(const bool changed, at->second.add(object));
  if (!changed) return {};
  draft.changed.insert(kid);
  ++stats_.published;
  return {};
}

Result<> Peer::keep(const Draft& draft, storage::WriteBatch& writes) {
  std::set<Hash> bodies;
  for (const Id16& kid : draft.changed) {
    const keys::Entry& entry = draft.entries.at(kid);
    AMS_TRY(const bool changed, holdings_.put(kid, entry, writes));
    if (const auto vouched = draft.vouched.find(kid); changed && vouched != draft.vouched.end())
      vouched_.put(kid, vouched->second, bodies, writes);
    if (!changed || !options_.full) continue;
    history_.note_change(kid, entry.value(), writes);
  }
  if (options_.full && !draft.changed.empty()) {
    AMS_TRY(const verifiable::Map* map, holdings_.map());
    next_epoch_ = history_.due(*map);
  }
  return {};
}

}  // namespace ams::directory
