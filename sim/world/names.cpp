#include "sim_world/names.h"

#include <algorithm>

namespace ams::sim {
namespace {

using discovery::Answer;
using discovery::Kind;

constexpr std::string_view host_prefix = "mail.";
constexpr std::string_view service_prefix = "_ams._tcp.";
constexpr std::string_view text_prefix = "_ams.";
constexpr std::uint32_t absence_ttl_s = 300;
constexpr std::uint32_t stale_ttl_s = 86'400;  // what is out of date likes to stay
constexpr std::uint16_t port = 4'590;

Instant begin_of(const DnsFault& fault) {
  return world_start + std::chrono::hours{fault.from_hour};
}
Instant end_of(const DnsFault& fault) { return begin_of(fault) + std::chrono::hours{fault.hours}; }

const DnsFault* fault_of(const Internet& world, LpId domain, Instant at) {
  for (const DnsFault& fault : world.scenario.dns_faults) {
    const bool hit = static_cast<std::int64_t>(domain) < fault.domains;
    if (hit && at >= begin_of(fault) && at < end_of(fault)) return &fault;
  }
  return nullptr;
}

/// A key that the domain no longer has.
keys::KeyId former_root(const DomainInfo& domain) {
  const Hash fp = crypto::sha256(to_bytes("former root of " + domain.name));
  return {keys::kid_of(fp), fp};
}

Answer service(std::uint32_t ttl_s, const std::string& host) {
  return {Answer::Status::found, ttl_s, {{0, 0, port, host}}, {}};
}
Answer text(std::uint32_t ttl_s, const keys::KeyId& root) {
  return {Answer::Status::found, ttl_s, {}, {discovery::to_record(root)}};
}

std::optional<Answer> wrong_answer(const Internet& world, const DnsFault& fault, Kind kind,
                                   LpId domain, const Answer& right) {
  const DomainInfo& self = world.domains[domain];
  const DomainInfo& other = world.domains[(domain + 1) % world.domains.size()];
  const bool asks_text = kind == Kind::text;
  switch (fault.kind) {
    case DnsFault::Kind::silent:
      return std::nullopt;
    case DnsFault::Kind::missing:
      return Answer{Answer::Status::absent, absence_ttl_s, {}, {}};
    case DnsFault::Kind::stale:
      return asks_text ? text(stale_ttl_s, former_root(self))
                       : service(stale_ttl_s, "old." + self.name);
    case DnsFault::Kind::wrong_root:
      return asks_text ? text(right.ttl_s, other.discovery.root) : right;
    case DnsFault::Kind::wrong_host:
      return asks_text ? right : service(right.ttl_s, host_name(other));
  }
  return right;
}

}  // namespace

std::string host_name(const DomainInfo& domain) { return std::string(host_prefix) + domain.name; }

std::optional<LpId> find_host(const Internet& world, std::string_view host) {
  if (!host.starts_with(host_prefix)) return std::nullopt;
  const auto at = world.by_name.find(host.substr(host_prefix.size()));
  if (at == world.by_name.end()) return std::nullopt;
  return at->second;
}

std::optional<Answer> dns_answer(const Internet& world, Kind kind, std::string_view name,
                                 Instant at) {
  const std::string_view prefix = kind == Kind::text ? text_prefix : service_prefix;
  const auto found = world.by_name.find(name.substr(std::min(prefix.size(), name.size())));
  if (found == world.by_name.end()) return Answer{Answer::Status::absent, absence_ttl_s, {}, {}};
  const DomainInfo& domain = world.domains[found->second];
  const auto ttl_s = static_cast<std::uint32_t>(world.scenario.dns_ttl_s);
  const Answer right =
      kind == Kind::text ? text(ttl_s, domain.discovery.root) : service(ttl_s, host_name(domain));
  const DnsFault* fault = fault_of(world, found->second, at);
  return fault ? wrong_answer(world, *fault, kind, found->second, right) : right;
}

bool never_confirmed(const Internet& world, LpId domain, Instant at) {
  // From fault to fault: a gap between them would have let a right answer through.
  Instant until = world_start;
  while (const DnsFault* fault = fault_of(world, domain, until)) until = end_of(*fault);
  return at < until;
}

void Resolver::find(Waiting waiting, Instant now) {
  finder.find(waiting.domain, now);
  waiting_.push_back(std::move(waiting));
  pump();
}

void Resolver::pump() {
  while (auto effect = finder.poll()) {
    if (auto* ask = std::get_if<discovery::Ask>(&*effect)) {
      asks_.push_back(std::move(*ask));
      continue;
    }
    const auto& outcome = std::get<discovery::Outcome>(*effect);
    for (Waiting& waiting : waiting_)
      if (waiting.domain == outcome.domain) told_.push_back({waiting, outcome.site});
    std::erase_if(waiting_, [&](const Waiting& w) { return w.domain == outcome.domain; });
  }
}

std::vector<discovery::Ask> Resolver::asks() {
  pump();
  return std::exchange(asks_, {});
}

std::vector<Resolver::Told> Resolver::told() {
  pump();
  return std::exchange(told_, {});
}

}  // namespace ams::sim
