// What all domains of a simulated internet share and nobody changes during a run: names, places,
// keys, discovery, the corpus.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keys/records.h"
#include "sim_engine/event.h"
#include "sim_net/model.h"
#include "sim_world/corpus.h"
#include "sim_world/scenario.h"
#include "storage/storage.h"

namespace ams::sim {

/// Purposes of random streams in this room (sim_engine/random.h).
enum class Draw : std::uint32_t {
  domain_key = 32,
  place,
  user_profile,
  user_seed,
  enrol_at,
  contacts,
  message,
  recipients,
  crash,
  server_seed,
  rand_method,
  liar_key,
  vault,  // entropy of key stores
  adopt_at,
  flip_key,
  resolver,
};
inline RandomStream stream(std::uint64_t seed, std::uint64_t entity, Draw purpose) {
  return {seed, entity, static_cast<std::uint32_t>(purpose)};
}

/// Virtual time starts here: 2030-01-01T00:00:00Z.
inline constexpr Instant world_start = from_unix_ms(1'893'456'000'000);
inline constexpr Duration enrolment_time = std::chrono::hours{1};

/// A domain record from the time it is presented.
struct Published {
  Instant at;
  wire::Value chain;
  keys::DomainPolicy policy;
  bool flip = false;  // without notice, by a domain that would read along
};

/// A key store as it is set up before the run: its disk, its members, its keys.
struct VaultInfo {
  Bytes key;                                // of the store
  std::vector<storage::WriteBatch> writes;  // its disk at the start
  std::vector<keys::SharedKey> corporate, groups;
};

struct DomainInfo {
  std::string name;
  std::int32_t x = 0, y = 0;
  std::shared_ptr<const keys::KeyPair> op;
  wire::Value chain;                                 // the first
  std::vector<Published> published;                  // by time; the first is `chain` from the start
  std::shared_ptr<const VaultInfo> vault;            // of a domain that is not isp all along
  std::shared_ptr<const keys::KeyPair> flip_signs;   // what a flip binds its addresses to,
  std::shared_ptr<const keys::KeyPair> flip_shared;  // and has mail sealed to
  std::optional<keys::LogKeys> log;                  // of its binding log
  keys::Discovery discovery;
  std::int64_t users = 0;  // user n belongs to domain n mod domains
  bool full_directory = false;
  bool lies = false;
};

/// A message that a user will write.
struct PlannedMail {
  Instant at;
  std::int64_t number = 0;       // over the whole scenario
  std::int64_t from = 0;         // user
  std::vector<std::int64_t> to;  // users; none is the writer
};

struct Internet {
  Scenario scenario;
  std::vector<CorpusMail> corpus;
  std::vector<DomainInfo> domains;  // index = LpId
  std::map<std::string, LpId, std::less<>> by_name;
  std::vector<std::string> directory_domains;
  std::shared_ptr<const NetModel> net;
  std::vector<std::vector<PlannedMail>> mails;  // by domain of the writer, by time
  std::vector<std::vector<Instant>> crashes;    // by domain, ascending

  LpId domain_of(std::int64_t user) const;
  /// The record that the domain presents at `at`.
  const Published& published_at(const DomainInfo& domain, Instant at) const;
  std::string address(std::int64_t user) const;
};

/// Everything follows from the scenario and its seed.
std::shared_ptr<const Internet> make_internet(Scenario scenario, std::vector<CorpusMail> corpus);

/// The index key of a domain's server (BND-2).
Bytes index_key_of(const std::string& domain);
/// The device key of a user's client.
crypto::SigningKey device_key(const Scenario& scenario, std::int64_t user);
/// Policies, flips and key store of the domain `index` (shift.cpp).
void plan_policies(const Scenario& scenario, std::int64_t index, const keys::KeyPair& root,
                   DomainInfo& domain);

/// RSA key pairs for simulated users, from a pool of test keys with a fresh nonce.
keys::KeyPair rsa_pair(std::uint64_t draw, const Id16& nonce, const keys::KeyPairOptions& options);
keys::KeyPair modern_pair(RandomStream entropy, const keys::KeyPairOptions& options);
inline keys::KeyPairOptions key_times() {
  return {.nbf = to_unix_ms(world_start) - 86'400'000,
          .exp = to_unix_ms(world_start) + 300LL * 86'400'000,
          .custody = keys::Custody::client};
}

}  // namespace ams::sim
