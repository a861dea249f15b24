// The audit log of a key store: append-only, each entry with the hash of the one before it, so that
// a change, a gap or a cut shows (KST-25 … KST-27).
#pragma once

#include "keystore/vault.h"

namespace ams::keystore {

/// What happened, without the place in the chain.
struct AuditEvent {
  std::string addr;            // who asked; "operator" for the store's own host
  std::optional<Hash> device;  // with which device
  std::string op;
  std::optional<Id16> kid;
  std::string detail;        // whom a grant is about, what form of text was signed, …
  std::string_view outcome;  // "ok" or a code
  Id16 id{};                 // the request's
};

inline constexpr std::int64_t audit_page_size = 256;  // entries read at once by verify()

/// How long the log is, and what its last entry hashes to (32 zero bytes for none).
struct AuditHead {
  std::int64_t size = 0;
  Hash hash{};
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

/// SHA-256("AMS-KS-LOG/1\0" || AMS-CJ of the entry).
Hash entry_hash(const wire::Value& entry);
/// KST-27 on entries that follow `before`. Fails with audit_chain; gives the head after them.
Result<AuditHead> follow_chain(const AuditHead& before, const std::vector<wire::Value>& entries);

/// KST-27: the head that was reached is the one that is said to be. Fails with audit_chain.
Result<> same_head(const AuditHead& reached, const AuditHead& said);

class Audit {
 public:
  explicit Audit(const Vault& vault) : vault_(&vault) {}
  Result<AuditHead> head() const;
  /// Adds the entry and the new head to `out`.
  Result<> append(storage::WriteBatch& out, const AuditEvent& event, std::int64_t now_ms,
                  crypto::Drbg& random) const;
  Result<std::vector<wire::Value>> entries(std::int64_t from, std::int64_t count) const;
  /// Follows the whole log to its head, and through `remembered`: a head seen before. Fails with
  /// audit_chain, or keystore_sealed.
  Result<AuditHead> verify(const std::optional<AuditHead>& remembered) const;

 private:
  const Vault* vault_;
};

}  // namespace ams::keystore
