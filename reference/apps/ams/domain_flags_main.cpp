// The flags of `ams domain`.
#include <memory>

#include "ams_cli/domain_policy.h"
#include "ams_cli/flags.h"

namespace ams::cli {

void add_domain_commands(CLI::App& app, Flags& flags) {
  CLI::App* domain = app.add_subcommand("domain", "what is known of a domain");
  domain->require_subcommand(1);
  CLI::App* policy =
      domain->add_subcommand("policy", "who can read what is sealed to its addresses");
  policy->require_subcommand(1);
  CLI::App* show = policy->add_subcommand(
      "show",
      "The policy in force and the one announced, as verified last on this device; an\n"
      "administrator changes it with `amsd domain policy set`");
  const auto name = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>();
  show->add_option("domain", *name, "the domain, or an address of it")->required();
  show->add_flag("--json", *json, "one JSON object, for programs");
  flags.shared(show, "ams keys lookup bob@b.example && ams domain policy show b.example");
  show->callback(
      [name, json, &flags] { flags.code = domain_policy_show(flags.common, *name, *json); });
}

}  // namespace ams::cli
