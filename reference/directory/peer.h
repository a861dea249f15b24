// Peer: one peer of the public key directory as a state machine inside its host (the server
// machine, which owns the connections and commits the writes). Spec DIR, KEY-6.
//
// The host calls the op functions for requests that arrive, performs asks, commits writes and tells
// the outcomes. A *full* peer holds every record and gossips; a *light* one holds what its own
// domain published and what it fetched and verified.
//
//   publish --new--> stored --push--> full peers     (a light peer's own: retried until answered)
//   every 60 s, full: head of one peer --differs--> range --differs--> … --kids--> get --> stored
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "keys/records.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr storage::Table table_records{0x40};  // kid || fp -> AMS-CJ of the record
inline constexpr storage::Table table_outbox{0x41};   // kid || fp || peer domain -> (empty)
inline constexpr std::size_t publish_max = 64;        // records in one publish (DIR-1)
inline constexpr std::size_t range_kids_max = 64;     // kids listed in a range (DIR-5)
inline constexpr std::size_t prefix_digits_max = 8;   // hexadecimal digits of a range (DIR-5)
inline constexpr std::size_t fetch_peers_max = 3;     // peers asked for one record
inline constexpr std::size_t gets_in_flight_max = 64;
inline constexpr Duration reconcile_interval = std::chrono::seconds{60};  // DIR-7
inline constexpr Duration push_retry_interval = std::chrono::minutes{2};

struct PeerOptions {
  std::string domain;              // our own
  bool full = false;
  std::vector<std::string> peers;  // domains of full peers; our own is ignored
  std::int64_t quota = 100'000;    // new records taken from one publishing domain (DIR-6)
  Duration interval = reconcile_interval;
};

/// Ask the peer domain this op and give the outcome to handle_reply.
struct Ask {
  std::uint64_t cookie = 0;
  std::string domain;
  std::string op;
  wire::Value args;
};
/// The outcome of fetch(): a record verified by KEY-8 and KEY-3.
struct Fetched {
  std::uint64_t ticket = 0;
  Result<wire::Value> outcome;  // not_found, kid_quarantined, peer_unreachable, storage
};

class Peer {
 public:
  /// `reader` is borrowed.
  Peer(PeerOptions options, const storage::Reader& reader, Instant now);

  struct Published {
    wire::Value answer;  // {"results":[{"kid"}|{"code"}…]}, to be sent when `writes` are durable
    storage::WriteBatch writes;  // empty: all known or refused
  };
  /// directory.publish from a session of `from_domain` (ours for our own users): judges each record
  /// (KEY-8) and queues the pushes of what is new. Fails as a whole with schema or batch_too_large.
  Result<Published> publish(const wire::Value& args, std::string_view from_domain, Instant now);
  Result<wire::Value> get(const wire::Value& args) const;    // DIR-2
  Result<wire::Value> head() const;                          // DIR-3
  Result<wire::Value> range(const wire::Value& args) const;  // DIR-5

  /// The record of a kid, from storage or from up to three peers in turn. One Fetched follows.
  void fetch(std::uint64_t ticket, const Id16& kid, Instant now);

  void handle_reply(std::uint64_t cookie, const Result<wire::Value>& outcome, Instant now);
  /// A batch of ours did not become durable: what we remember of storage is void.
  void handle_write_failure();
  void handle_timeout(Instant now);
  std::optional<Instant> timeout() const;

  std::optional<Ask> poll_ask();
  std::optional<Fetched> poll_fetched();
  /// Records that came by gossip or fetch, verified; the host commits them. No answer waits for it.
  std::optional<storage::WriteBatch> poll_writes();

 private:
  using Key = std::array<std::uint8_t, 48>;  // kid || fp
  struct Fetch {
    std::vector<std::uint64_t> tickets;
    std::vector<std::string> to_ask;  // last first
    bool unreachable = false;         // some peer did not answer
  };
  enum class Purpose : std::uint8_t { push, head, range, pull, fetch };
  struct Asked {
    Purpose purpose;
    std::string domain;
    std::string prefix;       // range
    Id16 kid{};               // pull, fetch
    std::vector<Key> pushed;  // push
  };

  Result<Id16> judge(const wire::Value& record, std::string_view from_domain,
                     storage::WriteBatch& writes);
  void push(const std::vector<Key>& keys, const wire::Array& records, std::string_view except,
            storage::WriteBatch* outbox);
  void send_push(const std::string& domain, std::vector<Key> keys, wire::Array records);
  void retry_outbox();
  void ask(Asked asked, std::string op, wire::Value args);
  void ask_range(const std::string& domain, std::string prefix);
  void handle_head(const Asked& asked, const wire::Value& ok);
  void handle_range(const Asked& asked, const wire::Value& ok);
  void handle_pushed(const Asked& asked, const wire::Value& ok);
  Result<wire::Value> keep_record(const wire::Value& ok, const Id16& kid);
  void handle_fetch(const Asked& asked, const Result<wire::Value>& outcome);
  void ask_next(const Id16& kid);
  void settle_fetch(const Id16& kid, const Result<wire::Value>& outcome);
  Result<wire::Value> find(const Id16& kid) const;
  Result<> load() const;
  Hash digest(std::string_view prefix) const;
  std::vector<Key> keys_under(std::string_view prefix) const;

  PeerOptions options_;
  const storage::Reader* reader_;
  mutable std::optional<std::set<Key>> keys_;  // what storage holds; read when first needed
  mutable std::optional<Hash> root_;
  std::map<std::string, std::int64_t, std::less<>> taken_;  // new records by publishing domain
  std::map<std::uint64_t, Asked> asked_;
  std::map<Id16, Fetch> fetches_;
  std::size_t pulls_in_flight_ = 0;
  std::uint64_t next_cookie_ = 1;
  std::size_t next_peer_ = 0;
  bool reconciling_ = false;
  std::optional<Instant> next_round_;
  std::deque<Ask> asks_;
  std::deque<Fetched> fetched_;
  std::deque<storage::WriteBatch> writes_;
};

}  // namespace ams::directory
