// How the hosts of a domain find others: at once and rightly, or through the simulated DNS where
// the scenario has one.
#include <algorithm>

#include "sim_world/domain.h"
#include "sim_world/names.h"

namespace ams::sim {
namespace {

constexpr Duration resolve_latency = std::chrono::milliseconds{20};

}  // namespace

Resolver& DomainProcess::resolver(std::size_t host) {
  Host& self = hosts_[host];
  if (!self.resolver) {
    Hash seed{};
    stream(internet_->scenario.seed, self_ * 1'000'003 + host, Draw::resolver)
        .fill(self.epoch, seed);
    self.resolver = std::make_shared<Resolver>(seed);
  }
  return *self.resolver;
}

/// A client's account says where its own domain is (DOM-15); servers never ask for theirs.
bool DomainProcess::by_dns(std::size_t host, const std::string& domain) const {
  return internet_->scenario.dns_ttl_s > 0 && !(host != server_host && domain == info_.name);
}

void DomainProcess::resolve(std::size_t host, const machine::Resolve& effect, Context& context) {
  if (by_dns(host, effect.domain)) {
    if (effect.doubted) resolver(host).finder.doubt(effect.domain, context.now());
    resolver(host).find({effect.domain, std::nullopt}, context.now());
    return ask_dns(host, context);
  }
  Message due = message(kind_resolved, host, hosts_[host].epoch);
  due.payload = Payload(to_bytes(effect.domain));
  context.schedule(resolve_latency, std::move(due));
}

void DomainProcess::resolved(std::size_t host, const std::string& domain, Context& context) {
  const auto at = internet_->by_name.find(domain);
  std::optional<keys::Discovery> found;
  if (at != internet_->by_name.end()) found = internet_->domains[at->second].discovery;
  hosts_[host].machine->handle_resolved(domain, found, context.now());
  perform(host, context);
}

/// Sends the questions that the resolver has and plans its look at the clock; what it has to tell
/// comes with an event of its own, so that no machine is called from within its own effects.
void DomainProcess::ask_dns(std::size_t host, Context& context) {
  Host& self = hosts_[host];
  Resolver& names = resolver(host);
  for (discovery::Ask& ask : names.asks()) {
    Message due = message(kind_dns_answer, host, self.epoch, ask.id);
    Bytes question{static_cast<std::uint8_t>(ask.kind)};
    append(question, ask.name);
    due.payload = Payload(std::move(question));
    context.schedule(resolve_latency, std::move(due));
  }
  arm_resolver(host, context);
  context.schedule(Duration{1}, message(kind_dns_told, host, self.epoch));
}

void DomainProcess::arm_resolver(std::size_t host, Context& context) {
  Host& self = hosts_[host];
  const auto due = resolver(host).finder.timeout();
  if (due == self.resolver_armed) return;
  self.resolver_armed = due;
  if (due)
    context.schedule(std::max(*due - context.now(), Duration{0}),
                     message(kind_dns_told, host, self.epoch));
}

void DomainProcess::dns_answered(std::size_t host, std::uint64_t id, ByteView question,
                                 Context& context) {
  const auto kind = static_cast<discovery::Kind>(question[0]);
  auto answer = dns_answer(*internet_, kind, as_text(question.subspan(1)), context.now());
  if (!answer) return;  // the finder loses its patience
  resolver(host).finder.handle_answer(id, std::move(*answer), context.now());
  dns_told(host, context);
}

void DomainProcess::dns_told(std::size_t host, Context& context) {
  Resolver& names = resolver(host);
  names.finder.handle_timeout(context.now());
  arm_resolver(host, context);
  for (const Resolver::Told& told : names.told()) {
    ++(told.site ? ledger_.dns_found : ledger_.dns_failed);
    if (told.waiting.token) {
      connect_site(host, {*told.waiting.token, told.waiting.domain}, told.site, context);
      continue;
    }
    std::optional<keys::Discovery> found;
    if (told.site) {
      found = keys::Discovery{told.site->servers.front().host, told.site->servers.front().port,
                              told.site->root, std::nullopt, true};
    }
    hosts_[host].machine->handle_resolved(told.waiting.domain, found, context.now());
  }
  perform(host, context);
}

/// As net::dial does: the server that DNS names must have the certificate that is asked for.
void DomainProcess::connect_site(std::size_t host, const machine::Connect& effect,
                                 const std::optional<discovery::Site>& site, Context& context) {
  std::optional<LpId> reached;
  if (site) reached = find_host(*internet_, site->servers.front().host);
  const bool certified =
      reached && (site->servers.front().certificate_name == internet_->domains[*reached].name ||
                  site->servers.front().certificate_name == site->servers.front().host);
  if (!certified || *reached == self_) {
    resolver(host).finder.doubt(effect.domain, context.now());
    return context.schedule(refused_latency,
                            message(kind_connect_failed, host, effect.token, hosts_[host].epoch));
  }
  net_tokens_.emplace(net_.connect(*reached, 0, context), effect.token);
}

}  // namespace ams::sim
