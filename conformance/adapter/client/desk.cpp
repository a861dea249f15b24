#include "client_adapter/desk.h"

#include <algorithm>

#include "base/overload.h"

namespace ams::client_adapter {
namespace {

Json named(const keys::KeyId& key) {
  return {{"kid", to_uuid_text(key.kid)}, {"fp", to_base64url(key.fp)}};
}

Json nothing_told() { return {{"alarms", Json::array()}, {"changed", Json::array()}}; }
Json no_mail() { return {{"letters", Json::array()}, {"unreadable", Json::array()}}; }

Json code_of(const Error& why) { return std::string(code_info(why.code).name); }

}  // namespace

Json hello() {
  return {{"impl", "reference client"},
          {"roles", {"client"}},
          {"spec_versions", {"0.1"}},
          {"ops",
           {"client.check", "client.close", "client.fetch", "client.lookup", "client.open",
            "client.send", "client.told"}}};
}

bool knows(const std::string& op) {
  const Json all = hello();
  return std::find(all["ops"].begin(), all["ops"].end(), op) != all["ops"].end();
}

Json refusal(const Json& id, const Error& why) {
  const auto& info = code_info(why.code);
  return {{"id", id},
          {"error",
           {{"code", std::string(info.name)},
            {"phase", std::string(info.phase)},
            {"where", std::string(why.where)}}}};
}

Json fault(const Json& id, const std::string& why) { return {{"id", id}, {"fault", why}}; }

Desk::Desk(client::Client& client, const Json& open_id)
    : client_(client), id_(open_id), op_("client.open"), told_(nothing_told()), mail_(no_mail()) {}

void Desk::answer(Json ok) {
  ready_ = Json{{"id", id_}, {"ok", std::move(ok)}};
  op_.clear();
  due_.reset();
}

void Desk::refuse(const Error& why) {
  ready_ = refusal(id_, why);
  op_.clear();
  due_.reset();
}

void Desk::ask(const Json& id, const std::string& op, const Json& args, Instant now) {
  id_ = id;
  op_ = op;
  if (op == "client.told") return answer(std::exchange(told_, nothing_told()));
  if (op == "client.send") return send(args, now);
  if (op == "client.lookup") {
    about_ = args.at("addr").get<std::string>();
    return client_.look_up(about_, now);
  }
  if (op == "client.check") {
    alarmed_.reset();
    check_ = client_.check_bindings(now);
    return;
  }
  if (op == "client.fetch") {
    mail_ = no_mail();
    return client_.sync(now);
  }
  refuse(Error{Code::unsupported, "op"});
}

void Desk::send(const Json& args, Instant now) {
  mail::Draft draft;
  draft.to = args.at("to").get<std::vector<std::string>>();
  draft.subject = args.at("subject").get<std::string>();
  draft.parts.push_back(mail::Part{"text/plain", args.at("text").get<std::string>()});
  due_ = now + std::chrono::milliseconds{args.at("wait_ms").get<std::int64_t>()};
  ticket_ = client_.submit(std::move(draft), now);
}

void Desk::looked(const client::LookedUp& found) {
  if (op_ != "client.lookup" || found.addr != about_) return;
  if (!found.found) return refuse(found.found.error());
  Json out = named(found.found->record->id());
  const wire::Value* version = found.found->binding.find("version");
  if (version && version->is_integer()) out["version"] = version->as_integer();
  answer(std::move(out));
}

void Desk::hear(client::Report report) {
  std::visit(
      Overload{
          [&](const client::Submitted& one) {
            if (op_ == "client.send" && one.ticket == ticket_) answer({{"state", "sent"}});
          },
          [&](const client::SubmitFailed& one) {
            if (op_ == "client.send" && one.ticket == ticket_) refuse(one.why);
          },
          [&](const client::LookedUp& one) { looked(one); },
          [&](const client::KeyChanged& one) {
            told_["changed"].push_back({{"addr", one.addr},
                                        {"from", named(one.from)},
                                        {"to", named(one.to)},
                                        {"endorsed", one.endorsed}});
          },
          [&](const client::Alarm& one) {
            told_["alarms"].push_back(
                {{"addr", one.addr}, {"code", code_of(one.why)}, {"lie", one.lie.has_value()}});
            if (op_ == "client.check" && !alarmed_) alarmed_ = one.why;
          },
          [&](const client::Received& one) {
            mail_["letters"].push_back(
                {{"uid", one.uid}, {"from", one.letter.from}, {"subject", one.letter.subject}});
          },
          [&](const client::Unreadable& one) {
            mail_["unreadable"].push_back({{"uid", one.uid}, {"code", code_of(one.why)}});
          },
          [&](const client::SyncDone&) {
            if (op_ == "client.fetch") answer(std::exchange(mail_, no_mail()));
          },
          [&](const client::CommandFailed& one) {
            const bool waits = op_ == "client.open" || op_ == "client.fetch";
            if (waits || (op_ == "client.check" && one.what == "bindings")) refuse(one.why);
          },
          [](const auto&) {},
      },
      report);
}

void Desk::look(Instant now) {
  if (op_ == "client.open" && client_.ready()) return answer(named(client_.key_record()->id()));
  if (op_ == "client.check" && client_.bindings_checked() >= check_) {
    if (alarmed_) return refuse(*alarmed_);
    return answer(Json::object());
  }
  if (due_ && now >= *due_) answer({{"state", "waits"}});
}

std::optional<Json> Desk::poll() { return std::exchange(ready_, std::nullopt); }

}  // namespace ams::client_adapter
