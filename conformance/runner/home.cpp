#include "runner/home.h"

#include <algorithm>

#include "judge/registry.h"
#include "runner/auth.h"
#include "runner/verdict.h"

namespace ams::conform {
namespace {

const Json home_limits = {
    {"in_flight", 64}, {"frame", 1'048'576}, {"blob", 33'554'432}, {"transfers", 4}, {"batch", 64}};
const Json home_ops = {
    "account.enrol", "authenticate",      "blob.get",    "blob.put",  "bye",
    "directory.get", "directory.publish", "domain.get",  "hello",     "keys.associate",
    "keys.history",  "keys.lookup",       "mail.submit", "mail.sync", "ping"};

Json error_of(const std::string& code) {
  return {{"code", code}, {"phase", phase_of(code).value_or("state")}};
}

/// An answer of ours: a code, or what is ok.
Json message_of(std::int64_t id, const Json& answer) {
  if (answer.is_string()) return {{"id", id}, {"error", error_of(answer)}};
  return {{"id", id}, {"ok", answer}};
}

}  // namespace

bool matches(const Json& wanted, const Json& got) {
  if (!wanted.is_object() || !got.is_object()) return wanted == got;
  return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& member) {
    return got.contains(member.key()) && matches(member.value(), got.at(member.key()));
  });
}

Home::Home(Target& target, Realm& realm, std::string addr, Hash token)
    : target_(target), realm_(realm), addr_(std::move(addr)), token_(token) {}

void Home::say_truth(const std::string& op) {
  std::erase_if(sayings_, [&](const Saying& one) { return one.op == op; });
}

void Home::deliver(Json message) {
  const auto number = static_cast<std::int64_t>(changes_.size()) + 1;
  changes_.push_back({{"uid", number},
                      {"state", number},
                      {"folder", "inbox"},
                      {"flags", Json::array()},
                      {"message", std::move(message)}});
}

void Home::keep_blob(const Bytes& blob) {
  const std::string name = b64(crypto::sha256(blob));
  blobs_[name] = blob;
  for (const auto& conn : conns_) conn->link->served[name] = blob;
}

const Bytes* Home::blob(const std::string& hash) const {
  const auto at = blobs_.find(hash);
  return at == blobs_.end() ? nullptr : &at->second;
}

void Home::cut() { conns_.clear(); }

Json Home::command(const std::string& op, const Json& args, Millis at_most) {
  ClientPort& port = *target_.client();
  const std::int64_t id = next_command_++;
  port.command(Json({{"id", id}, {"op", op}, {"args", args}}).dump() + "\n");
  const Millis end = target_.clock() + at_most;
  for (;;) {
    serve();
    if (const auto line = port.answer()) {
      Json answer = Json::parse(*line, nullptr, false);
      if (answer.is_discarded() || !answer.is_object() || answer.value("id", Json()) != id)
        fail_step("the adapter's answer to " + op + " is none: " + line->substr(0, 200));
      return answer;
    }
    const Millis left = end - target_.clock();
    if (left <= Millis{0})
      throw StepFailed{Verdict::hang, "the adapter did not answer " + op + " in time"};
    std::vector<Channel*> channels;
    for (const auto& conn : conns_) channels.push_back(&conn->link->channel());
    port.wait(channels, left);
  }
}

// --- connections ---------------------------------------------------------------------------------

void Home::serve() {
  while (auto channel = target_.accept(Millis{0})) {
    conns_.push_back(std::make_unique<Conn>());
    conns_.back()->link = std::make_unique<Link>(target_, std::move(channel), false);
    conns_.back()->link->served = blobs_;
  }
  for (const auto& conn : conns_) serve(*conn);
  std::erase_if(conns_, [](const auto& conn) { return conn->link->closed(); });
}

void Home::serve(Conn& conn) {
  while (const auto request = conn.link->next_request()) {
    ++asked_[request->op].times;
    asked_[request->op].args = request->args;
    take(conn, *request);
  }
  finish_puts(conn);
}

void Home::take(Conn& conn, const Request& request) {
  if (request.op == "hello") return greet(conn, request);
  if (request.op == "authenticate") return admit(conn, request);
  if (!conn.open) fail_step("the client asked for " + request.op + " before it authenticated");
  answer(conn, request);
}

/// SES-1, SES-2, SES-5.
void Home::greet(Conn& conn, const Request& request) {
  const Json wanted = {{"role", "client"}, {"domain", suite_name}, {"addr", addr_}};
  if (!matches(wanted, request.args) || !request.args.contains("device"))
    fail_step("the client's hello (SES-1): " + canonical(request.args).substr(0, 200));
  conn.device = unb64(request.args.at("device"));
  conn.hello_c = request.payload;
  const Domain& own = realm_.of(suite_name).domain;
  const Json answer = {
      {"id", request.id},
      {"ok",
       {{"domain", own.name}, {"chain", own.chain}, {"ops", home_ops}, {"limits", home_limits}}}};
  const std::string text = canonical(answer);
  conn.hello_s = to_bytes(text);
  conn.link->send_payload(text);
  const Bytes proof = auth_text(0, conn.link->exporter(), conn.hello_c, conn.hello_s);
  conn.link->reply(
      {{"event", "auth"}, {"data", {{"sig", b64(*own.op.secret.signing.sign(proof))}}}});
}

/// SES-4.
void Home::admit(Conn& conn, const Request& request) {
  const Bytes text = auth_text(1, conn.link->exporter(), conn.hello_c, conn.hello_s);
  if (!proves(conn.device, text, request.args.value("sig", Json())))
    fail_step("the client's proof does not verify (SES-4)");
  if (!device_.empty() && device_ != conn.device)
    fail_step("the client came back with another device key");
  device_ = conn.device;
  conn.open = true;
  conn.link->reply({{"id", request.id}, {"ok", Json::object()}});
}

// --- requests ------------------------------------------------------------------------------------

void Home::answer(Conn& conn, const Request& request) {
  if (!enrolled_ && request.op != "account.enrol")
    return conn.link->reply(message_of(request.id, "auth_key"));
  if (request.op == "blob.put") {
    puts_[&conn].push_back(
        {request.id, request.args.at("transfer"), request.args.at("len"), request.args.at("hash")});
    return finish_puts(conn);
  }
  conn.link->reply(message_of(request.id, said_or_true(request.op, request.args)));
}

void Home::finish_puts(Conn& conn) {
  std::erase_if(puts_[&conn], [&](const Put& put) {
    const Bytes& bytes = conn.link->chunks(put.transfer);
    if (bytes.size() < put.len) return false;
    if (b64(crypto::sha256(bytes)) != put.hash) fail_step("a blob is not the one named (BLB-3)");
    blobs_[put.hash] = bytes;
    conn.link->reply(message_of(put.id, Json::object()));
    return true;
  });
}

Json Home::said_or_true(const std::string& op, const Json& args) {
  for (auto at = sayings_.rbegin(); at != sayings_.rend(); ++at) {
    if (at->op != op || !matches(at->args, args) || at->times == 0) continue;
    if (at->times > 0) --at->times;
    if (!at->error.is_null()) return at->error;
    if (!at->ok.is_null()) return at->ok;
    Json out = performed(op, args);
    if (!out.is_object()) return out;
    for (const auto& [path, member] : at->set.items()) out[Json::json_pointer(path)] = member;
    for (const Json& path : at->drop) {
      const Json::json_pointer pointer(path.get<std::string>());
      if (!out.contains(pointer)) continue;
      Json& parent = out.at(pointer.parent_pointer());
      if (parent.is_array())
        parent.erase(std::stoul(pointer.back()));
      else
        parent.erase(pointer.back());
    }
    return out.contains("pad") ? with_pad(std::move(out)) : out;
  }
  return performed(op, args);
}

Json Home::performed(const std::string& op, const Json& args) {
  if (op == "account.enrol") return enrolled(args);
  if (op == "keys.associate") return associated(args);
  if (op == "mail.sync") return synced(args);
  if (op == "mail.submit") {
    for (const Json& rcpt : args.at("rcpts")) reached_.insert(rcpt.at("addr").get<std::string>());
    return {{"ehash", b64(hash_of(args.at("env")))}};
  }
  if (op == "directory.publish") {
    Json results = Json::array();
    for (const Json& record : args.at("records")) {
      if (record.value("ams", "") == "key/1") realm_.learn(record);
      results.push_back({{"kid", record.value("kid", "")}});
    }
    return {{"results", results}};
  }
  if (op == "keys.history") {
    Json own = args;
    own["addr"] = addr_;
    return realm_.truth(op, own);
  }
  if (op == "keys.lookup" || op == "domain.get" || op == "directory.get")
    return realm_.truth(op, args);
  return "unsupported";
}

Json Home::enrolled(const Json& args) {
  if (enrolled_ || args.value("token", "") != b64(token_)) return "enrol_token";
  enrolled_ = true;
  return Json::object();
}

/// BLG-28: the entry that the client made, or one of its binding.
Json Home::associated(const Json& args) {
  const Json& record = args.at("record");
  if (!signed_by(record, record)) fail_step("the client's key record does not verify (KEY-8)");
  LoggedDomain& own = realm_.of(addr_);
  const auto held = static_cast<std::int64_t>(own.log.entries(addr_).size());
  const std::int64_t now = target_.unix_ms();
  if (args.at("version") != held + 1) return "version_conflict";
  realm_.learn(record);
  const Hash fp = fp_of(record);
  Json entry = {{"ams", "bentry/1"},   {"addr", addr_},
                {"version", held + 1}, {"at", now},
                {"type", "key"},       {"kid", kid_of_fp(fp)},
                {"fp", b64(fp)},       {"custody", record.at("custody")},
                {"policy", "isp"}};
  if (args.contains("entry")) {
    for (const char* name : {"addr", "version", "kid", "fp", "custody"})
      if (args.at("entry").value(name, Json()) != entry.at(name))
        fail_step(std::string("the client's entry has another ") + name + " (BLG-28)");
    entry = args.at("entry");
  }
  own.log.add(entry);
  own.log.seal(now / 1'000);
  return {{"binding", realm_.binding(entry, Json::object(), "")}};
}

Json Home::synced(const Json& args) const {
  const std::int64_t since = args.at("since");
  const auto all = static_cast<std::int64_t>(changes_.size());
  if (since > all) return "sync_token";
  return {{"state", all},
          {"more", false},
          {"changes", std::vector<Json>(changes_.begin() + since, changes_.end())}};
}

}  // namespace ams::conform
