// The command line of `audit`, `prove`, `verify` and `publish`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "apps/config.h"
#include "daemon/program.h"

namespace CLI {
class App;
}

namespace ams::daemon {

class EvidenceCommands {
 public:
  /// Adds the commands; `config` is where --config goes.
  EvidenceCommands(CLI::App& app, const Program& program, std::string& config);
  ~EvidenceCommands();
  /// `verify` needs no configuration: its outcome, when it was asked for.
  std::optional<tl::expected<std::string, Failure>> run_alone() const;
  std::optional<tl::expected<std::string, Failure>> run(const apps::ServerConfig& config) const;

 private:
  struct Impl;
  void add_publish(CLI::App& app, const std::string& name, std::string& config);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ams::daemon
