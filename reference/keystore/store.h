// Store: the key store's rules as a sans-IO machine (spec KST-14 … KST-31). Requests, the time and
// entropy in; an answer and the writes it rests on out. It keeps nothing but counters in memory:
// constructing it again over the same storage is the restart.
//
//   request --form--> signed by a device of a member? --> in time? --> asked before? --> not too
//   often? --> capability --> access list in force --> the key's purpose --> performed --> audit
//   log
//
// The driver makes `writes` durable before it lets `answer` go; when that fails it answers
// `storage` instead, and nothing of the request has happened.
#pragma once

#include <map>

#include "base/instant.h"
#include "keystore/audit.h"
#include "keystore/key_ring.h"
#include "keystore/messages.h"
#include "keystore/vault.h"

namespace ams::keystore {

struct StoreOptions {
  std::string domain;
  std::int64_t capability_life_ms = 30LL * 86'400'000;
  int calls_per_minute_max = 600;      // of one member
  std::int64_t members_max = 100'000;  // with those who left
  std::int64_t keys_max = 100'000;     // with those that were rotated
};

struct Outcome {
  Bytes answer;
  storage::WriteBatch writes;
};
struct Acted {
  Result<Ok> ok;
  storage::WriteBatch writes;  // also of what was refused: its entry in the log
};
struct MemberRow {
  Member member;
  bool revoked = false;
};

class Store {
 public:
  /// `reader` and `ring` are borrowed. The key is what Vault says.
  Store(StoreOptions options, ByteView key32, const storage::Reader& reader, KeyRing& ring);

  /// The writes of a new store. Fails with version_conflict where there is one.
  Result<storage::WriteBatch> init(Instant now, ByteView entropy32) const;
  /// Fails with not_found (no store here), keystore_sealed (another key), domain_mismatch, storage.
  Result<> check() const;

  /// One request of KST-3, whatever its bytes are. `entropy32` is used once and never again.
  Outcome handle(ByteView request, Instant now, ByteView entropy32);
  /// The same ops for the operator of the host, who holds the store's key: no member, no
  /// capability, and an entry in the audit log like everyone else's. decap, sign and export are
  /// refused (not_member): the operator's place is to manage keys, not to use them.
  Acted act(const Args& args, Instant now, ByteView entropy32);

  Result<std::vector<MemberRow>> members() const;
  Audit audit() const { return Audit(vault_); }
  /// Requests that no member signed, since construction: they are counted, not logged (KST-25).
  std::uint64_t strangers() const { return strangers_; }

 private:
  struct KeyRow {
    wire::Value record;
    Scope scope;
    Profile profile = Profile::modern;
    bool retired = false;
    bool exportable = false;
  };
  /// One request on its way.
  struct Turn {
    Instant now;
    crypto::Drbg random;
    storage::WriteBatch writes;
    std::int64_t now_ms() const { return to_unix_ms(now); }
  };
  struct Asker {
    const Member* member;  // null: the operator
    Hash device{};
    std::optional<Hash> ek;
  };

  // store.cpp: who asks
  Result<MemberRow> authenticate(const Request& request, const wire::Value& value) const;
  Result<> check_in_force(const Request& request, const MemberRow& row, Instant now) const;
  Result<> check_capability(const Request& request, const KeyUse& use, Instant now) const;
  bool too_often(const std::string& addr, Instant now);
  Result<Ok> judge_and_perform(const Request& request, const MemberRow& row, Turn& turn);
  Outcome finish(const Request& request, ByteView bytes, const Result<Ok>& ok, Turn& turn);
  Result<> forget_done(Turn& turn) const;

  // store_ops.cpp: what is asked
  Result<Ok> perform(const Args& args, const Asker& asker, Turn& turn);
  Result<Ok> decap(const DecapArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> sign(const SignArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> export_key(const ExportArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> create(const CreateArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> rotate(const RotateArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> rewrap(const RewrapArgs& args, const Asker& asker, Turn& turn);
  Result<Rewrapped::Stanza> rewrap_one(const RewrapItem& item, const keys::KeyRecord& from,
                                       const keys::KeyRecord& to, ByteView handle, Turn& turn);
  ListedKey listed(const Id16& kid, KeyRow row, const Asker& asker, const Turn& turn) const;
  Result<Ok> list(const ListArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> audit_page(const AuditArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> grant(const GrantArgs& args, const Asker& asker, Turn& turn);
  Result<Ok> revoke(const RevokeArgs& args, const Asker& asker, Turn& turn);

  // store_rows.cpp
  Result<std::optional<MemberRow>> find_member(std::string_view addr) const;
  void put_member(const MemberRow& row, Turn& turn) const;
  static Result<KeyRow> parse_key_row(const wire::Value& value);
  Result<KeyRow> key_row(const Id16& kid) const;
  void put_key(const Id16& kid, const KeyRow& row, Turn& turn) const;
  Result<KeyRow> usable_key(const Id16& kid, Purpose purpose, const Asker& asker,
                            Instant now) const;
  Result<crypto::Secret> handle_of(const Id16& kid) const;
  Result<std::optional<Id16>> current_key(const Scope& scope) const;
  Result<Ok> make_key(const Scope& scope, const RingOptions& options, bool exportable, Turn& turn);
  bool in_scope(const Scope& scope, const Asker& asker) const;
  bool allowed(const KeyRow& row, Purpose purpose, const Asker& asker) const;
  Result<std::int64_t> count(storage::Table table) const;
  bool is_local(std::string_view addr) const;

  StoreOptions options_;
  Vault vault_;
  KeyRing* ring_;
  std::uint64_t strangers_ = 0;
  struct Calls {
    std::int64_t minute = 0;
    int count = 0;
  };
  std::map<std::string, Calls, std::less<>> calls_;  // of members only: bounded by members_max
};

}  // namespace ams::keystore
