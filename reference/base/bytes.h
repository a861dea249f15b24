// Byte strings: owning (Bytes), borrowed (ByteView), fixed size (Hash, Id16), and the conversions
// every room needs.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ams {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

using Hash = std::array<std::uint8_t, 32>;  // SHA-256 output, fingerprints, commitments
using Id16 = std::array<std::uint8_t, 16>;  // UUID, acct, salt

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(std::string_view text) { return {text.begin(), text.end()}; }
inline Bytes to_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline std::string to_string(ByteView bytes) { return std::string(as_text(bytes)); }

inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }
inline void append(Bytes& out, std::string_view more) { append(out, as_bytes(more)); }

/// Big-endian integers, the byte order of everything on the wire.
void append_u32(Bytes& out, std::uint32_t value);
void append_u64(Bytes& out, std::uint64_t value);
/// Precondition: `in` has at least 4 (8) bytes.
std::uint32_t read_u32(ByteView in);
std::uint64_t read_u64(ByteView in);

/// Lower-case hexadecimal, for people: logs, traces, fingerprints on screens.
std::string to_hex(ByteView bytes);
/// Empty optional: odd length or a character outside [0-9a-f].
std::optional<Bytes> from_hex(std::string_view hex);

/// Unpadded base64url (RFC 4648 section 5), the only form of binary inside AMS-CJ (spec ENC-9).
std::string to_base64url(ByteView bytes);
/// The same into memory of the caller's, which has base64url_size(bytes.size()) characters.
void write_base64url(ByteView bytes, char* out);
std::size_t base64url_size(std::size_t size);
/// Strict: empty optional for padding, foreign characters, impossible lengths or non-zero trailing
/// bits.
std::optional<Bytes> from_base64url(std::string_view text);

/// Copies into a fixed-size array; empty optional when the size differs.
template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> to_array(ByteView bytes) {
  if (bytes.size() != N) return std::nullopt;
  std::array<std::uint8_t, N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = bytes[i];
  return out;
}

/// Text form of a UUID (RFC 9562): 8-4-4-4-12 lower-case hexadecimal.
std::string to_uuid_text(const Id16& id);
/// Strict inverse: empty optional unless the text is exactly that form.
std::optional<Id16> from_uuid_text(std::string_view text);

/// Compares without an early exit; the time depends on the lengths only.
bool equal_constant_time(ByteView a, ByteView b);

/// Overwrites memory in a way the optimiser keeps.
void wipe(std::uint8_t* data, std::size_t size);

}  // namespace ams
