// The entry of a key: what its holders keep, and how two holders agree (spec KEV-5 to KEV-7, REV-3,
// CRD-4, DIR-8).
#include <algorithm>

#include "keys/lineage.h"
#include "policy/mutant.h"

namespace ams::keys {
namespace {

using std::string_view_literals::operator""sv;

/// Its tag, an empty one too; none: it has none (ENC-13).
std::optional<std::string_view> kind_of(const wire::Value& object) {
  const wire::Value* tag = object.find("ams");
  return tag != nullptr && tag->is_string() ? std::optional<std::string_view>(tag->as_string())
                                            : std::nullopt;
}

}  // namespace

std::string_view name(KeyState state) {
  switch (state) {
    case KeyState::active:
      return "active";
    case KeyState::superseded:
      return "superseded";
    case KeyState::retired:
      return "retired";
    case KeyState::conflict:
      return "conflict";
    case KeyState::revoked:
      return "revoked";
    case KeyState::quarantined:
      return "quarantined";
  }
  return {};
}

Entry::Entry(KeyRecord record) { records_.push_back(std::move(record)); }

// --- taking in ----------------------------------------------------------------------------------

Result<bool> Entry::add(const wire::Value& object) {
  const auto tag = kind_of(object);
  if (tag == "key/1") {
    AMS_TRY(KeyRecord record, KeyRecord::parse_as(object, records_.front().id().kid));
    return add(std::move(record));
  }
  // Either owner could have signed what names the kid alone: nothing of it counts (KEY-6).
  if (records_.size() > 1) return fail(Code::kid_quarantined, "entry");
  if (tag == "kev/1") return add_event(object);
  if (tag == "card/1" || tag == "cardstub/1") return add_card(object, tag == "cardstub/1");
  const bool untagged = !tag.has_value() != mutant("keys.entry_tag_codes_exchanged");
  if (tag != "rev/1") return fail(untagged ? Code::schema : Code::unknown_ams_tag, "entry");
  AMS_CHECK(verify_revocation(object, record()));
  if (revocation_) return false;
  revocation_ = object;
  return true;
}

bool Entry::add(KeyRecord record) {
  for (const KeyRecord& held : records_)
    if (held.id().fp == record.id().fp) return false;
  if (records_.size() == 2 && record.id().fp > records_.back().id().fp) return false;
  records_.push_back(std::move(record));
  std::sort(records_.begin(), records_.end(),
            [](const KeyRecord& a, const KeyRecord& b) { return a.id().fp < b.id().fp; });
  if (records_.size() > 2) records_.pop_back();  // of many fps the two least, as with events
  events_.clear();
  revocation_.reset();
  card_.reset();
  return true;
}

Result<bool> Entry::add_event(const wire::Value& object) {
  AMS_TRY(KeyEvent event, KeyEvent::parse(object, record()));
  // KEV-5: what precedes it must be held.
  if (!mutant("keys.skip_event_chain")) {
    const KeyEvent* before = nullptr;
    for (const KeyEvent& held : events_)
      if (held.seq + 1 == event.seq && held.hash == event.prev) before = &held;
    if (event.seq == 1 ? event.prev != record().id().fp : before == nullptr)
      return fail(Code::event_chain, "event.prev");
    if (before != nullptr && before->type == EventType::tombstone)
      return fail(Code::event_chain, "event.type");
    if (before != nullptr && event.at < before->at) return fail(Code::event_chain, "event.at");
  }
  return take_event(std::move(event));
}

/// KEV-6: one event for each seq, up to the first seq that has two.
bool Entry::take_event(KeyEvent event) {
  if (conflict() && event.seq > events_.back().seq) return false;
  for (const KeyEvent& held : events_)
    if (held.hash == event.hash) return false;
  const auto same = [&](const KeyEvent& held) { return held.seq == event.seq; };
  std::vector<KeyEvent> rivals;
  std::copy_if(events_.begin(), events_.end(), std::back_inserter(rivals), same);
  if (!rivals.empty() && mutant("keys.first_event_wins")) return false;
  const bool full = rivals.size() == 2;
  if (full && event.hash > rivals.back().hash) return false;
  rivals.push_back(std::move(event));
  std::sort(rivals.begin(), rivals.end(),
            [](const KeyEvent& a, const KeyEvent& b) { return a.hash < b.hash; });
  if (full) rivals.pop_back();
  std::erase_if(events_, [&](const KeyEvent& held) {
    return held.seq == rivals.front().seq || (rivals.size() > 1 && held.seq > rivals.front().seq);
  });
  events_.insert(events_.end(), std::make_move_iterator(rivals.begin()),
                 std::make_move_iterator(rivals.end()));
  return true;
}

Result<bool> Entry::add_card(const wire::Value& object, bool stub) {
  AMS_TRY(Card card, stub ? Card::parse_stub(object, record()) : Card::parse(object, record()));
  if (card_ && card_->same_as(card) && !card.beats(*card_)) return false;
  const bool first_wins = card_ && mutant("keys.first_card_wins");
  if (card_ && (!card.beats(*card_) || first_wins) && !mutant("keys.last_card_wins"))
    return fail(Code::card_stale, "card.cseq");
  card_ = std::move(card);
  return true;
}

bool Entry::merge(const Entry& other) {
  bool changed = false;
  for (const KeyRecord& theirs : other.records_) changed = add(theirs) || changed;
  if (records_.size() > 1) return changed;
  // By seq, so that each one's predecessor has come before it or has lost to another's.
  for (const KeyEvent& event : other.events_) {
    const bool rooted =
        event.seq == 1 || std::any_of(events_.begin(), events_.end(), [&](const KeyEvent& held) {
          return held.seq + 1 == event.seq && held.hash == event.prev;
        });
    if (rooted) changed = take_event(event) || changed;
  }
  if (other.revocation_ && !revocation_) {
    revocation_ = other.revocation_;
    changed = true;
  }
  if (other.card_ && (!card_ || other.card_->beats(*card_))) {
    card_ = other.card_;
    changed = true;
  }
  return changed;
}

void Entry::drop_card() {
  if (card_) card_ = card_->stub();
}

// --- what it says -------------------------------------------------------------------------------

bool Entry::conflict() const {
  return events_.size() > 1 && events_[events_.size() - 2].seq == events_.back().seq;
}

KeyState Entry::state() const {
  if (records_.size() > 1) return KeyState::quarantined;
  if (revocation_ && !mutant("keys.ignore_revocation")) return KeyState::revoked;
  if (conflict()) return KeyState::conflict;
  if (events_.empty()) return KeyState::active;
  return events_.back().type == EventType::tombstone ? KeyState::retired : KeyState::superseded;
}

Result<> Entry::usable() const {
  switch (state()) {
    case KeyState::active:
    case KeyState::superseded:
      return {};
    case KeyState::retired:
      if (mutant("keys.accept_retired")) return {};
      return fail(Code::key_retired, "key");
    case KeyState::conflict:
      return fail(Code::key_conflict, "key");
    case KeyState::revoked:
      return fail(Code::key_revoked, "key");
    case KeyState::quarantined:
      return fail(Code::kid_quarantined, "key");
  }
  return fail(Code::key_conflict, "key");
}

std::optional<KeyId> Entry::successor() const {
  if (state() != KeyState::superseded) return std::nullopt;
  return events_.back().successor;
}

std::optional<Entry::Next> Entry::next() const {
  if (records_.size() > 1 || conflict()) return std::nullopt;
  if (events_.empty()) return Next{1, record().id().fp};
  const KeyEvent& last = events_.back();
  if (last.seq == events_max || last.type == EventType::tombstone) return std::nullopt;
  return Next{last.seq + 1, last.hash};
}

wire::Array Entry::objects() const {
  wire::Array out;
  for (const KeyRecord& record : records_) out.push_back(record.value());
  for (const KeyEvent& event : events_) out.push_back(event.value);
  if (revocation_) out.push_back(*revocation_);
  if (card_) out.push_back(card_->value);
  return out;
}

Hash Entry::value() const {
  Bytes input = to_bytes("AMS-ENTRY/1\0"sv);
  input.push_back(static_cast<std::uint8_t>(records_.size()));
  for (const KeyRecord& record : records_) append(input, record.id().fp);
  const std::size_t heads = events_.empty() ? 0 : conflict() ? 2 : 1;
  input.push_back(heads == 0 ? 0 : static_cast<std::uint8_t>(events_.back().seq));
  input.push_back(static_cast<std::uint8_t>(heads));
  for (std::size_t i = events_.size() - heads; i < events_.size(); ++i)
    append(input, events_[i].hash);
  input.push_back(revocation_ ? 1 : 0);
  append_u64(input, card_ ? static_cast<std::uint64_t>(card_->cseq) : 0);
  append(input, card_ ? card_->hash : Hash{});
  return crypto::sha256(input);
}

Hash Entry::bare_value(const Hash& fp) {
  Bytes input = to_bytes("AMS-ENTRY/1\0"sv);
  input.push_back(1);
  append(input, fp);
  input.insert(input.end(), 3 + 8 + fp.size(), 0);  // no event, no revocation, no card
  return crypto::sha256(input);
}

}  // namespace ams::keys
