// Ops on what is held: get, card, head, range, entries, proofs (spec DIR-2, DIR-3, DIR-9, DIR-12 to
// DIR-14, DIR-16).
#include "directory/peer.h"

#include <algorithm>

#include "directory/objects.h"
#include "policy/mutant.h"

namespace ams::directory {
namespace {

using Unknown = wire::ObjectReader::Unknown;

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
      slots_(options_.domain, options_.peers, learns(), options_.exchange_secret),
      holdings_(reader),
      history_(options_.domain, options_.full ? log_key : nullptr, reader),
      witness_(options_.domain, options_.full ? log_key : nullptr, reader),
      bindlogs_(options_.domain, options_.full ? log_key : nullptr, reader,
                {.per_day = options_.quota}),
      reader_(&reader),
      quotas_(options_.quota, options_.quota),
      requests_(5 * options_.requests_per_s, 86'400 * options_.requests_per_s),
      relayed_(options_.quota, options_.quota),
      lent_(std::max<std::int64_t>(options_.quota / 2, 1),
            std::max<std::int64_t>(options_.quota / 2, 1)),
      op_(log_key),
      vouched_(reader),
      grantor_asks_(grantor_asks, grantor_asks_day) {
  if (op_ != nullptr)
    if (auto key = crypto::VerifyKey::from_raw(op_->alg(), op_->public_raw())) own_op_ = *key;
  if (!in_order().empty() || learns()) next_round_ = now + round_interval();
  if (options_.full) next_epoch_ = now + std::chrono::seconds{1};
  load_learned();
}

Duration Peer::round_interval() const {
  return options_.full ? options_.interval : push_retry_intervals * options_.interval;
}

void Peer::begin() {
  if (writes_.empty()) {
    holdings_.settled();
    vouched_.settled();
  }
  if (!learned_loaded_) load_learned();
}

Result<const verifiable::Map*> Peer::ready() const {
  AMS_TRY(const verifiable::Map* map, holdings_.map());
  if (options_.full) AMS_CHECK(history_.load(*map));
  return map;
}

Result<> Peer::admit(std::string_view from_domain, Instant now) {
  const std::string_view asker = mutant("directory.one_bucket") ? "" : from_domain;
  if (requests_.take(asker, now) || mutant("directory.skip_rate")) return {};
  count(Code::rate);
  return fail(Code::rate, "directory");
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
    if (tag == "card/1" || tag == "cardstub/1") out.emplace("card", object);
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

Result<storage::WriteBatch> Peer::drop_card(const Id16& kid) {
  begin();
  storage::WriteBatch writes;
  AMS_CHECK(holdings_.drop_card(kid, writes));
  return writes;
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
  if (options_.full && options_.work_bits > 0) out.emplace("work", options_.work_bits);
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
  const bool only = in.optional_boolean("granted", false);
  const bool vouched = in.optional_boolean("grants", false) || only;
  AMS_CHECK(in.finish());
  const Code malformed = mutant("directory.wrong_code_entries") ? Code::proof_form : Code::schema;
  if (!asked.is_array()) return fail(malformed, "directory.entries.kids");
  if (asked.as_array().size() > entries_max && !mutant("directory.skip_entries_limit"))
    return fail(Code::batch_too_large, "directory.entries.kids");
  wire::Array out;
  VouchersOut vouchers;
  std::size_t size = 0;
  for (const wire::Value& text : asked.as_array()) {
    const auto kid = text.is_string() ? from_uuid_text(text.as_string()) : std::nullopt;
    if (!kid) return fail(malformed, "directory.entries.kids");
    AMS_TRY(wire::Array objects, holdings_.objects(*kid));
    std::optional<Vouched> granted;
    if (vouched) {  // DIR-62
      AMS_TRY(granted, vouched_.of(*kid));
      if (only && !granted && !mutant("directory.entries_ungranted")) objects.clear();
    }
    if (mutant("directory.stale_entries") && objects.size() > 1) objects.resize(1);
    wire::Value entry(std::move(objects));
    size += wire::encode(entry).size();
    if (!out.empty() && size > answer_size_max) break;  // the rest is asked for again
    out.push_back(std::move(entry));
    if (vouched) size += vouchers.add(granted);
  }
  if (mutant("directory.entries_reversed")) std::reverse(out.begin(), out.end());
  wire::Object answer{{"entries", std::move(out)}};
  if (vouched) std::move(vouchers).into(answer, true);
  return wire::Value(std::move(answer));
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
  AMS_TRY(wire::Value answer, history_.consistency(static_cast<std::uint64_t>(first),
                                                   static_cast<std::uint64_t>(second)));
  if (!history_.checkpoint().empty() && !mutant("directory.consistency_without_checkpoint"))
    answer.as_object().emplace("checkpoint", history_.checkpoint());  // DIR-43
  return answer;
}

Result<wire::Value> Peer::history(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.history", Unknown::ignore_x);
  const std::int64_t from = in.integer("from");
  AMS_CHECK(in.finish());
  AMS_CHECK(ready());
  return history_.replay(static_cast<std::uint64_t>(from));
}

Result<Peer::Answered> Peer::bindlog(const wire::Value& args, const keys::DomainRecord& record,
                                     Instant now) {
  Answered out;
  const auto shown = bindlogs_.show(args, record, now, out.writes);
  if (!shown) {
    write(std::move(out.writes));  // the evidence of a lie
    count(shown.error().code);
    return tl::unexpected<Error>(shown.error());
  }
  wire::Object answer{{"size", static_cast<std::int64_t>(shown->size)}};
  if (!shown->cosignature.empty() && !mutant("directory.bindlog_no_cosignature"))
    answer.emplace("cosignature", shown->cosignature);
  out.answer = wire::Value(std::move(answer));
  return out;
}

// --- writes and time ----------------------------------------------------------------------------

void Peer::write(storage::WriteBatch batch) {
  if (!batch.empty()) writes_.push_back({next_ticket_++, std::move(batch)});
}

void Peer::handle_write_failure() {
  holdings_.forget();
  vouched_.settled();
  history_.forget();
  witness_.forget();
  bindlogs_.forget();
  epoch_ticket_ = 0;
  learned_kept_.reset();
}

void Peer::handle_written(std::uint64_t ticket, const Result<>& outcome) {
  if (!outcome) return handle_write_failure();
  if (ticket != epoch_ticket_) return;
  epoch_ticket_ = 0;
  history_.durable();
  seek_cosignatures();
}

void Peer::handle_timeout(Instant now) {
  begin();
  if (!fresh_ && ready()) fresh_ = history_.size() == 0;
  if (next_epoch_ && *next_epoch_ <= now) cut_epoch(now);
  if (!next_round_ || now < *next_round_) return;
  next_round_ = now + round_interval();
  retry_outbox();
  ask_owed();
  pursue_all();
  if (options_.full) start_gossip();
  seek_cosignatures();
  if (learns()) try_one();
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
  for (const std::string& domain : in_order()) {
    out.peers_evicted += evicted(domain);
    out.in_use.push_back({domain, slots_.block_of(domain), !slots_.configured(domain),
                          agreeing_.contains(domain), evicted(domain)});
  }
  out.peers = in_order().size() - out.peers_evicted;
  out.peers_learned = slots_.learned().size();
  out.peers_waiting = slots_.waiting();
  out.peers_agreeing = agreeing_.size();
  out.epochs = history_.size();
  out.witnessed = bindlogs_.cosigned();
  return out;
}

}  // namespace ams::directory
