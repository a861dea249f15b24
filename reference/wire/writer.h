// Canonical text written piece by piece, without a tree: for what is large or secret. What the tree
// gives by itself, valid names in ascending order (ENC-5), is here the caller's duty, and asserted.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "wire/value.h"

namespace ams::wire {

class Writer {
 public:
  /// Appends to `out`, which may be used again after finish(). `size_hint`: bytes expected; more is
  /// allowed. Memory that is given back on the way is wiped.
  explicit Writer(Bytes& out, std::size_t size_hint = 256);
  void finish();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  /// Precondition: a member name above the last one of this object.
  void name(std::string_view name);

  void value(const Value& value);
  /// An object less one of its members.
  void value_without(const Object& members, std::string_view member);
  void string(std::string_view text);  // valid UTF-8
  void integer(std::int64_t integer);
  void base64url(ByteView bytes);
  /// A string of `size` characters that the caller writes, before anything else; none of them may
  /// need an escape.
  char* string_place(std::size_t size);

  /// Bytes written, those that `out` had before included.
  std::size_t size() const { return static_cast<std::size_t>(at_ - out_.data()); }

 private:
  void begin(char bracket);
  void end(char bracket);
  void separate();
  void put(char c) { *at_++ = static_cast<std::uint8_t>(c); }
  void put(std::string_view text);
  void put_value(const Value& value);
  void put_object(const Object& members, std::string_view without);
  void put_array(const Array& items);
  void put_integer(std::int64_t integer);
  void put_string(std::string_view text);
  void put_escaped(std::string_view text);
  void put_escape(std::uint8_t byte);
  /// At least `size` bytes can be put.
  void need(std::size_t size) {
    if (static_cast<std::size_t>(end_ - at_) < size) grow(size);
  }
  void grow(std::size_t size);

  Bytes& out_;
  std::uint8_t* at_ = nullptr;
  std::uint8_t* end_ = nullptr;
  int depth_ = 0;
  std::array<bool, depth_max + 1> filled_{};  // whether the object or array has a member
  std::array<std::string_view, depth_max + 1> last_name_{};
  bool after_name_ = false;
};

}  // namespace ams::wire
