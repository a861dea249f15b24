#include "ams_cli/keys_online.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <optional>

#include "ams_cli/key_book.h"
#include "ams_cli/new_keys.h"
#include "ams_cli/online.h"
#include "ams_cli/recovery.h"
#include "ams_cli/terminal.h"
#include "client/tables.h"
#include "keys/lineage.h"
#include "net/entropy.h"
#include "wire/address.h"

namespace ams::cli {
namespace {

/// What became of a command: done, refused for good, or neither while the server could be reached.
struct Outcome {
  bool done = false;
  std::optional<Error> refused;
};
int exit_of(const Outcome& outcome, const std::optional<std::string>& ended,
            const std::string& what, const std::string& kept) {
  end_progress();
  if (outcome.refused) return say(exit_refused, what + ": " + explain(*outcome.refused));
  if (outcome.done) return exit_ok;
  return say(exit_unreachable, ended.value_or("no answer") + kept);
}

struct Awaited {
  Outcome outcome;
  std::optional<std::string> ended;
};
Awaited await_published(Online& online, const wire::Value& object) {
  Awaited out;
  out.ended = online.runner->run([&](const client::Report& report) {
    const auto* told = std::get_if<client::Published>(&report);
    if (!told || told->object != object) return false;
    out.outcome.done = told->outcome.has_value();
    if (!told->outcome) out.outcome.refused = told->outcome.error();
    return true;
  });
  return out;
}

tl::expected<keys::KeyPair, int> next_pair(const KeysRotate& args) {
  if (!args.file.empty()) {
    auto contents = open_key_file(args.file, args.passphrase_file);
    if (!contents) return tl::unexpected<int>(say(contents.error()));
    return std::move(contents->pairs.front().pair);
  }
  auto pair = make_profile_pair(args.profile, now_ms(), args.days);
  if (!pair)
    return tl::unexpected<int>(say(exit_refused, "cannot make keys: " + explain(pair.error())));
  return std::move(*pair);
}

/// A revocation and the record it ends.
struct Revocation {
  keys::KeyRecord record;
  wire::Value value;
};
tl::expected<Revocation, std::string> find_revocation(Online& online, const std::string& key) {
  const auto book = KeyBook::open(online.home.storage(), online.home.settings().addr);
  if (!book) return tl::unexpected<std::string>(book.error());
  for (const keys::KeyPair* pair : book->own_pairs()) {
    if (to_uuid_text(pair->record.id().kid) != key) continue;
    auto kept = client::read_revocation(online.home.storage(), pair->record.id());
    if (kept && *kept && keys::verify_revocation(**kept, pair->record))
      return Revocation{pair->record, std::move(**kept)};
    auto made = keys::make_revocation(*pair);  // of a pair older than this habit
    if (!made) return tl::unexpected<std::string>(explain(made.error()));
    return Revocation{pair->record, std::move(*made)};
  }
  return tl::unexpected<std::string>(
      key + ": no key of this account; `ams keys list` shows them with their ids");
}

bool is_sure(const KeysRevoke& args, const keys::KeyRecord& record) {
  if (args.sure) return true;
  if (!has_terminal()) return false;
  fmt::print(stderr, "Nobody will seal to {} any more, for ever. Type its first eight characters: ",
             to_uuid_text(record.id().kid));
  std::string typed;
  std::getline(std::cin, typed);
  return typed == to_uuid_text(record.id().kid).substr(0, 8);
}

wire::Value json_of(const client::Correspondent& found, const KeyView& view,
                    const keys::Binding& binding) {
  wire::Value out = json_of(view);
  out.as_object().emplace("version", binding.version);
  out.as_object().emplace(
      "policy", keys::name(keys::policy_at(found.chain->record, from_unix_ms(now_ms())).mode));
  out.as_object().emplace("binding_custody", keys::name(binding.custody));
  return out;
}

std::optional<bindlog::Type> type_of(const std::string& name) {
  for (const auto type :
       {bindlog::Type::key, bindlog::Type::alias, bindlog::Type::group, bindlog::Type::forward})
    if (bindlog::name(type) == name) return type;
  return std::nullopt;
}

void print_redirected(const client::Redirected& done) {
  end_progress();
  if (done.to.empty()) {
    fmt::print("the address has your key again, version {}\n", done.version);
  } else {
    fmt::print("the address leads to {} now ({}, version {})\n", fmt::join(done.to, ", "),
               done.type, done.version);
    fmt::print(
        "Who looked your key up within the last hour may still write to it: that comes here. "
        "Nothing can be sent from the address until `ams keys redirect key`\n");
  }
}

/// Each step with its outcome; what failed, and where.
void print_steps(const std::vector<client::LookupStep>& steps) {
  for (const client::LookupStep& step : steps) {
    if (step.outcome) {
      fmt::print("  ok      {}\n", step.what);
    } else {
      fmt::print("  FAILED  {}: {} ({})\n", step.what, code_info(step.outcome.error().code).name,
                 step.outcome.error().where);
    }
  }
}

}  // namespace

int keys_rotate(const Common& common, const KeysRotate& args) {
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  auto pair = next_pair(args);
  if (!pair) return pair.error();
  progress("changing the key …");
  client::Client& client = (*online)->client();
  client.rotate(std::move(*pair), (*online)->runner->now());
  Outcome outcome;
  std::optional<client::KeyRotated> rotated;
  const auto ended = (*online)->runner->run([&](const client::Report& report) {
    if (const auto* done = std::get_if<client::KeyRotated>(&report)) rotated = *done;
    const auto* told = std::get_if<client::Published>(&report);
    outcome.done = outcome.done || (rotated && told);
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && failed->what == "rotate" && !code_info(failed->why.code).temporary)
      outcome.refused = failed->why;
    return outcome.done || outcome.refused.has_value();
  });
  if (rotated) {
    end_progress();
    fmt::print("the key is {} now, version {}; {} keeps opening what was sealed to it\n",
               to_uuid_text(rotated->to.kid), rotated->version, to_uuid_text(rotated->from.kid));
    fmt::print("Make a new recovery file: ams keys export FILE\n");
  }
  return exit_of(outcome, ended, "the key was not changed",
                 "; it goes on with the next `ams sync`");
}

int keys_revoke(const Common& common, const KeysRevoke& args) {
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  const auto revocation = find_revocation(**online, args.key);
  if (!revocation) return say(exit_bad_input, revocation.error());
  if (!args.output.empty()) {
    auto file = NewFile::create(args.output, false);
    if (!file) return say(exit_bad_input, file.error().what);
    Bytes text = wire::encode(revocation->value);
    text.push_back('\n');
    if (!file->write(text) || !file->commit())
      return say(exit_bad_input, args.output + ": cannot write");
    return exit_ok;
  }
  if (!is_sure(args, revocation->record))
    return say(exit_bad_input, "a revocation cannot be taken back; if that is meant, give --yes");
  progress("revoking …");
  (*online)->client().publish(revocation->value, (*online)->runner->now());
  const auto [outcome, ended] = await_published(**online, revocation->value);
  const int code = exit_of(outcome, ended, "not revoked", "; it goes with the next `ams sync`");
  if (code == exit_ok) fmt::print("{} is revoked\n", args.key);
  const keys::KeyPair* used = (*online)->client().account_key();
  if (code == exit_ok && used && used->record.id() == revocation->record.id())
    fmt::print("It was in use: `ams keys rotate` makes another one\n");
  return code;
}

int keys_card(const Common& common, const KeysCard& args) {
  const bool says = args.name || args.email || args.org || args.desc;
  if (says == args.erase)
    return say(exit_bad_input, "give what the card is to say, or --erase to take it back");
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  const keys::KeyPair* pair = (*online)->client().account_key();
  if (!pair) return say(exit_refused, "the account's key is its domain's: it signs no card here");
  // By the clock: no other device of the owner needs to be asked for the last number (CRD-4).
  keys::Card card{.cseq = now_ms(),
                  .salt = {},
                  .name = args.name,
                  .email = args.email,
                  .org = args.org,
                  .desc = args.desc,
                  .hash = {},
                  .value = {}};
  crypto::Drbg drbg(net::entropy_seed().view());
  const Bytes salt = drbg.bytes(card.salt.size());
  std::copy(salt.begin(), salt.end(), card.salt.begin());
  const auto object = keys::make_card(*pair, card);
  if (!object) return say(exit_refused, "no card: " + explain(object.error()));
  if (const auto good = keys::Card::parse(*object, pair->record); !good)
    return say(exit_bad_input, "no card: " + explain(good.error()));
  progress("publishing …");
  (*online)->client().publish(*object, (*online)->runner->now());
  const auto [outcome, ended] = await_published(**online, *object);
  const int code = exit_of(outcome, ended, "not published", "; it goes with the next `ams sync`");
  if (code == exit_ok)
    fmt::print("{}\n", args.erase ? "the card is erased"
                                  : "the card is published; `ams keys card --erase` takes it back");
  return code;
}

int keys_redirect(const Common& common, const KeysRedirect& args) {
  for (const std::string& addr : args.to)
    if (!wire::parse_address(addr))
      return say(exit_bad_input, addr + ": expected local@domain in lower case");
  if ((args.type == "key") != args.to.empty())
    return say(exit_bad_input,
               args.type == "key" ? "key: takes no address" : args.type + ": expected an address");
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  progress("changing where the address leads …");
  (*online)->client().redirect(*type_of(args.type), args.to, (*online)->runner->now());
  Outcome outcome;
  const auto ended = (*online)->runner->run([&](const client::Report& report) {
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && failed->what == "redirect") outcome.refused = failed->why;
    const auto* done = std::get_if<client::Redirected>(&report);
    if (done) print_redirected(*done);
    outcome.done = done != nullptr;
    return outcome.done || outcome.refused.has_value();
  });
  return exit_of(outcome, ended, "the address leads where it did", "; ask again");
}

int keys_lookup(const Common& common, const std::string& addr, bool json) {
  if (!wire::parse_address(addr))
    return say(exit_bad_input, addr + ": expected local@domain in lower case");
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  progress("asking for " + addr + " …");
  (*online)->client().look_up(addr, (*online)->runner->now(), common.verbose);
  std::optional<Result<client::Correspondent>> found;
  std::vector<client::LookupStep> steps;
  std::optional<keys::Card> card;
  const auto ended = (*online)->runner->run([&](const client::Report& report) {
    if (const auto* looked = std::get_if<client::LookedUp>(&report)) {
      found = looked->found;
      steps = looked->steps;
      card = looked->card;
    }
    return found.has_value();
  });
  end_progress();
  if (!json) print_steps(steps);
  if (!found) return say(exit_unreachable, ended.value_or("no answer"));
  if (!*found) {
    const bool later = code_info(found->error().code).temporary;
    return say(later ? exit_unreachable : exit_refused, addr + ": " + explain(found->error()));
  }
  const client::Correspondent& whom = **found;
  const auto binding = keys::parse_binding(whom.binding);
  if (!binding) return say(exit_refused, addr + ": " + explain(binding.error()));
  KeyView view{*whom.record, addr, Whose::others,
               verified_of((*online)->home.storage(), addr, whom.record->id())};
  const bool own = addr == (*online)->home.settings().addr;
  if (own) view.whose = Whose::in_use;
  if (json) {
    wire::Value out = json_of(whom, view, *binding);
    if (card) out.as_object().emplace("card_unverified", json_of(*card));
    fmt::print("{}\n", as_text(wire::encode(out)));
  } else {
    fmt::print(
        "{}{:<13}{}\n{:<13}{}, {} custody\n", text_of(view), "Version:", binding->version,
        "Policy:", keys::name(keys::policy_at(whom.chain->record, from_unix_ms(now_ms())).mode),
        keys::name(binding->custody));
    if (card) fmt::print("{}", text_of(*card));
  }
  const bool changed = view.verified && !view.verified->this_key;
  return changed ? say(exit_refused, addr + " had another key when you compared it") : exit_ok;
}

}  // namespace ams::cli
