#include "crypto/hash.h"

#include <algorithm>

#include "crypto/evp.h"

namespace ams::crypto {
namespace {

constexpr std::size_t sha256_block_size = 64;

evp::DigestContext new_digest_context() {
  evp::DigestContext context(EVP_MD_CTX_new());
  AMS_ASSERT(context);
  return context;
}

void begin(const evp::DigestContext& context) {
  AMS_ASSERT(EVP_DigestInit_ex2(context.get(), evp::algorithms().sha256, nullptr) == 1);
}

void absorb(const evp::DigestContext& context, ByteView data) {
  AMS_ASSERT(EVP_DigestUpdate(context.get(), data.data(), data.size()) == 1);
}

void end(const evp::DigestContext& context, Hash& out) {
  AMS_ASSERT(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
}

/// RFC 2104, over one reusable digest context: OpenSSL 3.0's HMAC() looks both algorithms up by
/// name at every call, which costs more than the four blocks a short HMAC hashes.
class Hmac {
 public:
  explicit Hmac(ByteView key) : context_(new_digest_context()) {
    if (key.size() > sha256_block_size) {
      Hash short_key;
      begin(context_);
      absorb(context_, key);
      end(context_, short_key);
      set_pads(short_key);
      wipe(short_key.data(), short_key.size());
    } else {
      set_pads(key);
    }
  }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;
  ~Hmac() {
    wipe(inner_.data(), inner_.size());
    wipe(outer_.data(), outer_.size());
  }

  void start() const {
    begin(context_);
    absorb(context_, inner_);
  }
  void update(ByteView data) const { absorb(context_, data); }
  void finish(Hash& out) const {
    end(context_, out);
    begin(context_);
    absorb(context_, outer_);
    absorb(context_, out);
    end(context_, out);
  }

 private:
  void set_pads(ByteView key) {
    inner_.fill(0x36);
    outer_.fill(0x5c);
    for (std::size_t i = 0; i < key.size(); ++i) {
      inner_[i] ^= key[i];
      outer_[i] ^= key[i];
    }
  }

  evp::DigestContext context_;
  std::array<std::uint8_t, sha256_block_size> inner_;
  std::array<std::uint8_t, sha256_block_size> outer_;
};

}  // namespace

Hash sha256(ByteView data) {
  Hash out;
  AMS_ASSERT(EVP_Digest(data.data(), data.size(), out.data(), nullptr, evp::algorithms().sha256,
                        nullptr) == 1);
  return out;
}

struct Sha256::State {
  evp::DigestContext context;
};

Sha256::Sha256() : state_(std::make_unique<State>(State{new_digest_context()})) {
  begin(state_->context);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView data) { absorb(state_->context, data); }

Hash Sha256::finish() {
  Hash out;
  end(state_->context, out);
  return out;
}

Hash hmac_sha256(ByteView key, Pieces pieces) {
  const Hmac hmac(key);
  hmac.start();
  for (const ByteView piece : pieces) hmac.update(piece);
  Hash out;
  hmac.finish(out);
  return out;
}

Hash hmac_sha256(ByteView key, ByteView data) { return hmac_sha256(key, Pieces{data}); }

Secret hkdf_extract(ByteView salt, ByteView ikm) {
  Hash prk = hmac_sha256(salt, ikm);
  Secret out = Secret::copy_of(prk);
  wipe(prk.data(), prk.size());
  return out;
}

Secret expand_pieces(ByteView prk, Pieces info, std::size_t size) {
  AMS_ASSERT(size <= 255 * sizeof(Hash));
  const Hmac hmac(prk);
  Secret out(size);
  Hash block;
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < size;) {
    hmac.start();
    if (counter != 0) hmac.update(block);
    for (const ByteView piece : info) hmac.update(piece);
    ++counter;
    hmac.update({&counter, 1});
    hmac.finish(block);
    const std::size_t take = std::min(block.size(), size - done);
    std::copy_n(block.begin(), take, out.data() + done);
    done += take;
  }
  wipe(block.data(), block.size());
  return out;
}

Secret hkdf_expand(ByteView prk, ByteView info, std::size_t size) {
  return expand_pieces(prk, {info}, size);
}

Secret hkdf(ByteView salt, ByteView ikm, ByteView info, std::size_t size) {
  return hkdf_expand(hkdf_extract(salt, ikm).view(), info, size);
}

}  // namespace ams::crypto
