// Goal: text written piece by piece equals the tree's, whatever its size makes the buffer do.
// Method: the same object both ways; strings whose escapes stand at every offset of a word, checked
// against an encoder that looks at one byte at a time.
#include "wire/writer.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

namespace ams::wire {
namespace {

std::string written(const std::function<void(Writer&)>& write, std::size_t size_hint) {
  Bytes out = to_bytes("before ");
  Writer writer(out, size_hint);
  write(writer);
  writer.finish();
  return to_string(out);
}

/// RFC 8785 section 3.2.2.2, a byte at a time.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view shorts = "\b\t\n\f\r\"\\", letters = "btnfr\"\\";
    constexpr std::string_view digits = "0123456789abcdef";
    if (const std::size_t at = shorts.find(c); at != std::string_view::npos) {
      out += {'\\', letters[at]};
    } else if (byte < 0x20) {
      out += "\\u00";
      out += {digits[byte >> 4], digits[byte & 15]};
    } else {
      out += c;
    }
  }
  return '"' + out + '"';
}

TEST(Writer, writes_what_the_tree_gives) {
  const Value inner = Object{{"b", Array{1, "two", Object{}}}, {"a", true}};
  const Value whole = Object{{"att", Array{inner, Array{}, -5}}, {"fk", "AQID"}, {"text", "\n"}};
  const auto write = [&](Writer& out) {
    out.begin_object();
    out.name("att");
    out.begin_array();
    out.value(inner);
    out.begin_array();
    out.end_array();
    out.integer(-5);
    out.end_array();
    out.name("fk");
    out.base64url(Bytes{1, 2, 3});
    out.name("text");
    out.string("\n");
    out.end_object();
  };
  for (const std::size_t size_hint : {0u, 1u, 7u, 1000u})
    EXPECT_EQ(written(write, size_hint), "before " + to_string(encode(whole)));
}

TEST(Writer, escapes_at_every_offset) {
  for (std::size_t size = 0; size < 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (const char special : {'"', '\\', '\n', '\x01', '\x1f', ' ', '\x7f', '!'}) {
        std::string text(size, 'x');
        text[at] = special;
        EXPECT_EQ(to_string(encode(Value(text))), escaped(text));
      }
    }
  }
  const std::string all(1000, '\x02');  // six bytes for one
  EXPECT_EQ(to_string(encode(Value(all))), escaped(all));
}

TEST(Writer, escapes_like_an_encoder_of_single_bytes) {
  EXPECT_TRUE(rc::check([](const std::string& text) {
    std::string ascii = text;
    for (char& c : ascii) c = static_cast<char>(c & 0x7f);
    RC_ASSERT(to_string(encode(Value(ascii))) == escaped(ascii));
  }));
}

}  // namespace
}  // namespace ams::wire
