// What a JSON frame holds (spec OPS-1): a request, an answer or an event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "wire/value.h"

namespace ams::wire {

inline constexpr std::size_t op_size_max = 64;  // bytes, of ops and of event names

/// {"id":1,"op":"mail.submit","args":{…}}
struct Request {
  std::int64_t id = 0;  // 1 … integer_max, chosen by the asker
  std::string op;
  Value args;  // an object
  friend bool operator==(const Request&, const Request&) = default;
};

/// The error of an answer, as text: a peer of a later version may know codes that we do not.
struct ErrorObject {
  std::string code;
  std::string phase;
  std::string clause;                       // empty: left out
  std::optional<std::int64_t> retry_after;  // seconds

  /// Null when the code is not in our registry.
  const CodeInfo* info() const { return find_code(code); }
  friend bool operator==(const ErrorObject&, const ErrorObject&) = default;
};

/// Code, phase and clause as the registry has them.
ErrorObject to_error_object(const Error& error, std::optional<std::int64_t> retry_after_s = {});

/// {"id":1,"ok":{…}} or {"id":1,"error":{…}}; the id is the request's.
struct Answer {
  std::int64_t id = 0;
  std::variant<Value, ErrorObject> outcome;  // the Value is an object

  bool is_ok() const { return std::holds_alternative<Value>(outcome); }
  const Value& ok() const { return std::get<Value>(outcome); }
  const ErrorObject& error() const { return std::get<ErrorObject>(outcome); }
  friend bool operator==(const Answer&, const Answer&) = default;
};

/// {"event":"mail.new","data":{…}}
struct Event {
  std::string event;
  Value data;  // an object
  friend bool operator==(const Event&, const Event&) = default;
};

using Message = std::variant<Request, Answer, Event>;

/// Fails with decode()'s codes, then with request_shape for anything that is none of the three.
Result<Message> decode_message(ByteView payload);

/// Canonical payload. Preconditions: as the structs' comments say.
Bytes encode_message(Message message);
/// The message as a whole frame, appended. Fails with frame_too_large, and then appends nothing.
Result<> append_message(Bytes& out, Message message);

inline Answer ok_answer(std::int64_t id, Value ok) { return {id, std::move(ok)}; }
inline Answer error_answer(std::int64_t id, const Error& error,
                           std::optional<std::int64_t> retry_after_s = {}) {
  return {id, to_error_object(error, retry_after_s)};
}

}  // namespace ams::wire
