// AMS-CJ writer: RFC 8785 for values that hold neither floats nor null.
#include <bit>
#include <charconv>
#include <cstring>

#include "wire/scan.h"
#include "wire/sigform.h"
#include "wire/value.h"
#include "wire/writer.h"

namespace ams::wire {
namespace {

constexpr std::size_t escape_size_max = 6;  // \u001f
constexpr std::size_t word_size = 8;

/// About the size of a value's text: exact but for escapes and the length of numbers.
std::size_t estimate(const Value& value) {
  if (value.is_string()) return value.as_string().size() + 3;
  std::size_t out = 12;
  if (value.is_object()) {
    for (const auto& [name, member] : value.as_object()) out += name.size() + 4 + estimate(member);
  } else if (value.is_array()) {
    for (const Value& item : value.as_array()) out += 1 + estimate(item);
  }
  return out;
}

}  // namespace

Writer::Writer(Bytes& out, std::size_t size_hint) : out_(out) {
  const std::size_t begin = out.size();
  out_.resize(begin + size_hint);
  at_ = out_.data() + begin;
  end_ = out_.data() + out_.size();
}

void Writer::finish() { out_.resize(size()); }

void Writer::grow(std::size_t size_needed) {
  const std::size_t written = size();
  Bytes larger(written + size_needed + out_.size() / 2 + 64);
  std::memcpy(larger.data(), out_.data(), written);
  wipe(out_.data(), out_.size());
  out_ = std::move(larger);
  at_ = out_.data() + written;
  end_ = out_.data() + out_.size();
}

void Writer::put(std::string_view text) {
  std::memcpy(at_, text.data(), text.size());
  at_ += text.size();
}

void Writer::separate() {
  need(escape_size_max);
  if (!after_name_ && filled_[static_cast<std::size_t>(depth_)]) put(',');
  filled_[static_cast<std::size_t>(depth_)] = true;
  after_name_ = false;
}

void Writer::begin(char bracket) {
  separate();
  put(bracket);
  ++depth_;
  AMS_ASSERT(depth_ <= depth_max);
  filled_[static_cast<std::size_t>(depth_)] = false;
  last_name_[static_cast<std::size_t>(depth_)] = {};
}

void Writer::end(char bracket) {
  need(1);
  put(bracket);
  --depth_;
}

void Writer::name(std::string_view name) {
  std::string_view& last = last_name_[static_cast<std::size_t>(depth_)];
  AMS_ASSERT(!after_name_ && last < name);
  last = name;
  separate();
  need(name.size() + 3);
  put('"');
  put(name);
  put('"');
  put(':');
  after_name_ = true;
}

void Writer::put_string(std::string_view text) {
  need(text.size() + 2 + word_size);
  put('"');
  put_escaped(text);
  need(1);
  put('"');
}

/// Copies eight bytes at a time: a word that has to be escaped somewhere is stored whole as well,
/// and what stands behind the escaped byte is overwritten. So `need` keeps room for a word.
void Writer::put_escaped(std::string_view text) {
  const char* from = text.data();
  const char* const end = from + text.size();
  while (from < end) {
    std::size_t clean = 0;
    if (end - from >= static_cast<std::ptrdiff_t>(word_size)) {
      std::uint64_t word;
      std::memcpy(&word, from, word_size);
      std::memcpy(at_, &word, word_size);
      clean = clean_prefix(word);
    } else {
      while (from + clean < end && !is_special(from[clean])) {
        at_[clean] = static_cast<std::uint8_t>(from[clean]);
        ++clean;
      }
      if (from + clean == end) {
        at_ += clean;
        return;
      }
    }
    from += clean;
    at_ += clean;
    if (clean == word_size) continue;
    need(escape_size_max + static_cast<std::size_t>(end - from) + word_size);
    put_escape(static_cast<std::uint8_t>(*from++));
  }
}

void Writer::put_escape(std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  put('\\');
  switch (byte) {
    case '"':
    case '\\':
      return put(static_cast<char>(byte));
    case '\b':
      return put('b');
    case '\t':
      return put('t');
    case '\n':
      return put('n');
    case '\f':
      return put('f');
    case '\r':
      return put('r');
    default:
      put(std::string_view("u00"));
      put(digits[byte >> 4]);
      put(digits[byte & 15]);
  }
}

void Writer::put_integer(std::int64_t integer) {
  AMS_ASSERT(integer >= -integer_max && integer <= integer_max);
  constexpr std::size_t digits_max = 17;
  need(digits_max);
  char* const first = reinterpret_cast<char*>(at_);
  at_ += std::to_chars(first, first + digits_max, integer).ptr - first;
}

void Writer::put_object(const Object& members, std::string_view without) {
  char before = '{';
  for (const auto& [name_of, member] : members) {
    if (!without.empty() && name_of == without) continue;
    need(1);
    put(before);
    before = ',';
    put_string(name_of);
    need(1);
    put(':');
    put_value(member);
  }
  need(2);
  if (before == '{') put('{');
  put('}');
}

void Writer::put_array(const Array& items) {
  char before = '[';
  for (const Value& item : items) {
    need(1);
    put(before);
    before = ',';
    put_value(item);
  }
  need(2);
  if (before == '[') put('[');
  put(']');
}

void Writer::put_value(const Value& value) {
  if (value.is_string()) {
    put_string(value.as_string());
  } else if (value.is_integer()) {
    put_integer(value.as_integer());
  } else if (value.is_object()) {
    put_object(value.as_object(), {});
  } else if (value.is_array()) {
    put_array(value.as_array());
  } else {
    need(escape_size_max);
    put(value.as_bool() ? std::string_view("true") : std::string_view("false"));
  }
}

void Writer::string(std::string_view text) {
  separate();
  put_string(text);
}

void Writer::integer(std::int64_t integer) {
  separate();
  put_integer(integer);
}

char* Writer::string_place(std::size_t size) {
  separate();
  need(size + 2);
  put('"');
  char* const out = reinterpret_cast<char*>(at_);
  at_ += size;
  put('"');
  return out;
}

void Writer::base64url(ByteView bytes) {
  write_base64url(bytes, string_place(base64url_size(bytes.size())));
}

void Writer::value(const Value& value) {
  separate();
  put_value(value);
}

void Writer::value_without(const Object& members, std::string_view member) {
  separate();
  put_object(members, member);
}

void append_encoded(Bytes& out, const Value& value) {
  Writer writer(out, estimate(value));
  writer.value(value);
  writer.finish();
}

Bytes encode(const Value& value) {
  Bytes out;
  append_encoded(out, value);
  return out;
}

Bytes encode_without(const Value& object, std::string_view member) {
  Bytes out;
  Writer writer(out, estimate(object));
  writer.value_without(object.as_object(), member);
  writer.finish();
  return out;
}

}  // namespace ams::wire
