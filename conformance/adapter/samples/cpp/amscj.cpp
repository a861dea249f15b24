#include "amscj.h"

#include <cstdlib>
#include <cstring>

namespace {

/// ENC-4 to ENC-8: from left to right, the first violation decides.
class Scan {
 public:
  explicit Scan(const std::string& text) : text_(text) {}

  Json item(int depth) {
    const char first = next();
    if (first == '"') return string();
    if (first != '{' && first != '[') return scalar();
    need(depth <= 16, "encoding/depth");
    const char end = first == '{' ? '}' : ']';
    Json out = first == '{' ? Json::object() : Json::array();
    ++at_;
    bool more = next() != end;
    if (!more) ++at_;
    while (more) {
      if (end == '}') {
        next();
        const std::string name = string();
        need(is_name(name), "encoding/member_name");
        need(!out.contains(name), "encoding/duplicate_name");
        take(':');
        out[name] = item(depth + 1);
      } else {
        out.push_back(item(depth + 1));
      }
      more = next() == ',';
      take(more ? ',' : end);
    }
    return out;
  }

  /// The next character but white space; 0 at the end, which no grammar allows inside.
  char next() {
    at_ = std::min(text_.find_first_not_of(" \t\n\r", at_), text_.size());
    return peek();
  }
  bool at_end() const { return at_ == text_.size(); }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void take(char wanted) {
    need(next() == wanted && !at_end(), "encoding/json_syntax");
    ++at_;
  }

  static bool is_name(const std::string& name) {
    if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  }

  /// How many bytes the character or escape at `at_` has; 0: neither may stand in a string.
  std::size_t unit() const {
    const auto byte = static_cast<unsigned char>(peek());
    if (byte < 0x20 || byte == '"') return 0;
    if (byte != '\\') return 1;
    if (peek(1) != 'u') return peek(1) != 0 && std::strchr("\"\\/bfnrt", peek(1)) ? 2 : 0;
    for (std::size_t i = 2; i < 6; ++i)
      if (!std::isxdigit(static_cast<unsigned char>(peek(i)))) return 0;
    return 6;
  }

  std::string string() {
    need(peek() == '"', "encoding/json_syntax");
    const std::size_t start = at_++;
    while (const std::size_t length = unit()) at_ += length;
    // The grammar held so far, and the text is UTF-8: only half a pair can make this fail.
    const Json value = Json::parse(text_.substr(start, at_ - start) + '"', nullptr, false);
    need(!value.is_discarded(), "encoding/surrogate");
    need(peek() == '"', "encoding/json_syntax");
    ++at_;
    return value.get<std::string>();
  }

  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }

  /// Takes `prefix`, one of `signs` if there is one, and digits; or nothing.
  bool part(const char* prefix, const char* signs) {
    const std::size_t start = at_;
    if (peek() == 0 || !std::strchr(prefix, peek())) return false;
    ++at_;
    if (peek() != 0 && std::strchr(signs, peek())) ++at_;
    if (digits()) return true;
    at_ = start;
    return false;
  }

  Json scalar() {
    for (const std::string word : {"true", "false", "null"}) {
      if (text_.compare(at_, word.size(), word) != 0) continue;
      at_ += word.size();
      need(word != "null", "encoding/null_value");
      return word == "true";
    }
    const std::size_t start = at_;
    if (peek() == '-') ++at_;
    const bool zero = peek() == '0';
    if (zero) ++at_;
    need(zero || digits(), "encoding/json_syntax");
    const std::string whole = text_.substr(start, at_ - start);
    const bool fraction = part(".", ""), exponent = part("eE", "+-");
    need(!fraction && !exponent && whole.size() < 18, "encoding/number");
    const std::int64_t value = std::stoll(whole);
    need(std::abs(value) < std::int64_t{1} << 53, "encoding/number");
    return value;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace

Json decode(const std::string& raw) {
  need(raw.rfind("\xEF\xBB\xBF", 0) != 0, "encoding/bom");
  try {
    (void)Json(raw).dump();  // throws unless it is UTF-8
  } catch (const Json::exception&) {
    throw Refused("encoding/utf8");
  }
  Scan scan(raw);
  Json value = scan.item(1);
  scan.next();
  need(scan.at_end(), "encoding/json_syntax");
  need(canonical(value) == raw, "encoding/not_canonical");
  return value;
}
