// Ops on what is held: publish, get, card, head, range, entries, proofs (spec DIR-1 to DIR-3,
// DIR-6, DIR-9, DIR-12 to DIR-14, DIR-16, DIR-18).
#include "directory/peer.h"

#include <algorithm>

#include "policy/mutant.h"
#include "wire/sigform.h"

namespace ams::directory {
namespace {

using Unknown = wire::ObjectReader::Unknown;

std::string_view tag_of(const wire::Value& object) {
  const wire::Value* tag = object.find("ams");
  return tag != nullptr && tag->is_string() ? std::string_view(tag->as_string())
                                            : std::string_view();
}

/// The kid that an object is of, before anything of it is judged: a record's follows from its
/// bytes (KEY-2), others name it.
std::optional<Id16> kid_of_object(const wire::Value& object) {
  if (!object.is_object()) return std::nullopt;
  if (tag_of(object) == "key/1") {
    wire::Object unsigned_record = object.as_object();
    unsigned_record.erase("sig");
    Bytes input = to_bytes(std::string_view("AMS-KEY/1\0", 10));
    append(input, wire::encode(wire::Value(std::move(unsigned_record))));
    return keys::kid_of(crypto::sha256(input));
  }
  const wire::Value* kid = object.find("kid");
  return kid != nullptr && kid->is_string() ? from_uuid_text(kid->as_string()) : std::nullopt;
}

bool same(const wire::Value& held, const wire::Value& object) {
  if (!mutant("directory.known_by_hash")) return held == object;
  return wire::encode_without(held, "sig") == wire::encode_without(object, "sig");
}

std::size_t digit_bits(std::string_view prefix) { return 4 * prefix.size(); }

Result<std::string> read_prefix(wire::ObjectReader& in) {
  const std::string prefix = in.string("prefix", prefix_digits_max);
  AMS_CHECK(in.finish());
  if (prefix.find_first_not_of("0123456789abcdef") != std::string::npos &&
      !mutant("directory.accept_prefix"))
    return fail(Code::schema, "directory.range.prefix");
  return prefix;
}

Result<Id16> read_kid(const wire::Value& args, std::string_view what) {
  wire::ObjectReader in(args, what, Unknown::ignore_x);
  const Id16 kid = in.uuid("kid");
  AMS_CHECK(in.finish());
  return kid;
}

}  // namespace

Id16 first_kid(std::string_view prefix) {
  Id16 out{};
  for (std::size_t i = 0; i < prefix.size() && i < 2 * out.size(); ++i) {
    const char digit = prefix[i];
    const int value = digit <= '9' ? digit - '0' : (digit - 'a' + 10) & 15;
    out[i / 2] = static_cast<std::uint8_t>(out[i / 2] | (i % 2 == 0 ? value << 4 : value));
  }
  return out;
}

Peer::Peer(PeerOptions options, const crypto::SigningKey* log_key, const storage::Reader& reader,
           Instant now)
    : options_(std::move(options)),
      holdings_(reader),
      history_(options_.domain, options_.full ? log_key : nullptr, reader),
      witness_(options_.domain, options_.full ? log_key : nullptr, reader),
      reader_(&reader),
      quotas_(options_.quota, options_.quota),
      requests_(5 * options_.requests_per_s, 86'400 * options_.requests_per_s) {
  std::erase(options_.peers, options_.domain);
  if (!options_.peers.empty())
    next_round_ =
        now + (options_.full ? options_.interval : push_retry_intervals * options_.interval);
  if (options_.full) next_epoch_ = now + std::chrono::seconds{1};
}

void Peer::begin() {
  if (writes_.empty()) holdings_.settled();
}

Result<const verifiable::Map*> Peer::ready() const {
  AMS_TRY(const verifiable::Map* map, holdings_.map());
  if (options_.full) AMS_CHECK(history_.load(*map));
  return map;
}

bool Peer::is_peer(std::string_view domain) const {
  return std::find(options_.peers.begin(), options_.peers.end(), domain) != options_.peers.end();
}

Result<> Peer::admit(std::string_view from_domain, Instant now) {
  const std::string_view asker = mutant("directory.one_bucket") ? "" : from_domain;
  if (requests_.take(asker, now) || mutant("directory.skip_rate")) return {};
  count(Code::rate);
  return fail(Code::rate, "directory");
}

// --- publication --------------------------------------------------------------------------------

Result<Peer::Answered> Peer::publish(const wire::Value& args, std::string_view from_domain,
                                     Instant now) {
  begin();
  wire::ObjectReader in(args, "directory.publish", Unknown::ignore_x);
  const wire::Value& records = in.any("records");
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
  AMS_CHECK(ready());
  Answered out;
  wire::Array results;
  Draft draft;
  for (const wire::Value& object : records.as_array()) {
    const auto kid = judge(object, from_domain, draft, now);
    if (kid) {
      results.push_back(wire::Object{{"kid", to_uuid_text(*kid)}});
    } else {
      count(kid.error().code);
      results.push_back(wire::Object{{"code", code_info(kid.error().code).name}});
    }
  }
  AMS_CHECK(keep(draft, out.writes));
  // A light peer answers for its own users' keys: they stay in its outbox until each full peer has
  // them.
  if (!draft.changed.empty() && (options_.full || from_domain == options_.domain))
    push(draft.changed, from_domain, options_.full ? nullptr : &out.writes);
  out.answer = wire::Object{{"results", std::move(results)}};
  return out;
}

/// DIR-18, cheapest checks first: size, kid, known, quota, and only then the signature.
Result<Id16> Peer::judge(const wire::Value& object, std::string_view from_domain, Draft& draft,
                         Instant now) {
  if (!object.is_object())
    return fail(mutant("directory.wrong_code_records") ? Code::proof_form : Code::schema, "object");
  const Bytes bytes = wire::encode(object);
  if (bytes.size() > object_size_max && !mutant("directory.skip_object_size"))
    return fail(Code::object_too_large, "object");
  const auto kid = kid_of_object(object);
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
  // Another peer's publishers spent their quota there.
  const bool relayed = is_peer(from_domain) && !mutant("directory.relay_spends_quota");
  const Instant quota_now = mutant("directory.no_refill") ? Instant{} : now;
  const bool spent =
      !relayed && !quotas_.has(from_domain, quota_now) && !mutant("directory.skip_quota");
  if (spent && !mutant("directory.quota_last")) return fail(Code::publisher, "quota");
  const std::size_t before = draft.changed.size();
  if (const auto taken = take(object, *kid, draft); !taken) {
    if (mutant("directory.skip_verify")) return *kid;
    return tl::unexpected<Error>(taken.error());
  }
  if (spent) return fail(Code::publisher, "quota");
  if (!relayed && draft.changed.size() != before) (void)quotas_.take(from_domain, now);
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
  for (const Id16& kid : draft.changed) {
    const keys::Entry& entry = draft.entries.at(kid);
    AMS_TRY(const bool changed, holdings_.put(kid, entry, writes));
    if (!changed || !options_.full) continue;
    history_.note_change(kid, entry.value(), writes);
  }
  if (options_.full && !draft.changed.empty()) {
    AMS_TRY(const verifiable::Map* map, holdings_.map());
    next_epoch_ = history_.due(*map);
  }
  return {};
}

// --- reading ------------------------------------------------------------------------------------

Result<wire::Value> Peer::held(const Id16& kid) const {
  AMS_TRY(const wire::Array objects, holdings_.objects(kid));
  if (objects.empty())
    return fail(mutant("server.wrong_code_not_found") ? Code::schema : Code::not_found, "kid");
  wire::Object out;
  wire::Array events;
  for (const wire::Value& object : objects) {
    const std::string_view tag = tag_of(object);
    if (tag != "key/1" && mutant("directory.answer_record_alone")) continue;
    if (tag == "kev/1") events.push_back(object);
    if (tag == "rev/1") out.emplace("revocation", object);
    if (tag == "card/1") out.emplace("card", object);
    if (tag != "key/1") continue;
    const bool second = !out.emplace("record", object).second;
    if (second && !mutant("directory.skip_quarantine")) return fail(Code::kid_quarantined, "kid");
  }
  if (!events.empty()) out.emplace("events", std::move(events));
  return wire::Value(std::move(out));
}

Result<wire::Value> Peer::get(const wire::Value& args) const {
  AMS_TRY(const Id16 kid, read_kid(args, "directory.get"));
  return held(kid);
}

Result<wire::Value> Peer::card(const wire::Value& args) const {
  AMS_TRY(const Id16 kid, read_kid(args, "directory.card"));
  AMS_TRY(const wire::Value entry, held(kid));
  const wire::Value* card = entry.find("card");
  if (card == nullptr)
    return fail(mutant("directory.wrong_code_card") ? Code::schema : Code::not_found, "card");
  return wire::Object{{"card", *card}};
}

Result<> Peer::usable(const keys::KeyId& key) const {
  AMS_TRY(const verifiable::Map* map, holdings_.map());
  const auto value = map->find(key.kid);
  if (!value || *value == keys::Entry::bare_value(key.fp)) return {};
  AMS_TRY(const auto entry, holdings_.entry(key.kid));
  return entry ? entry->usable() : Result<>{};
}

Result<wire::Value> Peer::head() const {
  AMS_TRY(const verifiable::Map* map, ready());
  wire::Object out{{"count", static_cast<std::int64_t>(map->size())},
                   {"root", to_base64url(map->root())}};
  if (!history_.checkpoint().empty()) out.emplace("checkpoint", history_.checkpoint());
  return wire::Value(std::move(out));
}

Result<wire::Value> Peer::range(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.range", Unknown::ignore_x);
  AMS_TRY(const std::string prefix, read_prefix(in));
  AMS_TRY(const verifiable::Map* map, ready());
  const Id16 first = first_kid(prefix);
  wire::Object out{{"digest", to_base64url(map->range_root(first, digit_bits(prefix)))}};
  const auto listed = map->range(first, digit_bits(prefix), range_entries_max + 1);
  if (listed.size() <= range_entries_max || prefix.size() == prefix_digits_max ||
      mutant("directory.range_never_divides")) {
    wire::Array entries;
    for (const verifiable::Entry& entry : listed)
      entries.push_back(
          wire::Object{{"kid", to_uuid_text(entry.kid)}, {"value", to_base64url(entry.value)}});
    out.emplace("entries", std::move(entries));
  } else {
    wire::Array children;
    for (const char digit : std::string_view("0123456789abcdef"))
      children.emplace_back(
          to_base64url(map->range_root(first_kid(prefix + digit), digit_bits(prefix) + 4)));
    out.emplace("children", std::move(children));
  }
  return wire::Value(std::move(out));
}

Result<wire::Value> Peer::entries(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.entries", Unknown::ignore_x);
  const wire::Value& asked = in.any("kids");
  AMS_CHECK(in.finish());
  const Code malformed = mutant("directory.wrong_code_entries") ? Code::proof_form : Code::schema;
  if (!asked.is_array()) return fail(malformed, "directory.entries.kids");
  if (asked.as_array().size() > entries_max && !mutant("directory.skip_entries_limit"))
    return fail(Code::batch_too_large, "directory.entries.kids");
  wire::Array out;
  std::size_t size = 0;
  for (const wire::Value& text : asked.as_array()) {
    const auto kid = text.is_string() ? from_uuid_text(text.as_string()) : std::nullopt;
    if (!kid) return fail(malformed, "directory.entries.kids");
    AMS_TRY(wire::Array objects, holdings_.objects(*kid));
    if (mutant("directory.stale_entries") && objects.size() > 1) objects.resize(1);
    wire::Value entry(std::move(objects));
    size += wire::encode(entry).size();
    if (!out.empty() && size > answer_size_max) break;  // the rest is asked for again
    out.push_back(std::move(entry));
  }
  if (mutant("directory.entries_reversed")) std::reverse(out.begin(), out.end());
  return wire::Object{{"entries", std::move(out)}};
}

// --- proofs -------------------------------------------------------------------------------------

Result<wire::Value> Peer::proof(const wire::Value& args) const {
  AMS_TRY(const Id16 kid, read_kid(args, "directory.proof"));
  AMS_CHECK(ready());
  return history_.prove(kid);
}

Result<wire::Value> Peer::consistency(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.consistency", Unknown::ignore_x);
  const std::int64_t first = in.integer("first");
  const std::int64_t second = in.integer("second");
  AMS_CHECK(in.finish());
  AMS_CHECK(ready());
  return history_.consistency(static_cast<std::uint64_t>(first),
                              static_cast<std::uint64_t>(second));
}

Result<wire::Value> Peer::history(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.history", Unknown::ignore_x);
  const std::int64_t from = in.integer("from");
  AMS_CHECK(in.finish());
  AMS_CHECK(ready());
  return history_.replay(static_cast<std::uint64_t>(from));
}

// --- writes and time ----------------------------------------------------------------------------

void Peer::write(storage::WriteBatch batch) {
  if (!batch.empty()) writes_.push_back({next_ticket_++, std::move(batch)});
}

void Peer::handle_write_failure() {
  holdings_.forget();
  history_.forget();
  witness_.forget();
  epoch_ticket_ = 0;
}

void Peer::handle_written(std::uint64_t ticket, const Result<>& outcome) {
  if (!outcome) return handle_write_failure();
  if (ticket != epoch_ticket_) return;
  epoch_ticket_ = 0;
  history_.durable();
}

void Peer::handle_timeout(Instant now) {
  begin();
  if (next_epoch_ && *next_epoch_ <= now) cut_epoch(now);
  if (!next_round_ || now < *next_round_) return;
  next_round_ =
      now + (options_.full ? options_.interval : push_retry_intervals * options_.interval);
  retry_outbox();
  if (options_.full) start_gossip(now);
}

std::optional<Instant> Peer::timeout() const {
  if (!next_round_) return next_epoch_;
  return next_epoch_ ? std::min(*next_epoch_, *next_round_) : *next_round_;
}

std::optional<Ask> Peer::poll_ask() {
  if (asks_.empty()) return std::nullopt;
  Ask next = std::move(asks_.front());
  asks_.pop_front();
  return next;
}

std::optional<Fetched> Peer::poll_fetched() {
  if (fetched_.empty()) return std::nullopt;
  Fetched next = std::move(fetched_.front());
  fetched_.pop_front();
  return next;
}

std::optional<Write> Peer::poll_write() {
  if (writes_.empty()) return std::nullopt;
  Write next = std::move(writes_.front());
  writes_.pop_front();
  return next;
}

Stats Peer::stats() const {
  Stats out = stats_;
  if (const auto map = ready()) {
    out.keys = (*map)->size();
    out.root = (*map)->root();
  }
  for (const std::string& domain : options_.peers) out.peers_evicted += evicted(domain);
  out.peers = options_.peers.size() - out.peers_evicted;
  out.peers_agreeing = agreeing_.size();
  out.epochs = history_.size();
  return out;
}

}  // namespace ams::directory
