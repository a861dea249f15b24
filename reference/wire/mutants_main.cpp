// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe that tells whether the rule holds; it must hold with all switches off,
// fail with the switch on, and the switch must have been asked. Exit code: 0 all do, 1 otherwise.
#include <functional>

#include "policy/probe.h"
#include "wire/address.h"
#include "wire/frame.h"
#include "wire/message.h"

namespace ams::wire {
namespace {

using mutants::Probe;

std::function<bool()> text_refused(std::string text, Code code) {
  return [text = std::move(text), code] {
    const auto value = decode(as_bytes(text));
    return !value && value.error().code == code;
  };
}

std::function<bool()> frame_refused(std::uint32_t size, std::uint8_t kind) {
  return [=] {
    Bytes frame;
    append_u32(frame, size);
    frame.push_back(kind);
    frame.resize(frame_header_size + size);
    FrameReader reader;
    reader.push(frame);
    const auto read = reader.next();
    if (read && *read && (*read)->kind == FrameKind::blob) parse_blob_payload((*read)->payload);
    return !read;
  };
}

bool object_refused(const Value& value) {
  ObjectReader in(value, "probe");
  in.tag("probe/1");
  in.binary("key", 1, 1);
  return !in.finish();
}

std::vector<Probe> probes() {
  const std::string deep = std::string(17, '[') + std::string(17, ']');
  return {
      {"wire.accept_bom", text_refused("\xef\xbb\xbf{}", Code::bom)},
      {"wire.accept_utf8", text_refused("\"\xff\"", Code::utf8)},
      {"wire.accept_surrogate", text_refused(R"("\ud800")", Code::surrogate)},
      {"wire.accept_trailing_text", text_refused("{}{}", Code::json_syntax)},
      {"wire.accept_duplicate_name", text_refused(R"({"a":1,"b":1,"a":2})", Code::duplicate_name)},
      {"wire.accept_member_name", text_refused(R"({"A":1})", Code::member_name)},
      {"wire.accept_float", text_refused("1e2", Code::number)},
      {"wire.accept_float", text_refused("9007199254740992", Code::number)},
      {"wire.accept_float", text_refused("-0.0", Code::number)},
      {"wire.accept_null", text_refused("[null]", Code::null_value)},
      {"wire.accept_not_canonical", text_refused(R"({"b":1, "a":2})", Code::not_canonical)},
      {"wire.accept_depth", text_refused(deep, Code::depth)},
      {"wire.wrong_code_depth", text_refused(deep, Code::depth)},
      {"wire.accept_frame_kind", frame_refused(1, 3)},
      {"wire.accept_frame_too_large", frame_refused((1 << 20) + 1, 1)},
      {"wire.accept_frame_empty", frame_refused(0, 1)},
      {"wire.accept_frame_empty", frame_refused(0, 2)},
      {"wire.accept_frame_short", frame_refused(15, 2)},
      {"wire.accept_tag",
       [] {
         return object_refused(Object{{"ams", "probe/2"}, {"key", "AA"}});
       }},
      {"wire.accept_base64_trailing",
       [] {
         return object_refused(Object{{"ams", "probe/1"}, {"key", "AB"}});
       }},
      {"wire.accept_base64_trailing",
       [] {
         return object_refused(Object{{"ams", "probe/1"}, {"key", "AA=="}});
       }},
      {"wire.accept_unknown_member",
       [] {
         return object_refused(Object{{"ams", "probe/1"}, {"key", "AA"}, {"more", 1}});
       }},
      {"wire.accept_request_shape",
       [] { return !decode_message(as_bytes(R"({"id":1,"op":"ping"})")); }},
      {"wire.accept_address_syntax", [] { return !parse_address("A@b.c"); }},
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::wire

int main() { return ams::wire::run_probes(); }
