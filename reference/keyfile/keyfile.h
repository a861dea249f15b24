// keyfile/1: key pairs of an account outside its own store, under a passphrase (spec chapter 11):
// to recover an account, to set up a second device, to keep a key that no account has. Values in,
// values out: reading and writing files is the caller's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "crypto/external.h"
#include "keys/records.h"

namespace ams::keyfile {

inline constexpr std::size_t file_size_max = 1 << 20;        // bytes, KFL-1
inline constexpr std::size_t pairs_max = 64;                 // KFL-3
inline constexpr std::uint64_t cost_n_min = 1ULL << 14;      // KFL-1
inline constexpr std::uint64_t cost_n_max = 1ULL << 18;      // 256 MiB of memory at r = 8
inline constexpr std::uint32_t cost_r = 8, cost_p_max = 4;   // KFL-1
inline constexpr std::uint64_t cost_n_default = 1ULL << 17;  // 128 MiB, about 0.4 s
inline constexpr std::size_t private_size_max = 4'096;       // bytes of one private half

/// A pair in a file, with the revocation that was signed when it was made, if it was.
struct Held {
  keys::KeyPair pair;
  std::optional<wire::Value> revocation;
};
struct Contents {
  std::string addr;         // empty: the keys of nobody in particular
  std::vector<Held> pairs;  // the one in use first; 1 to pairs_max
};

/// What to write; borrows.
struct Source {
  const keys::KeyPair* pair = nullptr;
  std::optional<wire::Value> revocation;
};
/// The whole file. Precondition: 1 to pairs_max pairs, all different. Fails with schema on a cost
/// outside KFL-1, which is what reading it would do. Takes the time and memory that `n` asks for.
Result<Bytes> seal(const std::string& addr, std::span<const Source> pairs, ByteView passphrase,
                   std::uint64_t n, crypto::Drbg& drbg);

/// Fails as KFL-5 says: object_too_large, encoding codes, schema codes, unknown_algorithm, then
/// stream_truncated, passphrase, chunk, body_layout, then schema, the codes of key records and
/// revocations, key_material for a private half of another key. Never gives a part of a file.
Result<Contents> open(ByteView file, ByteView passphrase);

}  // namespace ams::keyfile
