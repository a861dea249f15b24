// Peer: one peer of the public key directory as a state machine inside its host (the server machine,
// which owns the connections and commits the writes). Spec DIR, KEY-6.
//
// The host calls the op functions for requests that arrive, performs asks(), commits writes, and tells
// the outcomes. A *full* peer holds every record and gossips; a *light* one holds what its own domain
// published and what it fetched and verified.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "keys/records.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr storage::Table table_records{0x40};     // kid || fp -> AMS-CJ of the record
inline constexpr std::size_t publish_max = 64;           // records in one publish (DIR-1)
inline constexpr Duration reconcile_interval = std::chrono::seconds{60};  // DIR-7

struct PeerOptions {
  std::string domain;              // our own
  bool full = false;
  std::vector<std::string> peers;  // domains of full peers; our own is ignored
};

/// Ask the peer domain this op and give the outcome to handle_reply. The host may batch and queue.
struct Ask {
  std::uint64_t cookie;
  std::string domain;
  std::string op;
  wire::Value args;
};
/// The outcome of fetch(): a record verified by KEY-8 and KEY-3.
struct Fetched {
  std::uint64_t ticket;
  Result<wire::Value> outcome;  // not_found, kid_quarantined, peer_unreachable
};

class Peer {
 public:
  /// `reader` is borrowed. Holds nothing that storage does not, but the digests' cache.
  Peer(PeerOptions options, const storage::Reader& reader);

  struct Published {
    wire::Value answer;           // {"results":[{"kid"}|{"code"}…]} to be sent when `writes` are durable
    storage::WriteBatch writes;   // may be empty: all known or refused
  };
  /// directory.publish from a session of `from_domain` (ours for our own users). Judges every record (KEY-8),
  /// queues pushes of what is new to our peers (full: to all; light: own publications, to all full peers, retried).
  Result<Published> publish(const wire::Value& args, std::string_view from_domain, Instant now);
  Result<wire::Value> get(const wire::Value& args) const;    // directory.get
  Result<wire::Value> head() const;                          // directory.head
  Result<wire::Value> range(const wire::Value& args) const;  // directory.range

  /// The record of kid/fp, from storage or from up to 3 peers in turn. Exactly one Fetched follows,
  /// perhaps at once.
  void fetch(std::uint64_t ticket, const Id16& kid, Instant now);

  void handle_reply(std::uint64_t cookie, const Result<wire::Value>& outcome, Instant now);
  void handle_timeout(Instant now);
  std::optional<Instant> timeout() const;

  std::optional<Ask> poll_ask();
  std::optional<Fetched> poll_fetched();
  /// Records that arrived by gossip or fetch, verified; the host commits them. No answer waits for it.
  std::optional<storage::WriteBatch> poll_writes();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace ams::directory
