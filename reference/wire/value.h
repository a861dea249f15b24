// AMS-CJ values (spec ENC in reference/spec/01-encoding.md): the tree of a canonical JSON text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::wire {

class Value;
using Array = std::vector<Value>;
/// Members sorted by name, which is canonical order (names are ASCII).
using Object = std::map<std::string, Value, std::less<>>;

inline constexpr std::int64_t integer_max = (std::int64_t{1} << 53) - 1;  // ENC-8
inline constexpr int depth_max = 16;                                      // ENC-6

class Value {
 public:
  Value() : data_(Object{}) {}
  Value(bool b) : data_(b) {}                            // NOLINT: values convert freely
  Value(std::int64_t i) : data_(i) {}                    // NOLINT; |i| <= integer_max
  Value(int i) : data_(static_cast<std::int64_t>(i)) {}  // NOLINT
  Value(std::string s) : data_(std::move(s)) {}          // NOLINT; valid UTF-8
  Value(std::string_view s) : data_(std::string(s)) {}   // NOLINT
  Value(const char* s) : data_(std::string(s)) {}        // NOLINT
  Value(Array a) : data_(std::move(a)) {}                // NOLINT
  Value(Object o) : data_(std::move(o)) {}               // NOLINT

  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }
  // Preconditions: the value is of that type.
  bool as_bool() const { return std::get<bool>(data_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(data_); }
  const std::string& as_string() const { return std::get<std::string>(data_); }
  std::string& as_string() { return std::get<std::string>(data_); }
  const Array& as_array() const { return std::get<Array>(data_); }
  Array& as_array() { return std::get<Array>(data_); }
  const Object& as_object() const { return std::get<Object>(data_); }
  Object& as_object() { return std::get<Object>(data_); }

  /// The member, or null when this is no object or has none of that name.
  const Value* find(std::string_view name) const;
  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<bool, std::int64_t, std::string, Array, Object> data_;
};

/// Canonical bytes of a value. Precondition: member names, integers and strings are as ENC demands.
Bytes encode(const Value& value);
/// The same, appended to `out`.
void append_encoded(Bytes& out, const Value& value);
/// Value of canonical bytes; everything else is refused with the code of the first check that
/// fails: bom, utf8, then from left to right json_syntax, depth, surrogate, member_name,
/// duplicate_name, number and null_value, then not_canonical. O(n log n) time, O(n) memory,
/// recursion <= depth_max.
Result<Value> decode(ByteView bytes);
/// The same without not_canonical: for writers that take a JSON text from elsewhere and encode() it
/// anew (ENC-20). What a peer sent is never read with this.
Result<Value> decode_any_form(ByteView bytes);

/// Reads the members of one object and names the one that is wrong. Errors are sticky: read all
/// members, then ask finish(). `where` strings must be literals.
///
///   ObjectReader in(value, "header");
///   auto id = in.bytes<16>("id");
///   auto ts = in.integer("ts", 0, integer_max);
///   AMS_CHECK(in.finish());   // schema, base64url, unknown_member
class ObjectReader {
 public:
  /// refuse: signed objects. ignore_x: args of ops, where members named x_* are ignored.
  enum class Unknown { refuse, ignore_x };
  ObjectReader(const Value& value, std::string_view what, Unknown unknown = Unknown::refuse);

  std::string string(std::string_view name, std::size_t size_max = 1024);
  std::optional<std::string> optional_string(std::string_view name, std::size_t size_max = 1024);
  std::int64_t integer(std::string_view name, std::int64_t min = 0, std::int64_t max = integer_max);
  std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min = 0,
                                               std::int64_t max = integer_max);
  bool boolean(std::string_view name);
  bool optional_boolean(std::string_view name, bool otherwise);
  Bytes binary(std::string_view name, std::size_t size_min, std::size_t size_max);
  std::optional<Bytes> optional_binary(std::string_view name, std::size_t size_min,
                                       std::size_t size_max);
  template <std::size_t N>
  std::array<std::uint8_t, N> bytes(std::string_view name) {
    const Bytes raw = binary(name, N, N);
    return to_array<N>(raw).value_or(std::array<std::uint8_t, N>{});
  }
  Id16 uuid(std::string_view name);  // text form of RFC 9562
  /// The member as it is; a shared empty object when it is missing (and the error is recorded).
  const Value& any(std::string_view name);
  const Value* optional(std::string_view name);
  const Array& array(std::string_view name, std::size_t count_max);
  /// Checks that member `ams` is exactly this tag: unknown_ams_tag.
  void tag(std::string_view expected);

  /// A rule of the member just read that its type does not say: the first error met stands
  /// (ENC-16).
  void require(bool condition, Code code, std::string_view where) {
    if (!condition) record(code, where);
  }
  /// The judgement of a member that is an object of its own.
  void include(const Result<>& inner) {
    if (!inner) record(inner.error().code, inner.error().where);
  }

  /// The first error met (missing or mistyped members in reading order), then unknown members.
  Result<> finish();
  bool ok() const { return !error_; }

 private:
  const Value* take(std::string_view name);
  const Value* need(std::string_view name);
  void record(Code code, std::string_view where);
  void missing(std::string_view name);
  void wrong_type(std::string_view name);

  const Value* value_;
  std::string_view what_;
  Unknown unknown_;
  std::optional<Error> error_;
  std::vector<std::string_view> taken_;
};

}  // namespace ams::wire
