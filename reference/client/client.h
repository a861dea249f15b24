// Client: one account on one device as a sans-IO machine (spec chapters 02, 04, 05, 06). It creates
// the account's keys, publishes them, looks up and verifies others', seals, submits, syncs, opens
// and verifies. What it must keep (keys, sync state, unsent messages) is in its storage;
// constructing it again over the same storage is the restart.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "bindlog/entry.h"
#include "crypto/crypto.h"
#include "keys/lineage.h"
#include "keys/records.h"
#include "machine/machine.h"
#include "mail/letter.h"
#include "storage/storage.h"

namespace ams::client {

struct Options {
  std::string addr;
  crypto::Aead aead = crypto::Aead::a256gcm;
  std::int64_t key_life_ms = keys::key_life_ms_max;
  std::int64_t message_life_ms = 5LL * 86'400'000;
  bool stay_connected = true;  // reconnect and receive push events; else connect for each command
  /// Before the first message to an address whose key was changed without the old key's endorsement
  /// the draft is refused with `unendorsed`, once (BLG-15); false: the owner is told, and it goes.
  bool hold_unendorsed = true;
  bool key_store = false;  // the driver has a way to the domain's key store (poll_key_store)
  /// Witnesses that must have cosigned the head of a binding log before a key that it proves is
  /// used (BLG-41); short of them letters wait. 0: none are asked for.
  std::int64_t log_witnesses = 0;
  std::vector<std::string> witness_domains = {};  // whose; empty: the full peers our server names
  Duration ping_interval = std::chrono::minutes{5};  // of silence, when staying connected
};

// --- what the owner is told
// -------------------------------------------------------------------------------
struct AccountReady {  // enrolled, key associated, binding received
  keys::KeyId key;
  std::int64_t version = 0;
};
/// The server acknowledged: durable there. With Bcc recipients, whose messages are their own
/// (MSG-30): all were acknowledged or told as SubmitFailed before; ehash is the first one's, which
/// goes to To and Cc.
struct Submitted {
  std::uint64_t ticket = 0;
  Hash ehash{};
};
/// The draft did not leave: unknown recipient, wrong key, refused. Nothing was accepted for it,
/// unless the code is `undetermined` (sent, no answer before it expired) or `addr` is a Bcc
/// recipient (only that one failed).
struct SubmitFailed {
  std::uint64_t ticket = 0;
  std::string addr;  // the recipient it is about, or empty
  Error why;
};
/// New in the mailbox: opened and verified, attachments fetched and opened.
struct Received {
  std::int64_t uid = 0;
  Hash ehash{};
  std::string folder;
  mail::Opened letter;
  std::vector<Bytes> attachments;
};
/// In the mailbox, but it does not open or verify; kept, shown as such, never trusted.
struct Unreadable {
  std::int64_t uid = 0;
  Hash ehash{};
  Error why;
};
struct NoticeReceived {
  std::int64_t uid = 0;
  mail::Notice notice;
};
struct SyncDone {  // everything up to `state` was fetched
  std::int64_t state = 0;
};
/// The account's key is another one now: associated, durable, and what `from` opens it still opens.
struct KeyRotated {
  keys::KeyId from, to;
  std::int64_t version = 0;
};
/// Our address leads to others now (`alias`, `forward`, `group`), or to our key again (`key`): the
/// domain's log shows it.
struct Redirected {
  std::string type;
  std::vector<std::string> to;  // ascending
  std::int64_t version = 0;
};
/// Stored mail that was sealed to shared keys which were rotated is sealed to their successors
/// (RWP). What failed is as it was.
struct MailRewrapped {
  std::int64_t count = 0, failed = 0;
};
/// An event or a revocation of a key of ours: in the directory, or refused for good.
struct Published {
  wire::Value object;
  Result<> outcome;
};
/// What a sender would seal to, verified as for a letter (BND-5), asked for anew.
struct Correspondent {
  std::shared_ptr<const keys::KeyRecord> record;
  std::shared_ptr<const keys::Chain> chain;  // of its domain: with the policy
  wire::Value binding;
};
/// One step of a look-up's verification, for people.
struct LookupStep {
  std::string what;
  Result<> outcome;
};
struct LookedUp {
  std::string addr;
  Result<Correspondent> found;
  std::vector<LookupStep> steps;        // when asked for; empty where there was no answer to judge
  std::optional<keys::Card> card = {};  // with the steps: as the directory has it, its own words
};
/// An address has another key than when we last looked: told before the first message to it goes.
struct KeyChanged {
  std::string addr;
  keys::KeyId from, to;
  bool endorsed = false;  // each change by the key before it (BLG-4)
};
/// A domain binds an address otherwise than it says, than it said, or than the address's owner
/// wants (BLG-18, BLG-26). Of our own address it is told again at each check, for as long as it is
/// so.
struct Alarm {
  std::string addr;
  Error why;
  wire::Value shown;               // by our server
  std::optional<wire::Value> lie;  // blie/1: convicts the domain to anyone (BLG-19)
};
struct CommandFailed {  // enrolment, association or sync: with the reason; temporary ones are
                        // retried by the machine
  std::string what;
  Error why;
};
/// In normal running each is told once. After a crash the owner may be told again what it was told
/// just before (the same ticket and ehash, the same uid and ehash), but nothing is left out: a
/// mailbox row is marked as told after poll_report() gave it. Drain poll() after the last
/// poll_report(): it may have a Commit.
using Report = std::variant<AccountReady, Submitted, SubmitFailed, Received, Unreadable,
                            NoticeReceived, SyncDone, KeyRotated, Redirected, MailRewrapped,
                            Published, LookedUp, KeyChanged, Alarm, CommandFailed>;

/// A request of ams-ks/1 for the domain's key store, signed by this device. Answer with
/// handle_key_store for this ticket; a late answer is dropped.
struct KeyStoreAsk {
  std::uint64_t ticket = 0;
  Bytes request;
};

class Client final : public machine::Machine {
 public:
  /// `device` proves this device's sessions; `reader` is the client's own storage; both borrowed.
  Client(Options options, const crypto::SigningKey& device, const storage::Reader& reader,
         ByteView seed32, Instant now);
  ~Client() override;

  /// Enrols this device with the token, then associates the account key: `pair` if given (profile
  /// rsa2048, recovery), else a new `modern` pair. Report: AccountReady or CommandFailed.
  void enrol(const Hash& token, std::optional<keys::KeyPair> pair, Instant now);
  /// Another key in place of the one in use: `pair` if given, else a new `modern` pair; in a domain
  /// whose policy is not isp always the key store's. What is
  /// sealed already goes out first; drafts wait; all pairs ever used keep opening mail. Goes on
  /// after a restart. Report: KeyRotated or CommandFailed("rotate").
  void rotate(std::optional<keys::KeyPair> pair, Instant now);
  /// Leads our address to others, or with Type::key and no `to` back to our key (BLG-33). Asking
  /// again is harmless. Report: Redirected or CommandFailed("redirect").
  void redirect(bindlog::Type type, std::vector<std::string> to, Instant now);
  /// Publishes an event or a revocation (KEV, REV); kept and tried again until the server has
  /// judged it. Report: Published.
  void publish(const wire::Value& object, Instant now);
  /// Report: LookedUp, once for each call. `traced`: with each step of the verification, and the
  /// key asked for at three directory peers.
  void look_up(const std::string& addr, Instant now, bool traced = false);
  /// Keeps the draft durably, looks up and verifies the recipients, seals, puts blobs, submits;
  /// retries across disconnections with the same sealed bytes (SUB-3) until acknowledged. Returns
  /// the ticket.
  std::uint64_t submit(mail::Draft draft, Instant now);
  /// Fetches what is new. With stay_connected push events do this by themselves.
  void sync(Instant now);
  /// The owner's check of our address's history (BLG-18) now, not only when it is due. Report:
  /// Alarm, where there is something to alarm of. Returns the check's number: bindings_checked()
  /// reaches it with the outcome.
  std::uint64_t check_bindings(Instant now);
  /// After a member left and a shared key was rotated: our mailbox's stanzas to the new key. Asking
  /// again is harmless. Report: MailRewrapped or CommandFailed("rewrap").
  void rewrap(Instant now);

  void handle_accepted(machine::ConnId, const Hash&,
                       Instant) override;  // never: a client does not listen
  void handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter,
                        Instant now) override;
  void handle_connect_failed(machine::Token token, Instant now) override;
  void handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found,
                       Instant now) override;
  void handle_bytes(machine::ConnId conn, ByteView bytes, Instant now) override;
  void handle_closed(machine::ConnId conn, Instant now) override;
  void handle_durable(machine::BatchId batch, const Result<>& outcome, Instant now) override;
  void handle_timeout(Instant now) override;
  std::optional<machine::Effect> poll() override;
  std::optional<Instant> timeout() const override;
  std::optional<Report> poll_report();
  /// What to ask the key store (KST); only with Options::key_store. Ask after poll() is empty.
  std::optional<KeyStoreAsk> poll_key_store();
  /// The answer's bytes, or keystore_unreachable, keystore_timeout.
  void handle_key_store(std::uint64_t ticket, const Result<Bytes>& answer, Instant now);

  bool ready() const;                         // keys associated
  std::size_t unsent() const;                 // tickets not acknowledged and not failed yet
  std::uint64_t bindings_checked() const;     // number of the last check, told if need be
  bool changing_keys() const;                 // a rotation or a publication is under way
  const keys::KeyPair* account_key() const;   // the one in use; null before enrolment
  const keys::KeyRecord* key_record() const;  // of the key in use, wherever it is
  /// The key that mail to us is sealed to: the one in use, or the shared one (BND-9).
  std::optional<keys::KeyId> sealed_to() const;
  /// Private key bytes that must never appear in what a server receives; for the simulator's
  /// invariant.
  std::vector<crypto::Secret> private_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ams::client
