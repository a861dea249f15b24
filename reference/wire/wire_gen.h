// Generators of values for rapidcheck, shared by this room's tests. Not included by the room
// itself.
#pragma once

#include <rapidcheck.h>

#include <ostream>

#include "wire/utf8.h"
#include "wire/value.h"

namespace ams::wire {

inline void PrintTo(const Value& value, std::ostream* out) { *out << to_string(encode(value)); }
inline void showValue(const Value& value, std::ostream& out) { PrintTo(value, &out); }

inline rc::Gen<std::string> gen_text() {
  const auto plain = rc::gen::inRange<std::uint32_t>(0, 0x80);
  const auto wide = rc::gen::suchThat(rc::gen::inRange<std::uint32_t>(0, 0x110000),
                                      [](std::uint32_t c) { return c < 0xd800 || c > 0xdfff; });
  return rc::gen::map(rc::gen::container<std::vector<std::uint32_t>>(rc::gen::oneOf(plain, wide)),
                      [](const std::vector<std::uint32_t>& points) {
                        std::string text;
                        for (const auto point : points) append_utf8(text, point);
                        return text;
                      });
}

inline rc::Gen<std::string> gen_name() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 26), rc::gen::inRange(0, 1000)),
                      [](const std::pair<int, int>& p) {
                        std::string name(1, static_cast<char>('a' + p.first));
                        return p.second < 500 ? name : name + "_" + std::to_string(p.second % 10);
                      });
}

inline rc::Gen<Value> gen_value(int depth_left) {
  const auto integer = rc::gen::map(rc::gen::inRange<std::int64_t>(-integer_max, integer_max + 1),
                                    [](std::int64_t i) { return Value(i); });
  const auto small = rc::gen::map(rc::gen::inRange(-20, 20), [](int i) { return Value(i); });
  const auto boolean = rc::gen::map(rc::gen::arbitrary<bool>(), [](bool b) { return Value(b); });
  const auto text = rc::gen::map(gen_text(), [](std::string s) { return Value(std::move(s)); });
  if (depth_left == 0) return rc::gen::oneOf(integer, small, boolean, text);
  const auto inner = rc::gen::lazy([=] { return rc::gen::scale(0.5, gen_value(depth_left - 1)); });
  const auto array = rc::gen::map(rc::gen::container<std::vector<Value>>(inner),
                                  [](Array a) { return Value(std::move(a)); });
  const auto object = rc::gen::map(rc::gen::container<std::vector<std::pair<std::string, Value>>>(
                                       rc::gen::pair(gen_name(), inner)),
                                   [](const std::vector<std::pair<std::string, Value>>& members) {
                                     return Value(Object(members.begin(), members.end()));
                                   });
  return rc::gen::oneOf(integer, small, boolean, text, array, object, object);
}

}  // namespace ams::wire
