#include "wire/message.h"

#include "base/overload.h"
#include "policy/mutant.h"
#include "wire/frame.h"

namespace ams::wire {
namespace {

constexpr std::size_t error_text_size_max = 64;  // bytes, of code, phase and clause

// Whatever ObjectReader finds wrong with a message's own members is one refusal: request_shape.
tl::unexpected<Error> bad_shape(std::string_view where) {
  return fail(mutant("wire.wrong_code_shape") ? Code::schema : Code::request_shape, where);
}

// Moved out rather than copied: most of a frame is its args. An empty object when there is none.
Value take_member(Value& value, std::string_view name) {
  const auto found = value.as_object().find(name);
  return found == value.as_object().end() ? Value() : std::move(found->second);
}

Result<Message> read_request(Value& value) {
  ObjectReader in(value, "request");
  Request request;
  request.id = in.integer("id", 1);
  request.op = in.string("op", op_size_max);
  const bool has_args = value.find("args") != nullptr || !mutant("wire.accept_request_shape");
  const bool args_fit = !has_args || in.any("args").is_object();
  if (!in.finish() || !args_fit) return bad_shape("request");
  request.args = take_member(value, "args");
  return request;
}

Result<Message> read_event(Value& value) {
  ObjectReader in(value, "event");
  Event event{in.string("event", op_size_max), {}};
  const bool data_fits = in.any("data").is_object();
  if (!in.finish() || !data_fits) return bad_shape("event");
  event.data = take_member(value, "data");
  return event;
}

Result<ErrorObject> read_error(const Value& value) {
  ObjectReader in(value, "error");
  ErrorObject error;
  error.code = in.string("code", error_text_size_max);
  error.phase = in.string("phase", error_text_size_max);
  const auto clause = in.optional_string("clause", error_text_size_max);
  error.retry_after = in.optional_integer("retry_after");
  if (!in.finish() || (clause && clause->empty())) return bad_shape("error");
  error.clause = clause.value_or("");
  return error;
}

Result<Message> read_answer(Value& value) {
  const bool is_ok = value.find("ok") != nullptr;
  ObjectReader in(value, "answer");
  Answer answer;
  answer.id = in.integer("id", 1);
  const Value& body = in.any(is_ok ? "ok" : "error");
  if (!in.finish() || !body.is_object()) return bad_shape("answer");
  if (is_ok) {
    answer.outcome = take_member(value, "ok");
  } else {
    AMS_TRY(answer.outcome, read_error(body));
  }
  return answer;
}

Value to_value(ErrorObject error) {
  Object members{{"code", std::move(error.code)}, {"phase", std::move(error.phase)}};
  if (!error.clause.empty()) members.emplace("clause", std::move(error.clause));
  if (error.retry_after) members.emplace("retry_after", *error.retry_after);
  return members;
}

Value to_value(Message message) {
  Object members;
  std::visit(Overload{[&](Request& request) {
                        members.emplace("id", request.id);
                        members.emplace("op", std::move(request.op));
                        members.emplace("args", std::move(request.args));
                      },
                      [&](Answer& answer) {
                        members.emplace("id", answer.id);
                        if (auto* ok = std::get_if<Value>(&answer.outcome))
                          members.emplace("ok", std::move(*ok));
                        else
                          members.emplace(
                              "error", to_value(std::move(std::get<ErrorObject>(answer.outcome))));
                      },
                      [&](Event& event) {
                        members.emplace("event", std::move(event.event));
                        members.emplace("data", std::move(event.data));
                      }},
             message);
  return members;
}

}  // namespace

ErrorObject to_error_object(const Error& error, std::optional<std::int64_t> retry_after_s) {
  const CodeInfo& info = code_info(error.code);
  return {std::string(info.name), std::string(info.phase), std::string(info.clause), retry_after_s};
}

Result<Message> decode_message(ByteView payload) {
  AMS_TRY(Value value, decode(payload));
  if (value.find("op") != nullptr) return read_request(value);
  if (value.find("event") != nullptr) return read_event(value);
  return read_answer(value);
}

Bytes encode_message(Message message) { return encode(to_value(std::move(message))); }

Result<> append_message(Bytes& out, Message message) {
  return append_frame(out, FrameKind::json, encode_message(std::move(message)));
}

}  // namespace ams::wire
