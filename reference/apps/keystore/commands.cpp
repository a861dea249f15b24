#include "keystore_cli/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <iterator>

#include "ams_cli/home.h"
#include "keystore_cli/desk.h"
#include "keystore_net/https_server.h"
#include "wire/address.h"

namespace ams::keystore_cli {
namespace {

using cli::exit_bad_input;
using cli::exit_ok;
using cli::exit_refused;
using cli::exit_unreachable;

constexpr std::int64_t day_ms = 86'400'000;

int complain(int code, const std::string& what) {
  fmt::print(stderr, "ams keystore: {}\n", what);
  return code;
}

int refused(const Error& why) {
  const CodeInfo& info = code_info(why.code);
  return complain(info.temporary ? exit_unreachable : exit_refused,
                  fmt::format("{}: {} ({})", info.name, why.where, info.clause));
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
/// Others' clocks may be behind.
std::int64_t start_ms() { return now_ms() - 600'000; }

/// Asks, and lets `show` print the answer.
template <class T, class Show>
int answered(const Common& common, const keystore::Args& args, Show show) {
  const auto desk = Desk::open(common.place, common.home);
  if (!desk) return complain(exit_bad_input, desk.error());
  const auto ok = (*desk)->ask(args);
  if (!ok) return refused(ok.error());
  show(std::get<T>(*ok));
  return exit_ok;
}

void print_value(const wire::Value& value) { fmt::print("{}\n", as_text(wire::encode(value))); }

std::optional<keystore::Device> parse_device(const std::string& text) {
  const auto comma = text.find(',');
  const auto sk = from_base64url(text.substr(0, comma));
  keystore::Device out;
  if (!sk || sk->size() != out.sk.size()) return std::nullopt;
  out.sk = *to_array<32>(*sk);
  if (comma == std::string::npos) return out;
  const auto ek = from_base64url(text.substr(comma + 1));
  if (!ek || ek->size() != 32) return std::nullopt;
  out.ek = to_array<32>(*ek);
  return out;
}

std::string scope_words(const keystore::Scope& scope) {
  if (scope.addr) return *scope.addr;
  return scope.group ? "group " + *scope.group : "all members";
}

std::string day_of(std::int64_t ms) {
  const auto days = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms)));
  const std::chrono::year_month_day date(days);
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

}  // namespace

int init(const Common& common, const Init& options) {
  if (const auto what = keystore_net::misfit(common.place); !what.empty())
    return complain(exit_bad_input, what);
  if (!common.place.local()) return complain(exit_bad_input, "--dir: expected a folder here");
  if (!wire::is_domain(options.domain))
    return complain(exit_bad_input, options.domain + ": expected a domain like corp.example");
  if (options.module.empty() != options.token.empty())
    return complain(exit_bad_input, "--module and --token: expected both or neither");
  auto unlock = keystore_net::unlock_of(common.place);
  if (!unlock) return complain(exit_bad_input, unlock.error());
  keystore::LockHead head{options.domain, {}, {}};
  if (!options.module.empty()) {
    head.module = options.module;
    head.token = options.token;
  }
  const auto made = keystore_net::LocalStore::create(
      {common.place.folder, common.place.pin_file, {}}, head, *unlock);
  if (!made) return complain(exit_bad_input, made.error());
  fmt::print("{}: the key store of {}\n", common.place.folder, options.domain);
  return exit_ok;
}

int change_passphrase(const Common& common, const std::string& passphrase_file,
                      const std::string& key_file) {
  if (const auto what = keystore_net::misfit(common.place); !what.empty())
    return complain(exit_bad_input, what);
  if (!common.place.local()) return complain(exit_bad_input, "--dir: expected a folder here");
  if (passphrase_file.empty() == key_file.empty())
    return complain(exit_bad_input, "--new-passphrase-file or --new-key-file: expected one");
  keystore_net::Place next = common.place;
  next.passphrase_file = passphrase_file;
  next.key_file = key_file;
  const auto before = keystore_net::unlock_of(common.place);
  if (!before) return complain(exit_bad_input, before.error());
  const auto after = keystore_net::unlock_of(next);
  if (!after) return complain(exit_bad_input, after.error());
  const auto done =
      keystore_net::LocalStore::relock({common.place.folder, {}, {}}, *before, *after);
  if (!done) return complain(exit_bad_input, done.error());
  fmt::print("{}: opened by {} from now on\n", common.place.folder,
             passphrase_file.empty() ? key_file : "the passphrase in " + passphrase_file);
  return exit_ok;
}

int serve(const Common& common, const Serve& options) {
  if (const auto what = keystore_net::misfit(common.place); !what.empty())
    return complain(exit_bad_input, what);
  if (!common.place.local()) return complain(exit_bad_input, "--dir: expected a folder here");
  const auto unlock = keystore_net::unlock_of(common.place);
  if (!unlock) return complain(exit_bad_input, unlock.error());
  const auto store =
      keystore_net::LocalStore::open({common.place.folder, common.place.pin_file, {}}, *unlock);
  if (!store) return complain(exit_bad_input, store.error());
  keystore_net::HttpsServerOptions http;
  const auto colon = options.listen.rfind(':');
  const std::string port = colon == std::string::npos ? "" : options.listen.substr(colon + 1);
  if (port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65'535)
    return complain(exit_bad_input, options.listen + ": expected IP:port, as in 127.0.0.1:7748");
  http.host = options.listen.substr(0, colon);
  http.port = static_cast<std::uint16_t>(std::stoi(port));
  http.ca_file = options.ca_file;
  http.certificate_file = options.certificate_file;
  http.key_file = options.key_file;
  net::Loop loop;
  const auto server = keystore_net::HttpsServer::listen(
      loop, http, [&](ByteView request) { return (*store)->ask(request); });
  if (!server) return complain(exit_bad_input, server.error());
  loop.on_stop_signal([&loop](int) { loop.stop(); });
  fmt::print("listening {}\n", (*server)->port());
  std::fflush(stdout);
  loop.run();
  return exit_ok;
}

int create(const Common& common, const Create& options) {
  keystore::CreateArgs args;
  if (!options.addr.empty()) args.scope.addr = options.addr;
  if (!options.group.empty()) args.scope.group = options.group;
  if (args.scope.addr && !wire::parse_address(options.addr))
    return complain(exit_bad_input, options.addr + ": expected an address like alice@corp.example");
  if (args.scope.group && !keys::is_group(options.group))
    return complain(exit_bad_input, options.group + ": expected a group's name of [a-z0-9-]");
  args.profile = *keystore::find_profile(options.profile);
  args.exportable = options.exportable;
  args.nbf = start_ms();
  args.exp = args.nbf + options.days * day_ms;
  return answered<keystore::Made>(common, args,
                                  [](const keystore::Made& made) { print_value(made.record); });
}

int rotate(const Common& common, const std::string& kid, int days) {
  const auto id = from_uuid_text(kid);
  if (!id) return complain(exit_bad_input, kid + ": expected a key's id, from `ams keystore list`");
  const std::int64_t nbf = start_ms();
  return answered<keystore::Made>(common, keystore::RotateArgs{nbf + days * day_ms, *id, nbf},
                                  [](const keystore::Made& made) { print_value(made.record); });
}

int list_keys(const Common& common) {
  const auto desk = Desk::open(common.place, common.home);
  if (!desk) return complain(exit_bad_input, desk.error());
  keystore::ListArgs args;
  while (true) {
    const auto ok = (*desk)->ask(args);
    if (!ok) return refused(ok.error());
    const auto& page = std::get<keystore::Listed>(*ok);
    for (const keystore::ListedKey& key : page.keys) {
      const auto record = keys::KeyRecord::parse(key.record);
      if (!record) return refused(record.error());
      fmt::print("{}  {:<8} until {}  {:<10} {}\n", to_uuid_text(record->id().kid),
                 key.retired ? "rotated" : "current", day_of(record->exp()),
                 crypto::name(record->encryption().kem()), scope_words(key.scope));
      args.after = record->id().kid;
    }
    if (!page.more || page.keys.empty()) return exit_ok;
  }
}

int list_members(const Common& common) {
  const auto desk = Desk::open(common.place, common.home);
  if (!desk) return complain(exit_bad_input, desk.error());
  const auto members = (*desk)->members();
  if (!members) return refused(members.error());
  for (const keystore::MemberRow& row : *members) {
    std::string words;
    for (const keystore::Purpose purpose : row.member.purposes)
      words += fmt::format(" {}", keystore::name(purpose));
    for (const std::string& group : row.member.groups) words += " group:" + group;
    fmt::print("{:<32} {:<8} until {}  {} devices {}{}\n", row.member.addr,
               row.revoked ? "revoked" : "member", day_of(row.member.exp),
               row.member.devices.size(), row.member.admin ? " admin" : "", words);
  }
  return exit_ok;
}

int grant(const Common& common, const Grant& options) {
  keystore::Member member;
  member.addr = options.addr;
  if (!wire::parse_address(options.addr))
    return complain(exit_bad_input, options.addr + ": expected an address like alice@corp.example");
  member.admin = options.admin;
  member.exp = now_ms() + options.days * day_ms;
  for (const std::string& text : options.devices) {
    const auto device = parse_device(text);
    if (!device)
      return complain(exit_bad_input, text + ": expected what `ams keystore device` prints");
    member.devices.push_back(*device);
  }
  std::sort(member.devices.begin(), member.devices.end(),
            [](const auto& a, const auto& b) { return a.sk < b.sk; });
  member.groups = options.groups;
  std::sort(member.groups.begin(), member.groups.end());
  for (const std::string& each : options.purposes)
    member.purposes.push_back(*keystore::find_purpose(each));
  std::sort(member.purposes.begin(), member.purposes.end(),
            [](auto a, auto b) { return keystore::name(a) < keystore::name(b); });
  member.purposes.erase(std::unique(member.purposes.begin(), member.purposes.end()),
                        member.purposes.end());
  for (const std::string& group : member.groups)
    if (!keys::is_group(group))
      return complain(exit_bad_input, group + ": expected a group's name of [a-z0-9-]");
  return answered<keystore::Granted>(common, keystore::GrantArgs{member}, [](const auto& granted) {
    fmt::print("{} may use the key store\n", granted.addr);
  });
}

int revoke(const Common& common, const std::string& addr) {
  return answered<keystore::Revoked>(common, keystore::RevokeArgs{addr}, [](const auto& revoked) {
    fmt::print("{} has no access any more\n", revoked.addr);
    for (const Id16& kid : revoked.kids) fmt::print("rotate {}\n", to_uuid_text(kid));
  });
}

int rewrap(const Common& common, const std::string& from, const std::string& to) {
  const auto from_kid = from_uuid_text(from);
  const auto to_kid = from_uuid_text(to);
  if (!from_kid || !to_kid)
    return complain(exit_bad_input,
                    "--from and --to: expected keys' ids, from `ams keystore list`");
  const Bytes text((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  auto items = wire::decode(text);
  // Judged like a request's args: what is wrong has the code that the store would answer with.
  const auto args = items
                        ? keystore::parse_args(
                              "rewrap", wire::Object{{"kid", from}, {"to", to}, {"items", *items}})
                        : Result<keystore::Args>(fail(items.error().code, "items"));
  if (!args)
    return complain(exit_bad_input,
                    fmt::format("standard input: {}: {}; expected the items of KST-11",
                                args.error().where, code_info(args.error().code).name));
  return answered<keystore::Rewrapped>(common, *args, [](const keystore::Rewrapped& rewrapped) {
    wire::Array out;
    for (const auto& each : rewrapped.items) {
      if (const auto* stanza = std::get_if<keystore::Rewrapped::Stanza>(&each))
        out.push_back(
            wire::Object{{"enc", to_base64url(stanza->enc)}, {"wk", to_base64url(stanza->wk)}});
      else
        out.push_back(wire::Object{{"code", std::get<std::string>(each)}});
    }
    print_value(out);
  });
}

}  // namespace ams::keystore_cli
