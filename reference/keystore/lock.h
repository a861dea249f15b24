// The lock on a key store: its key, at rest under a passphrase or a key file (spec KST-38).
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "crypto/external.h"
#include "crypto/secret.h"

namespace ams::keystore {

inline constexpr std::uint64_t scrypt_n_min = 16'384;
inline constexpr std::size_t lock_size_max = 8192;  // bytes of a lock

/// What opens a lock.
struct Unlock {
  enum class Kind : std::uint8_t { passphrase, file } kind = Kind::passphrase;
  crypto::Secret secret;  // the passphrase, or the bytes of the key file
};

/// What a lock says in clear; bound to the key it seals.
struct LockHead {
  std::string domain;
  std::optional<std::string> module;  // of PKCS#11, when the keys are on a token
  std::optional<std::string> token;   // its label
};
struct Opened {
  LockHead head;
  crypto::Secret store_key;  // 32 bytes
};

/// `entropy32`: for salt and nonce. `cost` is for passphrases.
Result<Bytes> make_lock(const LockHead& head, ByteView store_key32, const Unlock& unlock,
                        ByteView entropy32, const crypto::ScryptCost& cost = {});
/// Fails with a code of ENC or schema (a lock that is none), keystore_sealed (another secret).
Result<Opened> open_lock(ByteView text, const Unlock& unlock);
/// The clear part alone: not to be believed before open_lock.
Result<LockHead> read_lock(ByteView text);

}  // namespace ams::keystore
