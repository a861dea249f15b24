// Peers with many keys, and records that they have not seen.
#pragma once

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "directory/peer.h"
#include "keys/records.h"
#include "storage/storage.h"
#include "verifiable/checkpoint.h"

namespace ams::directory_bench {

/// How many keys a peer holds, in all tables.
inline constexpr std::array<std::int64_t, 4> sizes{10'000, 100'000, 1'000'000, 4'000'000};
/// Where the targets stand.
inline constexpr std::int64_t target_size = 1'000'000;

enum class Profile : std::uint8_t { modern, rsa2048 };
/// How the tables call it.
std::string name(Profile profile);

keys::KeyPair pair_of(Profile profile, std::uint64_t number);
/// The record of a key of its own for each number: RSA from a pool of keys, with fresh nonces.
wire::Value record_of(Profile profile, std::uint64_t number);

/// Rows of `count` entries that nobody looks into, so that any bytes stand for kids and values;
/// without every `skip`-th (0: with all).
void hold_values(storage::Storage& store, std::int64_t count, std::int64_t skip = 0);

/// A full peer over storage in memory that holds `count` such entries, one real record (number 0 of
/// each profile) and its first epoch.
class Full {
 public:
  explicit Full(std::int64_t count);
  /// The host's part: durable at once.
  void pump();

  keys::KeyPair op = pair_of(Profile::modern, 1'000'000);
  std::unique_ptr<storage::Storage> store;
  std::unique_ptr<directory::Peer> peer;
  std::vector<wire::Value> asked;  // args of directory.proof for keys all over the map
};
/// The same peer for all tables that only read it.
const Full& full(std::int64_t count);

inline void must(bool holds, const char* what) {
  if (!holds) throw std::runtime_error(what);
}

}  // namespace ams::directory_bench
