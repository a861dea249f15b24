#include "directory/peer.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::directory {
namespace {

std::array<std::uint8_t, 48> row_key(const keys::KeyId& id) {
  std::array<std::uint8_t, 48> key{};
  std::copy(id.kid.begin(), id.kid.end(), key.begin());
  std::copy(id.fp.begin(), id.fp.end(), key.begin() + 16);
  return key;
}

/// The fingerprint as KEY-2 says, without judging the record: enough to know whether we hold it.
std::optional<keys::KeyId> id_of_bytes(const wire::Value& record) {
  if (!record.is_object()) return std::nullopt;
  wire::Object unsigned_record = record.as_object();
  unsigned_record.erase("sig");
  Bytes input = to_bytes(std::string_view("AMS-KEY/1\0", 10));
  append(input, wire::encode(wire::Value(std::move(unsigned_record))));
  const Hash fp = crypto::sha256(input);
  return keys::KeyId{keys::kid_of(fp), fp};
}

bool in_prefix(const std::string& hex, std::string_view prefix) { return hex.starts_with(prefix); }

}  // namespace

Peer::Peer(PeerOptions options, const storage::Reader& reader, Instant now)
    : options_(std::move(options)), reader_(&reader) {
  std::erase(options_.peers, options_.domain);
  if (!options_.peers.empty())
    next_round_ = now + (options_.full ? options_.interval : push_retry_interval);
}

// --- ops --------------------------------------------------------------------------------

Result<Peer::Published> Peer::publish(const wire::Value& args, std::string_view from_domain,
                                      Instant) {
  wire::ObjectReader in(args, "directory.publish", wire::ObjectReader::Unknown::ignore_x);
  const wire::Value& records = in.any("records");
  AMS_CHECK(in.finish());
  if (!records.is_array() || records.as_array().empty()) return fail(Code::schema, "records");
  if (records.as_array().size() > publish_max && !mutant("directory.skip_batch_limit"))
    return fail(Code::batch_too_large, "records");
  Published out;
  wire::Array results;
  std::vector<Key> fresh;
  wire::Array fresh_records;
  for (const wire::Value& record : records.as_array()) {
    const std::size_t before = out.writes.puts.size();
    const auto kid = judge(record, from_domain, out.writes);
    if (kid) {
      results.push_back(wire::Object{{"kid", to_uuid_text(*kid)}});
    } else {
      results.push_back(wire::Object{{"code", code_info(kid.error().code).name}});
    }
    if (out.writes.puts.size() == before) continue;
    fresh.push_back(*to_array<48>(out.writes.puts.back().key));
    fresh_records.push_back(record);
  }
  // A light peer answers for its own users' keys: they stay in its outbox until each full peer has
  // them.
  if (!fresh.empty() && (options_.full || from_domain == options_.domain))
    push(fresh, fresh_records, from_domain, options_.full ? nullptr : &out.writes);
  out.answer = wire::Object{{"results", std::move(results)}};
  return out;
}

/// Cheapest checks first: known, quota, then KEY-8 with its signature.
Result<Id16> Peer::judge(const wire::Value& record, std::string_view from_domain,
                         storage::WriteBatch& writes) {
  AMS_CHECK(load());
  const auto id = id_of_bytes(record);
  if (!id) return fail(Code::schema, "record");
  const Key key = row_key(*id);
  if (keys_->contains(key)) {
    // The fingerprint leaves out the signature: only the very bytes we verified are known.
    AMS_TRY(const auto held, reader_->get(table_records, key));
    if (held && *held == wire::encode(record)) {
      AMS_CHECK(find(id->kid));  // kid_quarantined, for both of them
      return id->kid;
    }
  }
  if (taken_[std::string(from_domain)] >= options_.quota) return fail(Code::publisher, "quota");
  if (!mutant("directory.skip_verify")) {
    AMS_CHECK(keys::KeyRecord::parse(record));
  }
  if (keys_->contains(key))
    return id->kid;  // verified, another valid signature: one record is enough
  const auto same_kid = keys_under(to_hex(id->kid));
  writes.puts.push_back({table_records, to_bytes(ByteView(key)), wire::encode(record)});
  keys_->insert(key);
  if (!mutant("directory.stale_head")) root_.reset();
  ++taken_[std::string(from_domain)];
  if (!same_kid.empty() && !mutant("directory.skip_quarantine"))
    return fail(Code::kid_quarantined, "kid");  // kept: both are the evidence (KEY-6)
  return id->kid;
}

Result<wire::Value> Peer::find(const Id16& kid) const {
  std::vector<Bytes> found;
  AMS_CHECK(reader_->scan(table_records, kid, kid, [&](ByteView, ByteView value) {
    found.push_back(to_bytes(value));
    return found.size() < 2;
  }));
  if (found.empty())
    return fail(mutant("server.wrong_code_not_found") ? Code::schema : Code::not_found, "kid");
  if (found.size() > 1 && !mutant("directory.skip_quarantine"))
    return fail(Code::kid_quarantined, "kid");
  return wire::decode(found.front());
}

Result<wire::Value> Peer::get(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.get", wire::ObjectReader::Unknown::ignore_x);
  const Id16 kid = in.uuid("kid");
  AMS_CHECK(in.finish());
  AMS_TRY(wire::Value record, find(kid));
  return wire::Object{{"record", std::move(record)}};
}

Result<wire::Value> Peer::head() const {
  AMS_CHECK(load());
  if (!root_) root_ = digest("");
  return wire::Object{{"count", static_cast<std::int64_t>(keys_->size())},
                      {"root", to_base64url(*root_)}};
}

Result<wire::Value> Peer::range(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.range", wire::ObjectReader::Unknown::ignore_x);
  const std::string prefix = in.string("prefix", prefix_digits_max);
  AMS_CHECK(in.finish());
  if (prefix.find_first_not_of("0123456789abcdef") != std::string::npos &&
      !mutant("directory.accept_prefix"))
    return fail(Code::schema, "directory.range.prefix");
  AMS_CHECK(load());
  const auto keys = keys_under(prefix);
  wire::Object out{{"count", static_cast<std::int64_t>(keys.size())},
                   {"digest", to_base64url(digest(prefix))}};
  if (keys.size() <= range_kids_max || prefix.size() == prefix_digits_max) {
    wire::Array kids;
    for (const Key& key : keys) {
      if (kids.size() == range_kids_max) break;
      kids.emplace_back(to_uuid_text(*to_array<16>(ByteView(key).first(16))));
    }
    out.emplace("kids", std::move(kids));
  } else {
    wire::Array children;
    for (const char digit : std::string_view("0123456789abcdef"))
      children.emplace_back(to_base64url(digest(prefix + digit)));
    out.emplace("children", std::move(children));
  }
  return wire::Value(std::move(out));
}

// --- what we hold -----------------------------------------------------------------------

Result<> Peer::load() const {
  if (keys_) return {};
  std::set<Key> keys;
  AMS_CHECK(reader_->scan(table_records, {}, {}, [&](ByteView key, ByteView) {
    if (const auto row = to_array<48>(key)) keys.insert(*row);
    return true;
  }));
  keys_ = std::move(keys);
  root_.reset();
  return {};
}

std::vector<Peer::Key> Peer::keys_under(std::string_view prefix) const {
  Key from{};
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    const char digit = prefix[i];
    const int value = digit <= '9' ? digit - '0' : digit - 'a' + 10;
    from[i / 2] = static_cast<std::uint8_t>(from[i / 2] | (i % 2 == 0 ? value << 4 : value));
  }
  std::vector<Key> out;
  for (auto at = keys_->lower_bound(from); at != keys_->end(); ++at) {
    if (!in_prefix(to_hex(ByteView(*at).first(16)), prefix)) break;
    out.push_back(*at);
  }
  return out;
}

Hash Peer::digest(std::string_view prefix) const {
  const auto keys = keys_under(prefix);
  if (keys.empty()) return Hash{};
  crypto::Sha256 sum;
  for (const Key& key : keys) sum.update(ByteView(key).subspan(16));
  return sum.finish();
}

void Peer::handle_write_failure() {
  keys_.reset();
  root_.reset();
}

// --- gossip -----------------------------------------------------------------------------

void Peer::ask(Asked asked, std::string op, wire::Value args) {
  const std::uint64_t cookie = next_cookie_++;
  asks_.push_back({cookie, asked.domain, std::move(op), std::move(args)});
  asked_.emplace(cookie, std::move(asked));
}

void Peer::push(const std::vector<Key>& keys, const wire::Array& records, std::string_view except,
                storage::WriteBatch* outbox) {
  for (const std::string& domain : options_.peers) {
    if (domain == except) continue;
    if (outbox) {
      for (const Key& key : keys) {
        Bytes row = to_bytes(ByteView(key));
        append(row, domain);
        outbox->puts.push_back({table_outbox, std::move(row), {}});
      }
    }
    send_push(domain, keys, records);
  }
}

void Peer::send_push(const std::string& domain, std::vector<Key> keys, wire::Array records) {
  AMS_ASSERT(keys.size() == records.size());
  if (keys.empty()) return;
  ask({Purpose::push, domain, {}, {}, std::move(keys)}, "directory.publish",
      wire::Object{{"records", std::move(records)}});
}

std::optional<Ask> Peer::poll_ask() {
  if (asks_.empty()) return std::nullopt;
  Ask next = std::move(asks_.front());
  asks_.pop_front();
  return next;
}

/// What this light peer's own users published and some full peer has not answered for yet.
void Peer::retry_outbox() {
  std::map<std::string, std::vector<Key>> waiting;
  std::set<std::pair<std::string, Key>> under_way;
  for (const auto& [cookie, asked] : asked_)
    for (const Key& key : asked.pushed) under_way.emplace(asked.domain, key);
  const auto scanned = reader_->scan(table_outbox, {}, {}, [&](ByteView row, ByteView) {
    if (row.size() <= 48) return true;
    const Key key = *to_array<48>(row.first(48));
    const std::string domain = to_string(row.subspan(48));
    auto& keys = waiting[domain];
    if (keys.size() < publish_max && !under_way.contains({domain, key})) keys.push_back(key);
    return true;
  });
  if (!scanned) return;  // storage is down: the next round tries again
  for (auto& [domain, keys] : waiting) {
    wire::Array records;
    std::erase_if(keys, [&](const Key& key) {
      const auto bytes = reader_->get(table_records, key);
      auto record = bytes && *bytes ? wire::decode(**bytes) : fail(Code::not_found, "record");
      if (record) records.push_back(std::move(*record));
      return !record;
    });
    send_push(domain, std::move(keys), std::move(records));
  }
}

void Peer::handle_timeout(Instant now) {
  if (!next_round_ || now < *next_round_) return;
  next_round_ = now + (options_.full ? options_.interval : push_retry_interval);
  retry_outbox();
  if (!options_.full || reconciling_) return;
  const std::string& domain = options_.peers[next_peer_++ % options_.peers.size()];
  reconciling_ = true;
  ask({Purpose::head, domain, {}, {}, {}}, "directory.head", wire::Object{});
}

std::optional<Instant> Peer::timeout() const { return next_round_; }

void Peer::ask_range(const std::string& domain, std::string prefix) {
  wire::Value args = wire::Object{{"prefix", prefix}};
  ask({Purpose::range, domain, std::move(prefix), {}, {}}, "directory.range", std::move(args));
}

void Peer::handle_head(const Asked& asked, const wire::Value& ok) {
  reconciling_ = false;
  const auto own = head();
  const wire::Value* root = ok.find("root");
  if (!own || !root || *own->find("root") == *root) return;
  ask_range(asked.domain, "");
}

void Peer::handle_range(const Asked& asked, const wire::Value& ok) {
  if (!load()) return;
  if (const wire::Value* children = ok.find("children");
      children && children->is_array() && children->as_array().size() == 16) {
    for (std::size_t i = 0; i < 16; ++i) {
      const std::string prefix = asked.prefix + "0123456789abcdef"[i];
      const wire::Value& child = children->as_array()[i];
      if (prefix.size() > prefix_digits_max || !child.is_string()) continue;
      if (child.as_string() != to_base64url(digest(prefix))) ask_range(asked.domain, prefix);
    }
    return;
  }
  const wire::Value* kids = ok.find("kids");
  if (!kids || !kids->is_array()) return;
  for (const wire::Value& text : kids->as_array()) {
    const auto kid = text.is_string() ? from_uuid_text(text.as_string()) : std::nullopt;
    if (!kid || pulls_in_flight_ >= gets_in_flight_max) continue;
    if (!keys_under(to_hex(*kid)).empty()) continue;
    ++pulls_in_flight_;
    ask({Purpose::pull, asked.domain, {}, *kid, {}}, "directory.get",
        wire::Object{{"kid", to_uuid_text(*kid)}});
  }
}

void Peer::handle_pushed(const Asked& asked, const wire::Value& ok) {
  const wire::Value* results = ok.find("results");
  if (options_.full || !results || !results->is_array()) return;
  storage::WriteBatch done;
  for (std::size_t i = 0; i < asked.pushed.size() && i < results->as_array().size(); ++i) {
    const wire::Value* code = results->as_array()[i].find("code");
    const CodeInfo* info = code && code->is_string() ? find_code(code->as_string()) : nullptr;
    if (info && info->temporary) continue;
    Bytes row = to_bytes(ByteView(asked.pushed[i]));
    append(row, asked.domain);
    done.erases.push_back({table_outbox, std::move(row)});
  }
  if (!done.empty()) writes_.push_back(std::move(done));
}

// --- fetching ---------------------------------------------------------------------------

void Peer::fetch(std::uint64_t ticket, const Id16& kid, Instant) {
  auto held = find(kid);
  if (held || held.error().code != Code::not_found) {
    fetched_.push_back({ticket, std::move(held)});
    return;
  }
  auto [at, fresh] = fetches_.try_emplace(kid);
  at->second.tickets.push_back(ticket);
  if (!fresh) return;
  // Which peers are asked first follows the kid: an even load without any draw.
  for (std::size_t i = 0; i < std::min(fetch_peers_max, options_.peers.size()); ++i)
    at->second.to_ask.push_back(options_.peers[(kid[15] + i) % options_.peers.size()]);
  ask_next(kid);
}

void Peer::ask_next(const Id16& kid) {
  Fetch& fetch = fetches_.at(kid);
  if (fetch.to_ask.empty())
    return settle_fetch(kid,
                        fail(fetch.unreachable ? Code::peer_unreachable : Code::not_found, "kid"));
  const std::string domain = std::move(fetch.to_ask.back());
  fetch.to_ask.pop_back();
  ask({Purpose::fetch, domain, {}, kid, {}}, "directory.get",
      wire::Object{{"kid", to_uuid_text(kid)}});
}

void Peer::settle_fetch(const Id16& kid, const Result<wire::Value>& outcome) {
  auto node = fetches_.extract(kid);
  for (const std::uint64_t ticket : node.mapped().tickets) fetched_.push_back({ticket, outcome});
}

/// A record that another peer gave us is judged like one that a stranger publishes (DIR-4).
Result<wire::Value> Peer::keep_record(const wire::Value& ok, const Id16& kid) {
  const wire::Value* record = ok.find("record");
  if (!record) return fail(Code::schema, "record");
  if (!mutant("directory.skip_gossip_verify")) {
    AMS_CHECK(keys::KeyRecord::parse_as(*record, kid));
  }
  AMS_CHECK(load());
  const auto id = id_of_bytes(*record);
  if (!id) return fail(Code::schema, "record");
  const Key key = row_key(*id);
  if (keys_->insert(key).second) {
    root_.reset();
    storage::WriteBatch batch;
    batch.puts.push_back({table_records, to_bytes(ByteView(key)), wire::encode(*record)});
    writes_.push_back(std::move(batch));
  }
  return *record;
}

void Peer::handle_fetch(const Asked& asked, const Result<wire::Value>& outcome) {
  const auto at = fetches_.find(asked.kid);
  if (at == fetches_.end()) return;
  if (!outcome) {
    if (outcome.error().code == Code::kid_quarantined)
      return settle_fetch(asked.kid, tl::unexpected<Error>(outcome.error()));
    at->second.unreachable |= outcome.error().code != Code::not_found;
    return ask_next(asked.kid);
  }
  auto record = keep_record(*outcome, asked.kid);
  if (!record) return ask_next(asked.kid);  // a peer that lies: another one may not
  settle_fetch(asked.kid, std::move(record));
}

void Peer::handle_reply(std::uint64_t cookie, const Result<wire::Value>& outcome, Instant) {
  auto node = asked_.extract(cookie);
  if (node.empty()) return;
  const Asked asked = std::move(node.mapped());
  switch (asked.purpose) {
    case Purpose::fetch:
      return handle_fetch(asked, outcome);
    case Purpose::pull:
      --pulls_in_flight_;
      if (outcome)
        static_cast<void>(
            keep_record(*outcome, asked.kid));  // refused: another round, another peer
      return;
    case Purpose::head:
      if (outcome) return handle_head(asked, *outcome);
      reconciling_ = false;
      return;
    case Purpose::range:
      if (outcome) handle_range(asked, *outcome);
      return;
    case Purpose::push:
      if (outcome) handle_pushed(asked, *outcome);
      return;
  }
}

// --- output -----------------------------------------------------------------------------

std::optional<Fetched> Peer::poll_fetched() {
  if (fetched_.empty()) return std::nullopt;
  Fetched next = std::move(fetched_.front());
  fetched_.pop_front();
  return next;
}

std::optional<storage::WriteBatch> Peer::poll_writes() {
  if (writes_.empty()) return std::nullopt;
  storage::WriteBatch next = std::move(writes_.front());
  writes_.pop_front();
  return next;
}

}  // namespace ams::directory
