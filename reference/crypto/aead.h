// One AEAD key, many nonces: the form that streams and HPKE use, with one key set-up.
#pragma once

#include "crypto/evp.h"

namespace ams::crypto {

enum class Direction { seal, open };

class AeadCipher {
 public:
  AeadCipher(Aead aead, ByteView key32, Direction direction);

  /// Appends ciphertext and tag to `out`. Direction seal.
  void seal(ByteView nonce12, ByteView aad, ByteView plaintext, Bytes& out) const;
  /// Writes sealed.size() - 16 bytes to `out` and says whether they authenticate; if not, they are
  /// wiped. Direction open; precondition: sealed.size() >= 16.
  bool open(ByteView nonce12, ByteView aad, ByteView sealed, std::uint8_t* out) const;

 private:
  void start(ByteView nonce12, ByteView aad) const;

  evp::CipherContext context_;
};

}  // namespace ams::crypto
