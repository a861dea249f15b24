// What the files of this room share of OpenSSL: owning pointers, algorithms fetched once, and the
// one way to fail. Not for other rooms: it includes OpenSSL.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>

#include <functional>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/crypto.h"

namespace ams::crypto::evp {

template <auto free_function>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Deleter<EVP_CIPHER_CTX_free>>;

/// Looking an algorithm up by name costs more than hashing a short message, so each is fetched once
/// per process. Never freed: there is no order of destruction that would be safe.
struct Algorithms {
  EVP_MD* sha256;
  EVP_CIPHER* aes_256_gcm;
  EVP_CIPHER* chacha20_poly1305;
  EVP_CIPHER* chacha20;
};
const Algorithms& algorithms();

/// fail(), after emptying the thread's OpenSSL error queue: an entry left there would be taken for
/// the reason of the next TLS failure on this thread.
tl::unexpected<Error> refuse(Code code, std::string_view where);

/// A context that is ready for an operation, duplicated, is ready too: that spares each operation
/// the set-up. `prepared` is only read, so any number of threads may do this at once.
KeyContext duplicate(const KeyContext& prepared);

// --- raw forms (spec ALG-4) ----------------------------------------------------------------------
/// `type` is EVP_PKEY_ED25519 or EVP_PKEY_X25519.
Key key_from_raw_public(int type, ByteView raw32);
Key key_from_raw_private(int type, ByteView raw32);
Bytes raw_public(const Key& key);
Secret raw_private(const Key& key);

/// Modulus size in bytes of an RSA key of `bits`; the checks of spec KEY-5 on it.
Result<> check_modulus(std::size_t bits, ByteView n);
Result<Key> rsa_from_modulus(std::size_t bits, ByteView n);
/// Fails with key_material unless `der` is exactly one PKCS#8 RSA key of `bits` with e = 65537 and
/// two primes, whose private members belong to its modulus.
Result<Key> rsa_from_pkcs8(std::size_t bits, ByteView der);
/// `tick` hears now and then that the search goes on.
Result<Key> rsa_generate(std::size_t bits, const std::function<void()>& tick);
Bytes rsa_modulus(const Key& key);
Secret rsa_pkcs8(const Key& key);

/// True for encodings of X25519 points of small order, canonical or not (RFC 7748 section 6.1):
/// every private key gives the same all-zero secret with them.
bool x25519_low_order(ByteView raw32);
/// True for Ed25519 points of small order, with which one signature fits any message, and for
/// encodings with y >= p, which would give a key a second spelling.
bool ed25519_weak(ByteView raw32);

}  // namespace ams::crypto::evp
