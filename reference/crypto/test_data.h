// For this room's tests: hexadecimal, and third parties' data where it is present.
#pragma once

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "crypto/crypto.h"

#ifndef AMS_SOURCE_DIR  // every *_test program has it; this header must also compile alone
#define AMS_SOURCE_DIR "."
#endif

namespace ams::crypto::test_data {

/// Precondition: `text` is lower-case hexadecimal.
inline Bytes hex(std::string_view text) {
  auto bytes = from_hex(text);
  AMS_ASSERT(bytes);
  return *bytes;
}
template <class Json>
requires std::is_same_v<Json, nlohmann::json> Bytes hex(const Json& member) {
  return hex(std::string_view(member.template get_ref<const std::string&>()));
}
inline Bytes base64(std::string_view text) {
  auto bytes = from_base64url(text);
  AMS_ASSERT(bytes);
  return *bytes;
}
template <std::size_t N>
Bytes own(const std::array<std::uint8_t, N>& bytes) {
  return Bytes(bytes.begin(), bytes.end());
}
inline Bytes own(const Secret& secret) { return to_bytes(secret.view()); }

inline std::string third_party_path(std::string_view file) {
  const char* folder = std::getenv("AMS_THIRD_PARTY_DATA");
  return (folder != nullptr ? std::string(folder) : AMS_SOURCE_DIR "/../shared/data") + "/" +
         std::string(file);
}

/// Empty where the file is absent: the test then says so and skips.
inline std::optional<nlohmann::json> third_party(std::string_view file) {
  std::ifstream in(third_party_path(file));
  if (!in) return std::nullopt;
  return nlohmann::json::parse(in);
}

}  // namespace ams::crypto::test_data

#define AMS_THIRD_PARTY(variable, file)                              \
  const auto variable = ::ams::crypto::test_data::third_party(file); \
  if (!variable)                                                     \
  GTEST_SKIP() << ::ams::crypto::test_data::third_party_path(file)   \
               << " is absent; set AMS_THIRD_PARTY_DATA to the folder that has it"
