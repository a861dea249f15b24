// The simulated DNS: what it says of a domain at an instant, with the faults of the scenario, and
// how a host finds a domain through it, by the machine that production uses (discovery/finder.h).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "discovery/finder.h"
#include "sim_world/internet.h"

namespace ams::sim {

/// The host that a domain's SRV record names.
std::string host_name(const DomainInfo& domain);
/// The domain whose server answers under this host name; empty: nobody does.
std::optional<LpId> find_host(const Internet& world, std::string_view host);

/// Empty: DNS keeps silent.
std::optional<discovery::Answer> dns_answer(const Internet& world, discovery::Kind kind,
                                            std::string_view name, Instant at);
/// Whether DNS, since the beginning and up to `at`, never confirmed the domain: nothing may have
/// been sealed for it or taken from it by others.
bool never_confirmed(const Internet& world, LpId domain, Instant at);

/// One host's discovery and who waits for it.
struct Resolver {
  explicit Resolver(const Hash& seed32) : finder({}, seed32) {}
  struct Waiting {
    std::string domain;
    std::optional<std::uint64_t> token;  // of a machine::Connect; empty: a machine::Resolve
  };
  /// What was told since the last call, with those who waited for it.
  struct Told {
    Waiting waiting;
    std::optional<discovery::Site> site;
  };
  void find(Waiting waiting, Instant now);
  /// Questions to be asked now.
  std::vector<discovery::Ask> asks();
  std::vector<Told> told();

  discovery::Finder finder;

 private:
  void pump();
  std::vector<Waiting> waiting_;
  std::vector<discovery::Ask> asks_;
  std::vector<Told> told_;
};

}  // namespace ams::sim
