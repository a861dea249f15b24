// Pushing what is new, and comparing maps with one peer by ranges until both hold the union (spec
// DIR-7, DIR-14, DIR-15).
#include <algorithm>

#include "directory/objects.h"
#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {

namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t short_hash = 8;     // bytes of a digest or value in a comparison (DIR-15)
constexpr std::size_t listed_few = 4;     // entries of a range listed rather than divided further
constexpr std::size_t in_flight_max = 4;  // requests of one round

void append_short(Bytes& out, const Hash& hash) { append(out, ByteView(hash).first(short_hash)); }

Bytes children_of(const verifiable::Map& map, const std::string& prefix) {
  Bytes out;
  for (const char digit : digits)
    append_short(out, map.range_root(first_kid(prefix + digit), 4 * prefix.size() + 4));
  return out;
}

/// What differs just below a prefix goes to `differ`, and about how many bytes that is to `size`.
void compare_range(const verifiable::Map& map, const std::string& prefix, ByteView theirs,
                   wire::Array& differ, std::size_t& size) {
  const Bytes ours = children_of(map, prefix);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const ByteView own = ByteView(ours).subspan(i * short_hash, short_hash);
    const ByteView other = theirs.subspan(i * short_hash, short_hash);
    const bool equal = std::equal(own.begin(), own.end(), other.begin());
    if (equal && !mutant("directory.reconcile_tells_all")) continue;
    if (mutant("directory.reconcile_blind")) continue;
    const std::string child = prefix + digits[i];
    const bool empty = std::all_of(other.begin(), other.end(), [](auto b) { return b == 0; });
    const std::size_t few = empty ? range_entries_max : listed_few;
    const auto entries = map.range(first_kid(child), 4 * child.size(), few + 1);
    wire::Object item{{"prefix", child}};
    if (entries.size() <= few || child.size() == prefix_digits_max) {
      Bytes listed;
      for (const verifiable::Entry& entry : entries) {
        append(listed, entry.kid);
        append_short(listed, entry.value);
      }
      item.emplace("entries", to_base64url(listed));
      size += 2 * listed.size();
    }
    size += 64;
    differ.push_back(std::move(item));
  }
}

bool is_prefix(const wire::Value* text) {
  return text != nullptr && text->is_string() && text->as_string().size() <= prefix_digits_max &&
         text->as_string().find_first_not_of(digits) == std::string::npos;
}

}  // namespace

void Peer::ask(Asked asked, std::string op, wire::Value args) {
  const std::uint64_t cookie = next_cookie_++;
  asks_.push_back({cookie, asked.domain, std::move(op), std::move(args)});
  asked_.emplace(cookie, std::move(asked));
}

// --- pushing ------------------------------------------------------------------------------------

/// What a peer told is told on to a few others only: its own pushes, and the rounds, reach the rest
/// (DIR-41).
void Peer::push(const std::set<Id16>& kids, std::string_view except, storage::WriteBatch* outbox) {
  const auto map = holdings_.map();
  if (!map || mutant("directory.no_push")) return;
  const std::size_t peers = in_order().size();
  const bool told = is_peer(except) && !mutant("directory.push_on_to_all");
  std::size_t left = told ? push_on_max : peers;
  const std::size_t first = told ? next_push_ : 0;
  for (std::size_t i = 0; i < peers && left > 0; ++i) {
    const std::string& domain = in_order()[(first + i) % peers];
    if (domain == except || evicted(domain)) continue;
    --left;
    if (told) next_push_ = (first + i + 1) % peers;
    if (outbox != nullptr) {
      for (const Id16& kid : kids) {
        Bytes row = to_bytes(ByteView(kid));
        append(row, domain);
        outbox->puts.push_back({table_outbox, std::move(row), {}});
      }
    }
    send_push(domain, kids, told);
  }
}

/// Whole entries, so that nothing depends on what arrived before; as many requests as that takes.
void Peer::send_push(const std::string& domain, const std::set<Id16>& kids, bool on) {
  const auto map = holdings_.map();
  if (!map) return;
  Asked asked{Purpose::push, domain, {}, {}, {}, {}, {}};
  wire::Array records;
  VouchersOut vouchers;
  const auto send = [&] {
    if (records.empty()) return;
    stats_.pushed += records.size();
    wire::Object args{{"records", std::move(records)}};
    std::move(vouchers).into(args, false);
    vouchers = {};
    if (on && !mutant("directory.push_on_as_own")) args.emplace("on", true);
    ask(std::move(asked), "directory.publish", wire::Value(std::move(args)));
    asked = {Purpose::push, domain, {}, {}, {}, {}, {}};
    records = {};
  };
  for (const Id16& kid : kids) {
    auto objects = holdings_.objects(kid);
    const auto value = (*map)->find(kid);
    if (!objects || !value) continue;
    if (records.size() + objects->size() > publish_max) send();
    const auto vouched = vouched_.of(kid);
    for (wire::Value& object : *objects) {
      const bool granted = vouched && tag_of(object) == "key/1";
      vouchers.add(granted ? *vouched : std::optional<Vouched>());
      records.push_back(std::move(object));
      asked.pushed.emplace_back(kid, *value);
    }
  }
  send();
}

/// What this light peer's own users published and some full peer has not answered for yet.
void Peer::retry_outbox() {
  std::map<std::string, std::set<Id16>> waiting;
  std::set<std::pair<std::string, Id16>> under_way;
  for (const auto& [cookie, asked] : asked_)
    for (const auto& [kid, value] : asked.pushed) under_way.emplace(asked.domain, kid);
  const auto scanned = reader_->scan(table_outbox, {}, {}, [&](ByteView row, ByteView) {
    if (row.size() <= 16) return true;
    const Id16 kid = *to_array<16>(row.first(16));
    const std::string domain = to_string(row.subspan(16));
    auto& kids = waiting[domain];
    if (kids.size() < publish_max && !under_way.contains({domain, kid})) kids.insert(kid);
    return true;
  });
  if (!scanned) return;  // storage is down: the next round tries again
  for (auto& [domain, kids] : waiting) send_push(domain, kids, false);
}

void Peer::handle_pushed(const Asked& asked, const wire::Value& ok) {
  const wire::Value* results = ok.find("results");
  if (options_.full || results == nullptr || !results->is_array()) return;
  const auto map = holdings_.map();
  if (!map) return;
  std::set<Id16> again, done;
  for (std::size_t i = 0; i < asked.pushed.size(); ++i) {
    const auto& [kid, value] = asked.pushed[i];
    const wire::Value* code =
        i < results->as_array().size() ? results->as_array()[i].find("code") : nullptr;
    const CodeInfo* info = code && code->is_string() ? find_code(code->as_string()) : nullptr;
    const bool later = (info != nullptr && info->temporary) || (*map)->find(kid) != value;
    (later ? again : done).insert(kid);
  }
  storage::WriteBatch writes;
  for (const Id16& kid : done) {
    if (again.contains(kid)) continue;
    Bytes row = to_bytes(ByteView(kid));
    append(row, asked.domain);
    writes.erases.push_back({table_outbox, std::move(row)});
  }
  write(std::move(writes));
}

// --- comparing ----------------------------------------------------------------------------------

void Peer::start_round(const std::string& domain) {
  if (round_) return;
  round_ = Round{};
  round_->domain = domain;
  round_->prefixes.emplace_back();
  pump_round();
}

/// DIR-45. A round is several requests: where one in three fails, few rounds would come to their
/// end.
bool Peer::ask_again(const Asked& asked, Code why) {
  if (why != Code::peer_unreachable || mutant("directory.round_ends_at_a_failure")) return false;
  if (++round_->failures > round_failures_max) return false;
  round_->prefixes.insert(round_->prefixes.begin(), asked.prefixes.begin(), asked.prefixes.end());
  want_again(asked, 0);
  pump_round();
  return true;
}

void Peer::pump_round() {
  if (!round_) return;
  const auto map = holdings_.map();
  while (map && round_->in_flight < in_flight_max) {
    if (ask_entries()) continue;
    if (!round_->prefixes.empty()) {
      Asked asked{Purpose::ranges, round_->domain, {}, {}, {}, {}, {}};
      wire::Array prefixes;
      Bytes children;
      while (!round_->prefixes.empty() && prefixes.size() < ranges_max) {
        std::string prefix = std::move(round_->prefixes.front());
        round_->prefixes.pop_front();
        append(children, children_of(**map, prefix));
        prefixes.emplace_back(prefix);
        asked.prefixes.push_back(std::move(prefix));
      }
      ++round_->in_flight;
      ask(std::move(asked), "directory.reconcile",
          wire::Object{{"children", to_base64url(children)}, {"prefixes", std::move(prefixes)}});
    } else {
      break;
    }
  }
  if (round_->in_flight > 0) return;
  const std::set<Id16> offered = std::move(round_->offered);
  const std::string domain = std::move(round_->domain);
  if (map && !mutant("directory.rounds_begin_anew"))
    granted_from_[domain] = round_->beyond.value_or(Id16{});
  std::erase_if(granted_from_, [&](const auto& one) { return !is_peer(one.first); });
  round_.reset();
  send_push(domain, offered, true);
}

Result<wire::Value> Peer::reconcile(const wire::Value& args) const {
  wire::ObjectReader in(args, "directory.reconcile", wire::ObjectReader::Unknown::ignore_x);
  const wire::Value& prefixes = in.any("prefixes");
  const wire::Value& digests = in.any("children");
  AMS_CHECK(in.finish());
  const auto malformed = [] {
    return fail(mutant("directory.wrong_code_ranges") ? Code::proof_form : Code::schema,
                "directory.reconcile");
  };
  if (!prefixes.is_array() || !digests.is_string()) return malformed();
  if (prefixes.as_array().size() > ranges_max && !mutant("directory.skip_ranges_limit"))
    return fail(Code::batch_too_large, "directory.reconcile.prefixes");
  constexpr std::size_t row = digits.size() * short_hash;
  const auto children = from_base64url(digests.as_string());
  if (!children || children->size() != row * prefixes.as_array().size()) return malformed();
  for (const wire::Value& prefix : prefixes.as_array())
    if (!is_prefix(&prefix) || prefix.as_string().size() == prefix_digits_max) return malformed();
  AMS_TRY(const verifiable::Map* map, ready());
  wire::Array differ;
  std::size_t size = 0;
  for (std::size_t i = 0; i < prefixes.as_array().size() && size < answer_size_max; ++i)
    compare_range(*map, prefixes.as_array()[i].as_string(),
                  ByteView(*children).subspan(i * row, row), differ, size);
  return wire::Object{{"differ", std::move(differ)}};
}

void Peer::handle_ranges(const Asked& asked, const wire::Value& ok, Instant now) {
  const wire::Value* differ = ok.find("differ");
  if (differ == nullptr || !differ->is_array() || mutant("directory.reconcile_deaf")) return;
  const std::set<std::string_view> parents(asked.prefixes.begin(), asked.prefixes.end());
  for (const wire::Value& item : differ->as_array()) {
    const wire::Value* prefix = item.find("prefix");
    if (!is_prefix(prefix)) continue;
    // Only ranges just below those that were asked: a liar cannot keep a round going.
    const std::string& text = prefix->as_string();
    if (text.empty() || !parents.contains(std::string_view(text).substr(0, text.size() - 1)))
      continue;
    const wire::Value* listed = item.find("entries");
    if (listed == nullptr) {
      if (text.size() < prefix_digits_max) round_->prefixes.push_back(text);
    } else if (const auto raw =
                   listed->is_string() ? from_base64url(listed->as_string()) : std::nullopt) {
      compare_listed(text, *raw, now);
    }
  }
}

/// Whether a request was due: a whole one, or the last. Granted ones come when all that differs is
/// known (DIR-62).
bool Peer::ask_entries() {
  Asked asked{Purpose::entries, round_->domain, {}, {}, {}, {}, {}};
  wire::Array kids;
  const auto take = [&](auto& from, Grants grants) {
    asked.grants = grants;
    while (!from.empty() && asked.kids.size() < entries_max) {
      asked.kids.push_back(*from.begin());
      kids.emplace_back(to_uuid_text(*from.begin()));
      from.erase(from.begin());
    }
  };
  const bool listed = round_->prefixes.empty();
  round_->all_listed = round_->all_listed || (listed && round_->in_flight == 0);
  const auto due = [&](const auto& queue) {
    return queue.size() >= entries_max || (listed && !queue.empty());
  };
  if (due(round_->wanted)) {
    take(round_->wanted, Grants::none);
  } else if (due(round_->fresh)) {
    take(round_->fresh, Grants::with);
  } else if (round_->all_listed) {
    take(round_->granted, Grants::only);
  }
  if (asked.kids.empty()) return false;
  ++round_->in_flight;
  wire::Object args{{"kids", std::move(kids)}};
  if (asked.grants == Grants::with) args.emplace("grants", true);
  if (asked.grants == Grants::only) args.emplace("granted", true);
  ask(std::move(asked), "directory.entries", wire::Value(std::move(args)));
  return true;
}

/// What was asked for and did not come, from that place on.
void Peer::want_again(const Asked& asked, std::size_t from) {
  for (std::size_t i = from; i < asked.kids.size(); ++i) {
    if (asked.grants == Grants::only) {
      round_->granted.insert(asked.kids[i]);
    } else {
      (asked.grants == Grants::with ? round_->fresh : round_->wanted).push_back(asked.kids[i]);
    }
  }
}

/// DIR-54. A peer that has just begun takes all that there is.
bool Peer::fetches_all() const {
  return fresh_.value_or(false) || mutant("directory.fetch_without_end");
}

/// DIR-62. What the budget does not cover is taken if it is granted: the first so many after those
/// of the last round.
void Peer::want(const Id16& kid, bool held, Instant now) {
  if (held || fetches_all()) return round_->wanted.push_back(kid);
  if (relayed_.left("", now) < 1 + static_cast<double>(round_->budgeted)) return want_granted(kid);
  ++round_->budgeted;
  round_->fresh.push_back(kid);
}

void Peer::want_granted(const Id16& kid) {
  if (mutant("directory.never_ask_for_grants") || kid < granted_from_[round_->domain]) return;
  auto& all = round_->granted;
  all.insert(kid);
  if (all.size() <= granted_round_max) return;
  round_->beyond = *std::prev(all.end());
  all.erase(std::prev(all.end()));
}

/// What the other side lists of a range, against what we hold there.
void Peer::compare_listed(std::string_view prefix, ByteView listed, Instant now) {
  const auto map = holdings_.map();
  constexpr std::size_t row = 16 + short_hash;
  if (!map || listed.size() % row != 0 || listed.size() > row * range_entries_max) return;
  std::map<Id16, Bytes> theirs;
  for (std::size_t at = 0; at < listed.size(); at += row)
    theirs.emplace(*to_array<16>(listed.subspan(at, 16)),
                   to_bytes(listed.subspan(at + 16, short_hash)));
  for (const auto& [kid, value] : theirs) {
    const auto own = (*map)->find(kid);
    const bool same = own && std::equal(value.begin(), value.end(), own->begin());
    if (!same) want(kid, own.has_value(), now);
  }
  for (const auto& own : (*map)->range(first_kid(prefix), 4 * prefix.size(), 2 * ranges_max))
    if (!theirs.contains(own.kid)) round_->offered.insert(own.kid);
}

/// Whether an entry that is new here may be taken, and whose grant it came with (DIR-54, DIR-62).
bool Peer::may_take_new(const Asked& asked, const wire::Value& record, std::size_t place,
                        Vouchers& vouchers, Draft& draft, Instant now) {
  const Id16& kid = asked.kids[place];
  const Offer offer{{}, asked.domain, true, &vouchers, place, nullptr};
  const auto backing = backing_of(record, {kid, fp_of_record(record)}, offer, now);
  if (!backing) {
    // A peer verified what it holds: one that gives out what does not hold made it.
    if (backing.error().code != Code::peer_unreachable) round_->granted.clear();
    count(backing.error().code);
    return false;
  }
  const bool granted = *backing && (*backing)->verified;
  if (!granted && (*backing || !(fetches_all() || relayed_.has("", now)))) {
    count(Code::publisher);
    return false;
  }
  if (granted) draft.vouched.emplace(kid, (*backing)->vouched);
  return true;
}

/// Entries of another peer are judged like those that a stranger publishes (DIR-4).
void Peer::handle_entries(const Asked& asked, const wire::Value& ok, Instant now) {
  const wire::Value* entries = ok.find("entries");
  if (entries == nullptr || !entries->is_array()) return;
  const std::size_t got = std::min(entries->as_array().size(), asked.kids.size());
  auto vouchers =
      asked.grants != Grants::none
          ? Vouchers::read(ok.find("grants"), ok.find("vouchers"), entries->as_array().size())
          : Vouchers::read(nullptr, nullptr, got);
  if (!vouchers) return count(vouchers.error().code);
  storage::WriteBatch writes;
  Draft draft;
  for (std::size_t i = 0; i < got; ++i) {
    const wire::Value& objects = entries->as_array()[i];
    const Id16& kid = asked.kids[i];
    if (!objects.is_array() || objects.as_array().empty()) continue;
    const wire::Value& first = objects.as_array().front();
    auto ours = holdings_.entry(kid);
    if (!ours || !first.is_object()) continue;
    if (!*ours && !may_take_new(asked, first, i, *vouchers, draft, now)) continue;
    auto theirs = entry_of(kid, objects.as_array());
    if (!theirs) {
      count(theirs.error().code);
      continue;
    }
    const auto vouched = draft.vouched.find(kid);
    if (vouched != draft.vouched.end()) charge(vouched->second.grant->domain, now);
    if (!*ours && vouched == draft.vouched.end()) (void)relayed_.take("", now);
    keys::Entry joined = *ours ? **ours : *theirs;
    if (*ours && mutant("directory.replace_on_pull")) joined = *theirs;
    if (*ours) joined.merge(*theirs);
    if (joined.value() != theirs->value()) round_->offered.insert(kid);
    draft.entries.emplace(kid, std::move(joined));
    draft.changed.insert(kid);
    ++stats_.pulled;
  }
  if (keep(draft, writes)) write(std::move(writes));
  // An answer may stop short of what was asked; none at all is no reason to go on asking.
  if (got > 0) want_again(asked, got);
}

}  // namespace ams::directory
