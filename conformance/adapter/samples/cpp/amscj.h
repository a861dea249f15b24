// AMS-CJ (ENC-1 to ENC-9) and refusals, for adapter.cpp and keys.cpp.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

using Json = nlohmann::json;

struct Refused : std::runtime_error {  // phase/code, both of errors.json
  using std::runtime_error::runtime_error;
};

inline void need(bool condition, const char* code = "schema/schema") {
  if (!condition) throw Refused(code);
}

std::string b64(const std::string& raw);
bool unb64(const std::string& text, std::string& raw);  // ENC-9; false: it is none

/// A member of an op's args; throws what is answered as a fault.
inline std::string bytes_of(const Json& args, const char* name) {
  std::string raw;
  if (!unb64(args.at(name), raw)) throw std::invalid_argument(std::string(name) + ": no base64url");
  return raw;
}

/// Of names and values that AMS-CJ allows, nlohmann's dump is RFC 8785.
inline std::string canonical(const Json& value) { return value.dump(); }
Json decode(const std::string& raw);  // ENC-3

Json key_verify(const Json& args);  // keys.cpp
