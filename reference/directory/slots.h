// Slots: which peers a peer uses: those that its operator named, and, where it learns others, those
// that it was told of, tried itself and found at work (spec DIR-65 to DIR-74). A machine of
// decisions alone: it asks nobody, its owner tells it what came of what was asked.
//
//   told --next_trial, answered--> in use --three times no answer--> waiting, tried before
//          answered, its block is full --> waiting until there is room in the block
//   any state --evicted--> barred for good
//
// What a stranger can make grow is bounded, and who chooses names gains nothing by their choice:
// they are tried by turns of who told them and then in an order that only we know. No entropy, no
// clock; O(number of candidates) a call.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace ams::directory {

inline constexpr std::size_t slots_max = 32;           // in use, where no more are configured
inline constexpr std::size_t learned_max = 16;         // of them (DIR-66)
inline constexpr std::size_t learned_block_max = 2;    // of one network block (DIR-66)
inline constexpr std::size_t candidates_max = 256;     // names that wait (DIR-67)
inline constexpr std::size_t candidates_told_max = 8;  // of what one peer tells (DIR-67)
inline constexpr int tries_max = 3;                    // without an answer, one after the other
inline constexpr std::string_view block_unknown = "unknown";

/// The network block of an address (DIR-66): 4 bytes of IPv4 or 16 of IPv6; "192.0.0.0/16",
/// "2001:db8::/32"; block_unknown for anything else. IPv4 in IPv6 is IPv4.
std::string network_block(ByteView address);

/// DIR-40: peers in the ascending order of SHA-256(own domain, 0x00, peer's domain).
void put_in_order(std::string_view domain, std::vector<std::string>& peers);

class Slots {
 public:
  /// `configured`: domains that are always in use; our own is ignored. `learns`: whether others may
  /// be. `secret`: the key of the order of trials; nobody else may know it (DIR-68).
  Slots(std::string domain, std::vector<std::string> configured, bool learns, const Hash& secret);

  // --- what is heard. Names that are no domains, that are in use or barred are ignored.
  /// `by`, a peer in use, names others.
  void told(std::string_view by, const std::vector<std::string>& domains);
  /// One that is not in use gossips with us: as if it had named itself (DIR-73).
  void called(std::string_view domain);

  // --- what was found. Domains that are neither in use nor waiting are ignored.
  /// Our own connection led to an address of that block.
  void reached(std::string_view domain, std::string_view block);
  /// It answered our gossip, with a checkpoint of its own. `agrees`: it holds the same set. Whether
  /// it is in use from now on.
  bool answered(std::string_view domain, bool agrees);
  /// It did not, or not as a full peer does.
  void failed(std::string_view domain);
  /// It was evicted (DIR-21): it never comes back.
  void bar(std::string_view domain);
  /// It was in use before a restart (DIR-74). Whether it is again.
  bool restore(std::string_view domain, std::string_view block);

  /// Who is to be tried next, if there is room for one more: each call is another's turn.
  std::optional<std::string> next_trial();
  /// Whether there is: then it is worth while to ask who else there is.
  bool has_room() const { return learned_.size() < room_; }

  /// Configured and learned, in the order of DIR-40. Barred ones among the configured stay.
  const std::vector<std::string>& in_use() const { return in_use_; }
  bool uses(std::string_view domain) const;
  bool configured(std::string_view domain) const { return configured_.contains(domain); }
  const std::set<std::string, std::less<>>& configured() const { return configured_; }
  struct Learned {
    std::string block;
    int failures = 0;  // one after the other
    bool operator==(const Learned&) const = default;
  };
  const std::map<std::string, Learned, std::less<>>& learned() const { return learned_; }
  std::size_t waiting() const { return waiting_.size(); }
  std::size_t waiting_of(std::string_view teller) const;
  /// Where a peer in use was reached last; empty: it was not.
  std::string block_of(std::string_view domain) const;

 private:
  struct Candidate {
    std::string teller;  // empty: it called
    Hash place{};        // in the order of trials
    std::string block;   // empty: never reached
    bool tried = false;  // it answered once
    bool agreed = false;
    int failures = 0;
  };
  using Waiting = std::map<std::string, Candidate, std::less<>>;

  void wait(std::string_view domain, std::string_view teller, Candidate candidate);
  bool make_room(std::string_view teller);
  bool fits(std::string_view block) const;
  void leave(std::string_view domain, bool keep);
  void order();

  std::string domain_;
  Hash secret_;
  std::size_t room_ = 0;  // for learned ones
  std::set<std::string, std::less<>> configured_;
  std::map<std::string, std::string, std::less<>> blocks_;  // of configured ones
  std::map<std::string, Learned, std::less<>> learned_;
  Waiting waiting_;
  std::set<std::string, std::less<>> barred_;
  std::string last_teller_;
  std::vector<std::string> in_use_;
};

}  // namespace ams::directory
