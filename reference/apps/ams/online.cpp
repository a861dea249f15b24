#include "ams_cli/online.h"

#include <utility>

namespace ams::cli {

tl::expected<std::unique_ptr<Online>, std::string> go_online(const Common& common) {
  auto home = Home::open(common.home);
  if (!home) return tl::unexpected<std::string>(home.error());
  auto out = std::make_unique<Online>(Online{std::move(*home), nullptr});
  auto runner = Runner::make(out->home, RunnerOptions{common.verbose});
  if (!runner) return tl::unexpected<std::string>(runner.error());
  out->runner = std::move(*runner);
  if (!out->client().ready())
    return tl::unexpected<std::string>(
        "the account is not enrolled yet; run `ams account add` again");
  return out;
}

}  // namespace ams::cli
