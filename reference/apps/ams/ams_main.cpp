// ams: mail of one account from the command line. Exit codes: 0 done; 1 refused; 2 bad arguments,
// files or settings; 3 the server could not be reached (what was to be sent is kept).
#include <CLI/CLI.hpp>

#include "ams_cli/commands.h"
#include "ams_cli/flags.h"
#include "ams_cli/home.h"
#include "ams_cli/new_keys.h"
#include "keystore_cli/commands.h"

namespace {

constexpr const char* about =
    "ams: end-to-end encrypted mail from the command line\n"
    "\n"
    "  ams account add alice@a.example --server-hosts hosts --ca ca.pem --token TOKEN\n"
    "  echo 'See you at nine.' | ams send --to bob@b.example --subject Tomorrow\n"
    "  ams sync && ams list && ams read 1\n"
    "  ams keys show\n";

}  // namespace

int main(int argc, char** argv) {
  using namespace ams::cli;
  CLI::App app(about);
  app.footer(exits);
  app.require_subcommand(1);
  Flags flags;
  Common& common = flags.common;
  int& code = flags.code;
  const auto shared = [&](CLI::App* command, const std::string& example) {
    flags.shared(command, example);
  };

  AccountAdd account;
  CLI::App* account_group = app.add_subcommand("account", "the account of this folder");
  account_group->require_subcommand(1);
  CLI::App* add = account_group->add_subcommand(
      "add", "Makes keys, enrols this device with your domain's token, publishes the public key");
  add->add_option("addr", account.addr, "your address")->required();
  add->add_option("--server-hosts", account.hosts_file,
                  "discovery file: one line `domain host port root_kid root_fp [pin=…]` a domain; "
                  "without it domains are found by DNS");
  add->add_option("--name-server", account.name_servers,
                  "for domains that no file lists: whom to ask instead of the system's; may be "
                  "repeated");
  add->add_option("--ca", account.ca_file, "authorities of the servers' certificates (PEM)");
  add->add_option("--token", account.token, "enrolment token, as `amsd account add` printed it")
      ->required();
  add->add_option("--profile", account.profile, "kind of keys")
      ->check(CLI::IsMember(profile_names()))
      ->capture_default_str();
  add->add_option("--recover", account.recover,
                  "a key file: its keys become the account's again, and open its old mail");
  add->add_option("--recovery", account.recovery,
                  "write a recovery file with the new keys, under a passphrase");
  add->add_option("--passphrase-file", account.passphrase_file,
                  "file whose first line is the passphrase (- is standard input); asked on the "
                  "terminal unless given");
  shared(add, "ams account add alice@a.example --server-hosts hosts --ca ca.pem --token TOKEN");
  add->callback([&] { code = account_add(common, account); });

  AccountWitnesses witnesses;
  CLI::App* witnesses_command = account_group->add_subcommand(
      "witnesses",
      "How many directory peers must have cosigned the log from which a domain proves whose key an "
      "address has, before anything is sealed to that key. A domain that shows you another log "
      "than "
      "everyone else cannot have two such logs cosigned. 1 wherever your domain knows directory "
      "peers, 2 where it knows four or more; short of them letters wait. 0, as at first: the "
      "domain's own word is enough, as it must be in a network without such peers");
  witnesses_command->add_option("count", witnesses.count, "how many; says what is set unless given")
      ->check(CLI::Range(0, 16));
  witnesses_command->add_option("--from", witnesses.from,
                                "domains whose cosignatures count, instead of the peers that your "
                                "server names; may be repeated");
  shared(witnesses_command, "ams account witnesses 1");
  witnesses_command->callback([&] { code = account_witnesses(common, witnesses); });

  Send letter;
  CLI::App* send_command = app.add_subcommand(
      "send", "Sends the text on standard input; keeps it until the server has acknowledged it");
  send_command->add_option("--to", letter.to, "a recipient; may be repeated");
  send_command->add_option("--cc", letter.cc, "a recipient of a copy");
  send_command->add_option("--bcc", letter.bcc, "a recipient whom the others do not see");
  send_command->add_option("--subject", letter.subject, "the subject")->required();
  send_command->add_option("--attach", letter.attach, "a file; may be repeated")
      ->check(CLI::ExistingFile);
  shared(send_command,
         "ams send --to bob@b.example --subject Plans --attach plan.pdf < letter.txt");
  send_command->callback([&] {
    if (letter.to.empty() && letter.cc.empty() && letter.bcc.empty())
      throw CLI::RequiredError("--to");
    code = send(common, letter);
  });

  CLI::App* sync_command =
      app.add_subcommand("sync", "Fetches, verifies and opens what is new; sends what was kept");
  shared(sync_command, "ams sync");
  sync_command->callback([&] { code = sync(common); });

  CLI::App* list_command = app.add_subcommand("list", "Lists the letters that were fetched");
  shared(list_command, "ams list");
  list_command->callback([&] { code = list(common); });

  std::int64_t uid = 0;
  std::string save;
  CLI::App* read_command =
      app.add_subcommand("read", "Shows a letter, the newest unless told which");
  read_command->add_option("uid", uid, "number of the letter, from `ams list`")
      ->check(CLI::NonNegativeNumber);
  read_command->add_option("--save", save, "write the attachments into this folder")
      ->check(CLI::ExistingDirectory);
  shared(read_command, "ams read 3 --save .");
  read_command->callback([&] { code = read(common, uid, save); });

  add_file_commands(app, flags);
  add_keys_commands(app, flags);
  add_domain_commands(app, flags);

  ams::keystore_cli::add_commands(app, code);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_bad_input;
  }
  return code;
}
