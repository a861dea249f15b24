// Labels whose VRF proofs were verified before: who asks for the same addresses again pays for the
// curve's arithmetic once (BLG-5). A proof says the same of its label for ever, so nothing here
// becomes stale.
#pragma once

#include <map>
#include <optional>

#include "base/bytes.h"
#include "crypto/crypto.h"

namespace ams::bindlog {

class Labels {
 public:
  static constexpr std::size_t kept_max = 2'048;

  /// What a verification is of: the VRF key, its input and the proof.
  static Hash name(ByteView vrf_public, ByteView input, ByteView proof) {
    Bytes all = to_bytes(vrf_public);  // 33 bytes
    append(all, proof);                // 81 bytes
    append(all, input);
    return crypto::sha256(all);
  }
  std::optional<Id16> find(const Hash& name) const {
    const auto at = verified_.find(name);
    return at == verified_.end() ? std::nullopt : std::optional(at->second);
  }
  void keep(const Hash& name, const Id16& label) {
    if (verified_.size() >= kept_max) verified_.clear();
    verified_.emplace(name, label);
  }

 private:
  std::map<Hash, Id16> verified_;
};

}  // namespace ams::bindlog
