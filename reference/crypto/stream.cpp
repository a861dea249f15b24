// Sealed streams (spec STR): chunked AEAD with a commitment to the key. A shorter last chunk,
// marked in its nonce, shows where the stream ends, so that cutting it off anywhere is seen.
#include <algorithm>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "policy/mutant.h"

namespace ams::crypto {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t stream_salt_size = 24;
constexpr std::size_t sealed_chunk_size = stream_chunk_size + aead_tag_size;

struct StreamKeys {
  Secret chunk_key;
  Secret commitment;
};

StreamKeys derive(ByteView key32, ByteView context, ByteView salt24) {
  const Secret prk = hkdf_extract(salt24, key32);
  Secret chunk_key = expand_pieces(prk.view(), {as_bytes("AMS-STREAM-KEY\0"sv), context}, 32);
  Secret commitment = expand_pieces(prk.view(), {as_bytes("AMS-STREAM-COMMIT\0"sv), context}, 32);
  return {std::move(chunk_key), std::move(commitment)};
}

std::array<std::uint8_t, 12> chunk_nonce(std::uint64_t index, bool last) {
  std::array<std::uint8_t, 12> out{};
  out[0] = last ? 1 : 0;
  for (std::size_t i = 0; i < 8; ++i) out[11 - i] = static_cast<std::uint8_t>(index >> (8 * i));
  return out;
}

/// The last chunk holds fewer than 16384 bytes of plaintext and a whole tag.
Result<> check_length(ByteView sealed) {
  if (sealed.size() < stream_header_size + aead_tag_size) {
    return fail(Code::stream_truncated, "header");
  }
  const std::size_t last = (sealed.size() - stream_header_size) % sealed_chunk_size;
  if (last == 0 && mutant("crypto.accept_truncated_stream")) return {};
  if (last < aead_tag_size) return fail(Code::stream_truncated, "last chunk");
  return {};
}

}  // namespace

Result<Bytes> stream_seal(Aead aead, ByteView key32, ByteView context, ByteView salt24,
                          ByteView plaintext) {
  AMS_ASSERT(key32.size() == 32 && salt24.size() == stream_salt_size);
  const StreamKeys keys = derive(key32, context, salt24);
  const AeadCipher cipher(aead, keys.chunk_key.view(), Direction::seal);
  Bytes out;
  out.reserve(sealed_size(plaintext.size()));
  append(out, salt24);
  append(out, keys.commitment.view());
  for (std::uint64_t index = 0;; ++index) {
    const bool last = plaintext.size() < stream_chunk_size;
    const ByteView chunk = last ? plaintext : plaintext.first(stream_chunk_size);
    cipher.seal(chunk_nonce(index, last), {}, chunk, out);
    if (last) return out;
    plaintext = plaintext.subspan(stream_chunk_size);
  }
}

Result<Bytes> stream_open(Aead aead, ByteView key32, ByteView context, ByteView sealed) {
  AMS_ASSERT(key32.size() == 32);
  AMS_CHECK(check_length(sealed));
  const StreamKeys keys = derive(key32, context, sealed.first(stream_salt_size));
  const ByteView claimed = sealed.subspan(stream_salt_size, keys.commitment.size());
  if (!equal_constant_time(claimed, keys.commitment.view()) && !mutant("crypto.skip_commitment")) {
    return fail(Code::key_commitment, "stream header");
  }
  const AeadCipher cipher(aead, keys.chunk_key.view(), Direction::open);
  ByteView rest = sealed.subspan(stream_header_size);
  Bytes out;
  out.reserve(rest.size());
  // `rest` runs empty without a last chunk only under the mutant of check_length.
  for (std::uint64_t index = 0; !rest.empty(); ++index) {
    const bool last = rest.size() < sealed_chunk_size;
    const ByteView chunk = last ? rest : rest.first(sealed_chunk_size);
    const std::size_t begin = out.size();
    out.resize(begin + chunk.size() - aead_tag_size);
    if (!cipher.open(chunk_nonce(index, last), {}, chunk, out.data() + begin)) {
      wipe(out.data(), out.size());
      return fail(Code::chunk, "stream chunk");
    }
    rest = rest.subspan(chunk.size());
  }
  return out;
}

}  // namespace ams::crypto
