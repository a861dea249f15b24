// Core: what the files of this room share. One machine, cut by subject:
//   server.cpp     inputs, effects, ops        sessions.cpp   connections, admission of servers
//   links.cpp      connections we open         accounts.cpp   account.enrol, account_rows
//   bindings.cpp   associate, redirect         lookups.cpp    lookup, history
//   blobs.cpp      blob.put, blob.get, owners
//   mailbox.cpp    boxes, sync, flags, push    submit.cpp     mail.submit
//   queue.cpp      retries and expiry          settle.cpp     receipts, status, notices
//   relay_in.cpp   relay.deliver               relay_check.cpp its judgements
//   chains.cpp     domain.get                  peer_host.cpp  directory ops and gossip
//   groups.cpp     mail to a group's address   rewrap.cpp     mail.rewrap
//   log_witnesses.cpp our binding log, shown   sweep.cpp      what has expired
//
// Order: an input only leaves work. poll() does the next piece of work when every effect before it
// has been given out, so that each piece reads a storage in which all earlier commits are applied.
// Acknowledgements (STO-1): what a commit makes true is said in its OnDurable; what was only read
// is said by answer_stable(), which waits for the commits that were under way.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "directory/buckets.h"
#include "directory/peer.h"
#include "mail/objects.h"
#include "server/binding_log.h"
#include "server/log_witnesses.h"
#include "server/server.h"
#include "server/timers.h"
#include "server/txn.h"

namespace ams::server {

inline constexpr Duration answer_wait = std::chrono::seconds{30};
inline constexpr Duration answer_wait_max = std::chrono::minutes{5};  // however lively the peer is
inline constexpr std::size_t records_held_max = 1'024;
inline constexpr std::size_t verified_chains_max = 10'000;
inline constexpr Duration link_idle = std::chrono::seconds{60};
inline constexpr Duration link_idle_peer = std::chrono::minutes{20};  // to the directory's peers
inline constexpr Duration sweep_interval = std::chrono::minutes{10};
inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::int64_t token_life_ms = 30 * day_ms;
inline constexpr std::int64_t loose_blob_life_ms = day_ms;  // put or pulled, in no message yet
inline constexpr std::int64_t chain_fresh_ms = 3'600'000;
inline constexpr std::int64_t entry_clock_ms = 600'000;  // BLG-28
inline constexpr std::size_t deliver_waiting_max = 4;    // relay.deliver requests of one connection
inline constexpr std::size_t deliver_jobs_max = 256;     // of all connections
inline constexpr std::size_t link_jobs_max = 4'096;      // requests waiting for one domain
inline constexpr std::size_t request_bytes_max = 900'000;  // of a request or answer we compose

using machine::ConnId;

/// Where an answer belongs.
struct Asked {
  ConnId conn = 0;
  std::int64_t id = 0;
};

/// What became of a request of ours.
struct Outcome {
  Result<wire::Value> value;
  bool sent = false;                   // the request left, whoever read it (REL-12)
  const keys::Chain* chain = nullptr;  // of the domain asked; null when it was never reached
};
using OnAnswer = std::function<void(const Outcome&)>;
using OnBlob = std::function<void(Result<Bytes>)>;
using OnDurable = std::function<void(const Result<>&)>;

struct DeliverJob;

struct Conn {
  ConnId id;
  session::Session session;
  bool outgoing;
  Instant last_in;
  Instant idle_since;
  std::string domain;       // of the peer; empty until it is known
  std::string addr;         // client
  bool enrolled = false;    // client: its device is on record
  bool queued = false;      // stands in dirty_
  std::size_t working = 0;  // requests of the peer without an answer
  std::map<std::int64_t, std::pair<OnAnswer, Instant>> asks;  // requests of ours, and when
  std::map<std::int64_t, std::pair<OnBlob, Instant>> pulls;
  std::deque<std::shared_ptr<DeliverJob>> deliveries;  // the front one is in work
};

/// A request of ours that waits for a connection to its domain.
struct LinkJob {
  std::string op;
  wire::Value args;
  OnAnswer then;
};
/// The one connection that we open to another domain, shared by relay, look-up and directory.
struct Link {
  enum class State : std::uint8_t { resolving, connecting, opening, open } state = State::resolving;
  machine::Token token = 0;
  keys::KeyId root;
  ConnId conn = 0;
  Bytes address;  // where it leads; empty: the driver did not say
  std::deque<LinkJob> jobs;
};

/// A queue entry in memory; its rows are in storage.
struct QueueEntry {
  Instant due;
  bool in_work = false;
  bool sent = false;      // a relay.deliver with it may have left
  bool sent_row = false;  // storage says so: durable before the request leaves (REL-12)
};
struct Lane {  // the queue for one domain
  std::map<std::uint64_t, QueueEntry> entries;
  std::set<std::pair<Instant, std::uint64_t>> due;
  std::int64_t joining = 0;  // in submissions that are not durable yet
  bool busy = false;         // a request is on its way
  std::size_t singly = 0;    // so many of the next requests carry one entry
};
struct QueueState {  // row of table_queue_state
  std::int64_t attempts = 0, exp = 0, next = 0;
  bool sent = true;
  std::set<std::int64_t> done;                  // indexes of recipients
  std::map<std::int64_t, wire::Value> refused;  // receipts of temporary refusals, last answer
};

/// The domain's vouch numbers of one day (VCH-3): `used` is in memory; storage holds `reserved`,
/// known to be durable up to `durable`.
struct Dseq {
  std::int64_t day = -1, used = 0, reserved = 0, durable = 0;
  std::int64_t next(Txn& txn, std::int64_t today);
};

/// A message on its way into a mailbox.
struct Parcel {
  const wire::Value* env = nullptr;
  const mail::Header* header = nullptr;
  Hash ehash{};
  std::string asig, head;  // base64url, as they came
  wire::Value stanza;
  std::optional<wire::Value> vouch;
};
/// Mailboxes that a commit changed: address -> newest state.
using Changed = std::map<std::string, std::int64_t>;

/// A message's bytes in the blob table by name.
std::vector<Hash> blobs_of(const mail::Header& header);

class Core {
 public:
  Core(Options options, const crypto::SigningKey& op, const storage::Reader& reader,
       ByteView seed32, Instant now);

  // --- server.cpp: work, effects, answers
  std::optional<machine::Effect> poll();
  void later(std::function<void()> piece) { work_.push_back(std::move(piece)); }
  void commit(storage::WriteBatch batch, OnDurable then);
  /// Fails at once when a read failed; otherwise commits.
  void commit(Txn& txn, OnDurable then);
  void handle_durable(machine::BatchId batch, const Result<>& outcome);
  void ok(const Asked& to, wire::Value value);
  void refuse(const Asked& to, const Error& why, std::optional<std::int64_t> retry_after_s = {});
  /// Answers with what was read, when nothing under it can be undone any more.
  void answer_stable(const Asked& to, wire::Value value);
  void when_stable(OnDurable then);
  void log(machine::Log::Level level, std::string what) {
    effects_.push_back(machine::Log{level, std::move(what)});
  }
  void dispatch(Conn& conn, session::RequestIn request);
  static std::vector<std::string> op_names(bool mail);

  // --- sessions.cpp
  void accepted(ConnId id, const Hash& exporter);
  void resolved(const std::string& domain, const std::optional<keys::Discovery>& found);
  void bytes_in(ConnId id, ByteView bytes);
  void conn_gone(ConnId id);
  void conn_due(ConnId id);
  void session_effect(ConnId id, session::Effect effect);
  Conn* find_conn(ConnId id);
  void touch(Conn& conn);
  Duration idle_life(const Conn& conn) const;
  void rearm(Conn& conn);
  void resolve(const std::string& domain);
  bool admit(Conn& conn, const std::optional<keys::Discovery>& found);
  void admit_or_deny(Conn& conn, const std::optional<keys::Discovery>& found);
  /// Whether `found` may admit a server: a connection of ours proved it, or it needs none (DOM-14).
  bool believed(const std::string& domain, const keys::Discovery& found) const;
  /// Lets the connection wait until we have connected to its domain ourselves.
  void prove(const Conn& conn, const keys::Discovery& found);
  void note_proven(const Conn& conn);
  void end_proving(const std::string& domain);
  /// What discovery says of the domain led to nobody: it is asked for anew next time (DOM-12).
  void doubt(const std::string& domain);
  std::int64_t ask_on(Conn& conn, std::string op, wire::Value args, OnAnswer then);
  void pull(ConnId conn, const Hash& hash, std::uint64_t len_max, OnBlob then);
  void shut_down();

  // --- links.cpp
  void ask(const std::string& domain, std::string op, wire::Value args, OnAnswer then);
  void link_resolved(const std::string& domain, const std::optional<keys::Discovery>& found);
  void reached(machine::Token token, ByteView address);
  void connected(machine::Token token, ConnId id, const Hash& exporter);
  void connect_failed(machine::Token token);
  void link_opened(Conn& conn);
  void link_failed(const std::string& domain);
  void link_send(Link& link);
  const keys::Chain* chain_of(const std::string& domain);

  // --- chains.cpp
  bool keep_chain(const keys::Chain& chain);  // false: of lower seq than the one held (DOM-6)
  /// The chain that these very bytes gave when they were verified for this root, or null.
  const keys::Chain* verified_before(const std::string& domain, const wire::Value& value,
                                     const keys::KeyId& root) const;
  Result<> op_domain_get(const Asked& to, Conn& conn, const wire::Value& args);

  // --- accounts.cpp, bindings.cpp
  struct Account {
    Id16 acct{};
    std::int64_t created = 0;
  };
  std::optional<Account> account(Txn& txn, std::string_view addr);
  Result<> op_enrol(const Asked& to, Conn& conn, const wire::Value& args);
  struct Held {  // the association on record
    keys::KeyId key;
    std::int64_t version = 0;
    wire::Value binding;
    std::optional<keys::KeyId> enc;    // the shared key that is sealed to
    std::string group;                 // whose shared key it is; empty: the domain's, or none
    std::optional<wire::Value> entry;  // the address is bound to others (BLG-33); `binding` was the
                                       // last one to a key
  };
  Result<std::optional<Held>> held_binding(Txn& txn, std::string_view addr);
  Result<> put_binding(Txn& txn, std::string_view addr, std::int64_t version,
                       const wire::Value& binding, const std::string& group,
                       const std::optional<wire::Value>& entry = {});
  Result<std::optional<keys::SharedKey>> judge_shared(const keys::KeyRecord& record,
                                                      const wire::Value* enc) const;
  bool follow_policy(Txn& txn, const std::string& addr, Held& held);
  Result<keys::KeyRecord> record_of(const keys::KeyId& key);
  /// KEY-15: fails with the code of the key's state where that forbids its use.
  Result<> not_ended(const keys::KeyId& key) const;
  Result<> op_associate(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_lookup(const Asked& to, Conn& conn, const wire::Value& args);
  struct Since {  // what an asker has seen of an address before (BLG-29)
    std::int64_t version = 0, size = 0;
  };
  /// BLG-30: `since`, when later versions than it are to be shown. Fails with not_found, storage.
  Result<std::optional<Since>> to_show(const std::optional<Since>& since, const Held& held);
  Result<> answer_redirect(const Asked& to, Txn& txn, const std::string& addr, const Held& held,
                           const std::optional<Since>& shown);
  Result<> op_redirect(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_history(const Asked& to, Conn& conn, const wire::Value& args);
  /// The entry that a client made of the binding it asks for (BLG-28).
  Result<std::optional<bindlog::Entry>> judge_entry(Txn& txn, const wire::Value* value,
                                                    const keys::Binding& bound,
                                                    const std::optional<Held>& held);
  /// BLG-28: whether an entry that a client made is of now, and endorsed by the key that it
  /// follows.
  Result<> judge_made(Txn& txn, const bindlog::Entry& made, const std::optional<Held>& held,
                      std::string_view where);
  /// After something was added to the log: keeps the proofs made for it; forgets it on a failure.
  Result<> keep_logged(Txn& txn, const std::string& addr, Result<> added);
  /// Adds a new binding to the log, where there is one: right before its batch is committed.
  Result<> log_binding(Txn& txn, const keys::Binding& bound,
                       const std::optional<bindlog::Entry>& made = {});
  /// Answers with what was read, or, where `txn` has something to keep, when that is durable.
  void answer_kept(const Asked& to, Txn& txn, bool kept, wire::Value answer);
  /// BLG-29: takes one of the asking domain's look-ups. False: it has none, and was refused.
  bool take_lookup(const Asked& to, const Conn& conn);
  /// BLG-32.
  static void pad_answer(wire::Object& answer);
  static Result<std::optional<Since>> read_since(const wire::Value* value);
  /// Adds the proof of what is held, and the versions since `shown`; whether anything is to be kept
  /// for it, in `txn`.
  Result<bool> add_proof(Txn& txn, const std::string& addr, const Held& held,
                         const std::optional<Since>& shown, bool sealed, wire::Object& answer);
  /// Reads the log under an epoch of now and keeps the proofs that this made; whether `txn` has
  /// anything of it. `sealed`: `txn` has something of the log already.
  Result<bool> read_log(Txn& txn, const std::string& addr, bool sealed,
                        const std::function<Result<>()>& read);

  // --- blobs.cpp
  void blob_put(Conn& conn, session::BlobPut put);
  Result<> op_blob_get(const Asked& to, Conn& conn, const wire::Value& args);
  void store_blob(Txn& txn, const Hash& hash, ByteView bytes);
  void own_blob(Txn& txn, const Hash& hash, ByteView owner);
  void disown_blob(Txn& txn, const Hash& hash, ByteView owner);
  static Bytes owner_put(const Id16& acct);
  static Bytes owner_mail(const Id16& acct, std::uint64_t uid);
  static Bytes owner_queue(const std::string& rdom, std::uint64_t seq);
  static Bytes owner_pulled(const std::string& sdom);
  void expire_at(Txn& txn, std::int64_t at_ms, Table table, ByteView key);

  // --- mailbox.cpp
  struct Box {
    std::uint64_t state = 0, next_uid = 1, bytes = 0, put_bytes = 0;
  };
  Box box(Txn& txn, const Id16& acct);
  void put_box(Txn& txn, const Id16& acct, const Box& box);
  /// Adds a message; returns its uid and notes the change.
  std::uint64_t box_add(Txn& txn, const std::string& addr, const Id16& acct,
                        std::string_view folder, wire::Value message, std::uint64_t size,
                        Changed& changed);
  /// Puts a parcel into the mailbox of `addr`, or says why not: the one door for local and relayed
  /// mail.
  std::optional<Code> accept_mail(Txn& txn, const Parcel& parcel, const std::string& addr,
                                  Changed& changed);
  /// A message as mailboxes hold it: made once, for however many of them.
  struct Stored {
    wire::Value message;
    std::uint64_t size = 0;  // bytes, with its blobs
    std::vector<Hash> blobs;
  };
  /// `addr`: whom it was sent to, or who sent it. `kind`: "mail" or "sent".
  static Stored to_store(Txn& txn, const Parcel& parcel, const std::string& addr,
                         std::string_view kind);
  /// A copy in a folder of the mailbox `to` of `owner`; false: no room.
  bool put_mail(Txn& txn, const Stored& mail, const std::string& owner, const Account& to,
                std::string_view folder, Changed& changed);
  /// A message's newest change is `to` now, no longer `from` (SYN-1).
  static void move_change(Txn& txn, const Id16& acct, std::uint64_t uid, std::uint64_t from,
                          std::uint64_t to);
  bool room_for(Txn& txn, const Id16& acct, std::uint64_t size);
  void add_notice(Txn& txn, const std::string& sender, const mail::Notice& notice,
                  Changed& changed);
  void push_changed(const Changed& changed, ConnId except = 0);
  Result<> op_sync(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_flag(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_delete(const Asked& to, Conn& conn, const wire::Value& args);

  // --- groups.cpp
  std::string group_of(const std::string& addr) const;
  const keys::SharedKey* group_in_force(const std::string& addr) const;
  /// None: no group, or one without members. Fails with storage.
  Result<std::vector<std::string>> members_of(const std::string& addr) const;
  /// Whether `addr` is an account's or a group's with members. Fails with storage.
  Result<bool> takes_mail(Txn& txn, const std::string& addr);
  /// Groups come last: who is a recipient too has the copy that was made for her (GRP-4). Reads
  /// nothing unless the address has a group's name.
  bool before_groups(Txn& txn, const std::string& addr) {
    return group_of(addr).empty() || account(txn, addr).has_value();
  }
  Result<Held> bind_group(Txn& txn, const std::string& addr, const keys::SharedKey& group);
  std::optional<Code> accept_for_group(Txn& txn, const Parcel& parcel, const std::string& addr,
                                       Changed& changed);
  bool has_group_copy(Txn& txn, const Hash& ehash, const Id16& acct);
  bool group_has_room(Txn& txn, const Hash& ehash, const std::string& addr, std::uint64_t size);

  // --- rewrap.cpp
  Result<> op_rewrap(const Asked& to, Conn& conn, const wire::Value& args);
  std::optional<Code> rewrap_one(Txn& txn, const Account& who, std::uint64_t uid,
                                 const mail::Stanza& fresh, Box& mine);

  // --- submit.cpp
  Result<> op_submit(const Asked& to, Conn& conn, const wire::Value& args);
  Result<wire::Value> sign_vouch(Txn& txn, const Account& from, const std::string& rdom,
                                 const Hash& ehash, const Hash& rtag);

  // --- queue.cpp, settle.cpp
  void load_queue();
  /// Rows of a new entry; returns its number.
  std::uint64_t queue_add(Txn& txn, const std::string& rdom, const wire::Value& delivery,
                          const std::string& from, const mail::Header& header);
  void queue_erase(Txn& txn, const std::string& rdom, std::uint64_t seq, const wire::Value& row);
  void queue_join(const std::string& rdom, std::uint64_t seq, Instant due, bool sent,
                  bool sent_row);
  void queue_drop(const std::string& rdom, std::uint64_t seq);
  void queue_due(const std::string& rdom, std::uint64_t seq, Instant due);
  void arm_lane(const std::string& rdom);
  void pump(const std::string& rdom);
  void send_batch(const std::string& rdom, std::vector<std::uint64_t> seqs);
  void batch_answered(const std::string& rdom, const std::vector<std::uint64_t>& seqs,
                      const Outcome& outcome);
  void back_off(Txn& txn, const std::string& rdom, std::uint64_t seq, QueueState state);
  void settle(const std::string& rdom, std::uint64_t seq, const wire::Value& receipts,
              const keys::Chain& chain);
  void settle_local(const std::string& rdom, std::uint64_t seq);
  void settle_expired(const std::string& rdom, std::uint64_t seq);
  void finish_expired(const std::string& rdom, std::uint64_t seq,
                      const std::set<std::int64_t>& accepted);
  void finish_entry(Txn& txn, const std::string& rdom, std::uint64_t seq, QueueState state,
                    const Changed& changed);
  std::optional<QueueState> queue_state(Txn& txn, const std::string& rdom, std::uint64_t seq);

  // --- relay_in.cpp, relay_check.cpp
  Result<> op_deliver(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_status(const Asked& to, Conn& conn, const wire::Value& args);
  void job_start(const std::shared_ptr<DeliverJob>& job);
  void job_keys(const std::shared_ptr<DeliverJob>& job);
  void job_pull(const std::shared_ptr<DeliverJob>& job);
  void job_flush(const std::shared_ptr<DeliverJob>& job);
  void job_accept(const std::shared_ptr<DeliverJob>& job);
  void job_end(const std::shared_ptr<DeliverJob>& job, const Result<>& outcome);
  void judge(DeliverJob& job);
  void judge_record(DeliverJob& job, std::size_t at, const Result<wire::Value>& record);
  void hold_record(const keys::KeyRecord& record);  // in memory
  void keep_record(const keys::KeyRecord& record, const std::string& sdom);
  void job_plan(DeliverJob& job);
  wire::Value receipts_of(const DeliverJob& job);

  // --- peer_host.cpp
  Result<> op_publish(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_peers(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_directory_get(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_directory_relay(const Asked& to, Conn& conn, const wire::Value& args);
  void relay_proof(const Asked& to, const std::string& peer, const std::string& kid,
                   wire::Object answer);
  Result<> op_head(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_gossip(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_bindlog(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_directory_domain(const Asked& to, Conn& conn, const wire::Value& args);
  Result<> op_compare(const Asked& to, Conn& conn, const wire::Value& args);
  using DirectoryRead = Result<wire::Value> (directory::Peer::*)(const wire::Value&) const;
  Result<> op_directory_read(DirectoryRead read, const Asked& to, const Conn& conn,
                             const wire::Value& args);
  template <DirectoryRead read>
  Result<> op_read(const Asked& to, Conn& conn, const wire::Value& args) {
    return op_directory_read(read, to, conn, args);
  }
  Result<> answer_written(const Asked& to, directory::Peer::Answered answered);
  static const std::string& asker(const Conn& conn);
  void fetch_record(const Id16& kid, OnAnswer then);
  void pump_peer();

  // --- log_witnesses.cpp
  void start_showing();
  void want_showing();
  void log_committed();
  void end_shown_epoch();
  void show_log();
  void arm_showing();
  void show_to(const std::string& domain, LogWitness& witness);
  void log_shown(const std::string& domain, std::uint64_t to, const Outcome& outcome);
  Result<> log_taken(const std::string& domain, LogWitness& witness, std::uint64_t to,
                     const Outcome& outcome);
  void show_failed(LogWitness& witness, const Error& why);

  // --- sweep.cpp
  void sweep();

  bool local(std::string_view domain) const { return domain == options_.domain; }
  std::int64_t now_ms() const { return to_unix_ms(now_); }

  Options options_;
  const crypto::SigningKey& op_;
  const storage::Reader& reader_;
  crypto::Drbg drbg_;
  Instant now_;
  std::optional<keys::Chain> chain_;             // our own
  std::map<std::string, keys::Chain> verified_;  // others', at most verified_chains_max
  std::map<std::string, keys::KeyId> proven_;    // domain -> root, at most verified_chains_max
  struct Proving {
    keys::Discovery found;
    std::set<ConnId> waiting;
  };
  std::map<std::string, Proving> proving_;
  std::set<std::string> doubted_;            // at most verified_chains_max
  std::unique_ptr<BindingLog> binding_log_;  // null: the domain's record has no keys of one
  LogShowing showing_;
  directory::Peer peer_;
  directory::Buckets lookups_;  // of other domains
  std::vector<std::string> ops_;
  Stats stats_;
  Timers timers_;
  bool shutting_down_ = false;

  std::deque<machine::Effect> effects_;
  std::deque<std::function<void()>> work_;
  std::deque<ConnId> dirty_;
  std::map<ConnId, Conn> conns_;
  std::multimap<std::string, ConnId> online_;          // addr -> its clients' connections
  std::map<std::string, std::set<ConnId>> admitting_;  // domain -> servers that wait to be admitted
  std::map<std::string, Instant> resolving_;
  std::map<std::string, Link> links_;
  std::map<machine::Token, std::string> tokens_;
  machine::Token next_token_ = 1;
  machine::BatchId next_batch_ = 1;
  std::map<machine::BatchId, OnDurable> commits_;
  std::map<std::string, Lane> lanes_;
  Dseq dseq_;
  std::map<keys::KeyId, keys::KeyRecord> records_;  // verified; emptied when it grows large
  std::map<std::uint64_t, OnAnswer> fetches_;
  std::uint64_t next_fetch_ = 1;
  std::size_t deliver_jobs_ = 0;
};

}  // namespace ams::server
