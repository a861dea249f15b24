// One AMS connection as the suite sees it. Every byte of the target is judged on the way in: frames
// (WIR), canonical text (ENC), the shape of answers, events and errors (OPS-1 to OPS-3); a breach
// ends the case with FAIL whatever the case was about.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "judge/canon.h"
#include "judge/frames.h"
#include "runner/target.h"

namespace ams::conform {

struct Request {
  std::int64_t id = 0;
  std::string op;
  Json args;
  Bytes payload;
};

class Link {
 public:
  /// `connector`: the suite opened the connection.
  Link(Target& target, std::unique_ptr<Channel> channel, bool connector);

  void send(ByteView raw) { channel_->send(raw); }
  void send_payload(const std::string& text) { send(write_frame(1, as_bytes(text))); }
  /// Sends a request and gives its id; `payload` gets the bytes (for SES-4).
  std::int64_t request(const std::string& op, const Json& args, Bytes* payload = nullptr);
  void expect_answer_to(std::int64_t id) { ++asked_[id]; }
  std::int64_t fresh_id() { return next_id_++; }
  void reply(const Json& message) { send_payload(canonical(message)); }

  /// The next three wait at most `at_most`, and throw HANG, CRASH or FAIL when nothing came.
  Json answer(std::int64_t id, Millis at_most);
  Json event(const std::string& name, Millis at_most);
  /// The first request of any of these ops.
  Request inbound(const std::vector<std::string>& ops, Millis at_most);
  /// The oldest request that has come; empty: none has.
  std::optional<Request> next_request();
  void expect_close(Millis at_most);
  /// True when nothing at all comes for so long.
  bool silent(Millis for_so_long);
  /// Something came that no step has taken.
  bool has_unread() const;
  bool has_answer(std::int64_t id) const { return answers_.contains(id); }
  bool closed();

  const Hash& exporter() const { return channel_->exporter(); }
  const Bytes& payload_of_answer(std::int64_t id) const { return answer_payloads_.at(id); }
  Channel& channel() { return *channel_; }
  Bytes& chunks(std::uint64_t transfer) { return chunks_[transfer]; }
  /// Blobs that are given to a target that asks for them with blob.get, by name.
  std::map<std::string, Bytes> served;
  /// Waits until the target has asked for one of those and got it.
  void await_given(const std::string& name, Millis at_most);
  std::uint64_t next_transfer;

 private:
  std::set<std::string> given_;
  bool wait_until(const std::function<bool()>& done, Millis at_most);
  [[noreturn]] void nothing_came(const std::string& expected);
  void absorb();
  void take_payload(const Bytes& payload);
  void take_answer(const Json& message, const Bytes& payload);
  void take_request(Request request);
  void serve(const Request& request);
  void take_chunk(const Bytes& payload);

  Target& target_;
  std::unique_ptr<Channel> channel_;
  FrameSplitter splitter_;
  std::int64_t next_id_ = 1;
  std::map<std::int64_t, int> asked_;
  std::map<std::int64_t, Json> answers_;
  std::map<std::int64_t, Bytes> answer_payloads_;
  std::deque<Json> events_;
  std::deque<Request> requests_;
  std::map<std::uint64_t, Bytes> chunks_;
  std::set<std::int64_t> unread_;  // answers
  std::size_t frames_seen_ = 0;
};

/// Connects and pings (SES-12): the target still lives. Throws CRASH or HANG.
void require_alive(Target& target, Millis at_most);

}  // namespace ams::conform
