// `ams keystore …` for the command line: flags, help, and one call each.
#include <CLI/CLI.hpp>

#include "ams_cli/commands.h"
#include "keystore_cli/commands.h"

namespace ams::keystore_cli {
namespace {

constexpr const char* about =
    "The key store of a domain whose policy is corporate or groups. Private keys are made and stay "
    "there;\nmembers' devices ask it to open and to sign.\n"
    "\n"
    "  as the operator, where the store's folder is:\n"
    "    ams keystore init --domain corp.example --dir ks --passphrase-file words\n"
    "    ams keystore create --dir ks --passphrase-file words > shared.json      (all members')\n"
    "    ams keystore create --addr alice@corp.example --dir ks --passphrase-file words\n"
    "    ams keystore grant alice@corp.example --device $(ams keystore device --home alice) \\\n"
    "        --dir ks --passphrase-file words\n"
    "    ams keystore serve --dir ks --passphrase-file words --listen 127.0.0.1:7748 \\\n"
    "        --ca ca.pem --cert server.pem --cert-key server.key\n"
    "  as a member:\n"
    "    ams keystore use --url https://127.0.0.1:7748 --ca ca.pem --cert me.pem --cert-key "
    "me.key\n"
    "  when somebody leaves:\n"
    "    ams keystore revoke alice@corp.example …   names the keys to rotate\n"
    "    ams keystore rotate KID …                  its record goes into the domain's policy";

/// Options live as long as the program: CLI11 writes into them when it parses.
struct All {
  Common common;
  std::string new_passphrase_file, new_key_file;
  Init init;
  Serve serve;
  Create create;
  Grant grant;
  std::string addr, kid, from, to, head;
  int days = 365;
  std::int64_t entry = 0;
};

void add_place(CLI::App* command, Common& common) {
  keystore_net::Place& place = common.place;
  command->add_option("--dir", place.folder, "the store's folder on this machine");
  command->add_option("--passphrase-file", place.passphrase_file,
                      "opens the folder: the first line of this file");
  command->add_option("--key-file", place.key_file, "opens the folder: 32 bytes or more");
  command->add_option("--pin-file", place.pin_file, "PIN of the token, where keys are on one");
  command->add_option("--url", place.url, "or the store elsewhere: https://host:port");
  command->add_option("--ca", place.ca_file, "authorities of the store's certificate (PEM)");
  command->add_option("--cert", place.certificate_file, "your certificate (PEM)");
  command->add_option("--cert-key", place.client_key_file, "its key (PEM)");
  command->add_option("--home", common.home, "folder of your account, ~/.ams unless given")
      ->envname("AMS_HOME");
}

CLI::App* command(CLI::App& group, All& all, const char* name, const char* what,
                  const std::string& example) {
  CLI::App* out = group.add_subcommand(name, what);
  add_place(out, all.common);
  out->footer("Example:\n  ams keystore " + example +
              "\n\nExit codes: 0 done; 1 refused; 2 bad arguments or files; 3 the store cannot be "
              "reached now.");
  return out;
}

void add_store(CLI::App& group, All& all, int& code) {
  CLI::App* init_command =
      command(group, all, "init", "Makes a key store in a folder of this machine",
              "init --domain corp.example --dir ks --passphrase-file words");
  init_command->add_option("--domain", all.init.domain, "the domain it is for")->required();
  init_command->add_option("--module", all.init.module,
                           "keep the keys on a PKCS#11 token: its library");
  init_command->add_option("--token", all.init.token, "the token's label");
  init_command->callback([&] { code = init(all.common, all.init); });

  CLI::App* change_command =
      command(group, all, "passphrase", "Puts the store under another passphrase or key file",
              "passphrase --dir ks --passphrase-file words --new-passphrase-file new-words");
  change_command->add_option("--new-passphrase-file", all.new_passphrase_file,
                             "its first line opens the store from now on");
  change_command->add_option("--new-key-file", all.new_key_file, "opens the store from now on");
  change_command->callback(
      [&] { code = change_passphrase(all.common, all.new_passphrase_file, all.new_key_file); });

  // Its certificate options are the server's own.
  CLI::App* serve_command = group.add_subcommand(
      "serve", "Answers members over HTTPS, with certificates on both sides, until it is stopped");
  keystore_net::Place& place = all.common.place;
  serve_command->add_option("--dir", place.folder, "the store's folder")->required();
  serve_command->add_option("--passphrase-file", place.passphrase_file, "opens the folder");
  serve_command->add_option("--key-file", place.key_file, "opens the folder");
  serve_command->add_option("--pin-file", place.pin_file, "PIN of the token");
  serve_command->add_option("--listen", all.serve.listen, "IP:port; port 0: any free one")
      ->capture_default_str();
  serve_command->add_option("--ca", all.serve.ca_file, "authorities of members' certificates")
      ->required();
  serve_command->add_option("--cert", all.serve.certificate_file, "the store's certificate")
      ->required();
  serve_command->add_option("--cert-key", all.serve.key_file, "its key")->required();
  serve_command->footer(
      "Example:\n  ams keystore serve --dir ks --passphrase-file words --ca ca.pem --cert "
      "server.pem --cert-key server.key");
  serve_command->callback([&] { code = serve(all.common, all.serve); });
}

void add_keys(CLI::App& group, All& all, int& code) {
  CLI::App* create_command =
      command(group, all, "create", "Makes a key and prints its record",
              "create --group sales --dir ks --passphrase-file words > sales.json");
  create_command->add_option("--addr", all.create.addr, "this address's own: it signs and opens");
  create_command->add_option("--group", all.create.group,
                             "shared by a group; without either, by all members");
  create_command->add_option("--profile", all.create.profile, "kind of keys")
      ->check(CLI::IsMember({"modern", "rsa2048", "rsa3072", "rsa4096", "ed25519-rsa3072"}))
      ->capture_default_str();
  create_command->add_option("--days", all.create.days, "how long it may be used")
      ->check(CLI::Range(1, 397))
      ->capture_default_str();
  create_command->add_flag("--exportable", all.create.exportable,
                           "members with the purpose `export` may take it along");
  create_command->callback([&] { code = create(all.common, all.create); });

  CLI::App* rotate_command =
      command(group, all, "rotate", "Makes a key's successor and prints its record",
              "rotate KID --dir ks --passphrase-file words > shared.json");
  rotate_command->add_option("kid", all.kid, "the key, from `ams keystore list`")->required();
  rotate_command->add_option("--days", all.days, "how long the new one may be used")
      ->check(CLI::Range(1, 397))
      ->capture_default_str();
  rotate_command->callback([&] { code = rotate(all.common, all.kid, all.days); });

  command(group, all, "list", "Lists the keys", "list --dir ks --passphrase-file words")
      ->callback([&] { code = list_keys(all.common); });

  CLI::App* rewrap_command = command(
      group, all, "rewrap",
      "Moves your mailbox's mail from shared keys that were rotated to their successors; with "
      "--from and --to, wrapped content keys of standard input",
      "rewrap --home alice\n  ams keystore rewrap --from KID --to KID --dir ks --passphrase-file "
      "words < items.json");
  CLI::Option* from = rewrap_command->add_option("--from", all.from, "what they are wrapped to");
  rewrap_command->add_option("--to", all.to, "what they shall be wrapped to")->needs(from);
  rewrap_command->callback([&] {
    code = all.from.empty() ? cli::rewrap_mailbox({all.common.home})
                            : rewrap(all.common, all.from, all.to);
  });
}

void add_members(CLI::App& group, All& all, int& code) {
  CLI::App* grant_command = command(
      group, all, "grant", "Lets a member's devices use the store, or changes what they may",
      "grant alice@corp.example --device DEVICE --group sales --dir ks --passphrase-file "
      "words");
  grant_command->add_option("addr", all.grant.addr, "the member")->required();
  grant_command
      ->add_option("--device", all.grant.devices,
                   "what `ams keystore device` prints there; may be repeated")
      ->required();
  grant_command->add_option("--group", all.grant.groups, "a group; may be repeated");
  grant_command->add_option("--purpose", all.grant.purposes, "what for; may be repeated")
      ->check(CLI::IsMember({"decap", "sign", "export"}))
      ->capture_default_str();
  grant_command->add_flag("--admin", all.grant.admin, "may also do what an administrator does");
  grant_command->add_option("--days", all.grant.days, "how long")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  grant_command->callback([&] { code = grant(all.common, all.grant); });

  CLI::App* revoke_command =
      command(group, all, "revoke", "Ends a member's access at once; names the keys to rotate",
              "revoke alice@corp.example --dir ks --passphrase-file words");
  revoke_command->add_option("addr", all.addr, "the member")->required();
  revoke_command->callback([&] { code = revoke(all.common, all.addr); });

  command(group, all, "members", "Lists the members, with those who left",
          "members --dir ks --passphrase-file words")
      ->callback([&] { code = list_members(all.common); });
}

void add_audit(CLI::App& group, All& all, int& code) {
  CLI::App* audit = group.add_subcommand("audit", "The log of every call");
  audit->require_subcommand(1);
  CLI::App* show = command(*audit, all, "show", "Prints it: number, time, who, what, outcome, key",
                           "audit show --dir ks --passphrase-file words");
  show->add_option("--from", all.entry, "the first entry to print")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  show->callback([&] { code = show_audit(all.common, all.entry); });
  CLI::App* verify =
      command(*audit, all, "verify",
              "Follows its chain to the end and prints the head, to be kept elsewhere",
              "audit verify --head 12:4f2c… --dir ks --passphrase-file words");
  verify->add_option("--head", all.head, "a head printed before: the log must lead through it");
  verify->callback([&] { code = verify_audit(all.common, all.head); });
}

}  // namespace

void add_commands(CLI::App& app, int& code) {
  static All all;
  CLI::App* group = app.add_subcommand("keystore", about);
  group->require_subcommand(1);
  add_store(*group, all, code);
  add_keys(*group, all, code);
  add_members(*group, all, code);
  add_audit(*group, all, code);
  CLI::App* device = group->add_subcommand(
      "device", "Prints this device's public keys, for the administrator's `grant`");
  device->add_option("--home", all.common.home, "folder of your account")->envname("AMS_HOME");
  device->callback([&] { code = show_device(all.common); });
  command(*group, all, "use", "Says where this account's key store is",
          "use --url https://ks.corp.example --cert me.pem --cert-key me.key")
      ->callback([&] { code = use(all.common); });
}

}  // namespace ams::keystore_cli
