#include "base/bytes.h"

#include <cstring>

namespace ams {
namespace {

constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view hex_alphabet = "0123456789abcdef";

constexpr std::array<std::int8_t, 256> base64url_values = [] {
  std::array<std::int8_t, 256> table{};
  for (auto& v : table) v = -1;
  for (std::size_t i = 0; i < base64url_alphabet.size(); ++i)
    table[static_cast<unsigned char>(base64url_alphabet[i])] = static_cast<std::int8_t>(i);
  return table;
}();

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

void append_u32(Bytes& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

void append_u64(Bytes& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint32_t read_u32(ByteView in) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = (value << 8) | in[i];
  return value;
}

std::uint64_t read_u64(ByteView in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = (value << 8) | in[i];
  return value;
}

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(hex_alphabet[byte >> 4]);
    out.push_back(hex_alphabet[byte & 15]);
  }
  return out;
}

std::optional<Bytes> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  Bytes out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]);
    const int low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return out;
}

std::size_t base64url_size(std::size_t size) { return (size * 4 + 2) / 3; }

void write_base64url(ByteView bytes, char* out) {
  const std::uint8_t* in = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3; left -= 3, in += 3, out += 4) {
    const std::uint32_t bits = std::uint32_t{in[0]} << 16 | std::uint32_t{in[1]} << 8 | in[2];
    out[0] = base64url_alphabet[bits >> 18];
    out[1] = base64url_alphabet[(bits >> 12) & 63];
    out[2] = base64url_alphabet[(bits >> 6) & 63];
    out[3] = base64url_alphabet[bits & 63];
  }
  if (left == 0) return;
  const std::uint32_t second = left == 2 ? in[1] : 0U;
  const std::uint32_t bits = std::uint32_t{in[0]} << 16 | second << 8;
  out[0] = base64url_alphabet[bits >> 18];
  out[1] = base64url_alphabet[(bits >> 12) & 63];
  if (left == 2) out[2] = base64url_alphabet[(bits >> 6) & 63];
}

std::string to_base64url(ByteView bytes) {
  std::string out(base64url_size(bytes.size()), '\0');
  write_base64url(bytes, out.data());
  return out;
}

std::optional<Bytes> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  Bytes out(text.size() * 3 / 4);
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  std::uint8_t* to = out.data();
  std::size_t left = text.size();
  std::int32_t wrong = 0;  // negative once a character was foreign
  for (; left >= 4; left -= 4, in += 4, to += 3) {
    const std::int32_t a = base64url_values[in[0]], b = base64url_values[in[1]];
    const std::int32_t c = base64url_values[in[2]], d = base64url_values[in[3]];
    wrong |= a | b | c | d;
    const auto bits = static_cast<std::uint32_t>(a * 262144 + b * 4096 + c * 64 + d);
    to[0] = static_cast<std::uint8_t>(bits >> 16);
    to[1] = static_cast<std::uint8_t>(bits >> 8);
    to[2] = static_cast<std::uint8_t>(bits);
  }
  // One value has one text: bits that carry nothing must be zero.
  if (left > 0) {
    const std::int32_t a = base64url_values[in[0]], b = base64url_values[in[1]];
    const std::int32_t c = left == 3 ? base64url_values[in[2]] : 0;
    wrong |= a | b | c;
    const auto bits = static_cast<std::uint32_t>(a * 4096 + b * 64 + c);
    if ((bits & (left == 3 ? 0x3u : 0x3ffu)) != 0) return std::nullopt;
    to[0] = static_cast<std::uint8_t>(bits >> 10);
    if (left == 3) to[1] = static_cast<std::uint8_t>(bits >> 2);
  }
  if (wrong < 0) return std::nullopt;
  return out;
}

std::string to_uuid_text(const Id16& id) {
  std::string out(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    out[at++] = hex_alphabet[id[i] >> 4];
    out[at++] = hex_alphabet[id[i] & 15];
  }
  return out;
}

std::optional<Id16> from_uuid_text(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Id16 out{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at++]);
    const int low = hex_value(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return out;
}

bool equal_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<std::uint8_t>(difference | (a[i] ^ b[i]));
  // Volatile: the optimiser must not turn the loop into an early exit.
  const volatile std::uint8_t result = difference;
  return result == 0;
}

void wipe(std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  std::memset(data, 0, size);
  // Says that the zeros are read, so that the optimiser keeps them though the memory is given back.
  asm volatile("" : : "r"(data) : "memory");
}

}  // namespace ams
