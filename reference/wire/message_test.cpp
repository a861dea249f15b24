// Goal: a JSON frame is a request, an answer, an event, or request_shape. Method: known texts, each
// with one thing wrong, and round trips.
#include "wire/message.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "wire/frame.h"
#include "wire/wire_gen.h"

namespace ams::wire {
namespace {

std::string message_code(std::string_view text) {
  const auto message = decode_message(as_bytes(text));
  return message ? "ok" : std::string(code_info(message.error().code).name);
}

TEST(Message, three_shapes) {
  const auto request = decode_message(as_bytes(R"({"args":{"a":1},"id":7,"op":"mail.fetch"})"));
  ASSERT_TRUE(request);
  EXPECT_EQ(std::get<Request>(*request), (Request{7, "mail.fetch", Object{{"a", 1}}}));
  const auto ok = decode_message(as_bytes(R"({"id":7,"ok":{}})"));
  ASSERT_TRUE(ok);
  EXPECT_EQ(std::get<Answer>(*ok), ok_answer(7, Object{}));
  const auto event = decode_message(as_bytes(R"({"data":{},"event":"mail.new"})"));
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<Event>(*event).event, "mail.new");
}

TEST(Message, an_error_carries_the_registry) {
  const Answer answer = error_answer(3, Error{Code::mailbox_full, "here"}, 60);
  const std::string_view text =
      R"({"error":{"clause":"REL-7","code":"mailbox_full","phase":"policy","retry_after":60},)"
      R"("id":3})";
  EXPECT_EQ(to_string(encode_message(answer)), text);
  const auto read = decode_message(as_bytes(text));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<Answer>(*read), answer);
  EXPECT_EQ(std::get<Answer>(*read).error().info()->code, Code::mailbox_full);
  EXPECT_EQ(message_code(R"({"error":{"code":"new_one","phase":"state"},"id":1})"), "ok");
}

TEST(Message, anything_else_is_request_shape) {
  for (const std::string_view text :
       {R"({})",
        R"([])",
        R"(1)",
        R"({"id":1})",
        R"({"id":1,"op":"x"})",
        R"({"args":{},"op":"x"})",
        R"({"args":{},"id":0,"op":"x"})",
        R"({"args":{},"id":-1,"op":"x"})",
        R"({"args":{},"id":"1","op":"x"})",
        R"({"args":[],"id":1,"op":"x"})",

        R"({"args":{},"id":1,"op":7})",
        R"({"args":{},"id":1,"op":"x","x_more":1})",
        R"({"args":{},"event":"e","id":1,"op":"x"})",

        R"({"data":1,"event":"e"})",
        R"({"event":"e"})",
        R"({"data":{},"event":"e","id":1})",
        R"({"id":0,"ok":{}})",
        R"({"id":1,"ok":1})",
        R"({"error":{"code":"c","phase":"p"},"id":1,"ok":{}})",
        R"({"error":{"code":"c"},"id":1})",
        R"({"error":{"phase":"p"},"id":1})",
        R"({"error":{"code":"c","phase":"p"},"id":0})",
        R"({"error":{"code":"c","phase":"p","retry_after":-1},"id":1})",
        R"({"error":{"clause":"","code":"c","phase":"p"},"id":1})",
        R"({"error":{"code":"c","more":1,"phase":"p"},"id":1})",
        R"({"error":1,"id":1})"})
    EXPECT_EQ(message_code(text), "request_shape") << text;
  const std::string long_op(op_size_max + 1, 'x');
  EXPECT_EQ(message_code(R"({"args":{},"id":1,"op":")" + long_op + "\"}"), "request_shape");
}

TEST(Message, encoding_is_judged_first) {
  EXPECT_EQ(message_code(R"({"id":1,"op":"x","args":{}})"), "not_canonical");
  EXPECT_EQ(message_code(R"({"id":1.5})"), "number");
}

TEST(Message, round_trip) {
  EXPECT_TRUE(rc::check([] {
    const Value body = Object{{"value", *gen_value(3)}};
    const auto id = *rc::gen::inRange<std::int64_t>(1, integer_max);
    const Message message = *rc::gen::element<Message>(
        Request{id, "op", body}, Answer{id, body}, error_answer(id, Error{Code::rate, {}}, 3),
        error_answer(id, Error{Code::signature, {}}), Event{"event", body});
    RC_ASSERT(decode_message(encode_message(message)) == message);
  }));
}

TEST(Message, appends_a_whole_frame_or_nothing) {
  Bytes out;
  ASSERT_TRUE(append_message(out, Event{"e", Object{}}));
  const auto frame = parse_frame(out);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ(as_text((*frame)->payload), R"({"data":{},"event":"e"})");
  const std::size_t size = out.size();
  const Value large = Object{{"a", std::string(json_payload_size_max, 'x')}};
  EXPECT_EQ(append_message(out, Event{"e", large}).error().code, Code::frame_too_large);
  EXPECT_EQ(out.size(), size);
}

}  // namespace
}  // namespace ams::wire
