// Peer: one peer of the public key directory as a state machine inside its host (the server
// machine, which owns the connections and commits the writes). Spec DIR, KEV, KEY-6.
//
// The host calls the op functions for requests that arrive, performs asks, commits writes and tells
// the outcomes. A *full* peer holds every entry, logs its map's roots and gossips; a *light* one
// holds what its own domain published and what it fetched and verified.
//
//   publish --new--> stored --push--> full peers     (a light peer's own: retried until answered)
//   every 60 s, full: gossip with one peer --roots differ--> reconcile … --> entries --> stored
//                     and an epoch of the log, when the map has changed
//
// Inputs come one after the other; before the next one the host has applied (not necessarily made
// durable) every batch that was given out. One owner, no entropy, bounded time a call.
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
#include "directory/bindlog_witness.h"
#include "directory/buckets.h"
#include "directory/grants.h"
#include "directory/history.h"
#include "directory/holdings.h"
#include "directory/slots.h"
#include "directory/witness.h"
#include "directory/work.h"
#include "keys/lineage.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr storage::Table table_outbox{0x41};      // kid || peer domain -> (empty)
inline constexpr storage::Table table_fetched{0x48};     // kid -> u64 Unix ms
inline constexpr storage::Table table_learned{0x4b};     // peer domain -> network block (DIR-74)
inline constexpr std::size_t publish_max = 64;           // objects in one publish (DIR-1)
inline constexpr std::size_t entries_max = 64;           // kids in one request for entries (DIR-14)
inline constexpr std::size_t range_entries_max = 64;     // entries listed in a range (DIR-9)
inline constexpr std::size_t prefix_digits_max = 32;     // hexadecimal digits of a range (DIR-9)
inline constexpr std::size_t ranges_max = 1'024;         // in one reconcile request (DIR-15)
inline constexpr std::size_t answer_size_max = 600'000;  // bytes of one answer, about
inline constexpr std::size_t object_size_max = 4'096;    // bytes of any object that is published
inline constexpr std::size_t told_max = 16;              // checkpoints and proofs in one message
inline constexpr std::size_t fetch_peers_max = 3;        // peers asked for one entry (DIR-17)
inline constexpr std::size_t granted_round_max = 4'096;  // kids asked for with grants (DIR-62)
inline constexpr Duration reconcile_interval = std::chrono::seconds{60};  // DIR-7
inline constexpr int push_retry_intervals = 2;  // of those: how often a light peer pushes again
inline constexpr std::size_t push_on_max = 8;   // peers that hear on what a peer told (DIR-41)
inline constexpr std::size_t round_failures_max = 3;  // requests without an answer (DIR-45)
inline constexpr std::size_t comparers_max = 2;       // peers that compare one log's faces (DIR-50)
inline constexpr std::size_t cosigners_asked_max = 8;  // at once, for one epoch (DIR-78)
inline constexpr int pursuit_questions_max = 4;        // to one log in a round (DIR-47)
inline constexpr int owed_intervals = 2;  // for an answer on one's own log, before DIR-53 holds
inline constexpr Duration fetched_life = std::chrono::hours{24};  // DIR-17
inline constexpr std::size_t peers_told_max = 16;                 // in one answer (DIR-64)
inline constexpr int peers_told_intervals = 64;                   // since they answered us (DIR-64)

struct PeerOptions {
  std::string domain;  // our own
  bool full = false;
  std::vector<std::string> peers;     // domains of full peers; our own is ignored
  bool exchange = false;              // learn others from them (DIR-65); full peers only
  Hash exchange_secret{};             // of the order in which they are tried (DIR-68)
  std::int64_t quota = 100'000;       // new objects a day from one publishing domain (DIR-6)
  int work_bits = 22;                 // buys one object beyond the quota (DIR-23); 0: nothing does
  std::int64_t requests_per_s = 200;  // from one domain, with bursts of five times that (DIR-18)
  Duration interval = reconcile_interval;
};

/// Ask the peer domain this op and give the outcome to handle_reply.
struct Ask {
  std::uint64_t cookie = 0;
  std::string domain;
  std::string op;
  wire::Value args;
};
/// The outcome of fetch(): what directory.get answers, verified by KEY-8, KEY-3, KEV, REV, CRD.
struct Fetched {
  std::uint64_t ticket = 0;
  Result<wire::Value> outcome;  // not_found, kid_quarantined, peer_unreachable, storage
};
/// Rows to commit; the outcome goes to handle_written.
struct Write {
  std::uint64_t ticket = 0;
  storage::WriteBatch batch;
};

/// A peer in use, for status pages.
struct PeerInUse {
  std::string domain, block;  // block: where it was reached last; empty: it was not
  bool learned = false, agreeing = false, evicted = false;
};
/// For status pages and invariants. Counts since construction, the rest now.
struct Stats {
  std::uint64_t keys = 0;
  Hash root{};
  std::uint64_t peers = 0, peers_agreeing = 0;  // agreeing: the same root at the last gossip
  std::uint64_t peers_evicted = 0;
  std::uint64_t peers_learned = 0, peers_waiting = 0;  // of peers; names that wait for their try
  std::optional<Instant> agreed_at;  // when all peers last agreed with us, one after the other
  std::uint64_t epochs = 0, cosignatures = 0;
  std::uint64_t witnessed = 0;  // checkpoints of binding logs that were cosigned
  std::uint64_t published = 0, pulled = 0, pushed = 0;  // objects taken, entries merged, sent
  std::map<Code, std::uint64_t> refused;                // objects and requests, by reason
  std::vector<PeerInUse> in_use;
};

class Peer {
 public:
  /// `reader` and `log_key` are borrowed; `log_key`: the domain's op key, null: no checkpoints.
  Peer(PeerOptions options, const crypto::SigningKey* log_key, const storage::Reader& reader,
       Instant now);

  struct Answered {
    wire::Value answer;          // to be sent when `writes` are durable
    storage::WriteBatch writes;  // may be empty
  };
  using Published = Answered;
  /// directory.publish from a session of `from_domain` (ours for our own users): judges each object
  /// and queues the pushes of what is new. Fails as a whole with schema, batch_too_large,
  /// peer_evicted or rate, and as Vouchers::read. `op`: the op key of the session's chain (null:
  /// unknown, or a user of our own).
  Result<Answered> publish(const wire::Value& args, std::string_view from_domain, Instant now,
                           const crypto::VerifyKey* op = nullptr);
  /// directory.gossip from another peer; `op`: the op key of its chain (null: unknown).
  Result<Answered> gossip(const wire::Value& args, std::string_view from_domain,
                          const crypto::VerifyKey* op, Instant now);
  /// directory.bindlog from another domain's server; `record`: of the chain of its session. Fails
  /// as BindlogWitness::show.
  Result<Answered> bindlog(const wire::Value& args, const keys::DomainRecord& record, Instant now);
  /// What directory.domain says beside the chain (DIR-46). Fails with storage.
  Result<wire::Object> domain_log(std::string_view domain) const { return bindlogs_.known(domain); }
  /// directory.compare from another peer (DIR-51). Fails with schema, object_too_large (more than
  /// told_max), peer_evicted.
  Result<wire::Value> compare(const wire::Value& args, std::string_view from_domain, Instant now);
  /// directory.peers (DIR-64). Fails with schema.
  Result<wire::Value> peers(const wire::Value& args, Instant now);
  /// DIR-18: to be asked before each of the ops below. Fails with rate.
  Result<> admit(std::string_view from_domain, Instant now);
  Result<wire::Value> get(const wire::Value& args) const;          // DIR-2
  Result<wire::Value> card(const wire::Value& args) const;         // DIR-16
  Result<wire::Value> head() const;                                // DIR-3
  Result<wire::Value> range(const wire::Value& args) const;        // DIR-9
  Result<wire::Value> entries(const wire::Value& args) const;      // DIR-14
  Result<wire::Value> reconcile(const wire::Value& args) const;    // DIR-15
  Result<wire::Value> proof(const wire::Value& args) const;        // DIR-12
  Result<wire::Value> consistency(const wire::Value& args) const;  // DIR-13
  Result<wire::Value> history(const wire::Value& args) const;      // DIR-13

  /// The operator drops the card that is held under `kid`, for good (CRD-9). Fails with not_found
  /// where there is none.
  Result<storage::WriteBatch> drop_card(const Id16& kid);

  /// Whether the owner has said anything against the key, as far as is held here: fails as
  /// keys::Entry::usable does. O(1) for a key of which nothing is held but its record.
  Result<> usable(const keys::KeyId& key) const;
  /// Whether an entry held here was fetched so long ago that it should be asked for again (DIR-17).
  bool stale(const Id16& kid, Instant now) const;
  /// The entry of a kid, from storage or from up to three peers. One Fetched follows.
  void fetch(std::uint64_t ticket, const Id16& kid, Instant now);

  /// Our connection to a domain leads to this address (DIR-66): 4 or 16 bytes, else it is unknown.
  void handle_reached(std::string_view domain, ByteView address);
  /// `op`: the op key of the answering domain's chain, when there was one.
  void handle_reply(std::uint64_t cookie, const Result<wire::Value>& outcome,
                    const crypto::VerifyKey* op, Instant now);
  void handle_written(std::uint64_t ticket, const Result<>& outcome);
  /// A batch of ours did not become durable: what we remember of storage is void.
  void handle_write_failure();
  void handle_timeout(Instant now);
  std::optional<Instant> timeout() const;

  std::optional<Ask> poll_ask();
  std::optional<Fetched> poll_fetched();
  std::optional<Write> poll_write();

  Stats stats() const;
  /// Whether it is one of the peers in use.
  bool uses(std::string_view domain) const { return slots_.uses(domain); }

 private:
  struct Fetch {
    std::vector<std::uint64_t> tickets;
    std::size_t asked = 0;
    bool unreachable = false;         // some peer did not answer
    std::optional<keys::Entry> best;  // the join of what was held and what came (DIR-17)
    Result<> refused;                 // the code that a peer gave for the kid itself
  };
  enum class Purpose : std::uint8_t {
    push,
    gossip,
    ranges,
    entries,
    fetch,
    consistency,
    compare,
    pursuit,       // of one that was evicted without evidence (DIR-47)
    introduction,  // of a log that another peer told of and that is not known here yet
    cosigning,     // our new checkpoint, shown at once
    exchange,      // whom it knows (DIR-65)
    trial,         // gossip with one that may come into use
    grantor,       // whose op key is not known here yet
  };
  /// What is asked for beside entries: nothing, the grants that there are, or granted ones only.
  enum class Grants : std::uint8_t { none, with, only };
  struct Asked {
    Purpose purpose;
    std::string domain;
    Id16 kid{};                                 // fetch
    std::vector<std::pair<Id16, Hash>> pushed;  // push: kids, and their values then
    std::vector<std::string> prefixes;          // ranges
    std::vector<Id16> kids;                     // entries
    std::string note;                // consistency, introduction: the checkpoint that was heard of
    verifiable::Checkpoint known{};  // and the one that it is to be held against
    Grants grants = Grants::none;    // entries
    Witness::Question question{};    // pursuit
  };
  struct KeyName {
    Id16 kid;
    Hash fp;
  };
  /// Entries in the making, within one input.
  struct Draft {
    std::map<Id16, keys::Entry> entries;
    std::set<Id16> changed;
    std::map<Id16, Vouched> vouched;              // of new keys, whose grant they come with
    std::vector<std::pair<Id16, Hash>> to_vouch;  // kids and fps of those that we grant
  };
  /// A question to a log about itself that it has not answered yet.
  struct Owed {
    std::string note;  // the checkpoint that was heard of
    Instant since;
  };
  /// One comparison with one peer, until nothing is left to compare or an answer fails.
  struct Round {
    std::string domain;
    std::deque<std::string> prefixes;
    std::deque<Id16> wanted;
    std::deque<Id16> fresh;      // new ones, within the budget if nobody granted them
    std::size_t budgeted = 0;    // of those, also when they were asked for
    std::set<Id16> granted;      // new ones beyond the budget: granted ones only (DIR-62)
    bool all_listed = false;     // what differs
    std::optional<Id16> beyond;  // the first that was left for the next round
    std::set<Id16> offered;
    std::size_t in_flight = 0;
    std::size_t failures = 0;  // requests that got no answer
  };

  // publish.cpp
  struct Offer {
    std::optional<WorkNonce> nonce;
    std::string_view from_domain;
    bool on = false;               // a peer says that it heard of it from another (DIR-55)
    Vouchers* vouchers = nullptr;  // of its message, and its place there
    std::size_t place = 0;
    const SetAside* aside = nullptr;  // what was set aside, when its time has come
  };
  /// A grant for a new key. Of a domain whose quota is spent no signature is looked at.
  struct Backing {
    Vouched vouched;
    bool verified = false;
  };
  Result<Id16> judge(const wire::Value& object, const Offer& offer, Draft& draft, Instant now);
  Result<> take(const wire::Value& object, const Id16& kid, Draft& draft);
  Result<> keep(const Draft& draft, storage::WriteBatch& writes);
  // who answers for new keys: vouching.cpp
  bool may_publish(std::string_view domain, Instant now) const;
  void charge(std::string_view domain, Instant now);
  Result<std::optional<Backing>> backing_of(const wire::Value& object, const KeyName& key,
                                            const Offer& offer, Instant now);
  Result<std::optional<Backing>> weigh(SetAside key, Instant now);
  Result<std::optional<Backing>> set_aside(SetAside key, Instant now);
  static void note_new(Draft& draft, const KeyName& key, const Vouched* vouched, bool relayed);
  void vouch(Draft& draft, std::string_view from_domain, Instant now);
  void handle_grantor(const std::string& domain, const crypto::VerifyKey* op, Instant now);
  // peer.cpp
  Result<const verifiable::Map*> ready() const;  // map and log are read
  bool is_peer(std::string_view domain) const { return slots_.uses(domain); }
  const std::vector<std::string>& in_order() const { return slots_.in_use(); }  // DIR-40
  bool evicted(std::string_view domain) const { return witness_.evicted(domain); }
  void count(Code code) { ++stats_.refused[code]; }
  void write(storage::WriteBatch batch);
  void begin();
  // epochs and gossip: gossip.cpp
  void cut_epoch(Instant now);
  wire::Object shown_to(const std::string& domain) const;
  void take_shown(const Asked& asked, const wire::Value& ok, const crypto::VerifyKey* op,
                  Instant now);
  void start_gossip();
  wire::Object gossip_to(const std::string& domain);
  void handle_gossip(const Asked& asked, const wire::Value& ok, const crypto::VerifyKey* op,
                     Instant now);
  void meet(const std::string& domain, const crypto::VerifyKey& op, const wire::Value& shown,
            Instant now);
  void tell(wire::Object& message);
  // cosigners.cpp
  void seek_cosignatures();
  void handle_cosigning(const Asked& asked, const Result<wire::Value>& outcome,
                        const crypto::VerifyKey* op, Instant now);
  // what is heard of others' logs: compare.cpp
  void hear(const wire::Value& message, Instant now);
  void hear_of(const std::string& domain, const std::string& note, storage::WriteBatch& writes,
               Instant now);
  void ask_log(const std::string& domain, const std::string& note);
  void tell_comparers(const std::string& log, const std::string& note, Instant now);
  void introduce(const std::string& domain, const std::string& note);
  void handle_introduction(const Asked& asked, const Result<wire::Value>& outcome,
                           const crypto::VerifyKey* op, Instant now);
  void handle_consistency(const Asked& asked, const Result<wire::Value>& outcome, Instant now);
  void ask_owed();
  bool owes(std::string_view domain, Instant now) const;
  // who else there is: exchange.cpp
  bool learns() const { return options_.full && options_.exchange; }
  bool read_learned();
  void load_learned();
  void bar_evicted();
  void keep_learned();
  void try_one();
  void hear_of_caller(const std::string& domain, const crypto::VerifyKey& op,
                      const std::string& note);
  void handle_exchange(const Asked& asked, const wire::Value& ok);
  void handle_trial(const Asked& asked, const Result<wire::Value>& outcome,
                    const crypto::VerifyKey* op, Instant now);
  void note_answer(const std::string& domain, bool answered, Instant now);
  // evidence against logs that were evicted without: pursue.cpp
  void pursue_all();
  void pursue(const std::string& domain);
  void handle_pursuit(const Asked& asked, const Result<wire::Value>& outcome);
  // pushing and reconciling: reconcile.cpp
  void ask(Asked asked, std::string op, wire::Value args);
  void push(const std::set<Id16>& kids, std::string_view except, storage::WriteBatch* outbox);
  void send_push(const std::string& domain, const std::set<Id16>& kids, bool on);
  bool fetches_all() const;
  void want(const Id16& kid, bool held, Instant now);
  void want_granted(const Id16& kid);
  void want_again(const Asked& asked, std::size_t from);
  bool ask_entries();
  bool may_take_new(const Asked& asked, const wire::Value& record, std::size_t place,
                    Vouchers& vouchers, Draft& draft, Instant now);
  void retry_outbox();
  void handle_pushed(const Asked& asked, const wire::Value& ok);
  Duration round_interval() const;
  void start_round(const std::string& domain);
  void pump_round();
  bool ask_again(const Asked& asked, Code why);
  void handle_ranges(const Asked& asked, const wire::Value& ok, Instant now);
  void compare_listed(std::string_view prefix, ByteView listed, Instant now);
  void handle_entries(const Asked& asked, const wire::Value& ok, Instant now);
  // fetching: fetch.cpp
  Result<wire::Value> held(const Id16& kid) const;
  void handle_fetch(const Asked& asked, const Result<wire::Value>& outcome, Instant now);
  void settle_fetch(const Id16& kid, Instant now);

  PeerOptions options_;
  Slots slots_;
  mutable Holdings holdings_;
  mutable History history_;
  Witness witness_;
  BindlogWitness bindlogs_;
  const storage::Reader* reader_;
  Buckets quotas_, requests_;
  Buckets relayed_;  // by peer, what it was the first to pass on; "": all the rest (DIR-54)
  Buckets lent_;     // "": keys of others that we grant (DIR-59)
  const crypto::SigningKey* op_;  // signs our grants; may be null
  std::optional<crypto::VerifyKey> own_op_;
  VouchedRows vouched_;
  Grantors grantors_;
  VerifiedGrants verified_grants_;
  Aside aside_;
  Buckets grantor_asks_;                      // by peer (DIR-61)
  std::map<std::string, Id16> granted_from_;  // by peer, where the next round goes on (DIR-62)
  std::optional<bool> fresh_;  // no epoch was ever logged here, and no peer has agreed yet
  Stats stats_;
  std::set<std::string, std::less<>> agreeing_;
  std::map<std::string, std::uint64_t> shown_;  // how much of our log each peer has seen
  std::map<std::uint64_t, Asked> asked_;
  std::map<Id16, Fetch> fetches_;
  std::optional<Round> round_;
  std::uint64_t next_cookie_ = 1, next_ticket_ = 1;
  std::uint64_t epoch_ticket_ = 0;  // the write with the epoch that is on its way
  std::size_t next_peer_ = 0, next_push_ = 0;
  std::string told_last_;                          // the log whose checkpoint was told last
  std::map<std::string, std::string> compared_;    // log -> text of the note told to its comparers
  std::map<std::string, Owed, std::less<>> owed_;  // by log
  std::map<std::string, int> pursued_;             // log -> questions of DIR-47 in this round
  struct Cosigning {
    std::uint64_t size = 0;       // of our log, for which they are sought
    std::set<std::string> asked;  // each one once
    std::size_t in_flight = 0;
  } cosigning_;
  std::size_t next_cosigner_ = 0;
  bool gossiping_ = false, trying_ = false;
  bool learned_loaded_ = false;
  std::optional<std::map<std::string, std::string>> learned_kept_;  // rows; none: to be read
  std::map<std::string, Instant, std::less<>> answered_;  // peers that answered the last gossip
  std::size_t next_told_ = 0;
  std::size_t barred_ = 0;  // evicted peers that the slots know of
  std::optional<Instant> next_round_, next_epoch_;
  std::deque<Ask> asks_;
  std::deque<Fetched> fetched_;
  std::deque<Write> writes_;
};

/// DIR-50: who compares what a log showed on that day, of its peers and of `self`; at most
/// comparers_max, fewer where there are fewer.
std::vector<std::string> comparers(std::string_view log, Instant now,
                                   const std::vector<std::string>& peers, std::string_view self);
/// The kid whose first hexadecimal digits are these, the rest zero.
Id16 first_kid(std::string_view prefix);
/// Objects of an answer of directory.get, in the order in which an entry takes them.
wire::Array objects_of(const wire::Value& got);
/// The entry of `kid` that these objects make; every one is verified. Fails with the first refusal.
Result<keys::Entry> entry_of(const Id16& kid, const wire::Array& objects);

}  // namespace ams::directory
