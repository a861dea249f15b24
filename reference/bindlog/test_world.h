// A domain with its binding log and people whose keys change: what the tests, the mutants' probes
// and the fuzzer of this room share.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bindlog/prover.h"

namespace ams::bindlog::testing {

inline constexpr std::int64_t day_ms = 86'400'000;
inline constexpr std::int64_t now_ms = 1'893'456'000'000;  // 2030-01-01
inline constexpr std::uint64_t now_s = 1'893'456'000;

inline keys::KeyPair make_key(std::string_view label) {
  crypto::Drbg drbg(crypto::sha256(as_bytes(label)));
  return *keys::make_modern(drbg.bytes(80), {now_ms - 30 * day_ms, now_ms + 300 * day_ms, {}});
}

inline Prover::Secrets make_secrets(std::string_view label) {
  crypto::Drbg drbg(crypto::sha256(as_bytes(label)));
  return {crypto::VrfKey::from_seed(drbg.bytes(32)),
          crypto::SigningKey::ed25519_from_seed(drbg.bytes(32)),
          crypto::Secret::copy_of(drbg.bytes(32))};
}

inline constexpr const char* home = "home.example";
inline constexpr const char* alice_addr = "alice@home.example";
inline Prover make_log(const char* domain = home) {
  return *Prover::make(domain, make_secrets(domain));
}

/// A log of home.example that holds just these leaves: its server is bound to no rule of add().
inline Prover make_liar(std::vector<Leaf> leaves, std::uint64_t time_s = now_s) {
  const verifiable::Map map = verifiable::Map::of(leaves);
  const Bytes epoch = encode(verifiable::Epoch{map.root(), map.size(), time_s});
  verifiable::Log log;
  log.append(verifiable::log_leaf_hash(epoch));
  verifiable::Note note{verifiable::checkpoint_text({origin_of(home), 1, log.root(), {}}), {}};
  note.signatures.push_back(
      *verifiable::sign_note(note.text, origin_of(home), make_secrets(home).log));
  Prover out = make_log();
  const std::vector<Bytes> epochs{epoch};
  AMS_ASSERT(out.restore(std::move(leaves), epochs, verifiable::format(note)).has_value());
  return out;
}

/// Everything the server has of one address: its versions and their keys.
struct Owner {
  explicit Owner(std::string address) : addr(std::move(address)) {}

  /// The entry that binds the address to its next key; not yet in any log.
  Entry next(Prover& log, bool endorsed = true) {
    keys::KeyPair pair = make_key(addr + std::to_string(entries.size()));
    Entry entry;
    entry.addr = addr;
    entry.version = static_cast<std::int64_t>(entries.size()) + 1;
    entry.at = now_ms;
    entry.key = pair.record.id();
    if (!entries.empty()) {
      entry.prev = log.value(entries.back());
      if (endorsed) entry = *endorse(entry, pairs.back().signing);
    }
    pairs.push_back(std::move(pair));
    return entry;
  }
  void rotate(Prover& log, bool endorsed = true) {
    Entry entry = next(log, endorsed);
    AMS_ASSERT(log.add(entry).has_value());
    entries.push_back(std::move(entry));
  }
  const Entry& latest() const { return entries.back(); }

  std::string addr;
  std::vector<Entry> entries;
  std::vector<keys::KeyPair> pairs;
};

}  // namespace ams::bindlog::testing
