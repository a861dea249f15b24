// Server: a domain's AMS server as a sans-IO machine (spec chapters 02, 04, 06): sessions of its
// clients, of other servers and of directory peers; accounts; submission; relay with a durable
// queue; mailboxes; key look-up; a directory peer inside. Everything that must survive a crash is
// in storage: constructing the machine again over the same storage is the restart (STO-3).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "directory/peer.h"
#include "keys/records.h"
#include "machine/machine.h"
#include "session/session.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::server {

struct Options {
  std::string domain;
  wire::Value chain;  // domain record, root and op key records (DOM-4)
  Bytes index_key;    // K_idx, 32 bytes (BND-2)
  Bytes row_key;      // AES-256-GCM key of binding rows, 32 bytes
  bool mail = true;   // false: a directory peer and nothing else (ams-directory)
  bool full_directory = false;
  std::vector<std::string> directory_peers;
  bool directory_exchange = false;  // learn peers from those (DIR-65)
  Duration directory_interval = directory::reconcile_interval;
  std::int64_t directory_quota = directory::PeerOptions{}.quota;          // DIR-6
  int directory_work_bits = directory::PeerOptions{}.work_bits;           // DIR-23
  std::int64_t directory_rate = directory::PeerOptions{}.requests_per_s;  // DIR-18
  session::Limits limits;
  std::int64_t connections_max = 10'000;
  std::int64_t queue_max = 100'000;            // queue entries for one domain (REL-10)
  std::int64_t mailbox_bytes_max = 1LL << 30;  // quota of an account
  std::int64_t lookup_burst = 1'000;           // look-ups that a domain has at once (BLG-29)
  std::int64_t lookups_per_day = 100'000;      // and that come back in a day
};

/// What a domain's record says of its binding log (DOM-16): with these in the chain the server
/// keeps one. A function of the index key, so that no other secret needs a place.
keys::LogKeys binding_log_keys(ByteView index_key);

/// What an operator does; in amsd through `amsd account add`, in the simulator by the world.
struct NewAccount {
  std::string addr;
  Id16 acct{};
  Hash token{};              // enrolment token (ACC-2); only its hash is stored
  std::int64_t created = 0;  // Unix ms
  bool further = false;      // the account exists: a token for a further device, or after a loss
};
/// Rows that create the account, or give it a further token: apply them to the server's storage.
/// Fails with address_syntax, not_local, address_taken, no_such_address (of a further token).
Result<storage::WriteBatch> account_rows(const Options& options, const storage::Reader& reader,
                                         const NewAccount& account);

inline constexpr std::size_t group_members_max = 1'000;  // of a group (GRP-3)

/// Who gets the mail to a group's own address; in amsd through `amsd group`.
struct GroupChange {
  std::string group;   // its name, as in the policy
  std::string addr;    // of an account of the domain
  bool member = true;  // false: not any more
};
/// Rows that make the change; making it again changes nothing. Fails with schema (the name),
/// address_syntax, not_local, no_such_address, too_many_members.
Result<storage::WriteBatch> member_rows(const Options& options, const storage::Reader& reader,
                                        const GroupChange& change);
/// The members' addresses, ascending.
Result<std::vector<std::string>> group_members(const storage::Reader& reader,
                                               std::string_view group);
/// Whether the domain's record names a group of this name, in force or before.
bool names_group(const Options& options, std::string_view local_part);

/// Numbers for reports, metrics and the simulator's invariants. Counts since construction, gauges
/// now.
struct Stats {
  std::uint64_t submitted = 0, delivered_in = 0, delivered_out = 0, refused_in = 0, notices = 0;
  std::uint64_t retries = 0, connections = 0, queue_depth = 0, auth_failures = 0;
  directory::Stats directory;  // of the peer inside
};

class Server final : public machine::Machine {
 public:
  /// `op` is the domain's op key pair, `reader` its storage; both borrowed. `seed32`: entropy from
  /// the driver.
  Server(Options options, const crypto::SigningKey& op, const storage::Reader& reader,
         ByteView seed32, Instant now);
  ~Server() override;

  void handle_accepted(machine::ConnId conn, const Hash& exporter, Instant now) override;
  void handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter,
                        Instant now) override;
  void handle_address(machine::Token token, ByteView address) override;
  void handle_connect_failed(machine::Token token, Instant now) override;
  void handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found,
                       Instant now) override;
  void handle_bytes(machine::ConnId conn, ByteView bytes, Instant now) override;
  void handle_closed(machine::ConnId conn, Instant now) override;
  void handle_durable(machine::BatchId batch, const Result<>& outcome, Instant now) override;
  void handle_timeout(Instant now) override;
  std::optional<machine::Effect> poll() override;
  std::optional<Instant> timeout() const override;

  /// Rows by which the directory inside drops a card (CRD-9): apply them to the server's storage.
  /// Fails with not_found where none is held.
  Result<storage::WriteBatch> drop_card(const Id16& kid);

  Stats stats() const;
  /// Answers new requests with shutting_down and closes idle sessions (SES-9).
  void shut_down(Instant now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ams::server
