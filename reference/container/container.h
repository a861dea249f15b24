// seal/1, the container of a sealed file (spec chapter 07): written and read in one pass, in memory
// that does not depend on the file's size. Sans-IO: bytes in, bytes out, any split of the input.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "keys/records.h"

namespace ams::container {

inline constexpr std::string_view magic = "AMS-SEAL/1\n";        // CON-2
inline constexpr std::size_t header_size_max = 16'384;           // bytes of AMS-CJ, CON-3
inline constexpr std::size_t stanzas_size_max = 262'144;         // CON-5
inline constexpr std::size_t trailer_size_max = 4'096;           // CON-9
inline constexpr std::int64_t clock_tolerance_ms = 10 * 60'000;  // CON-4

struct SealOptions {
  crypto::Aead aead = crypto::Aead::a256gcm;
  std::int64_t ts = 0;  // Unix ms
};

/// Seals one file. begin() at once, push() for each piece of it, finish() once; each appends to
/// `out`. Deterministic in `drbg`, except with rsa*kem recipients or an rsa*pss sender.
class Writer {
 public:
  /// `sender` must outlive the writer. Fails with schema (no recipient, one twice, ts out of
  /// range), too_many_stanzas, key_expired, unknown_algorithm (a recipient whose record does not
  /// take the AEAD).
  static Result<Writer> begin(const keys::KeyPair& sender,
                              std::span<const keys::KeyRecord* const> recipients,
                              const SealOptions& options, crypto::Drbg& drbg, Bytes& out);
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  void push(ByteView plaintext, Bytes& out);
  Result<> finish(Bytes& out);

 private:
  struct Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What the reader knows before. All must outlive the reader.
struct ReadContext {
  const keys::KeyRecord* own_record = nullptr;
  const crypto::DecryptionKey* own_key = nullptr;
  /// The verified record of the key that the header names, or of the one that it should name; null:
  /// none is known, and the reader refuses with not_found.
  std::function<const keys::KeyRecord*(const keys::KeyId&)> sender;
  std::int64_t now = 0;  // Unix ms
  /// Further pairs of the reader's, tried in this order when no stanza is for own_record (KEY-10).
  std::vector<const keys::KeyPair*> former = {};
};

/// Opens one container: push() all of it, then finish(). Plaintext appended to `out` is of chunks
/// that authenticate, but it is not the sender's word before finish() succeeds: keep it where it
/// can be undone (CON-12). The codes, in the order of checks, stand in CON-11. After a failure only
/// destruction is allowed.
class Reader {
 public:
  explicit Reader(ReadContext context);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  Result<> push(ByteView in, Bytes& out);
  Result<> finish();
  /// Who sealed it, once the header is in; proven once finish() succeeded.
  std::optional<keys::KeyId> sender() const;
  std::int64_t sealed_at() const;  // Unix ms; 0 before the header is in

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ams::container
