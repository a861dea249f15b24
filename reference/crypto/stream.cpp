// Sealed streams (spec STR): chunked AEAD with a commitment to the key. A shorter last chunk,
// marked in its nonce, shows where the stream ends, so that cutting it off anywhere is seen.
#include <algorithm>
#include <optional>

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
    return fail(
        mutant("crypto.wrong_code_short_stream") ? Code::key_commitment : Code::stream_truncated,
        "header");
  }
  const std::size_t last = (sealed.size() - stream_header_size) % sealed_chunk_size;
  if (last == 0 && mutant("crypto.accept_truncated_stream")) return {};
  if (last < aead_tag_size) return fail(Code::stream_truncated, "last chunk");
  return {};
}

/// Hands `in` to `take` in pieces of exactly `size` bytes; what is over waits in `kept`.
template <class Take>
Result<> in_pieces(Bytes& kept, std::size_t size, ByteView in, const Take& take) {
  if (!kept.empty()) {
    const std::size_t more = std::min(size - kept.size(), in.size());
    append(kept, in.first(more));
    in = in.subspan(more);
    if (kept.size() < size) return {};
    AMS_CHECK(take(ByteView(kept)));
    kept.clear();
  }
  for (; in.size() >= size; in = in.subspan(size)) AMS_CHECK(take(in.first(size)));
  append(kept, in);
  return {};
}

}  // namespace

struct StreamSealer::Impl {
  Impl(Aead aead, ByteView key32, ByteView context, ByteView salt24) {
    AMS_ASSERT(key32.size() == 32 && salt24.size() == stream_salt_size);
    const StreamKeys keys = derive(key32, context, salt24);
    cipher.emplace(aead, keys.chunk_key.view(), Direction::seal);
    header = to_bytes(salt24);
    append(header, keys.commitment.view());
    kept.reserve(stream_chunk_size);
  }
  ~Impl() {
    kept.resize(kept.capacity());  // what was there before counts too
    wipe(kept.data(), kept.size());
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void begin(Bytes& out) {
    append(out, header);
    header.clear();
  }
  void seal(bool last, ByteView chunk, Bytes& out) {
    cipher->seal(chunk_nonce(index++, last), {}, chunk, out);
  }

  std::optional<AeadCipher> cipher;
  Bytes header;  // until it is out
  Bytes kept;    // plaintext of a chunk that is not whole yet
  std::uint64_t index = 0;
};

StreamSealer::StreamSealer(Aead aead, ByteView key32, ByteView context, ByteView salt24)
    : impl_(std::make_unique<Impl>(aead, key32, context, salt24)) {}
StreamSealer::~StreamSealer() = default;
StreamSealer::StreamSealer(StreamSealer&&) noexcept = default;
StreamSealer& StreamSealer::operator=(StreamSealer&&) noexcept = default;

void StreamSealer::push(ByteView plaintext, Bytes& out) {
  impl_->begin(out);
  const auto seal = [&](ByteView chunk) -> Result<> {
    impl_->seal(false, chunk, out);
    return {};
  };
  AMS_ASSERT(in_pieces(impl_->kept, stream_chunk_size, plaintext, seal));
}

void StreamSealer::finish(Bytes& out) {
  impl_->begin(out);
  impl_->seal(true, impl_->kept, out);
}

struct StreamOpener::Impl {
  Impl(Aead a, ByteView key, ByteView c)
      : aead(a), key32(Secret::copy_of(key)), context(to_bytes(c)) {
    AMS_ASSERT(key.size() == 32);
    header.reserve(stream_header_size);
    kept.reserve(sealed_chunk_size);
  }

  /// STR-3, once the header is whole.
  Result<> begin() {
    const ByteView view(header);
    const StreamKeys keys = derive(key32.view(), context, view.first(stream_salt_size));
    if (!equal_constant_time(view.subspan(stream_salt_size), keys.commitment.view()) &&
        !mutant("crypto.skip_commitment")) {
      return fail(Code::key_commitment, "stream header");
    }
    cipher.emplace(aead, keys.chunk_key.view(), Direction::open);
    return {};
  }
  Result<> open(bool last, ByteView chunk, Bytes& out) {
    const std::size_t start = out.size();
    out.resize(start + chunk.size() - aead_tag_size);
    if (cipher->open(chunk_nonce(index++, last), {}, chunk, out.data() + start)) return {};
    if (mutant("crypto.skip_chunk_tag")) return {};
    out.resize(start);
    return fail(Code::chunk, "stream chunk");
  }

  Aead aead;
  Secret key32;
  Bytes context;
  Bytes header;  // the first 56 bytes
  Bytes kept;    // of a chunk that is not whole yet
  std::optional<AeadCipher> cipher;
  std::uint64_t index = 0;
};

StreamOpener::StreamOpener(Aead aead, ByteView key32, ByteView context)
    : impl_(std::make_unique<Impl>(aead, key32, context)) {}
StreamOpener::~StreamOpener() = default;
StreamOpener::StreamOpener(StreamOpener&&) noexcept = default;
StreamOpener& StreamOpener::operator=(StreamOpener&&) noexcept = default;

Result<> StreamOpener::push(ByteView sealed, Bytes& out) {
  if (!impl_->cipher) {
    const std::size_t more = std::min(stream_header_size - impl_->header.size(), sealed.size());
    append(impl_->header, sealed.first(more));
    sealed = sealed.subspan(more);
    if (impl_->header.size() < stream_header_size) return {};
    AMS_CHECK(impl_->begin());
  }
  // A whole chunk is never the last one (STR-2).
  return in_pieces(impl_->kept, sealed_chunk_size, sealed,
                   [&](ByteView chunk) { return impl_->open(false, chunk, out); });
}

Result<> StreamOpener::finish(Bytes& out) {
  const ByteView last(impl_->kept);
  if (!impl_->cipher) return fail(Code::stream_truncated, "header");
  if (last.empty() && mutant("crypto.accept_truncated_stream")) return {};
  if (last.size() < aead_tag_size) return fail(Code::stream_truncated, "last chunk");
  return impl_->open(true, last, out);
}

Result<Bytes> stream_seal(Aead aead, ByteView key32, ByteView context, ByteView salt24,
                          ByteView plaintext) {
  Bytes out;
  out.reserve(sealed_size(plaintext.size()));
  StreamSealer sealer(aead, key32, context, salt24);
  sealer.push(plaintext, out);
  sealer.finish(out);
  return out;
}

Result<Bytes> stream_open(Aead aead, ByteView key32, ByteView context, ByteView sealed) {
  AMS_CHECK(check_length(sealed));
  Bytes out;
  out.reserve(sealed.size() - stream_header_size);
  StreamOpener opener(aead, key32, context);
  Result<> opened = opener.push(sealed, out);
  if (opened) opened = opener.finish(out);
  if (opened) return out;
  wipe(out.data(), out.size());
  return tl::unexpected<Error>(opened.error());
}

}  // namespace ams::crypto
