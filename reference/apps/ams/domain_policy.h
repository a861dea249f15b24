// `ams domain policy show`: what a sender on this device knows of a domain's policy, verified, and
// what it will take effect next (POL-6, POL-9). Asks nobody.
#pragma once

#include <string>

#include "ams_cli/commands.h"

namespace ams::cli {

/// `domain` may be an address of it. Exit code 1 where nothing verified is known.
int domain_policy_show(const Common& common, const std::string& domain, bool json);

}  // namespace ams::cli
