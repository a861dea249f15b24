// AMS-CJ reader: one pass from left to right that builds the tree and notes on the way whether the
// text is canonical, so nothing is encoded again. Written by hand because a general parser cannot
// tell these refusals apart: nlohmann's SAX interface reports a lone surrogate, an overlong number
// and a missing bracket alike, as a parse error with a message for people.
#include <algorithm>

#include "policy/mutant.h"
#include "wire/scan.h"
#include "wire/utf8.h"
#include "wire/value.h"

namespace ams::wire {
namespace {

constexpr int mutant_depth_max = 200;  // a mutant may break the rule, not the stack

bool is_digit(int c) { return c >= '0' && c <= '9'; }

bool is_member_name(std::string_view name) {
  if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; });
}

enum class Form : std::uint8_t { canonical, any };

class Parser {
 public:
  Parser(std::string_view text, Form form) : text_(text), form_(form) {}

  Result<Value> run() {
    Value value;
    skip_space();
    if (!parse_value(value, 1)) return tl::unexpected<Error>(error_);
    skip_space();
    if (at_ != text_.size() && !mutant("wire.accept_trailing_text"))
      return fail(Code::json_syntax, "text after the value");
    if (!canonical_ && form_ == Form::canonical && !mutant("wire.accept_not_canonical"))
      return fail(Code::not_canonical, "text");
    return value;
  }

 private:
  bool refuse(Code code, std::string_view where) {
    error_ = Error{code, where};
    return false;
  }

  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }

  bool skip(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  void skip_space() {
    for (int c = peek(); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek()) {
      ++at_;
      canonical_ = false;
    }
  }

  bool parse_value(Value& out, int depth) {
    switch (peek()) {
      case '{':
        return open(depth) && parse_object(out, depth);
      case '[':
        return open(depth) && parse_array(out, depth);
      case '"': {
        std::string text;
        if (!parse_string(text)) return false;
        out = Value(std::move(text));
        return true;
      }
      case 't':
        out = Value(true);
        return parse_word("true");
      case 'f':
        out = Value(false);
        return parse_word("false");
      case 'n':
        if (!parse_word("null")) return false;
        out = Value(false);
        return mutant("wire.accept_null") || refuse(Code::null_value, "value");
      default:
        return parse_number(out);
    }
  }

  bool open(int depth) {
    ++at_;
    if (depth <= depth_max - (mutant("wire.depth_off_by_one") ? 1 : 0)) return true;
    if (mutant("wire.accept_depth") && depth <= mutant_depth_max) return true;
    return refuse(mutant("wire.wrong_code_depth") ? Code::json_syntax : Code::depth, "value");
  }

  bool parse_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return refuse(Code::json_syntax, "literal");
    at_ += word.size();
    return true;
  }

  bool parse_array(Value& out, int depth) {
    Array items;
    skip_space();
    if (!skip(']')) {
      for (;;) {
        if (!parse_value(items.emplace_back(), depth + 1)) return false;
        skip_space();
        if (skip(']')) break;
        if (!skip(',')) return refuse(Code::json_syntax, "array");
        skip_space();
      }
    }
    out = Value(std::move(items));
    return true;
  }

  bool parse_object(Value& out, int depth) {
    Object members;
    skip_space();
    if (!skip('}')) {
      for (;;) {
        Value* slot = parse_member_name(members);
        if (slot == nullptr) return false;
        skip_space();
        if (!skip(':')) return refuse(Code::json_syntax, "object");
        skip_space();
        if (!parse_value(*slot, depth + 1)) return false;
        skip_space();
        if (skip('}')) break;
        if (!skip(',')) return refuse(Code::json_syntax, "object");
        skip_space();
      }
    }
    out = Value(std::move(members));
    return true;
  }

  /// Judges a name when it has been read, before its value. The member's place, or null.
  Value* parse_member_name(Object& members) {
    std::string name;
    if (!parse_string(name)) return nullptr;
    if (!is_member_name(name) && !mutant("wire.accept_member_name")) {
      refuse(Code::member_name, "name");
      return nullptr;
    }
    if (members.empty() || std::prev(members.end())->first < name)  // in order, the usual case
      return &members.try_emplace(members.end(), std::move(name))->second;
    const auto [place, is_new] = members.try_emplace(std::move(name));
    if (is_new) {
      canonical_ = false;
    } else if (!mutant("wire.accept_duplicate_name")) {
      refuse(Code::duplicate_name, "name");
      return nullptr;
    }
    return &place->second;
  }

  bool parse_string(std::string& out) {
    if (!skip('"')) return refuse(Code::json_syntax, "string");
    for (;;) {
      const std::size_t from = at_;
      at_ = find_special(text_, from);
      out.append(text_, from, at_ - from);
      if (skip('"')) return true;
      if (!skip('\\')) return refuse(Code::json_syntax, "string");  // control character or end
      if (!parse_escape(out)) return false;
    }
  }

  bool parse_escape(std::string& out) {
    const int c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
        out.push_back(static_cast<char>(c));
        return true;
      case 'b':
        out.push_back('\b');
        return true;
      case 't':
        out.push_back('\t');
        return true;
      case 'n':
        out.push_back('\n');
        return true;
      case 'f':
        out.push_back('\f');
        return true;
      case 'r':
        out.push_back('\r');
        return true;
      case '/':
        canonical_ = false;
        out.push_back('/');
        return true;
      case 'u':
        return parse_unicode_escape(out);
      default:
        return refuse(Code::json_syntax, "escape");
    }
  }

  /// The four hex digits at `at`, or -1.
  int hex4(std::size_t at) const {
    if (text_.size() < 4 || at > text_.size() - 4) return -1;
    int value = 0;
    for (std::size_t i = at; i < at + 4; ++i) {
      const char c = text_[i];
      int digit = 0;
      if (is_digit(c))
        digit = c - '0';
      else if (c >= 'a' && c <= 'f')
        digit = c - 'a' + 10;
      else if (c >= 'A' && c <= 'F')
        digit = c - 'A' + 10;
      else
        return -1;
      value = value * 16 + digit;
    }
    return value;
  }

  bool parse_unicode_escape(std::string& out) {
    const int unit = hex4(at_);
    if (unit < 0) return refuse(Code::json_syntax, "escape");
    const std::string_view digits = text_.substr(at_, 4);
    at_ += 4;
    auto point = static_cast<char32_t>(unit);
    if (unit >= 0xd800 && unit <= 0xdfff) {
      // Whatever follows a high half, if it is not the escape of a low half the pair is broken.
      const int low = unit < 0xdc00 && text_.substr(at_, 2) == "\\u" ? hex4(at_ + 2) : -1;
      if (low >= 0xdc00 && low <= 0xdfff) {
        at_ += 6;
        point = 0x10000 + ((point - 0xd800) << 10) + (static_cast<char32_t>(low) - 0xdc00);
        canonical_ = false;
      } else if (mutant("wire.accept_surrogate")) {
        point = 0xfffd;
      } else {
        return refuse(Code::surrogate, "escape");
      }
    } else if (!escape_is_canonical(unit, digits)) {
      canonical_ = false;
    }
    append_utf8(out, point);
    return true;
  }

  static bool escape_is_canonical(int unit, std::string_view digits) {
    const bool has_short_form = unit == 8 || unit == 9 || unit == 10 || unit == 12 || unit == 13;
    const bool lower =
        std::none_of(digits.begin(), digits.end(), [](char c) { return c >= 'A' && c <= 'F'; });
    return unit < 0x20 && !has_short_form && lower;
  }

  bool skip_digits() {
    if (!is_digit(peek())) return refuse(Code::json_syntax, "number");
    while (is_digit(peek())) ++at_;
    return true;
  }

  /// The grammar of RFC 8259 first, so that "1.e" is no number at all; then what AMS takes of it.
  bool parse_number(Value& out) {
    const bool negative = skip('-');
    std::int64_t magnitude = 0;  // stays at integer_max + 1 once it is above
    if (!is_digit(peek())) return refuse(Code::json_syntax, "value");
    if (!skip('0')) {
      for (; is_digit(peek()); ++at_)
        magnitude = std::min(magnitude * 10 + (peek() - '0'), integer_max + 1);
    }
    bool integer = magnitude <= integer_max;
    if (skip('.')) {
      integer = false;
      if (!skip_digits()) return false;
    }
    if (skip('e') || skip('E')) {
      integer = false;
      if (!skip('+')) skip('-');
      if (!skip_digits()) return false;
    }
    if (!integer && !mutant("wire.accept_float")) return refuse(Code::number, "number");
    if (integer && negative && magnitude == 0) canonical_ = false;
    magnitude = std::min(magnitude, integer_max);
    out = Value(negative ? -magnitude : magnitude);
    return true;
  }

  std::string_view text_;
  Form form_;
  std::size_t at_ = 0;
  bool canonical_ = true;
  Error error_{Code::json_syntax, {}};
};

Result<Value> decode_text(ByteView bytes, Form form) {
  constexpr std::string_view bom = "\xef\xbb\xbf";
  if (as_text(bytes).starts_with(bom)) {
    if (!mutant("wire.accept_bom")) return fail(Code::bom, "text");
    bytes = bytes.subspan(bom.size());
  }
  if (!is_utf8(bytes) && !mutant("wire.accept_utf8")) return fail(Code::utf8, "text");
  return Parser(as_text(bytes), form).run();
}

}  // namespace

Result<Value> decode(ByteView bytes) { return decode_text(bytes, Form::canonical); }

Result<Value> decode_any_form(ByteView bytes) { return decode_text(bytes, Form::any); }

}  // namespace ams::wire
