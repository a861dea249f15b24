// Vault: the store's rows, each sealed under the store's key (KST-28, KST-29), and the labelled
// keys that are derived from it. The store's key is 32 bytes that an adapter unlocks: from a
// passphrase, a key file or a token.
#pragma once

#include "crypto/crypto.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::keystore {

inline constexpr storage::Table table_meta{0xa0};     // "store" -> domain, form
inline constexpr storage::Table table_members{0xa1};  // index(addr) -> member, revoked
inline constexpr storage::Table table_keys{0xa2};     // kid -> record, scope, state
inline constexpr storage::Table table_private{0xa3};  // kid -> the key ring's handle
inline constexpr storage::Table table_current{0xa4};  // index(scope) -> kid
inline constexpr storage::Table table_done{0xa5};     // u64 ts || hash (16) -> answer
inline constexpr storage::Table table_audit{0xa6};    // u64 n -> entry
inline constexpr storage::Table table_head{0xa7};     // "head" -> size, hash of the last entry

class Vault {
 public:
  Vault(ByteView key32, const storage::Reader& reader);

  /// The row's plaintext. Fails with storage, or keystore_sealed.
  Result<std::optional<crypto::Secret>> get(storage::Table table, ByteView key) const;
  Result<std::optional<wire::Value>> get_value(storage::Table table, ByteView key) const;
  void put(storage::WriteBatch& out, storage::Table table, Bytes key, ByteView plaintext,
           crypto::Drbg& random) const;
  void put_value(storage::WriteBatch& out, storage::Table table, Bytes key,
                 const wire::Value& value, crypto::Drbg& random) const;
  /// As Reader::scan, opened; stops at the first row that does not open.
  Result<> scan(storage::Table table, ByteView from,
                const std::function<bool(ByteView key, ByteView plaintext)>& visit) const;
  /// Keys of rows, without opening them.
  Result<> scan_keys(storage::Table table, ByteView from,
                     const std::function<bool(ByteView key)>& visit) const;

  /// What a row is found by, without showing it.
  Bytes index(std::string_view label, std::string_view text) const;
  ByteView capability_key() const { return capability_key_.view(); }

 private:
  Result<crypto::Secret> open(storage::Table table, ByteView key, ByteView sealed) const;

  const storage::Reader* reader_;
  crypto::Secret row_key_, index_key_, capability_key_;
};

}  // namespace ams::keystore
