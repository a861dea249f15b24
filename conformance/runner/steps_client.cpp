// Steps of cases that judge a client: what its server and other domains know and say, what the
// client is asked to do, and what it asked for (adapter/client.schema.json, home.h).
#include "judge/registry.h"
#include "runner/home.h"
#include "runner/stage.h"

namespace ams::conform {
namespace {

constexpr const char* client_addr = "u@conform.test";

Json plain(const Json& step, std::initializer_list<const char*> fields) {
  Json out = Json::object();
  for (const char* name : fields)
    if (step.contains(name)) out[name] = step.at(name);
  return out;
}

}  // namespace

Realm& Stage::realm() {
  if (!realm_) realm_ = std::make_unique<Realm>(tag_, target_.unix_ms());
  return *realm_;
}

Home& Stage::home() {
  if (!home_) {
    home_ = std::make_unique<Home>(target_, realm(), client_addr,
                                   crypto::sha256(as_bytes(tag_ + " token")));
    vars_["me"] = client_addr;
    vars_["state"] = target_.client()->fresh_state();
  }
  return *home_;
}

/// Starts the client, anew with "again": it then has the state that it kept.
void Stage::do_client(const Json& step) {
  Home& server = home();
  Json hosts = Json::array();
  for (const char* name : {suite_name, second_suite_name})
    hosts.push_back(hosts_line(realm().of(name).domain, target_.client()->listening));
  if (step.value("again", false)) server.cut();
  const Json args = {{"addr", server.addr()},
                     {"token", b64(server.token())},
                     {"hosts", hosts},
                     {"state", vars_.at("state")}};
  const Json answer = server.command("client.open", args, wait_of(step));
  judge_command(step, answer, "client.open");
}

void Stage::require_client() {
  judge_command(Json::object(), home().command("client.told", Json::object(), target_.patience),
                "client.told");
}

/// What an adapter says are verdicts of the client: registered codes with their phase (OPS-3).
void Stage::judge_command(const Json& step, const Json& answer, const std::string& op) {
  if (answer.contains("fault"))
    throw StepFailed{Verdict::suite_error,
                     "the adapter has no use for " + op + ": " + answer["fault"].dump()};
  if (answer.contains("error")) {
    const std::string code = answer["error"].value("code", "");
    if (code == "unsupported") throw StepFailed{Verdict::unsupported, "the adapter has no " + op};
    if (phase_of(code).value_or("") != answer["error"].value("phase", "-"))
      fail_step(op + ": no registered code with its phase: " + answer["error"].dump());
  }
  judge_answer(step, answer, op);
}

void Stage::do_command(const Json& step) {
  const std::string op = step.at("op");
  Json args = value(step.value("args", Json::object()));
  if (op == "client.send") {
    args["subject"] = "conformance";
    args["text"] = "of " + tag_;
    if (!args.contains("wait_ms")) args["wait_ms"] = wait_of(step).count();
  }
  const Millis patience = wait_of(step) + Millis{args.value("wait_ms", std::int64_t{0})};
  judge_command(step, home().command(op, args, patience), op);
}

/// {"addr","key",…}: realm.h.
void Stage::do_bind(const Json& step) {
  const Json plan =
      value(plain(step, {"addr", "key", "type", "to", "by", "set", "ago_ms", "seal"}));
  const Json entry = realm().bind(plan, target_.unix_ms());
  if (step.contains("save")) vars_[step["save"].get<std::string>()] = entry;
}

/// Ends an epoch of a domain's log.
void Stage::do_seal(const Json& step) {
  const std::int64_t at = target_.unix_ms() - step.value("ago_ms", std::int64_t{0});
  realm().of(value(step.at("of"))).log.seal(at / 1'000);
}

void Stage::do_begin_log(const Json& step) { realm().of(value(step.at("of"))).log.begin_anew(); }

/// Members of a domain's record from now on; null: none.
void Stage::do_domain(const Json& step) {
  realm().publish(value(step.at("of")), value(step.at("set")));
}

/// "ok" or "error": the answer; else the true one with "set" and "drop".
void Stage::do_say(const Json& step) {
  Saying out{step.at("op"),
             value(step.value("args", Json::object())),
             step.contains("ok") ? value(step["ok"]) : Json(),
             step.contains("error") ? value(step["error"]) : Json(),
             Json::object(),
             step.value("drop", Json::array()),
             step.value("times", std::int64_t{-1})};
  const Json set = step.value("set", Json::object());
  for (const auto& [path, member] : set.items()) out.set[path] = value(member);
  home().say(std::move(out));
}

void Stage::do_say_truth(const Json& step) { home().say_truth(step.at("op")); }

/// How often the client asked for an op, since the start or the last "forget".
void Stage::do_asked(const Json& step) {
  const Home::Asked& asked = home().asked(step.at("op"));
  const std::string what = "requests for " + step.at("op").get<std::string>();
  if (step.contains("times") && asked.times != step["times"])
    fail_step(what + ": expected " + step["times"].dump() + ", got " + std::to_string(asked.times));
  if (step.contains("least") && asked.times < step["least"])
    fail_step(what + ": expected at least " + step["least"].dump() + ", got " +
              std::to_string(asked.times));
  if (step.contains("args")) require(value(step["args"]), asked.args, what);
  if (step.contains("save")) vars_[step["save"].get<std::string>()] = asked.args;
}

/// A $letter into the mailbox.
void Stage::do_deliver(const Json& step) {
  const Json letter = value(step.at("letter"));
  home().keep_blob(unb64(letter.at("body")));
  home().deliver(letter.at("message"));
}

/// Whom all submitted messages were for, in ascending order.
void Stage::do_reached(const Json& step) {
  const Json wanted = value(step.at("addrs")), got = home().reached();
  if (wanted != got) fail_step("letters for: expected " + wanted.dump() + ", got " + got.dump());
}

void Stage::do_forget_asked(const Json&) { home().forget_asked(); }
void Stage::do_cut(const Json&) { home().cut(); }

/// Nothing was sealed: the client asked for no blob to be taken and submitted nothing.
void Stage::do_nothing_sent(const Json&) {
  for (const char* op : {"blob.put", "mail.submit"})
    if (home().asked(op).times > 0)
      fail_step(std::string("the client asked for ") + op + ": it sealed to what it must refuse");
}

}  // namespace ams::conform
