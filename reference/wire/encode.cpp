// AMS-CJ writer: RFC 8785 for values that hold neither floats nor null.
#include <array>
#include <charconv>

#include "wire/scan.h"
#include "wire/sigform.h"
#include "wire/value.h"

namespace ams::wire {
namespace {

void write_value(Bytes& out, const Value& value);

void write_escape(Bytes& out, std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"':
      append(out, std::string_view("\\\""));
      return;
    case '\\':
      append(out, std::string_view("\\\\"));
      return;
    case '\b':
      append(out, std::string_view("\\b"));
      return;
    case '\t':
      append(out, std::string_view("\\t"));
      return;
    case '\n':
      append(out, std::string_view("\\n"));
      return;
    case '\f':
      append(out, std::string_view("\\f"));
      return;
    case '\r':
      append(out, std::string_view("\\r"));
      return;
    default:
      append(out, std::string_view("\\u00"));
      out.push_back(static_cast<std::uint8_t>(digits[byte >> 4]));
      out.push_back(static_cast<std::uint8_t>(digits[byte & 15]));
  }
}

void write_string(Bytes& out, std::string_view text) {
  out.push_back('"');
  std::size_t from = 0;  // what lies between two escapes is copied as one run
  for (std::size_t at = 0; (at = find_special(text, from)) < text.size(); from = at + 1) {
    append(out, text.substr(from, at - from));
    write_escape(out, static_cast<std::uint8_t>(text[at]));
  }
  append(out, text.substr(from));
  out.push_back('"');
}

void write_integer(Bytes& out, std::int64_t integer) {
  AMS_ASSERT(integer >= -integer_max && integer <= integer_max);
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), integer).ptr;
  out.insert(out.end(), digits.data(), end);
}

void write_object(Bytes& out, const Object& members, std::string_view without) {
  out.push_back('{');
  bool first = true;
  for (const auto& [name, value] : members) {
    if (!without.empty() && name == without) continue;
    if (!first) out.push_back(',');
    first = false;
    write_string(out, name);
    out.push_back(':');
    write_value(out, value);
  }
  out.push_back('}');
}

void write_array(Bytes& out, const Array& items) {
  out.push_back('[');
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.push_back(',');
    write_value(out, items[i]);
  }
  out.push_back(']');
}

void write_value(Bytes& out, const Value& value) {
  if (value.is_string()) {
    write_string(out, value.as_string());
  } else if (value.is_integer()) {
    write_integer(out, value.as_integer());
  } else if (value.is_object()) {
    write_object(out, value.as_object(), {});
  } else if (value.is_array()) {
    write_array(out, value.as_array());
  } else {
    append(out, value.as_bool() ? std::string_view("true") : std::string_view("false"));
  }
}

}  // namespace

void append_encoded(Bytes& out, const Value& value) { write_value(out, value); }

Bytes encode(const Value& value) {
  Bytes out;
  write_value(out, value);
  return out;
}

Bytes encode_without(const Value& object, std::string_view member) {
  Bytes out;
  write_object(out, object.as_object(), member);
  return out;
}

}  // namespace ams::wire
