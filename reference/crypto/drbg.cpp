#include <algorithm>

#include "crypto/evp.h"

namespace ams::crypto {
namespace {

constexpr std::size_t chacha_block_size = 64;

/// `blocks` * 64 bytes of keystream, from block number `first` on: ChaCha20 with a 64-bit
/// little-endian block counter and a zero nonce.
void keystream(ByteView key, std::uint64_t first, std::span<std::uint8_t> out) {
  std::array<std::uint8_t, 16> counter_and_nonce{};
  for (std::size_t i = 0; i < 8; ++i) {
    counter_and_nonce[i] = static_cast<std::uint8_t>(first >> (8 * i));
  }
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  const evp::CipherContext context(EVP_CIPHER_CTX_new());
  AMS_ASSERT(context);
  AMS_ASSERT(EVP_EncryptInit_ex2(context.get(), evp::algorithms().chacha20, key.data(),
                                 counter_and_nonce.data(), nullptr) == 1);
  int written = 0;
  AMS_ASSERT(EVP_EncryptUpdate(context.get(), out.data(), &written, out.data(),
                               static_cast<int>(out.size())) == 1);
}

}  // namespace

Drbg::Drbg(ByteView seed32) : key_(Secret::copy_of(seed32)) { AMS_ASSERT(seed32.size() == 32); }

void Drbg::fill(std::span<std::uint8_t> out) {
  constexpr std::size_t piece_max = 1 << 20;  // one OpenSSL call takes an int
  while (!out.empty()) {
    if (used_ == chacha_block_size && out.size() >= chacha_block_size) {
      const std::size_t size = std::min(out.size(), piece_max) & ~(chacha_block_size - 1);
      keystream(key_.view(), block_, out.first(size));
      block_ += size / chacha_block_size;
      out = out.subspan(size);
      continue;
    }
    if (used_ == chacha_block_size) {
      keystream(key_.view(), block_++, {buffer_.data(), buffer_.size()});
      used_ = 0;
    }
    const std::size_t take = std::min(out.size(), chacha_block_size - used_);
    std::copy_n(buffer_.data() + used_, take, out.begin());
    used_ += take;
    out = out.subspan(take);
  }
}

Bytes Drbg::bytes(std::size_t size) {
  Bytes out(size);
  fill(out);
  return out;
}

std::uint64_t Drbg::u64() { return read_u64(array<8>()); }

}  // namespace ams::crypto
