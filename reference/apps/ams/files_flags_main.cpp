// The command line of `ams seal` and `ams open`.
#include <memory>

#include "ams_cli/flags.h"
#include "ams_cli/sealing.h"

namespace ams::cli {
namespace {

constexpr const char* keys_help =
    "seal and open with the keys of this key file: needs no account on this device";
constexpr const char* keys_passphrase_help =
    "file whose first line is the passphrase of --keys (- is standard input)";

void add_seal(CLI::App& app, Flags& flags) {
  const auto args = std::make_shared<SealFiles>();
  CLI::App* command = app.add_subcommand(
      "seal", "Seals files for others and for yourself: FILE becomes FILE.ams. Asks no server");
  command->add_option("files", args->files, "what to seal; - is standard input")->required();
  command->add_option("--to", args->to,
                      "a reader: an address that this device knows, or a file with a key "
                      "record; may be repeated");
  command->add_option("-o,--output", args->output, "another name; - is standard output");
  command->add_option("--aead", args->aead, "the cipher")
      ->check(CLI::IsMember({"a256gcm", "c20p1305"}))
      ->capture_default_str();
  command->add_flag("--force", args->force, "replace a file that exists");
  flags.shared(command, "ams seal --to bob@b.example --to carol.json report.pdf");
  command->add_option("--keys", args->keys, keys_help);
  command->add_option("--passphrase-file", args->passphrase_file, keys_passphrase_help);
  command->callback([args, &flags] { flags.code = seal_files(flags.common, *args); });
}

void add_open(CLI::App& app, Flags& flags) {
  const auto args = std::make_shared<OpenFiles>();
  CLI::App* command = app.add_subcommand(
      "open", "Opens sealed files and verifies who sealed them: FILE.ams becomes FILE");
  command->add_option("files", args->files, "what to open; - is standard input")->required();
  command->add_option("--from", args->from,
                      "who must have sealed it: an address that this device knows, or a file "
                      "with a key record");
  command->add_option("-o,--output", args->output,
                      "another name; - is standard output, with --unverified-stream only");
  command->add_flag("--force", args->force, "replace a file that exists");
  command->add_flag("--unverified-stream", args->unverified_stream,
                    "write to a pipe while the sender's signature is not verified yet: only "
                    "exit code 0 says that what was written is right");
  flags.shared(command, "ams open --from alice@a.example report.pdf.ams");
  command->add_option("--keys", args->keys, keys_help);
  command->add_option("--passphrase-file", args->passphrase_file, keys_passphrase_help);
  command->callback([args, &flags] { flags.code = open_files(flags.common, *args); });
}

}  // namespace

void add_file_commands(CLI::App& app, Flags& flags) {
  add_seal(app, flags);
  add_open(app, flags);
}

}  // namespace ams::cli
