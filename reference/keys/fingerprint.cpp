#include "keys/fingerprint.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "crypto/crypto.h"
#include "policy/mutant.h"

namespace ams::keys {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view consonants = "bdfghjklmnprstvz";
constexpr std::string_view vowels = "aiou";
constexpr std::string_view code_prefix = "AMS1-FP:";

/// Consonants carry four bits and vowels two: con-vow-con-vow-con.
struct Letter {
  std::string_view alphabet;
  unsigned shift;
};
constexpr std::array<Letter, 5> letters{
    {{consonants, 12}, {vowels, 10}, {consonants, 6}, {vowels, 4}, {consonants, 0}}};

std::string word_of(std::uint16_t number) {
  std::string out;
  for (const Letter& letter : letters)
    out += letter.alphabet[(number >> letter.shift) & (letter.alphabet.size() - 1)];
  return out;
}

std::optional<std::uint16_t> number_of(std::string_view word) {
  if (word.size() != letters.size()) return std::nullopt;
  unsigned out = 0;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const std::size_t at = letters[i].alphabet.find(word[i]);
    if (at == std::string_view::npos) return std::nullopt;
    out |= static_cast<unsigned>(at) << letters[i].shift;
  }
  return static_cast<std::uint16_t>(out);
}

/// What the last word says of the others.
std::uint16_t check_of(ByteView covered) {
  Bytes input = to_bytes("AMS-WORDS/1\0"sv);
  append(input, covered);
  const Hash hash = crypto::sha256(input);
  return static_cast<std::uint16_t>(hash[0] << 8 | hash[1]);
}

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> out;
  bool inside = false;
  for (const char c : text) {
    const bool between = blank(c) || c == '-';
    if (!between && !inside) out.emplace_back();
    if (!between) out.back() += lower(c);
    inside = !between;
  }
  return out;
}

std::string without(std::string_view text, bool colons) {
  std::string out;
  for (const char c : text)
    if (!blank(c) && !(colons && c == ':')) out += c;
  return out;
}

/// What is none of the forms.
Result<PartialFingerprint> no_fingerprint() {
  if (mutant("keys.accept_any_words")) return PartialFingerprint{};
  return fail(Code::schema, "fingerprint");
}

Result<PartialFingerprint> read_words(const std::vector<std::string>& words) {
  PartialFingerprint out;
  std::uint16_t last = 0;
  for (std::size_t i = 0; i < words_count; ++i) {
    const auto number = number_of(words[i]);
    if (!number) return no_fingerprint();
    last = *number;
    if (i + 1 == words_count) break;
    out.bytes.push_back(static_cast<std::uint8_t>(last >> 8));
    out.bytes.push_back(static_cast<std::uint8_t>(last & 0xff));
  }
  if (last != check_of(out.bytes) && !mutant("keys.skip_check_word"))
    return fail(Code::fp_words, "fingerprint");
  return out;
}

}  // namespace

std::string fingerprint_words(const Hash& fp) {
  const ByteView covered = ByteView(fp).first(words_covered);
  std::string out;
  for (std::size_t i = 0; i < covered.size(); i += 2)
    out += word_of(static_cast<std::uint16_t>(covered[i] << 8 | covered[i + 1])) + '-';
  return out + word_of(check_of(covered));
}

std::string fingerprint_code(const Hash& fp) {
  std::string out(code_prefix);
  for (const char c : to_hex(fp)) out += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

bool PartialFingerprint::matches(const Hash& fp) const {
  return bytes.size() >= words_covered && bytes.size() <= fp.size() &&
         std::equal(bytes.begin(), bytes.end(), fp.begin());
}

Result<PartialFingerprint> read_fingerprint(std::string_view text) {
  const std::vector<std::string> words = split_words(text);
  if (words.size() == words_count && words[0].size() == letters.size()) return read_words(words);
  std::string plain = without(text, false);
  if (plain.size() == 43)
    if (auto raw = from_base64url(plain); raw && raw->size() == sizeof(Hash))
      return PartialFingerprint{std::move(*raw)};
  if (plain.starts_with(code_prefix)) plain.erase(0, code_prefix.size());
  plain = without(plain, true);
  std::transform(plain.begin(), plain.end(), plain.begin(), lower);
  if (plain.size() == 2 * sizeof(Hash))
    if (auto raw = from_hex(plain)) return PartialFingerprint{std::move(*raw)};
  return no_fingerprint();
}

}  // namespace ams::keys
