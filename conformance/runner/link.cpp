#include "runner/link.h"

#include "judge/registry.h"
#include "runner/verdict.h"

namespace ams::conform {
namespace {

std::string shown(const Json& value) {
  std::string text = canonical(value);
  if (text.size() > 300) text = text.substr(0, 300) + "…";
  return text;
}

/// OPS-3.
void judge_error(const Json& error) {
  if (!error.is_object() || !error.contains("code") || !error.at("code").is_string())
    fail_step("an error without code (OPS-3): " + shown(error));
  const std::string code = error.at("code");
  const auto phase = phase_of(code);
  if (!phase) fail_step("the error code '" + code + "' is not registered (OPS-3)");
  if (error.value("phase", "") != *phase)
    fail_step("the phase of '" + code + "' is not '" + *phase + "' (OPS-3): " + shown(error));
  for (const auto& [member, value] : error.items())
    if (member != "code" && member != "phase" && member != "clause" && member != "retry_after")
      fail_step("an error has the member '" + member + "' (OPS-3)");
}

}  // namespace

Link::Link(Target& target, std::unique_ptr<Channel> channel, bool connector)
    : next_transfer(connector ? 1 : 2), target_(target), channel_(std::move(channel)) {}

std::int64_t Link::request(const std::string& op, const Json& args, Bytes* payload) {
  const std::int64_t id = fresh_id();
  const std::string text = canonical({{"id", id}, {"op", op}, {"args", args}});
  if (payload) *payload = to_bytes(text);
  expect_answer_to(id);
  send_payload(text);
  return id;
}

// --- waiting -------------------------------------------------------------------------------------

bool Link::wait_until(const std::function<bool()>& done, Millis at_most) {
  const Millis end = target_.clock() + at_most;
  for (;;) {
    absorb();
    if (done()) return true;
    if (channel_->closed()) return false;
    const Millis left = end - target_.clock();
    if (left <= Millis{0} || !channel_->wait(left)) {
      absorb();
      return done();
    }
  }
}

void Link::nothing_came(const std::string& expected) {
  std::string seen;
  for (const Json& event : events_) seen += "; got the event " + shown(event);
  if (channel_->closed()) {
    require_alive(target_, target_.patience);  // else CRASH
    fail_step("the connection was closed without " + expected + seen);
  }
  throw StepFailed{Verdict::hang, "nothing came in time: expected " + expected + seen};
}

Json Link::answer(std::int64_t id, Millis at_most) {
  if (!wait_until([&] { return answers_.contains(id); }, at_most))
    nothing_came("an answer to request " + std::to_string(id));
  unread_.erase(id);
  return answers_.at(id);
}

Json Link::event(const std::string& name, Millis at_most) {
  const auto find = [&] {
    return std::find_if(events_.begin(), events_.end(),
                        [&](const Json& event) { return event.at("event") == name; });
  };
  if (!wait_until([&] { return find() != events_.end(); }, at_most))
    nothing_came("the event " + name);
  const auto at = find();
  Json out = at->at("data");
  events_.erase(at);
  return out;
}

Request Link::inbound(const std::vector<std::string>& ops, Millis at_most) {
  const auto find = [&] {
    return std::find_if(requests_.begin(), requests_.end(), [&](const Request& request) {
      return std::find(ops.begin(), ops.end(), request.op) != ops.end();
    });
  };
  if (!wait_until([&] { return find() != requests_.end(); }, at_most))
    nothing_came("the request " + ops.front());
  const auto at = find();
  Request out = std::move(*at);
  requests_.erase(at);
  return out;
}

std::optional<Request> Link::next_request() {
  channel_->wait(Millis{0});
  absorb();
  if (requests_.empty()) return std::nullopt;
  Request out = std::move(requests_.front());
  requests_.pop_front();
  return out;
}

void Link::expect_close(Millis at_most) {
  if (wait_until([&] { return channel_->closed(); }, at_most)) return;
  fail_step("the connection stayed open");
}

void Link::await_given(const std::string& name, Millis at_most) {
  if (!wait_until([&] { return given_.contains(name); }, at_most))
    nothing_came("blob.get of " + name + " (REL-2)");
}

bool Link::has_unread() const { return !unread_.empty() || !events_.empty() || !requests_.empty(); }

bool Link::silent(Millis for_so_long) {
  absorb();
  const std::size_t before = frames_seen_;
  return !wait_until([&] { return frames_seen_ != before || channel_->closed(); }, for_so_long);
}

bool Link::closed() {
  absorb();
  return channel_->closed();
}

// --- what comes in -------------------------------------------------------------------------------

void Link::absorb() {
  splitter_.push(channel_->take());
  while (auto frame = splitter_.next()) {
    ++frames_seen_;
    frame->kind == 1 ? take_payload(frame->payload) : take_chunk(frame->payload);
  }
  if (splitter_.wrong()) fail_step("the target sent " + *splitter_.wrong());
}

void Link::take_payload(const Bytes& payload) {
  Json message;
  if (auto why = judge_canonical(payload, message))
    fail_step("a payload of the target " + *why + ": " + to_string(payload).substr(0, 200));
  if (!message.is_object()) fail_step("a payload is no object (OPS-1): " + shown(message));
  const bool has_id = message.contains("id") && message.at("id").is_number_integer();
  if (message.size() == 2 && has_id && (message.contains("ok") || message.contains("error")))
    return take_answer(message, payload);
  if (message.size() == 2 && message.contains("event") && message.contains("data") &&
      message.at("event").is_string() && message.at("data").is_object()) {
    if (message.at("event") == "error") judge_error(message.at("data"));
    events_.push_back(std::move(message));
    return;
  }
  if (message.size() == 3 && has_id && message.contains("op") && message.contains("args"))
    return take_request({message.at("id"), message.at("op"), message.at("args"), payload});
  fail_step("a payload is no request, answer or event (OPS-1): " + shown(message));
}

void Link::take_answer(const Json& message, const Bytes& payload) {
  const std::int64_t id = message.at("id");
  const auto asked = asked_.find(id);
  if (asked == asked_.end() || asked->second == 0)
    fail_step("an answer to no open request (OPS-2): " + shown(message));
  --asked->second;
  if (message.contains("error"))
    judge_error(message.at("error"));
  else if (!message.at("ok").is_object())
    fail_step("ok is no object (OPS-1): " + shown(message));
  answers_[id] = message;
  unread_.insert(id);
  answer_payloads_[id] = payload;
}

void Link::take_request(Request request) {
  if (request.op == "blob.get") return serve(request);
  if (request.op == "ping") return reply({{"id", request.id}, {"ok", Json::object()}});
  requests_.push_back(std::move(request));
}

void Link::serve(const Request& request) {
  const std::string hash = request.args.value("hash", "");
  const std::int64_t transfer = request.args.value("transfer", std::int64_t{0});
  const auto blob = served.find(hash);
  if (blob == served.end())
    return reply({{"id", request.id}, {"error", {{"code", "not_found"}, {"phase", "state"}}}});
  const bool ours_are_odd = next_transfer % 2 == 1;
  if (transfer < 1 || (transfer % 2 == 1) == ours_are_odd)
    fail_step("blob.get with a transfer number of the wrong parity (BLB-7)");
  constexpr std::size_t piece = 65'536;
  for (std::size_t at = 0; at < blob->second.size(); at += piece) {
    const std::size_t size = std::min(piece, blob->second.size() - at);
    send(write_chunk(static_cast<std::uint64_t>(transfer), at,
                     ByteView(blob->second).subspan(at, size)));
  }
  given_.insert(hash);
  reply({{"id", request.id}, {"ok", {{"len", blob->second.size()}}}});
}

void Link::take_chunk(const Bytes& payload) {
  const std::uint64_t transfer = read_u64(payload);
  const std::uint64_t offset = read_u64(ByteView(payload).subspan(8));
  Bytes& have = chunks_[transfer];
  if (offset != have.size()) fail_step("a chunk whose offset is not what came before it (BLB-2)");
  append(have, ByteView(payload).subspan(16));
}

void require_alive(Target& target, Millis at_most) {
  auto channel = target.connect();
  if (!channel) throw StepFailed{Verdict::crash, "no new connection is taken any more"};
  Link link(target, std::move(channel), true);
  const std::int64_t id = link.request("ping", Json::object());
  const Millis end = target.clock() + at_most;
  while (!link.has_answer(id)) {
    if (link.closed()) throw StepFailed{Verdict::crash, "a fresh connection is closed at once"};
    const Millis left = end - target.clock();
    if (left <= Millis{0} || (link.silent(left) && !link.has_answer(id)))
      throw StepFailed{Verdict::hang, "a fresh connection's ping is not answered (SES-12)"};
  }
  if (!link.answer(id, Millis{0}).contains("ok"))
    throw StepFailed{Verdict::fail, "a fresh connection's ping is refused (SES-12)"};
}

}  // namespace ams::conform
