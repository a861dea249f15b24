// ams: mail of one account from the command line. Exit codes: 0 done; 1 refused; 2 bad arguments,
// files or settings; 3 the server could not be reached (what was to be sent is kept).
#include <CLI/CLI.hpp>

#include "ams_cli/commands.h"
#include "ams_cli/home.h"
#include "ams_cli/sealing.h"

namespace {

constexpr const char* about =
    "ams: end-to-end encrypted mail from the command line\n"
    "\n"
    "  ams account add alice@a.example --server-hosts hosts --ca ca.pem --token TOKEN\n"
    "  echo 'See you at nine.' | ams send --to bob@b.example --subject Tomorrow\n"
    "  ams sync && ams list && ams read 1\n";
constexpr const char* exits =
    "Exit codes: 0 done; 1 refused by the server or by a check; 2 bad arguments, files or "
    "settings;\n"
    "3 the server could not be reached: what was to be sent is kept and goes with the next sync.\n";

}  // namespace

int main(int argc, char** argv) {
  using namespace ams::cli;
  CLI::App app(about);
  app.footer(exits);
  app.require_subcommand(1);
  int code = exit_ok;
  Common common;
  const auto shared = [&](CLI::App* command, const std::string& example) {
    command->add_option("--home", common.home, "folder of the account, ~/.ams unless given")
        ->envname("AMS_HOME");
    command->add_flag("-v,--verbose", common.verbose, "log what happens on standard error");
    command->footer("Example:\n  " + example + "\n\n" + exits);
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
      ->check(CLI::IsMember({"modern", "rsa2048"}))
      ->capture_default_str();
  shared(add, "ams account add alice@a.example --server-hosts hosts --ca ca.pem --token TOKEN");
  add->callback([&] { code = account_add(common, account); });

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

  SealFiles sealing;
  CLI::App* seal_command = app.add_subcommand(
      "seal", "Seals files for others and for yourself: FILE becomes FILE.ams. Asks no server");
  seal_command->add_option("files", sealing.files, "what to seal; - is standard input")->required();
  seal_command->add_option("--to", sealing.to,
                           "a reader: an address that this device knows, or a file with a key "
                           "record; may be repeated");
  seal_command->add_option("-o,--output", sealing.output, "another name; - is standard output");
  seal_command->add_option("--aead", sealing.aead, "the cipher")
      ->check(CLI::IsMember({"a256gcm", "c20p1305"}))
      ->capture_default_str();
  seal_command->add_flag("--force", sealing.force, "replace a file that exists");
  shared(seal_command, "ams seal --to bob@b.example --to carol.json report.pdf");
  seal_command->callback([&] { code = seal_files(common, sealing); });

  OpenFiles opening;
  CLI::App* open_command = app.add_subcommand(
      "open", "Opens sealed files and verifies who sealed them: FILE.ams becomes FILE");
  open_command->add_option("files", opening.files, "what to open; - is standard input")->required();
  open_command->add_option("--from", opening.from,
                           "who must have sealed it: an address that this device knows, or a file "
                           "with a key record");
  open_command->add_option("-o,--output", opening.output,
                           "another name; - is standard output, with --unverified-stream only");
  open_command->add_flag("--force", opening.force, "replace a file that exists");
  open_command->add_flag("--unverified-stream", opening.unverified_stream,
                         "write to a pipe while the sender's signature is not verified yet: only "
                         "exit code 0 says that what was written is right");
  shared(open_command, "ams open --from alice@a.example report.pdf.ams");
  open_command->callback([&] { code = open_files(common, opening); });

  CLI::App* keys_group = app.add_subcommand("keys", "keys of this account");
  keys_group->require_subcommand(1);
  CLI::App* export_command = keys_group->add_subcommand(
      "export-record", "Prints your public key record, for others to seal files to");
  shared(export_command, "ams keys export-record > alice.json");
  export_command->callback([&] { code = export_record(common); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_bad_input;
  }
  return code;
}
