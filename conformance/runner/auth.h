// What both ends of a session sign (spec SES-4, SES-5).
#pragma once

#include <string_view>

#include "judge/objects.h"

namespace ams::conform {

/// `role`: 0 the server's proof, 1 a client's, 2 a connecting server's.
inline Bytes auth_text(std::uint8_t role, ByteView exporter, ByteView hello_c, ByteView hello_s) {
  Bytes out = to_bytes(std::string_view("AMS-AUTH/1\0", 11));
  out.push_back(role);
  append(out, exporter);
  append(out, crypto::sha256(hello_c));
  append(out, crypto::sha256(hello_s));
  return out;
}

inline bool proves(ByteView public_raw, ByteView text, const Json& sig) {
  const auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, public_raw);
  return key && sig.is_string() && key->verify(text, unb64(sig)).has_value();
}

}  // namespace ams::conform
