// A scenario: what a TOML file under sim/scenarios says about a simulated internet.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/instant.h"
#include "sim_world/file_error.h"
#include "sim_world/network_spec.h"

namespace ams::sim {

struct PartitionSpec {
  std::int64_t from_hour = 0;  // virtual hours after the start
  std::int64_t hours = 1;
  std::int64_t domains = 1;  // the first ones are cut off from all others
};

struct DomainSpan {  // for some hours, of some domains
  std::int64_t from_hour = 0;
  std::int64_t hours = 1;
  std::int64_t first_domain = 0;
  std::int64_t domains = 1;
  bool holds(std::int64_t domain) const {
    return domain >= first_domain && domain < first_domain + domains;
  }
};

struct PolicySpec {  // a policy is published; it takes effect a day later
  DomainSpan at;     // `hours` unused
  std::string mode = "isp";
};

/// What DNS says of the first `domains` domains for a while.
struct DnsFault {
  enum class Kind : std::uint8_t {
    silent,      // no answer
    missing,     // no such records
    stale,       // a root and a host that the domain had once, kept for long
    wrong_root,  // TXT names another domain's root
    wrong_host,  // SRV names another domain's server
  } kind = Kind::silent;
  std::int64_t from_hour = 0;
  std::int64_t hours = 1;
  std::int64_t domains = 1;
};

struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  std::int64_t domains = 2;
  std::int64_t users = 2;
  std::int64_t directory_peers = 1;
  std::int64_t reconcile_minutes = 1;  // between two rounds of a directory peer
  std::int64_t lying_domains = 0;      // the last ones hand out wrong keys to their own users
  std::int64_t days = 1;
  std::int64_t drain_hours = 24;
  std::int64_t messages = 10;
  std::int64_t rsa_users_permille = 0;
  std::int64_t log_domains = 1 << 20;  // the first ones keep binding logs
  std::int64_t log_witnesses = 0;      // that each client demands (BLG-41)
  std::string corpus;

  NetworkSpec network;
  std::int64_t commit_ms = 4;
  std::vector<PartitionSpec> partitions;
  std::int64_t dns_ttl_s = 0;  // 0: everyone knows where everyone is; else through DNS
  std::vector<DnsFault> dns_faults;
  std::int64_t crashes = 0;
  std::int64_t down_minutes = 5;
  std::vector<PolicySpec> policies;
  std::vector<DomainSpan> flips;       // to corporate without notice and back, by the domain itself
  std::vector<DomainSpan> wrong_keys;  // these domains hand out keys of their own for their users
  std::vector<DomainSpan> forked_logs;  // the same, proven by a log that only who is lied to sees
  std::vector<DomainSpan> store_down;   // the key stores of these domains do not answer
  std::int64_t adopt_hours = 0;  // after a shift from isp, in which users take the store's key
  std::int64_t reread_hour = 0;  // when clients fetch and open all their mail anew; 0: never

  Duration writing_time() const { return std::chrono::hours{24 * days}; }
  Duration total_time() const { return writing_time() + std::chrono::hours{drain_hours}; }
};

tl::expected<Scenario, FileError> load_scenario(const std::string& path);

}  // namespace ams::sim
