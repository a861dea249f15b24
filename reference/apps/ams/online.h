// The account of a home and its client, for commands that need the server.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "ams_cli/commands.h"
#include "ams_cli/home.h"
#include "ams_cli/runner.h"

namespace ams::cli {

/// Made only when there is an account to speak for.
struct Online {
  Home home;
  std::unique_ptr<Runner> runner;
  client::Client& client() const { return runner->client(); }
};
/// On the heap: the runner refers to the home. Fails with a text for a person (exit_bad_input).
tl::expected<std::unique_ptr<Online>, std::string> go_online(const Common& common);

}  // namespace ams::cli
