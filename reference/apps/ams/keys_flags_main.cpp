// The command line of `ams keys …`.
#include <memory>

#include "ams_cli/alarms.h"
#include "ams_cli/flags.h"
#include "ams_cli/keys_local.h"
#include "ams_cli/keys_online.h"
#include "ams_cli/new_keys.h"

namespace ams::cli {
namespace {

constexpr const char* about_keys =
    "Keys of this account, and of those you write to.\n"
    "\n"
    "  ams keys show --qr                     # your key, for others to compare with what they "
    "have\n"
    "  ams keys verify bob@b.example WORDS…   # the twelve words that bob reads to you\n"
    "  ams keys export alice.amskeys          # a recovery file, under a passphrase\n"
    "  ams keys rotate                        # another key; the old one keeps opening old mail\n"
    "  ams keys redirect forward ADDR         # letters for you go to another address\n"
    "\n"
    "Private keys lie in the account's folder unencrypted, readable by you alone (mode 0600): "
    "whoever\n"
    "reads that folder reads your mail. Key files are encrypted; elsewhere keys are never written.";
constexpr const char* passphrase_help =
    "file whose first line is the passphrase (- is standard input); asked on the terminal unless "
    "given";
constexpr const char* who_help =
    "an address that this device knows, the id of a key of yours, or a file with a key record; "
    "your "
    "own key unless given";

void add_create(CLI::App* group, Flags& flags) {
  CLI::App* command = group->add_subcommand(
      "create",
      "Makes a key that no account has, in a key file: for an account to come "
      "(`ams account add --recover`), to rotate to, or to seal files with");
  const auto args = std::make_shared<KeysCreate>();
  command->add_option("output", args->output, "the key file")->required();
  command->add_option("--profile", args->profile, "kind of keys; auto takes the strongest there is")
      ->check(CLI::IsMember(profile_names()))
      ->capture_default_str();
  command->add_option("--days", args->days, "how long it is valid")
      ->check(CLI::Range(1, key_days_max))
      ->capture_default_str();
  command->add_option("--addr", args->addr, "whose keys these will be");
  command->add_option("--passphrase-file", args->passphrase_file, passphrase_help);
  command->add_flag("--force", args->force, "replace a file that exists");
  flags.shared(command, "ams keys create --profile rsa3072 --addr alice@a.example alice.amskeys");
  command->callback([args, &flags] { flags.code = keys_create(flags.common, *args); });
}

void add_views(CLI::App* group, Flags& flags) {
  CLI::App* list = group->add_subcommand(
      "list",
      "Lists the keys of this account: the one in use first, then those that open old mail");
  const auto json = std::make_shared<bool>();
  list->add_flag("--json", *json, "one JSON object, for programs");
  flags.shared(list, "ams keys list");
  list->callback([json, &flags] { flags.code = keys_list(flags.common, *json); });

  CLI::App* show = group->add_subcommand("show", "Shows a key: id, fingerprint, words, kind, life");
  const auto args = std::make_shared<KeysShow>();
  show->add_option("who", args->who, who_help);
  show->add_flag("--json", args->json, "one JSON object, for programs");
  show->add_flag("--qr", args->qr, "and a QR code of the fingerprint, for a telephone to scan");
  flags.shared(show, "ams keys show bob@b.example --qr");
  show->callback([args, &flags] { flags.code = keys_show(flags.common, *args); });

  CLI::App* record = group->add_subcommand(
      "export-record", "Prints your public key record, for others to seal files to");
  const auto of = std::make_shared<ExportRecord>();
  record->add_option("--keys", of->keys, "of the first key in this key file");
  record->add_option("--passphrase-file", of->passphrase_file, passphrase_help);
  flags.shared(record, "ams keys export-record > alice.json");
  record->callback([of, &flags] { flags.code = export_record(flags.common, *of); });
}

void add_verify(CLI::App* group, Flags& flags) {
  CLI::App* command = group->add_subcommand(
      "verify",
      "Compares a key with a fingerprint that you got another way: read out, scanned, or on paper. "
      "Exit code 0: the same; 1: DIFFERENT; 2: not a fingerprint, or a word was misheard");
  const auto args = std::make_shared<KeysVerify>();
  command->add_option("who", args->who, who_help)->required();
  command
      ->add_option(
          "theirs", args->theirs,
          "twelve words, 64 hexadecimal digits, what the QR code says, or a file with a key "
          "record")
      ->required();
  flags.shared(command, "ams keys verify bob@b.example lusab-babad-gutih-tugad-…");
  command->callback([args, &flags] { flags.code = keys_verify(flags.common, *args); });
}

void add_files(CLI::App* group, Flags& flags) {
  CLI::App* out = group->add_subcommand(
      "export",
      "Writes all your keys into a key file, under a passphrase: a recovery file, or for a "
      "second device");
  const auto exported = std::make_shared<KeysExport>();
  out->add_option("output", exported->output, "the key file; - is standard output")->required();
  out->add_option("--passphrase-file", exported->passphrase_file, passphrase_help);
  out->add_flag("--force", exported->force, "replace a file that exists");
  flags.shared(out, "ams keys export alice.amskeys");
  out->callback([exported, &flags] { flags.code = keys_export(flags.common, *exported); });

  CLI::App* in = group->add_subcommand(
      "import",
      "Brings keys back from a key file: mail and files sealed to them open again. The key in "
      "use stays in use. A lost account comes back with `ams account add --recover`");
  const auto imported = std::make_shared<KeysImport>();
  in->add_option("file", imported->file, "the key file")->required();
  in->add_option("--passphrase-file", imported->passphrase_file, passphrase_help);
  flags.shared(in, "ams keys import old-laptop.amskeys");
  in->callback([imported, &flags] { flags.code = keys_import(flags.common, *imported); });
}

void add_changes(CLI::App* group, Flags& flags) {
  CLI::App* rotate = group->add_subcommand(
      "rotate",
      "Changes the account's key: sends what is sealed, associates the new key with the next "
      "version, and says in the directory which key follows. Old keys keep opening old mail");
  const auto rotated = std::make_shared<KeysRotate>();
  rotate->add_option("--profile", rotated->profile, "kind of keys")
      ->check(CLI::IsMember(profile_names()))
      ->capture_default_str();
  rotate->add_option("--days", rotated->days, "how long it is valid")
      ->check(CLI::Range(1, key_days_max))
      ->capture_default_str();
  rotate->add_option("--keys", rotated->file,
                     "the first key of this key file instead of a new one");
  rotate->add_option("--passphrase-file", rotated->passphrase_file, passphrase_help);
  flags.shared(rotate, "ams keys rotate --profile rsa3072");
  rotate->callback([rotated, &flags] { flags.code = keys_rotate(flags.common, *rotated); });

  CLI::App* revoke = group->add_subcommand(
      "revoke",
      "Ends a key of yours for ever, for everybody: publishes the revocation that was signed "
      "when the key was made");
  const auto revoked = std::make_shared<KeysRevoke>();
  revoke->add_option("key", revoked->key, "its id, from `ams keys list`")->required();
  revoke->add_option(
      "--print", revoked->output,
      "write the revocation into this file and publish nothing: whoever has the file "
      "can end the key, and can do nothing else");
  revoke->add_flag("--yes", revoked->sure, "do not ask");
  flags.shared(revoke, "ams keys revoke 2f1c8f5e-8b1d-8c3a-9d2e-5f6a7b8c9d0e");
  revoke->callback([revoked, &flags] { flags.code = keys_revoke(flags.common, *revoked); });
}

void add_card(CLI::App* group, Flags& flags) {
  CLI::App* command = group->add_subcommand("card",
                                            "Says something of yourself beside your key, for "
                                            "anyone to read; nobody verifies it. It takes "
                                            "the place of what you said before");
  const auto args = std::make_shared<KeysCard>();
  command->add_option("--name", args->name, "what you are called");
  command->add_option("--email", args->email, "an address, as text");
  command->add_option("--org", args->org, "where you belong");
  command->add_option("--desc", args->desc, "anything else; may have several lines");
  command->add_flag("--erase", args->erase,
                    "take it back: directories drop it, and keep no more than that there was one");
  flags.shared(command, "ams keys card --name 'Alice A.'");
  command->callback([args, &flags] { flags.code = keys_card(flags.common, *args); });
}

void add_redirect(CLI::App* group, Flags& flags) {
  CLI::App* command = group->add_subcommand(
      "redirect",
      "Leads letters for your address to others: `forward ADDR`, `alias ADDR` (of your domain), "
      "`group ADDR…`; or with `key` back to you. Your key signs it into the domain's binding log, "
      "so that senders need not take the server's word");
  const auto args = std::make_shared<KeysRedirect>();
  command->add_option("type", args->type, "where it leads")
      ->required()
      ->check(CLI::IsMember({"forward", "alias", "group", "key"}));
  command->add_option("to", args->to, "addresses");
  flags.shared(command, "ams keys redirect forward carol@c.example");
  command->callback([args, &flags] { flags.code = keys_redirect(flags.common, *args); });
}

}  // namespace

void add_keys_commands(CLI::App& app, Flags& flags) {
  CLI::App* group = app.add_subcommand("keys", about_keys);
  group->require_subcommand(1);
  add_create(group, flags);
  add_views(group, flags);
  add_verify(group, flags);
  add_files(group, flags);
  add_changes(group, flags);
  add_card(group, flags);
  add_redirect(group, flags);
  CLI::App* lookup = group->add_subcommand(
      "lookup",
      "Asks for the key of an address as a sender does, verifies it, and shows it with "
      "version, custody and the domain's policy. Exit code 1 too when it is another one than "
      "you compared");
  const auto addr = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>();
  lookup->add_option("addr", *addr, "the address")->required();
  lookup->add_flag("--json", *json, "one JSON object, for programs");
  flags.shared(lookup, "ams keys lookup bob@b.example");
  CLI::App* evidence = group->add_subcommand(
      "evidence",
      "Judges a file that a warning named: whether it shows anyone that its domain lied about a "
      "key. Exit code 1 when it shows nothing");
  const auto file = std::make_shared<std::string>();
  evidence->add_option("file", *file, "blie/1, as the warning or a mail brought it")->required();
  flags.shared(evidence, "ams keys evidence ~/.ams/alarm-0123456789ab.json");
  evidence->callback([file, &flags] { flags.code = keys_evidence(flags.common.home, *file); });
  lookup->callback([addr, json, &flags] { flags.code = keys_lookup(flags.common, *addr, *json); });
}

}  // namespace ams::cli
