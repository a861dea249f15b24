// `ams account add`: an account on this device, with new keys or with those of a recovery file.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "ams_cli/commands.h"
#include "ams_cli/home.h"
#include "ams_cli/key_book.h"
#include "ams_cli/new_keys.h"
#include "ams_cli/recovery.h"
#include "ams_cli/runner.h"
#include "ams_cli/terminal.h"
#include "net/dns.h"
#include "net/entropy.h"
#include "wire/address.h"

namespace ams::cli {
namespace {

std::optional<Hash> parse_token(const std::string& text) {
  const auto raw = text.size() == 64 ? from_hex(text) : from_base64url(text);
  return raw ? to_array<32>(*raw) : std::nullopt;
}

std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

/// What the account starts with: pairs of a recovery file, or none yet.
using Recovered = std::optional<keyfile::Contents>;

tl::expected<Recovered, int> read_recovery(const AccountAdd& args) {
  if (args.recover.empty()) return Recovered();
  auto contents = open_key_file(args.recover, args.passphrase_file);
  if (!contents) return tl::unexpected<int>(say(contents.error()));
  if (!contents->addr.empty() && contents->addr != args.addr)
    return tl::unexpected<int>(
        say(exit_bad_input, args.recover + " has the keys of " + contents->addr));
  return Recovered(std::move(*contents));
}

/// The pair to enrol with. A recovered one that has expired only opens old mail (KEY-7).
Result<std::optional<keys::KeyPair>> first_pair(const AccountAdd& args, Recovered& recovered,
                                                Instant now) {
  if (recovered && recovered->pairs.front().pair.record.valid_at(now)) {
    std::optional<keys::KeyPair> out(std::move(recovered->pairs.front().pair));
    recovered->pairs.erase(recovered->pairs.begin());
    return out;
  }
  if (args.profile == "modern") return std::optional<keys::KeyPair>();  // the client makes it
  AMS_TRY(auto pair, make_profile_pair(args.profile, to_unix_ms(now)));
  return std::optional<keys::KeyPair>(std::move(pair));
}

int enrol(Runner& runner, const AccountAdd& args, const Hash& token,
          std::optional<keys::KeyPair> pair, std::optional<client::AccountReady>& ready) {
  progress("enrolling …");
  runner.client().enrol(token, std::move(pair), runner.now());
  std::optional<Error> refused, no_store_keys;
  const auto ended = runner.run([&](const client::Report& report) {
    if (const auto* done = std::get_if<client::AccountReady>(&report)) ready = *done;
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    // A key store that has nothing for us yet, or is not there: an administrator's turn.
    if (failed && failed->what == "adopt") no_store_keys = failed->why;
    if (failed && !code_info(failed->why.code).temporary) refused = failed->why;
    return ready || refused || no_store_keys;
  });
  end_progress();
  if (no_store_keys)
    return say(code_info(no_store_keys->code).temporary ? exit_unreachable : exit_refused,
               args.addr + ": enrolled; its keys are the domain's key store's, which says " +
                   explain(*no_store_keys) +
                   ". Give the administrator what `ams keystore device` prints, name the store "
                   "with `ams keystore use`, and run this again");
  if (refused) return say(exit_refused, args.addr + ": refused: " + explain(*refused));
  if (!ready) return say(exit_unreachable, ended.value_or("no answer"));
  return exit_ok;
}

/// Where a recovery file is wished for, by flag or by somebody at the terminal.
int write_recovery(const Home& home, const AccountAdd& args, const KeyBook& book) {
  const std::string path =
      args.recovery.empty() ? (std::filesystem::path(home.folder()) / "recovery.amskeys").string()
                            : args.recovery;
  const auto passphrase =
      read_passphrase(args.recovery.empty() ? "" : args.passphrase_file,
                      "A passphrase for the recovery file " + path, Passphrase::new_one);
  if (!passphrase) {
    const int code = args.recovery.empty() ? exit_ok : exit_bad_input;  // asked for by nobody
    return say(code, passphrase.error() + "; `ams keys export FILE` makes a recovery file later");
  }
  const auto written =
      write_key_file({path, false}, home.settings().addr, book.own_pairs(), *passphrase);
  if (!written) return say(exit_bad_input, written.error());
  fmt::print("{} brings the account back: keep it, and its passphrase, elsewhere.\n", path);
  return exit_ok;
}

}  // namespace

int account_add(const Common& common, const AccountAdd& args) {
  if (!wire::parse_address(args.addr))
    return say(exit_bad_input, args.addr + ": expected local@domain in lower case");
  const auto token = parse_token(args.token);
  if (!token)
    return say(exit_bad_input, "--token: expected 43 characters of base64url or 64 of hex");
  for (const std::string& server : args.name_servers) {
    if (net::is_name_server(server)) continue;
    return say(
        exit_bad_input,
        "--name-server: expected an IP address with or without a port, found \"" + server + "\"");
  }
  auto recovered = read_recovery(args);
  if (!recovered) return recovered.error();
  auto home = Home::create(common.home, Settings{args.addr, absolute(args.hosts_file),
                                                 absolute(args.ca_file), args.name_servers});
  if (!home) return say(exit_bad_input, home.error());
  std::optional<client::AccountReady> ready;
  bool of_key_store = false;
  {
    auto runner = Runner::make(*home, RunnerOptions{common.verbose});
    if (!runner) return say(exit_bad_input, runner.error());
    if ((*runner)->client().ready())
      return say(exit_bad_input, args.addr + " is set up here already");
    auto pair = first_pair(args, *recovered, (*runner)->now());
    if (!pair) return say(exit_refused, "cannot make keys: " + explain(pair.error()));
    const int code = enrol(**runner, args, *token, std::move(*pair), ready);
    if (code != exit_ok) return code;
    const keys::KeyRecord* used = (*runner)->client().key_record();
    of_key_store = used && used->custody() == keys::Custody::corporate;
  }
  const auto book = KeyBook::open(home->storage(), args.addr);
  if (!book) return say(exit_bad_input, book.error());
  if (*recovered) {
    const auto imported = import_pairs(home->storage(), *book, **recovered);
    if (!imported) return say(exit_bad_input, imported.error());
  }
  fmt::print("{} is ready. Its key is {}.\n", args.addr, to_uuid_text(ready->key.kid));
  // Of a key that is the domain's there is nothing here to recover.
  if (of_key_store && !args.recovery.empty())
    return say(exit_bad_input,
               "--recovery: the account's keys are in the domain's key store, not "
               "here; no recovery file was written");
  if (of_key_store) {
    fmt::print(
        "Its keys are in the domain's key store; what is in {} opens it: this device's "
        "own key.\n",
        home->folder());
    return exit_ok;
  }
  if (!args.recovery.empty() || (has_terminal() && !*recovered))
    return write_recovery(*home, args, *book);
  fmt::print(
      "The private keys are in {} and nowhere else: `ams keys export FILE` makes a recovery "
      "file.\n",
      home->folder());
  return exit_ok;
}

int account_witnesses(const Common& common, const AccountWitnesses& args) {
  auto home = Home::open(common.home);
  if (!home) return say(exit_bad_input, home.error());
  for (const std::string& domain : args.from)
    if (!wire::is_domain(domain))
      return say(exit_bad_input,
                 "--from: expected a domain in lower case, found \"" + domain + "\"");
  if (args.count < 0 && !args.from.empty())
    return say(exit_bad_input, "--from: say first how many of them must have cosigned");
  if (!args.from.empty() && args.count > static_cast<std::int64_t>(args.from.size()))
    return say(exit_bad_input, "no letter would ever leave: fewer domains are named than demanded");
  if (args.count >= 0)
    if (const auto set = home->set_witnesses(args.count, args.from); !set)
      return say(exit_bad_input, set.error());
  const Settings& settings = home->settings();
  if (settings.log_witnesses == 0) {
    fmt::print("no witnesses are demanded\n");
    return exit_ok;
  }
  std::string whose = "the full directory peers that your server names";
  if (!settings.witnesses.empty()) whose = fmt::format("{}", fmt::join(settings.witnesses, ", "));
  fmt::print("{} of {} must have cosigned a domain's binding log\n", settings.log_witnesses, whose);
  return exit_ok;
}

}  // namespace ams::cli
