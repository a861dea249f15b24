#include "net/site_finder.h"

#include <utility>

#include "net/entropy.h"

namespace ams::net {
namespace {

Site site_of(discovery::Site found) {
  Site site;
  site.discovery.host = found.servers.front().host;
  site.discovery.port = found.servers.front().port;
  site.discovery.root = found.root;
  site.discovery.unproven = true;
  for (discovery::Server& server : found.servers) {
    Endpoint endpoint{std::move(server.host), server.port, std::nullopt};
    endpoint.certificate_name = std::move(server.certificate_name);
    site.servers.push_back(std::move(endpoint));
  }
  return site;
}

}  // namespace

SiteFinder::SiteFinder(Loop& loop, std::unique_ptr<Dns> dns, discovery::FinderOptions options)
    : loop_(loop), finder_(options, entropy_seed().view()), dns_(std::move(dns)) {}

void SiteFinder::find(const std::string& domain, OnSite done) {
  waiting_[domain].push_back(std::move(done));
  finder_.find(domain, loop_.now());
  // From the loop: the caller need not be ready for an answer that is known already.
  loop_.post([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) pump();
  });
}

void SiteFinder::pump() {
  while (auto effect = finder_.poll()) {
    std::visit([this](auto& e) { perform(std::move(e)); }, *effect);
  }
  const auto due = finder_.timeout();
  timer_ = {};
  if (!due) return;
  timer_ = loop_.call_at(*due, [this] {
    finder_.handle_timeout(loop_.now());
    pump();
  });
}

void SiteFinder::perform(discovery::Ask ask) {
  dns_->ask(ask.kind, ask.name, [this, id = ask.id](discovery::Answer answer) {
    finder_.handle_answer(id, std::move(answer), loop_.now());
    pump();
  });
}

void SiteFinder::perform(discovery::Outcome outcome) {
  const auto at = waiting_.find(outcome.domain);
  if (at == waiting_.end()) return;
  const std::vector<OnSite> waiting = std::move(at->second);
  waiting_.erase(at);
  tl::expected<Site, std::string> result = tl::unexpected(std::string(outcome.why));
  if (outcome.site) result = site_of(std::move(*outcome.site));
  for (const OnSite& done : waiting) done(result);
}

}  // namespace ams::net
