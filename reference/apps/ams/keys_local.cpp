#include "ams_cli/keys_local.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ams_cli/files.h"
#include "ams_cli/home.h"
#include "ams_cli/key_book.h"
#include "ams_cli/key_view.h"
#include "ams_cli/new_keys.h"
#include "ams_cli/recovery.h"
#include "ams_cli/runner.h"
#include "ams_cli/terminal.h"
#include "client/tables.h"
#include "keys/fingerprint.h"
#include "wire/address.h"

namespace ams::cli {
namespace {

struct Account {
  Home home;
  KeyBook book;
};
tl::expected<Account, std::string> open_account(const Common& common) {
  auto home = Home::open(common.home);
  if (!home) return tl::unexpected<std::string>(home.error());
  auto book = KeyBook::open(home->storage(), home->settings().addr);
  if (!book) return tl::unexpected<std::string>(book.error());
  return Account{std::move(*home), std::move(*book)};
}

/// A file of somebody's key record needs no account here.
bool names_a_file(const std::string& who) {
  return !who.empty() && (who.find('/') != std::string::npos ||
                          (who.find('@') == std::string::npos && access(who.c_str(), R_OK) == 0));
}

/// The key that `who` means, as it is shown.
tl::expected<KeyView, std::string> find_view(const Common& common, const std::string& who) {
  if (names_a_file(who)) {
    auto record = read_record(who);
    if (!record) return tl::unexpected<std::string>(record.error());
    return KeyView{std::move(*record), "", Whose::others, {}};
  }
  auto account = open_account(common);
  if (!account) return tl::unexpected<std::string>(account.error());
  const auto found = account->book.find(who.empty() ? account->home.settings().addr : who);
  if (!found) return tl::unexpected<std::string>(found.error());
  return account->book.view_of(**found);
}

}  // namespace

int keys_create(const Common&, const KeysCreate& args) {
  if (!args.addr.empty() && !wire::parse_address(args.addr))
    return say(exit_bad_input, args.addr + ": expected local@domain in lower case");
  const auto passphrase =
      read_passphrase(args.passphrase_file, "A passphrase for " + args.output, Passphrase::new_one);
  if (!passphrase) return say(exit_bad_input, passphrase.error());
  const auto pair = make_profile_pair(args.profile, now_ms(), args.days);
  if (!pair) return say(exit_refused, "cannot make keys: " + explain(pair.error()));
  const auto written = write_key_file({args.output, args.force}, args.addr, {&*pair}, *passphrase);
  if (!written) return say(exit_bad_input, written.error());
  fmt::print("{}: key {}\n", args.output, to_uuid_text(pair->record.id().kid));
  return exit_ok;
}

int keys_list(const Common& common, bool json) {
  auto account = open_account(common);
  if (!account) return say(exit_bad_input, account.error());
  wire::Array list;
  for (const KeyView& view : account->book.own_views()) {
    if (json) {
      list.push_back(json_of(view));
    } else {
      fmt::print("{}\n", line_of(view));
    }
  }
  if (json)
    fmt::print("{}\n", as_text(wire::encode(wire::Object{{"addr", account->home.settings().addr},
                                                         {"keys", std::move(list)}})));
  return exit_ok;
}

int keys_show(const Common& common, const KeysShow& args) {
  const auto view = find_view(common, args.who);
  if (!view) return say(exit_bad_input, view.error());
  if (args.json) {
    fmt::print("{}\n", as_text(wire::encode(json_of(*view))));
  } else {
    fmt::print("{}", text_of(*view));
  }
  if (args.qr) fmt::print("{}", qr_of(*view));
  return exit_ok;
}

int keys_verify(const Common& common, const KeysVerify& args) {
  const auto view = find_view(common, args.who);
  if (!view) return say(exit_bad_input, view.error());
  std::string theirs;
  for (const std::string& each : args.theirs) theirs += (theirs.empty() ? "" : " ") + each;
  Result<keys::PartialFingerprint> said = keys::read_fingerprint(theirs);
  if (!said && names_a_file(theirs)) {
    const auto record = read_record(theirs);
    if (!record) return say(exit_bad_input, record.error());
    said = keys::PartialFingerprint{to_bytes(ByteView(record->id().fp))};
  }
  if (!said && said.error().code == Code::fp_words)
    return say(exit_bad_input,
               "a word is mistyped or was misheard: the last one does not follow from the others");
  if (!said)
    return say(
        exit_bad_input,
        "expected twelve words, 64 hexadecimal digits, what the QR code says, or a file with a "
        "key record");
  const bool same = said->matches(view->record.id().fp);
  const std::string whose = view->addr.empty() ? args.who : view->addr;
  if (!same) {
    fmt::print("DIFFERENT: this is not the key known here for {}\n", whose);
    return exit_refused;
  }
  if (!view->addr.empty() && view->whose == Whose::others) {
    auto home = Home::open(common.home);
    if (!home) return say(exit_bad_input, home.error());
    if (!remember_verified(home->storage(), view->addr, view->record.id(), now_ms()))
      return say(exit_bad_input, home->folder() + " cannot be written");
  }
  fmt::print("the same key: {}\n", whose);
  return exit_ok;
}

int keys_export(const Common& common, const KeysExport& args) {
  auto account = open_account(common);
  if (!account) return say(exit_bad_input, account.error());
  const auto passphrase =
      read_passphrase(args.passphrase_file, "A passphrase for " + args.output, Passphrase::new_one);
  if (!passphrase) return say(exit_bad_input, passphrase.error());
  const std::vector<const keys::KeyPair*> pairs = account->book.own_pairs();
  const auto written =
      write_key_file({args.output, args.force}, account->home.settings().addr, pairs, *passphrase);
  if (!written) return say(exit_bad_input, written.error());
  fmt::print(stderr, "{}: {} key{}, {} in use\n", args.output, pairs.size(),
             pairs.size() == 1 ? "" : "s", to_uuid_text(pairs.front()->record.id().kid));
  return exit_ok;
}

int keys_import(const Common& common, const KeysImport& args) {
  auto account = open_account(common);
  if (!account) return say(exit_bad_input, account.error());
  const auto contents = open_key_file(args.file, args.passphrase_file);
  if (!contents) return say(contents.error());
  const std::string& addr = account->home.settings().addr;
  if (!contents->addr.empty() && contents->addr != addr)
    return say(exit_bad_input, args.file + " has the keys of " + contents->addr);
  const auto imported = import_pairs(account->home.storage(), account->book, *contents);
  if (!imported) return say(exit_bad_input, imported.error());
  fmt::print("{}: {} new, {} known already\n", args.file, *imported,
             contents->pairs.size() - *imported);
  const keys::KeyId theirs = contents->pairs.front().pair.record.id();
  if (theirs != account->book.own().record.id())
    fmt::print("{} was in use there; here it opens mail, and {} stays in use\n",
               to_uuid_text(theirs.kid), to_uuid_text(account->book.own().record.id().kid));
  return exit_ok;
}

int export_record(const Common& common, const ExportRecord& args) {
  if (!args.keys.empty()) {
    const auto contents = open_key_file(args.keys, args.passphrase_file);
    if (!contents) return say(contents.error());
    fmt::print("{}\n", as_text(wire::encode(contents->pairs.front().pair.record.value())));
    return exit_ok;
  }
  const auto account = open_account(common);
  if (!account) return say(exit_bad_input, account.error());
  fmt::print("{}\n", as_text(wire::encode(account->book.own().record.value())));
  return exit_ok;
}

}  // namespace ams::cli
