#include "daemon/cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>
#include <optional>

#include "daemon/accounts.h"
#include "daemon/cards.h"
#include "daemon/evidence_flags.h"
#include "daemon/groups.h"
#include "daemon/init.h"
#include "daemon/policy.h"
#include "daemon/serve.h"
#include "daemon/status.h"

namespace ams::daemon {
namespace {

using Outcome = tl::expected<void, Failure>;

std::string footer(const Program& program) {
  const std::string n = program.name;
  std::string text = "Example, a domain on this machine:\n";
  text += "  " + n + " init --domain a.example --dir a --listen 127.0.0.1:7747\n";
  text += "  " + n + " --config a/" + n + ".toml\n";
  if (program.mail) text += "  " + n + " account add alice@a.example --config a/" + n + ".toml\n";
  return text +
         "\nExit codes: 0 done, 1 failure, 2 wrong configuration or command line,\n"
         "3 the address cannot be listened on. SIGTERM drains and ends with 0.";
}

Outcome with_config(const std::string& path,
                    const std::function<Outcome(const apps::ServerConfig&)>& then) {
  const auto config = apps::load_server_config(path);
  if (!config) return tl::unexpected(Failure{exit_bad_config, config.error()});
  return then(*config);
}

Outcome print(const tl::expected<std::string, Failure>& line) {
  if (!line) return tl::unexpected(line.error());
  std::puts(line->c_str());
  return {};
}

void add_config(CLI::App* command, std::string& config) {
  command->add_option("--config", config, "The configuration file")->required();
}

void add_init(CLI::App& app, const Program& program, InitOptions& options) {
  CLI::App* init = app.add_subcommand(
      "init", "Create a folder with configuration, keys and a certificate; print the hosts line");
  init->add_option("--domain", options.domain, "The domain to serve")->required();
  init->add_option("--dir", options.folder, "The folder to create")->required();
  init->add_option("--listen", options.listen, "HOST:PORT")->capture_default_str();
  init->add_option("--host", options.host, "The name under which others reach it");
  init->add_option("--hosts", options.hosts_file,
                   "A hosts file shared with others; created when missing, else left as it is");
  init->add_flag("--dns", options.dns,
                 "Find other domains by DNS; print the records for this domain's zone");
  init->add_option("--name-server", options.name_servers,
                   "Whom to ask instead of the system's name servers; may be repeated");
  init->add_option("--cert", options.certificate_file, "A certificate chain (PEM), leaf first");
  init->add_option("--key", options.key_file, "Its key (PEM)");
  init->add_option("--directory-peer", options.directory_peers,
                   "A domain whose directory peer exchanges keys with this one; may be repeated");
  if (program.mail) {
    init->add_option(
            "--policy", options.policy.mode,
            "isp: every client its own keys; corporate, groups: a key store's, in force at "
            "once")
        ->capture_default_str();
    init->add_option("--shared", options.policy.shared,
                     "corporate: the shared key's record, as the key store gave it");
    init->add_option("--group", options.policy.groups, "groups: NAME=FILE; may be repeated");
  }
  init->footer("Example:\n  " + program.name +
               " init --domain a.example --dir a --listen 127.0.0.1:7747");
}

/// Null where the program serves no mail.
struct PolicyCommands {
  CLI::App* show = nullptr;
  CLI::App* set = nullptr;
};

PolicyCommands add_policy(CLI::App& app, const Program& program, std::string& config,
                          PolicyOptions& options) {
  PolicyCommands out;
  if (!program.mail) return out;
  CLI::App* domain = app.add_subcommand("domain", "What the domain says of itself");
  domain->require_subcommand(1);
  CLI::App* policy = domain->add_subcommand("policy", "Who has the keys that mail is sealed to");
  policy->require_subcommand(1);
  out.show = policy->add_subcommand("show", "The policy in force, and the one to come");
  add_config(out.show, config);
  out.set = policy->add_subcommand(
      "set", "Sign the record that follows, with the root key; in force 24 hours later");
  out.set
      ->add_option("MODE", options.mode,
                   "isp: every client its own; corporate: one for the domain; groups: one each")
      ->required();
  add_config(out.set, config);
  out.set->add_option("--shared", options.shared,
                      "corporate: the shared key's record, as the key store gave it");
  out.set->add_option("--group", options.groups, "groups: NAME=FILE; may be repeated");
  out.set->add_option("--root-key", options.root_key_file,
                      "the root key file, when it is not in the data folder");
  out.set->footer(
      "No key that a client made is taken over: clients keep theirs for the mail sealed "
      "to them.\nA mode that stays with other keys is a rotation and counts at once.\n\n"
      "Example:\n  " +
      program.name + " domain policy set corporate --shared shared.json --config a/" +
      program.name + ".toml");
  return out;
}

struct GroupCommands {
  CLI::App* add = nullptr;
  CLI::App* remove = nullptr;
  CLI::App* list = nullptr;
};

GroupCommands add_group(CLI::App& app, const Program& program, std::string& config,
                        server::GroupChange& change) {
  GroupCommands out;
  if (!program.mail) return out;
  CLI::App* group =
      app.add_subcommand("group", "Whom the mail to a group's own address reaches (policy groups)");
  group->require_subcommand(1);
  out.add = group->add_subcommand("add", "Give an account the group's mail from now on");
  out.remove = group->add_subcommand("remove", "Give it no more of it");
  out.list = group->add_subcommand("list", "Print the members, one a line");
  for (CLI::App* each : {out.add, out.remove, out.list}) {
    each->add_option("GROUP", change.group, "Its name, as in the policy")->required();
    if (each != out.list)
      each->add_option("ADDR", change.addr, "The address, as in alice@a.example")->required();
    add_config(each, config);
  }
  group->footer(
      "What members can open is the key store's affair: `ams keystore grant` and `revoke`.\n\n"
      "Example:\n  " +
      program.name + " group add sales alice@a.example --config a/" + program.name + ".toml");
  return out;
}

CLI::App* add_card(CLI::App& app, const Program& program, std::string& config, std::string& kid) {
  CLI::App* card =
      app.add_subcommand("card", "The personal data that owners publish beside their keys");
  card->require_subcommand(1);
  CLI::App* drop = card->add_subcommand(
      "drop", "Keep a key's card no longer, for good; what is proven of the key stays as it is");
  drop->add_option("KID", kid, "The key's kid")->required();
  add_config(drop, config);
  drop->footer("Other peers keep theirs: an owner erases it everywhere, by `ams`.\n\nExample:\n  " +
               program.name + " card drop 01234567-89ab-8def-8101-020304050607 --config a/" +
               program.name + ".toml");
  return drop;
}

CLI::App* add_status(CLI::App& app, const Program& program, std::string& config, bool& json) {
  CLI::App* status = app.add_subcommand(
      "status", "Say how the running daemon is: keys, root, peers, agreement, refusals");
  add_config(status, config);
  status->add_flag("--json", json, "One JSON object instead of text");
  status->footer("Example:\n  " + program.name + " status --config a/" + program.name + ".toml");
  return status;
}

int report(const Program& program, const Outcome& outcome) {
  if (outcome) return exit_ok;
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), outcome.error().text.c_str());
  return outcome.error().exit_code;
}

}  // namespace

int run(const Program& program, int argc, char** argv) {
  CLI::App app(program.description, program.name);
  app.footer(footer(program));
  app.require_subcommand(0, 1);
  std::string config, addr, token, host;
  InitOptions init_options;
  PolicyOptions policy_options;
  app.add_option("--config", config, "Serve the domain of this configuration file");
  app.set_version_flag("--version", program.name + " " + AMS_VERSION);
  add_init(app, program, init_options);
  CLI::App* check = app.add_subcommand("check-config", "Read everything it names, serve nothing");
  check->add_option("FILE", config, "The configuration file")->required();
  CLI::App* line =
      app.add_subcommand("hosts-line", "Print the line for other domains' hosts files");
  add_config(line, config);
  line->add_option("--host", host, "The name under which others reach it");
  CLI::App* records = app.add_subcommand("dns-records", "Print the records for the domain's zone");
  add_config(records, config);
  records->add_option("--host", host, "The name under which others reach it");
  records->footer("Example:\n  " + program.name + " dns-records --host mail.a.example --config a/" +
                  program.name + ".toml >> zone");
  const PolicyCommands policy = add_policy(app, program, config, policy_options);
  server::GroupChange member;
  const GroupCommands group = add_group(app, program, config, member);
  bool json = false;
  CLI::App* status = add_status(app, program, config, json);
  std::string kid;
  CLI::App* drop = add_card(app, program, config, kid);
  std::optional<EvidenceCommands> evidence;
  if (!program.mail) evidence.emplace(app, program, config);
  CLI::App* add = nullptr;
  CLI::App* further = nullptr;
  if (program.mail) {
    CLI::App* account = app.add_subcommand("account", "Accounts of the domain");
    account->require_subcommand(1);
    add = account->add_subcommand("add", "Create an account; print its enrolment token");
    add->add_option("ADDR", addr, "The address, as in alice@a.example")->required();
    add_config(add, config);
    add->add_option("--token", token, "64 hexadecimal digits; default: fresh ones");
    further = account->add_subcommand(
        "token",
        "Print a further enrolment token of an account: for a second device, or after a loss");
    further->add_option("ADDR", addr, "The address, as in alice@a.example")->required();
    add_config(further, config);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_bad_config;
  }
  if (app.got_subcommand("init")) return report(program, print(init(program, init_options)));
  if (evidence)
    if (const auto outcome = evidence->run_alone()) return report(program, print(*outcome));
  if (config.empty()) {
    std::fputs("--config: expected a configuration file; see --help\n", stderr);
    return exit_bad_config;
  }
  return report(
      program, with_config(config, [&](const apps::ServerConfig& read) -> Outcome {
        if (check->parsed()) {
          return check_config(read).map([&] { std::printf("%s: good\n", config.c_str()); });
        }
        if (line->parsed()) return print(hosts_line(read, host));
        if (evidence)
          if (const auto outcome = evidence->run(read)) return print(*outcome);
        if (status->parsed()) return print(ask_status(read, json));
        if (drop->parsed()) return print(drop_card(program, read, kid));
        if (records->parsed()) return print(dns_records(read, host));
        if (add != nullptr && add->parsed())
          return print(add_account(program, read, addr, token, false));
        if (further != nullptr && further->parsed())
          return print(add_account(program, read, addr, "", true));
        if (group.list && group.list->parsed()) return print(list_group(read, member.group));
        member.member = group.add && group.add->parsed();
        if (member.member || (group.remove && group.remove->parsed()))
          return print(change_group(program, read, member));
        if (policy.show && policy.show->parsed()) return print(show_policy(read));
        if (policy.set && policy.set->parsed()) return print(set_policy(read, policy_options));
        return serve(program, read);
      }));
}

}  // namespace ams::daemon
