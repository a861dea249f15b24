// What the owner of a key says of it after the record: events, a revocation, a card; and the entry
// that a holder keeps of all of it (spec KEV, REV, CRD, DIR-8).
//
// Every object is signed by the key itself and by nobody else, so that nobody can grow another's
// entry. An entry is a join semilattice: whichever objects two holders took in whichever order,
// merging both ways gives both the same.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "keys/records.h"

namespace ams::keys {

inline constexpr std::int64_t events_max = 16;             // events of one key (KEV-1)
inline constexpr std::size_t event_size_max = 4'096;       // bytes of AMS-CJ (KEV-1)
inline constexpr std::size_t card_size_max = 2'048;        // bytes of AMS-CJ (CRD-1)
inline constexpr std::size_t revocation_size_max = 2'048;  // bytes of AMS-CJ (REV-1)

enum class EventType : std::uint8_t { supersede, tombstone };

/// An event whose own checks (KEV-4) passed; whether it continues a chain is the entry's matter.
struct KeyEvent {
  std::int64_t seq = 1;
  Hash prev{};
  EventType type = EventType::supersede;
  std::int64_t at = 0;             // Unix ms
  std::optional<KeyId> successor;  // of supersede, if the owner names one
  Hash hash{};                     // KEV-2
  wire::Value value;

  /// Fails with object_too_large, a schema code, kid_mismatch, algorithm_mix, signature.
  static Result<KeyEvent> parse(const wire::Value& value, const KeyRecord& key);
};
/// What the next event says; seq and prev follow from the chain.
struct EventDraft {
  EventType type = EventType::supersede;
  std::int64_t at = 0;  // Unix ms
  std::optional<KeyId> successor;
};
Result<wire::Value> make_event(const KeyPair& pair, std::int64_t seq, const Hash& prev,
                               const EventDraft& draft);

/// To be made and put away when the key is made: it needs no time and no chain (REV-1).
Result<wire::Value> make_revocation(const KeyPair& pair);
/// Fails with object_too_large, a schema code, kid_mismatch, fp_mismatch, algorithm_mix, signature.
Result<> verify_revocation(const wire::Value& value, const KeyRecord& key);

/// Optional personal data (CRD). An empty card is an erasure. Of a card that was dropped there is
/// its stub: cseq, hash and the owner's signature over them (CRD-8).
struct Card {
  std::int64_t cseq = 1;
  Id16 salt{};  // drawn anew for each card; unused when erased
  std::optional<std::string> name, email, org, desc;  // email: text, to be shown as unverified
  Hash hash{};                                        // CRD-3; zeros for an erasure
  bool dropped = false;                               // nothing but the stub is known
  wire::Value value;                                  // of the card, or of its stub

  bool erased() const { return !dropped && !name && !email && !org && !desc; }
  /// Both fail with object_too_large, a schema code, kid_mismatch, algorithm_mix, signature.
  static Result<Card> parse(const wire::Value& value, const KeyRecord& key);
  static Result<Card> parse_stub(const wire::Value& value, const KeyRecord& key);
  /// CRD-4, CRD-9: whether this one is held where `other` was.
  bool beats(const Card& other) const;
  bool same_as(const Card& other) const { return cseq == other.cseq && hash == other.hash; }
  /// What is left of it when it is dropped; an erasure is as it was.
  Card stub() const;
};
/// Signs the members of `card`; its hash and value are not looked at.
Result<wire::Value> make_card(const KeyPair& pair, const Card& card);

enum class KeyState : std::uint8_t { active, superseded, retired, conflict, revoked, quarantined };
std::string_view name(KeyState);

/// Everything held under one kid. Bounded: two records, 17 events, a revocation, a card.
class Entry {
 public:
  /// `record`: of the kid that the entry is for.
  explicit Entry(KeyRecord record);

  /// Judges an object of any kind and takes it in. Gives whether the entry changed; fails with what
  /// the object's own checks say, unknown_ams_tag, event_chain (KEV-5), card_stale (CRD-4),
  /// kid_quarantined. A failure leaves the entry as it was.
  Result<bool> add(const wire::Value& object);
  /// A second record of one kid quarantines both for good (KEY-6). Precondition: same kid.
  bool add(KeyRecord record);
  /// Takes in all that `other` holds; gives whether the entry changed. Precondition: same kid.
  bool merge(const Entry& other);

  KeyState state() const;
  /// KEV-7: fails with kid_quarantined, key_revoked, key_conflict, key_retired.
  Result<> usable() const;
  const KeyRecord& record() const { return records_.front(); }
  const std::vector<KeyRecord>& records() const { return records_; }  // 1 or 2, fps ascending
  bool revoked() const { return revocation_.has_value(); }
  const std::optional<Card>& card() const { return card_; }
  /// Keeps no more of the card than its stub. The value of the entry stays (CRD-9).
  void drop_card();
  /// By seq, then hash; two of the last seq are a conflict.
  const std::vector<KeyEvent>& events() const { return events_; }
  /// The last successor named, if the state is superseded.
  std::optional<KeyId> successor() const;
  /// Where the next event goes: its seq and prev. Empty when the chain takes none.
  struct Next {
    std::int64_t seq;
    Hash prev;
  };
  std::optional<Next> next() const;
  const std::optional<wire::Value>& revocation() const { return revocation_; }
  /// All of it, in an order in which add() takes it: records, events, revocation, card.
  wire::Array objects() const;
  /// The map's leaf (DIR-8).
  Hash value() const;
  /// The value of an entry with one record of this fp and nothing else. One hash.
  static Hash bare_value(const Hash& fp);

 private:
  Result<bool> add_event(const wire::Value& object);
  bool take_event(KeyEvent event);
  Result<bool> add_card(const wire::Value& object, bool stub);
  bool conflict() const;

  std::vector<KeyRecord> records_;
  std::vector<KeyEvent> events_;
  std::optional<wire::Value> revocation_;
  std::optional<Card> card_;
};

}  // namespace ams::keys
