// Cryptography as values in, values out (design 02; spec ALG, SIG, STR, HPKE in
// reference/spec/03-crypto.md). The only room that includes OpenSSL. Entropy is an argument, except
// inside OpenSSL's own RSA-PSS and RSASVE, which draw from RAND (the simulator installs a RAND
// method there).
//
// All functions are reentrant and hold no global mutable state but OpenSSL's fetched algorithms.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secret.h"

namespace ams::crypto {

// --- hashing -------------------------------------------------------------------------------------
Hash sha256(ByteView data);
/// Incremental SHA-256 for streams. finish() may be called once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(ByteView data);
  Hash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};
Hash hmac_sha256(ByteView key, ByteView data);
/// Of the concatenation of `pieces`, without building it.
Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> pieces);
/// RFC 5869. `size` <= 255 * 32.
Secret hkdf_extract(ByteView salt, ByteView ikm);
Secret hkdf_expand(ByteView prk, ByteView info, std::size_t size);
Secret hkdf(ByteView salt, ByteView ikm, ByteView info, std::size_t size);

// --- deterministic random bit generator ----------------------------------------------------------
/// ChaCha20 keystream under a 32-byte seed: how entropy enters a state machine as a value.
class Drbg {
 public:
  explicit Drbg(ByteView seed32);
  void fill(std::span<std::uint8_t> out);
  Bytes bytes(std::size_t size);
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out;
    fill(out);
    return out;
  }
  std::uint64_t u64();

 private:
  Secret key_;
  std::uint64_t block_ = 0;
  Secret buffer_{64};  // a Secret, so that unread keystream is wiped too
  std::size_t used_ = 64;
};

// --- registries (spec ALG-1) ---------------------------------------------------------------------
enum class SigAlg : std::uint8_t { ed25519, rsa2048pss, rsa3072pss, rsa4096pss };
enum class Kem : std::uint8_t { x25519, rsa2048kem, rsa3072kem, rsa4096kem };
enum class Aead : std::uint8_t { a256gcm, c20p1305 };
std::string_view name(SigAlg);
std::string_view name(Kem);
std::string_view name(Aead);
std::optional<SigAlg> find_sig_alg(std::string_view);
std::optional<Kem> find_kem(std::string_view);
std::optional<Aead> find_aead(std::string_view);

/// Whether OpenSSL has these at run time (3.5 and later do): the halves of the post-quantum hybrids
/// that ALG-10 registers, which are not implemented yet.
bool has_ml_kem_768();
bool has_ml_dsa_65();

// --- keys ----------------------------------------------------------------------------------------
// Raw forms on the wire (spec ALG-4): ed25519, x25519: 32 bytes (RFC 8032, RFC 7748).
// rsaN*: the modulus n, N/8 bytes big-endian, top bit set, odd; the public exponent is always
// 65537. Private raw forms (files and key stores only, never on the wire): 32-byte seed / scalar;
// RSA: the DER of PKCS#8.

/// A verification key. Copies share one immutable key.
class VerifyKey {
 public:
  /// Fails with key_material: wrong length; n even or its top bit clear; an ed25519 key of small
  /// order or with y >= p. Whether an ed25519 key is on the curve shows in verify.
  static Result<VerifyKey> from_raw(SigAlg alg, ByteView raw);
  SigAlg alg() const;
  const Bytes& raw() const;
  /// signature over `message` (PureEdDSA; RSASSA-PSS SHA-256, MGF1 SHA-256, salt 32). Fails with
  /// `signature`.
  Result<> verify(ByteView message, ByteView signature) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// A signing key: zeroised on destruction, moves only, does not print.
class SigningKey {
 public:
  /// `seed32` for ed25519 (RFC 8032 private key). RSA keys come from from_private or generate_rsa.
  static SigningKey ed25519_from_seed(ByteView seed32);
  static Result<SigningKey> from_private(SigAlg alg, ByteView private_raw);
  /// Slow: about 4/s at 2048 bits, seconds at 4096. Draws from RAND. `tick` hears now and then that
  /// the search goes on.
  static Result<SigningKey> generate_rsa(SigAlg alg, const std::function<void()>& tick = {});
  SigAlg alg() const;
  const Bytes& public_raw() const;
  Secret private_raw() const;
  Result<Bytes> sign(ByteView message) const;
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

 private:
  SigningKey();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class EncryptionKey {  // public half
 public:
  /// Fails with key_material: wrong length, x25519 point of small order, n even or its top bit
  /// clear.
  static Result<EncryptionKey> from_raw(Kem kem, ByteView raw);
  Kem kem() const;
  const Bytes& raw() const;

 private:
  friend struct Access;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

class DecryptionKey {  // private half
 public:
  /// The seed is the scalar itself; RFC 9180's DeriveKeyPair is not used.
  static DecryptionKey x25519_from_seed(ByteView seed32);
  static Result<DecryptionKey> from_private(Kem kem, ByteView private_raw);
  static Result<DecryptionKey> generate_rsa(Kem kem, const std::function<void()>& tick = {});
  Kem kem() const;
  const Bytes& public_raw() const;
  Secret private_raw() const;
  DecryptionKey(DecryptionKey&&) noexcept;
  DecryptionKey& operator=(DecryptionKey&&) noexcept;
  ~DecryptionKey();

 private:
  DecryptionKey();
  friend struct Access;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// --- HPKE base mode, single shot (RFC 9180; spec ALG-5, ALG-6) -----------------------------------
/// One x25519 ephemeral may serve all stanzas of an envelope: pass the same pair to each wrap.
struct Ephemeral {
  DecryptionKey key;
  static Ephemeral from_seed(ByteView seed32);
};
struct Wrapped {
  Bytes enc;         // x25519: the ephemeral's public key; rsa*kem: the RSASVE ciphertext
  Bytes ciphertext;  // plaintext size + 16
};
/// Seals `plaintext` (a 32-byte content key) to `to`, aad empty, sequence number 0. `ephemeral` is
/// used by x25519 only and must be given there.
Result<Wrapped> hpke_seal(const EncryptionKey& to, Aead aead, ByteView info, ByteView plaintext,
                          const Ephemeral* ephemeral);
/// Fails with `unwrap`.
Result<Secret> hpke_open(const DecryptionKey& key, Aead aead, ByteView enc, ByteView info,
                         ByteView ciphertext);

// --- AEAD and sealed streams (spec STR) ----------------------------------------------------------
Result<Bytes> aead_seal(Aead aead, ByteView key32, ByteView nonce12, ByteView aad,
                        ByteView plaintext);
/// Fails with `chunk`.
Result<Bytes> aead_open(Aead aead, ByteView key32, ByteView nonce12, ByteView aad,
                        ByteView ciphertext);

/// Sealed stream := salt(24) || commitment(32) || chunk*. Every chunk but the last holds exactly
/// 16384 bytes of plaintext, the last one fewer (0..16383), each followed by its 16-byte tag.
///   prk = HKDF-Extract(salt, key); chunk key = Expand(prk, "AMS-STREAM-KEY\0" || context, 32)
///   commitment = Expand(prk, "AMS-STREAM-COMMIT\0" || context, 32)
///   nonce of chunk i = (last ? 0x01 : 0x00) || 00 00 00 || u64 i
inline constexpr std::size_t stream_chunk_size = 16384;
inline constexpr std::size_t stream_header_size = 56;
inline constexpr std::size_t aead_tag_size = 16;
/// Size of the sealed stream of `plain_size` bytes.
constexpr std::uint64_t sealed_size(std::uint64_t plain_size) {
  return stream_header_size + plain_size + aead_tag_size * (plain_size / stream_chunk_size + 1);
}

/// Whole-buffer forms. Errors of open: stream_truncated, key_commitment, chunk; in that order of
/// checks.
Result<Bytes> stream_seal(Aead aead, ByteView key32, ByteView context, ByteView salt24,
                          ByteView plaintext);
Result<Bytes> stream_open(Aead aead, ByteView key32, ByteView context, ByteView sealed);

/// The same bytes in pieces, in memory for one chunk whatever the size. Appends to `out` what is
/// complete: the stream's header at once, then whole chunks of 16,400 bytes; finish() adds the last
/// chunk and may be called once.
class StreamSealer {
 public:
  StreamSealer(Aead aead, ByteView key32, ByteView context, ByteView salt24);
  ~StreamSealer();
  StreamSealer(StreamSealer&&) noexcept;
  StreamSealer& operator=(StreamSealer&&) noexcept;
  void push(ByteView plaintext, Bytes& out);
  void finish(Bytes& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Appends to `out` the plaintext of chunks that have authenticated, and of no others. That the
/// stream was cut off shows in finish() only, so what came before may be used for nothing that
/// cannot be undone (spec STR-6). Fails with key_commitment once the header is in, chunk, and in
/// finish() with stream_truncated; after a failure only destruction is allowed.
class StreamOpener {
 public:
  StreamOpener(Aead aead, ByteView key32, ByteView context);
  ~StreamOpener();
  StreamOpener(StreamOpener&&) noexcept;
  StreamOpener& operator=(StreamOpener&&) noexcept;
  Result<> push(ByteView sealed, Bytes& out);
  Result<> finish(Bytes& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Padmé (PURBs, Nikitin et al. 2019): the padded length of `length` bytes; at most 12 % more.
std::uint64_t padme(std::uint64_t length);

}  // namespace ams::crypto
