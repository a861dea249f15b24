// Runner: the client machine over sockets until a command is done.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "ams_cli/home.h"
#include "client/client.h"
#include "net/driver.h"
#include "net/hosts.h"

namespace ams::cli {

struct RunnerOptions {
  bool verbose = false;                          // the log on standard error
  Duration patience = std::chrono::seconds{60};  // without any report or progress
};

class Runner {
 public:
  /// Hosts and CA files are read here: errors are one line for the user.
  static tl::expected<std::unique_ptr<Runner>, std::string> make(Home& home, RunnerOptions options);
  ~Runner();

  client::Client& client();
  Instant now();
  /// Runs until `done` says so of a report; letters among the reports are stored. Empty: done; else
  /// the reason why it ended before: unreachable, or nothing happened for `patience`.
  std::optional<std::string> run(const std::function<bool(const client::Report&)>& done);

 private:
  struct Impl;
  explicit Runner(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The code and where it stood, for people.
std::string explain(const Error& why);

}  // namespace ams::cli
