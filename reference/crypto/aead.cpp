#include "crypto/aead.h"

#include <algorithm>

namespace ams::crypto {
namespace {

const EVP_CIPHER* cipher_of(Aead aead) {
  return aead == Aead::a256gcm ? evp::algorithms().aes_256_gcm
                               : evp::algorithms().chacha20_poly1305;
}

/// EVP_CipherUpdate in pieces, as it counts in int. A null `out` makes the input associated data.
void run(EVP_CIPHER_CTX* context, ByteView in, std::uint8_t* out) {
  constexpr std::size_t piece_max = 1 << 30;
  while (!in.empty()) {
    const std::size_t size = std::min(in.size(), piece_max);
    int written = 0;
    AMS_ASSERT(EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(size)) == 1);
    if (out != nullptr) out += size;
    in = in.subspan(size);
  }
}

}  // namespace

AeadCipher::AeadCipher(Aead aead, ByteView key32, Direction direction)
    : context_(EVP_CIPHER_CTX_new()) {
  AMS_ASSERT(context_ && key32.size() == 32);
  AMS_ASSERT(EVP_CipherInit_ex2(context_.get(), cipher_of(aead), key32.data(), nullptr,
                                direction == Direction::seal ? 1 : 0, nullptr) == 1);
}

void AeadCipher::start(ByteView nonce12, ByteView aad) const {
  AMS_ASSERT(nonce12.size() == 12);
  AMS_ASSERT(EVP_CipherInit_ex2(context_.get(), nullptr, nullptr, nonce12.data(), -1, nullptr) ==
             1);
  run(context_.get(), aad, nullptr);
}

void AeadCipher::seal(ByteView nonce12, ByteView aad, ByteView plaintext, Bytes& out) const {
  start(nonce12, aad);
  const std::size_t begin = out.size();
  out.resize(begin + plaintext.size() + aead_tag_size);
  run(context_.get(), plaintext, out.data() + begin);
  std::uint8_t* const tag = out.data() + begin + plaintext.size();
  int written = 0;
  AMS_ASSERT(EVP_CipherFinal_ex(context_.get(), tag, &written) == 1);
  AMS_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG,
                                 static_cast<int>(aead_tag_size), tag) == 1);
}

bool AeadCipher::open(ByteView nonce12, ByteView aad, ByteView sealed, std::uint8_t* out) const {
  AMS_ASSERT(sealed.size() >= aead_tag_size);
  start(nonce12, aad);
  const std::size_t size = sealed.size() - aead_tag_size;
  auto tag = to_array<aead_tag_size>(sealed.subspan(size));
  AMS_ASSERT(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG,
                                 static_cast<int>(aead_tag_size), tag->data()) == 1);
  run(context_.get(), sealed.first(size), out);
  int written = 0;
  std::uint8_t none = 0;
  if (EVP_CipherFinal_ex(context_.get(), &none, &written) == 1) return true;
  ERR_clear_error();
  wipe(out, size);
  return false;
}

Result<Bytes> aead_seal(Aead aead, ByteView key32, ByteView nonce12, ByteView aad,
                        ByteView plaintext) {
  Bytes out;
  AeadCipher(aead, key32, Direction::seal).seal(nonce12, aad, plaintext, out);
  return out;
}

Result<Bytes> aead_open(Aead aead, ByteView key32, ByteView nonce12, ByteView aad,
                        ByteView ciphertext) {
  if (ciphertext.size() < aead_tag_size) return fail(Code::chunk, "shorter than its tag");
  Bytes out(ciphertext.size() - aead_tag_size);
  const AeadCipher cipher(aead, key32, Direction::open);
  if (!cipher.open(nonce12, aad, ciphertext, out.data())) return fail(Code::chunk, "tag");
  return out;
}

}  // namespace ams::crypto
