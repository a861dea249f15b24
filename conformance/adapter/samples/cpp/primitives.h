// What keys.cpp and adapter.cpp need of OpenSSL.
#pragma once

#include <string>

std::string hex(const std::string& raw);
std::string sha256(const std::string& text);
std::string hmac(const std::string& key, const std::string& text);  // HMAC-SHA256

/// KEY-5, where an RSA modulus has `size` bytes.
bool is_key(const std::string& name, const std::string& raw, std::size_t size);

/// SIG-3, for a `sig` of the algorithm's length.
bool verifies(const std::string& alg, const std::string& raw, const std::string& sig,
              const std::string& text);

inline const unsigned char* u8(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
