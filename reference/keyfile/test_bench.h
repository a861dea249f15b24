// For tests: key files of the least cost, and files with one thing changed that are right
// otherwise.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "crypto/test_keys.h"
#include "keyfile/contents.h"
#include "keys/lineage.h"
#include "wire/value.h"

namespace ams::keyfile::testing {

inline const Bytes passphrase = to_bytes(std::string_view("vier Wörter sind genug"));
inline constexpr std::int64_t start_ms = 1'800'000'000'000;

inline keys::KeyPair modern(std::uint8_t seed) {
  crypto::Drbg drbg(Bytes(32, seed));
  return keys::make_modern(drbg.bytes(80), {start_ms, start_ms + 86'400'000}).value();
}

/// From the pool: two of its keys, since one key must not do both (ALG-4).
inline keys::KeyPair rsa2048() {
  const auto half = [](std::size_t i) { return *from_base64url(crypto::test_keys::rsa2048.at(i)); };
  auto sign = crypto::SigningKey::from_private(crypto::SigAlg::rsa2048pss, half(0)).value();
  auto decrypt = crypto::DecryptionKey::from_private(crypto::Kem::rsa2048kem, half(1)).value();
  return keys::make_pair(std::move(sign), std::move(decrypt), Id16{},
                         {start_ms, start_ms + 86'400'000})
      .value();
}

inline Source source_of(const keys::KeyPair& pair, bool with_revocation = true) {
  Source out{&pair, std::nullopt};
  if (with_revocation) out.revocation = keys::make_revocation(pair).value();
  return out;
}

inline Bytes seal_file(const std::vector<Source>& sources,
                       const std::string& addr = "alice@a.example") {
  crypto::Drbg drbg(Bytes(32, 5));
  return seal(addr, sources, passphrase, cost_n_min, drbg).value();
}

inline Code code_of(ByteView file) {
  const auto opened = open(file, passphrase);
  return opened ? Code{} : opened.error().code;
}

/// The file with `change` made to its JSON.
inline Bytes changed(ByteView file, const std::function<void(wire::Object&)>& change) {
  wire::Value value = wire::decode(file.first(file.size() - 1)).value();
  change(value.as_object());
  return wire::encode(value);
}

/// The layout of `pairs` with `change` made to its JSON.
inline Bytes changed_contents(const std::vector<Source>& pairs,
                              const std::function<void(wire::Object&)>& change) {
  const crypto::Secret layout = contents_layout("alice@a.example", pairs);
  const ByteView view = layout.view();
  const std::size_t length = read_u32(view);
  wire::Value value = wire::decode(view.subspan(4, length)).value();
  change(value.as_object());
  Bytes halves;
  for (const Source& pair : pairs) {
    append(halves, pair.pair->signing.private_raw().view());
    append(halves, pair.pair->encryption.private_raw().view());
  }
  const Bytes text = wire::encode(value);
  Bytes out;
  append_u32(out, static_cast<std::uint32_t>(text.size()));
  append(out, text);
  append(out, halves);
  out.resize(static_cast<std::size_t>(crypto::padme(out.size())));
  return out;
}

}  // namespace ams::keyfile::testing
