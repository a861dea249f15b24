// SiteFinder: discovery of domains by DNS for a driver: discovery/finder.h with its questions
// asked.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "discovery/finder.h"
#include "net/connection.h"
#include "net/dns.h"
#include "net/loop.h"

namespace ams::net {

/// Where a domain's servers are, in the order of trial, and what the machine must know of it.
struct Site {
  keys::Discovery discovery;
  std::vector<Endpoint> servers;
};

class SiteFinder {
 public:
  /// `loop` outlives it.
  SiteFinder(Loop& loop, std::unique_ptr<Dns> dns, discovery::FinderOptions options = {});

  /// `done` is called once, from the loop, or never if this object ends before: a site, or why
  /// there is none now.
  using OnSite = std::function<void(const tl::expected<Site, std::string>&)>;
  void find(const std::string& domain, OnSite done);
  /// See discovery::Finder.
  void doubt(const std::string& domain) { finder_.doubt(domain, loop_.now()); }
  Dns& dns() { return *dns_; }

 private:
  void pump();
  void perform(discovery::Ask ask);
  void perform(discovery::Outcome outcome);

  Loop& loop_;
  discovery::Finder finder_;
  std::map<std::string, std::vector<OnSite>> waiting_;
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<Dns> dns_;  // its end drops the questions that are still asked
};

}  // namespace ams::net
