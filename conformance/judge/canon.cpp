#include "judge/canon.h"

#include "crypto/crypto.h"

namespace ams::conform {
namespace {

constexpr std::int64_t integer_max = (std::int64_t{1} << 53) - 1;
constexpr int depth_max = 16;

bool good_name(const std::string& name) {
  if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::optional<std::string> judge_value(const Json& value, int depth) {
  if (value.is_null()) return "holds null (ENC-8)";
  if (value.is_number_float()) return "holds a fraction or exponent (ENC-8)";
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{integer_max})
    return "holds a number above 2^53-1 (ENC-8)";
  if (value.is_number_integer() && value.get<std::int64_t>() < -integer_max)
    return "holds a number below -(2^53-1) (ENC-8)";
  if (!value.is_structured()) return std::nullopt;
  if (depth > depth_max) return "is nested deeper than 16 (ENC-6)";
  for (const auto& [name, member] : value.items()) {
    if (value.is_object() && !good_name(name)) return "has the member name '" + name + "' (ENC-7)";
    if (auto why = judge_value(member, depth + 1)) return why;
  }
  return std::nullopt;
}

}  // namespace

std::string canonical(const Json& value) { return value.dump(); }

std::optional<std::string> judge_canonical(ByteView bytes, Json& out) {
  out = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (out.is_discarded()) return "is not JSON in UTF-8 (ENC-4, ENC-5)";
  if (auto why = judge_value(out, 1)) return why;
  // A doubled name does not survive parsing, so it shows here too.
  if (canonical(out) != as_text(bytes)) return "differs from its canonical form (ENC-2)";
  return std::nullopt;
}

std::string b64(ByteView bytes) { return to_base64url(bytes); }
Bytes unb64(const Json& text) {
  return from_base64url(text.get_ref<const std::string&>()).value_or(Bytes{});
}
Hash hash_of(const Json& value) { return crypto::sha256(as_bytes(canonical(value))); }

}  // namespace ams::conform
