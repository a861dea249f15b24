// Steps that bring a session about, from either side.
#include <algorithm>

#include "runner/auth.h"
#include "runner/stage.h"
#include "runner/suite_domain.h"

namespace ams::conform {
namespace {

/// A chain that is whole, but for the root: another root vouches for the domain's op key.
Json chain_under(const Domain& root, const Domain& own) {
  Json record = root.chain.at("record");
  record["op_kid"] = own.op.kid;
  record["op_fp"] = b64(own.op.fp);
  return {{"record", sign(std::move(record), root.root.secret.signing)},
          {"root", root.root.record},
          {"op", own.op.record}};
}

}  // namespace

void Stage::do_connect(const Json& step) {
  const std::string on = step.value("on", "c");
  auto channel = target_.connect();
  if (!channel) throw StepFailed{Verdict::crash, "no connection is taken"};
  Session fresh;
  fresh.link = std::make_unique<Link>(target_, std::move(channel), true);
  sessions_[on] = std::move(fresh);
}

void Stage::do_hello(const Json& step) {
  Session& mine = session(step);
  const std::string as = step.value("as", "a1");
  Json args;
  if (as.starts_with("server")) {
    const Domain& domain = step.contains("root") ? impostor(step["root"]) : domain_of(as);
    mine.proof_key = &domain.op.secret.signing;
    mine.role = 2;
    args = {{"role", "server"}, {"domain", domain.name}, {"chain", domain.chain}};
  } else {
    const Account& who = account(as);
    mine.proof_key = step.contains("device") ? &other_device(step["device"]) : &who.device;
    mine.role = 1;
    args = {{"role", "client"},
            {"domain", target_.domain},
            {"addr", who.grant.addr},
            {"device", b64(mine.proof_key->public_raw())}};
  }
  mine.as = as;
  if (step.contains("set")) args.update(value(step["set"]));
  if (step.contains("edit"))
    for (const auto& [path, member] : step["edit"].items())
      args[Json::json_pointer(path)] = value(member);
  Bytes hello_c;
  const std::int64_t id = mine.link->request("hello", args, &hello_c);
  const Json answer = mine.link->answer(id, wait_of(step));
  if (step.contains("error")) return judge_answer(step, answer, "hello");
  if (!answer.contains("ok")) fail_step("hello was refused: " + canonical(answer["error"]));
  mine.hello_c = std::move(hello_c);
  mine.hello_s = mine.link->payload_of_answer(id);
  judge_hello(mine, answer["ok"]);
}

/// SES-2, SES-5, DOM-5.
void Stage::judge_hello(Session& mine, const Json& ok) {
  require({{"domain", target_.domain}}, ok, "hello's ok (SES-2)");
  if (!ok.contains("chain") || !ok["chain"].is_object())
    fail_step("hello's ok has no chain (SES-2)");
  try {
    const auto why = judge_chain(ok["chain"], target_.domain, target_.root_kid, target_.root_fp);
    if (why) fail_step("hello's chain " + *why + " (DOM-5)");
  } catch (const Json::exception& error) {
    fail_step(std::string("hello's chain: ") + error.what());
  }
  const Json limits = ok.value("limits", Json::object()), ops = ok.value("ops", Json::array());
  for (const char* name : {"in_flight", "frame", "blob", "transfers", "batch"})
    if (!limits.contains(name) || !limits[name].is_number_integer() || limits[name] < 0)
      fail_step(std::string("hello's limits have no ") + name + " (SES-2)");
  if (ops.empty() || !std::is_sorted(ops.begin(), ops.end()))
    fail_step("hello's ops are not sorted (SES-2)");
  vars_["limits"] = limits;
  vars_["ops"] = ops;
  vars_["op_key"] = ok["chain"]["op"];
  vars_["domain_record"] = ok["chain"]["record"];
  const Json proof = mine.link->event("auth", left());
  const Bytes text = auth_text(0, mine.link->exporter(), mine.hello_c, mine.hello_s);
  if (!proof.contains("sig") || !proves(unb64(ok["chain"]["op"].at("sk")), text, proof["sig"]))
    fail_step("the server's proof does not verify (SES-5)");
}

void Stage::do_authenticate(const Json& step) {
  Session& mine = session(step);
  Bytes exporter = to_bytes(ByteView(mine.link->exporter()));
  if (step.value("other_exporter", false)) exporter[0] ^= 1;
  const auto role = step.value("role", mine.role);
  const Bytes text = auth_text(role, exporter, mine.hello_c, mine.hello_s);
  Json args = {{"sig", b64(*mine.proof_key->sign(text))}};
  if (step.contains("set")) args.update(value(step["set"]));
  const std::int64_t id = mine.link->request("authenticate", args);
  judge_answer(step, mine.link->answer(id, wait_of(step)), "authenticate");
}

/// connect, hello, authenticate; of an account also, once, what makes it ready for mail.
void Stage::do_session(const Json& step) {
  std::string as = step.value("as", "a1");
  const std::string on = step.value("on", "c");
  if (as == "any") as = target_.grants.empty() ? "server" : "a1";  // whoever may ask a directory
  do_connect({{"on", on}});
  Json hello = {{"on", on}, {"as", as}};
  if (step.contains("device")) hello["device"] = step["device"];
  do_hello(hello);
  do_authenticate({{"on", on}});
  if (as.starts_with("server") || !step.value("ready", true)) return;
  Account& who = account(as);
  if (!who.enrolled) enrol(sessions_.at(on), who);
  if (who.version == 0) associate(sessions_.at(on), who);
}

/// Binds the session's address to a key once more, under the next version.
void Stage::do_associate(const Json& step) {
  Session& mine = session(step);
  associate(mine, account(mine.as), value(step.value("args", Json::object())));
}

/// The target connects to conform.test; the suite is the acceptor (SES-4, SES-5, DOM-5).
void Stage::do_accept(const Json& step) {
  const std::string on = step.value("on", "s");
  auto channel = target_.accept(wait_of(step));
  if (!channel) throw StepFailed{Verdict::hang, "the target did not connect to conform.test"};
  Session& mine = sessions_[on];
  mine.link = std::make_unique<Link>(target_, std::move(channel), false);
  const Request hello = mine.link->inbound({"hello"}, wait_of(step));
  require({{"role", "server"}, {"domain", target_.domain}}, hello.args, "the target's hello");
  const Json chain = hello.args.value("chain", Json::object());
  if (const auto why = judge_chain(chain, target_.domain, target_.root_kid, target_.root_fp))
    fail_step("the chain in the target's hello " + *why);
  const Domain& own = domain_of("server");
  Json own_chain = own.chain;
  if (step.value("spoil_chain", false)) own_chain = chain_under(impostor("another root"), own);
  const Json answer = {
      {"id", hello.id},
      {"ok",
       {{"domain", own.name},
        {"chain", own_chain},
        {"ops",
         {"authenticate", "bye", "directory.consistency", "directory.entries", "directory.get",
          "directory.gossip", "directory.publish", "directory.reconcile", "hello", "keys.lookup",
          "ping", "relay.deliver", "relay.status"}},
        {"limits",
         {{"in_flight", 64},
          {"frame", 1'048'576},
          {"blob", 33'554'432},
          {"transfers", 4},
          {"batch", 64}}}}}};
  const std::string hello_s = canonical(answer);
  mine.link->send_payload(hello_s);
  Bytes exporter = to_bytes(ByteView(mine.link->exporter()));
  if (step.value("spoil_proof", false)) exporter[0] ^= 1;
  const Bytes proof = auth_text(0, exporter, hello.payload, as_bytes(hello_s));
  mine.link->reply(
      {{"event", "auth"}, {"data", {{"sig", b64(*own.op.secret.signing.sign(proof))}}}});
  if (step.value("closes", false)) {
    mine.link->expect_close(wait_of(step));
    return;
  }
  const Request auth = mine.link->inbound({"authenticate"}, wait_of(step));
  const Bytes wanted = auth_text(2, mine.link->exporter(), hello.payload, as_bytes(hello_s));
  if (!proves(unb64(chain.at("op").at("sk")), wanted, auth.args.value("sig", Json())))
    fail_step("the target's proof as connecting server does not verify (SES-4)");
  mine.link->reply({{"id", auth.id}, {"ok", Json::object()}});
  vars_["op_key"] = chain.at("op");
}

}  // namespace ams::conform
