// The steps that send, and those that wait for what must come.
#include <algorithm>

#include "runner/stage.h"

namespace ams::conform {

Stage::Stage(Target& target, Roster& roster, std::string tag, Millis deadline)
    : target_(target), roster_(roster), tag_(std::move(tag)), end_(target.clock() + deadline) {
  vars_["domain"] = target.domain;
  if (!target.shared.empty()) vars_["shared"] = Json::parse(target.shared);
  vars_["tag"] = to_hex(ByteView(crypto::sha256(as_bytes(tag_))).first(8));
}

const std::map<std::string, Stage::Step>& Stage::steps() {
  static const std::map<std::string, Step> all{
      {"connect", &Stage::do_connect},
      {"hello", &Stage::do_hello},
      {"authenticate", &Stage::do_authenticate},
      {"session", &Stage::do_session},
      {"associate", &Stage::do_associate},
      {"let", &Stage::do_let},
      {"send", &Stage::do_send},
      {"frame", &Stage::do_frame},
      {"payload", &Stage::do_payload},
      {"chunk", &Stage::do_chunk},
      {"request", &Stage::do_request},
      {"flood", &Stage::do_flood},
      {"answer", &Stage::do_answer},
      {"event", &Stage::do_event},
      {"closed", &Stage::do_closed},
      {"close", &Stage::do_close},
      {"silence", &Stage::do_silence},
      {"ping", &Stage::do_ping},
      {"alive", &Stage::do_alive},
      {"put_blob", &Stage::do_put_blob},
      {"get_blob", &Stage::do_get_blob},
      {"serve", &Stage::do_serve},
      {"served", &Stage::do_served},
      {"accept", &Stage::do_accept},
      {"inbound", &Stage::do_inbound},
      {"reply", &Stage::do_reply},
      {"mark", &Stage::do_mark},
      {"check", &Stage::do_check},
      {"repeat", &Stage::do_repeat},
      {"advance", &Stage::do_advance},
      {"faults", &Stage::do_faults},
      {"restart", &Stage::do_restart},
      {"client", &Stage::do_client},
      {"command", &Stage::do_command},
      {"bind", &Stage::do_bind},
      {"seal", &Stage::do_seal},
      {"begin_log", &Stage::do_begin_log},
      {"domain", &Stage::do_domain},
      {"say", &Stage::do_say},
      {"say_truth", &Stage::do_say_truth},
      {"asked", &Stage::do_asked},
      {"deliver", &Stage::do_deliver},
      {"reached", &Stage::do_reached},
      {"forget_asked", &Stage::do_forget_asked},
      {"cut", &Stage::do_cut},
      {"nothing_sent", &Stage::do_nothing_sent},
  };
  return all;
}

void Stage::play(const Json& steps_given) {
  int number = 0;
  for (const Json& step : steps_given) {
    ++number;
    const std::string verb = step.at("do");
    const std::string where = "step " + std::to_string(number) + " (" + verb + "): ";
    if (left() <= Millis{0}) throw StepFailed{Verdict::hang, where + "the case's time is over"};
    try {
      (this->*steps().at(verb))(step);
    } catch (StepFailed& failed) {
      failed.why = where + failed.why;
      throw;
    } catch (const Json::exception& error) {
      throw StepFailed{Verdict::suite_error, where + error.what()};
    }
  }
}

Stage::Session& Stage::session(const Json& step) {
  const auto at = sessions_.find(step.value("on", "c"));
  if (at == sessions_.end() || !at->second.link)
    throw StepFailed{Verdict::suite_error, "no such connection: " + step.value("on", "c")};
  return at->second;
}

Millis Stage::left() const { return end_ - target_.clock(); }
Millis Stage::wait_of(const Json& step) const {
  return std::min(left(), Millis{step.value("wait", target_.patience.count())});
}

Bytes Stage::bytes_of(const Json& step) {
  if (step.contains("hex")) return from_hex(step["hex"].get<std::string>()).value_or(Bytes{});
  return to_bytes(value(step.value("text", Json(""))).get<std::string>());
}

/// "error": a code or several of which one must come; "ok": a pattern.
void Stage::judge_answer(const Json& step, const Json& answer, const std::string& what) {
  if (step.contains("error")) {
    const Json wanted = value(step["error"]);
    if (!answer.contains("error"))
      fail_step(what + ": expected the error " + canonical(wanted) + ", got ok");
    const Json& code = answer["error"]["code"];
    const bool fits = wanted.is_array()
                          ? std::find(wanted.begin(), wanted.end(), code) != wanted.end()
                          : wanted == code;
    if (!fits)
      fail_step(what + ": expected the error " + canonical(wanted) + ", got " + canonical(code));
    return;
  }
  if (answer.contains("error"))
    fail_step(what + ": expected ok, got the error " + canonical(answer["error"]));
  if (step.contains("ok")) require(value(step["ok"]), answer["ok"], what + "'s ok");
  if (step.contains("save")) vars_[step["save"].get<std::string>()] = answer["ok"];
}

Json Stage::call(Session& on, const std::string& op, const Json& args) {
  const std::int64_t id = on.link->request(op, args);
  const Json answer = on.link->answer(id, wait_of(Json::object()));
  if (!answer.contains("ok")) fail_step(op + " was refused: " + canonical(answer["error"]));
  return answer["ok"];
}

// --- sending -------------------------------------------------------------------------------------

void Stage::do_let(const Json& step) {
  vars_[step.at("name").get<std::string>()] = value(step.at("value"));
}

void Stage::do_send(const Json& step) {
  for (int i = 0; i < step.value("times", 1); ++i) link(step).send(bytes_of(step));
}

void Stage::do_frame(const Json& step) {
  std::optional<std::uint32_t> length;
  if (step.contains("length")) length = step["length"].get<std::uint32_t>();
  const auto kind = step.value("kind", std::uint8_t{1});
  link(step).send(write_frame(kind, bytes_of(step), length));
}

/// A kind 1 frame: "text" as it stands, or the canonical text of "value".
void Stage::do_payload(const Json& step) {
  const std::string text =
      step.contains("value") ? canonical(value(step["value"])) : step.at("text").get<std::string>();
  for (int i = 0; i < step.value("times", 1); ++i) link(step).send_payload(text);
}

void Stage::do_chunk(const Json& step) {
  const Bytes bytes = unb64(value(step.at("bytes")));
  const std::int64_t transfer = value(step.at("transfer"));
  const std::int64_t offset = value(step.value("offset", Json(0)));
  link(step).send(
      write_chunk(static_cast<std::uint64_t>(transfer), static_cast<std::uint64_t>(offset), bytes));
}

void Stage::do_request(const Json& step) {
  const std::string op = step.at("op");
  const Json args = value(step.value("args", Json::object()));
  std::int64_t id = 0;
  if (step.contains("id")) {
    id = value(step["id"]);
    link(step).expect_answer_to(id);
    link(step).send_payload(canonical({{"id", id}, {"op", op}, {"args", args}}));
  } else {
    id = link(step).request(op, args);
  }
  if (step.value("later", false)) {
    if (step.contains("save")) vars_[step["save"].get<std::string>()] = id;
    return;
  }
  judge_answer(step, link(step).answer(id, wait_of(step)), op);
}

/// Many requests at once; at least so many of them must be refused with the error.
void Stage::do_flood(const Json& step) {
  const std::int64_t count = value(step.at("count"));
  std::vector<std::int64_t> ids;
  Bytes burst;
  const Json args = value(step.value("args", Json::object()));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t id = link(step).fresh_id();
    link(step).expect_answer_to(id);
    const std::string text = canonical({{"id", id}, {"op", step.at("op")}, {"args", args}});
    append(burst, write_frame(1, as_bytes(text)));
    ids.push_back(id);
  }
  link(step).send(burst);
  std::int64_t refused = 0;
  for (const std::int64_t id : ids) {
    const Json answer = link(step).answer(id, left());
    if (!answer.contains("error")) continue;
    if (answer["error"]["code"] != step.at("error"))
      fail_step("expected ok or " + canonical(step["error"]) + ", got " + canonical(answer));
    ++refused;
  }
  const std::int64_t least = value(step.at("at_least"));
  if (refused < least)
    fail_step("expected at least " + std::to_string(least) + " refusals, got " +
              std::to_string(refused));
}

void Stage::do_close(const Json& step) { sessions_.erase(step.value("on", "c")); }

// --- waiting -------------------------------------------------------------------------------------

void Stage::do_answer(const Json& step) {
  const std::int64_t id = value(step.at("to"));
  judge_answer(step, link(step).answer(id, wait_of(step)), "the answer");
}

void Stage::do_event(const Json& step) {
  const std::string name = step.value("name", "error");
  const Json data = link(step).event(name, wait_of(step));
  if (step.contains("code") && data.value("code", "") != step["code"])
    fail_step("the event error: expected " + canonical(step["code"]) + ", got " +
              data.value("code", ""));
  if (step.contains("data")) require(value(step["data"]), data, "the event " + name);
  if (step.contains("save")) vars_[step["save"].get<std::string>()] = data;
}

void Stage::do_closed(const Json& step) { link(step).expect_close(wait_of(step)); }

void Stage::do_silence(const Json& step) {
  const Millis ms{step.value("ms", std::int64_t{300})};
  const bool quiet = link(step).silent(std::min(ms, left()));
  if (!quiet || link(step).has_unread()) fail_step("expected that nothing comes");
}

void Stage::do_ping(const Json& step) { call(session(step), "ping", Json::object()); }
void Stage::do_alive(const Json&) { require_alive(target_, left()); }

// --- blobs ---------------------------------------------------------------------------------------

void Stage::do_put_blob(const Json& step) {
  const Bytes bytes = unb64(value(step.at("bytes")));
  const Hash name = crypto::sha256(bytes);
  const Json hash = step.contains("hash") ? value(step["hash"]) : Json(b64(name));
  const Json len = step.contains("len") ? value(step["len"]) : Json(bytes.size());
  std::uint64_t transfer = link(step).next_transfer;
  if (step.contains("transfer"))
    transfer = value(step["transfer"]);
  else
    link(step).next_transfer += 2;
  const std::int64_t id =
      link(step).request("blob.put", {{"hash", hash}, {"len", len}, {"transfer", transfer}});
  const std::size_t piece = step.value("chunk", std::size_t{65'536});
  for (std::size_t at = 0; at < bytes.size() && piece > 0; at += piece)
    link(step).send(
        write_chunk(transfer, at, ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at))));
  if (step.value("later", false)) {
    if (step.contains("save")) vars_[step["save"].get<std::string>()] = id;
    return;
  }
  judge_answer(step, link(step).answer(id, wait_of(step)), "blob.put");
}

void Stage::do_get_blob(const Json& step) {
  const std::uint64_t transfer = link(step).next_transfer;
  link(step).next_transfer += 2;
  const std::int64_t id =
      link(step).request("blob.get", {{"hash", value(step.at("hash"))}, {"transfer", transfer}});
  const Json answer = link(step).answer(id, wait_of(step));
  judge_answer(step, answer, "blob.get");
  if (!step.contains("bytes")) return;
  const Bytes wanted = unb64(value(step["bytes"]));
  if (link(step).chunks(transfer) != wanted) fail_step("blob.get gave other bytes (BLB-6)");
  require({{"len", wanted.size()}}, answer["ok"], "blob.get's ok (BLB-6)");
}

/// Has a blob ready for the target's blob.get; "hash": under a name that is not its own.
void Stage::do_serve(const Json& step) {
  const Bytes bytes = unb64(value(step.at("bytes")));
  const Hash name = crypto::sha256(bytes);
  const Json hash = step.contains("hash") ? value(step["hash"]) : Json(b64(name));
  link(step).served[hash.get<std::string>()] = bytes;
}

void Stage::do_served(const Json& step) {
  link(step).await_given(value(step.at("hash")).get<std::string>(), wait_of(step));
}

// --- the target asks -----------------------------------------------------------------------------

/// `meanwhile`: what is answered to requests of other ops that come first, as many as come.
void Stage::do_inbound(const Json& step) {
  const Json meanwhile = step.value("meanwhile", Json::object());
  std::vector<std::string> ops{step.at("op")};
  for (const auto& [op, ok] : meanwhile.items()) ops.push_back(op);
  Request request = link(step).inbound(ops, wait_of(step));
  for (; request.op != ops.front(); request = link(step).inbound(ops, wait_of(step)))
    link(step).reply({{"id", request.id}, {"ok", value(meanwhile.at(request.op))}});
  if (step.contains("args")) require(value(step["args"]), request.args, request.op + "'s args");
  if (step.contains("save"))
    vars_[step["save"].get<std::string>()] = {{"id", request.id}, {"args", request.args}};
}

void Stage::do_reply(const Json& step) {
  Json message = {{"id", value(step.at("to"))}};
  if (step.contains("ok"))
    message["ok"] = value(step["ok"]);
  else
    message["error"] = value(step.at("error"));
  link(step).reply(message);
}

// --- the rest ------------------------------------------------------------------------------------

/// Saves the state of a mailbox: what comes later has a higher number (SYN-1).
void Stage::do_mark(const Json& step) {
  std::int64_t state = 0;
  for (bool more = true; more;) {
    const Json ok = call(session(step), "mail.sync", {{"since", state}});
    state = ok.value("state", std::int64_t{0});
    more = ok.value("more", false);
  }
  vars_[step.value("name", "mark")] = state;
}

void Stage::do_check(const Json& step) {
  const Json got = value(step.at("value"));
  if (step.contains("is")) require(value(step["is"]), got, "the value");
  if (step.contains("not") && !mismatch(value(step["not"]), got, ""))
    fail_step("the value must not be " + canonical(got).substr(0, 200));
}

void Stage::do_repeat(const Json& step) {
  const std::int64_t times = value(step.at("times"));
  for (std::int64_t i = 0; i < times; ++i) {
    vars_["n"] = i;
    play(step.at("steps"));
  }
}

void Stage::do_advance(const Json& step) {
  const Millis by{step.at("ms").get<std::int64_t>()};
  target_.advance(by);
  end_ += by;
}

void Stage::do_faults(const Json& step) {
  target_.set_faults({step.value("hold_commits", false), step.value("fail_next_commit", false),
                      step.value("peer_down", false)});
}

void Stage::do_restart(const Json&) { target_.restart(); }

}  // namespace ams::conform
