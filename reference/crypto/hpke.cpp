// HPKE base mode (RFC 9180), written over EVP because OpenSSL has it from 3.2 on only.
#include "crypto/hpke.h"

#include "crypto/external.h"
#include "crypto/hash.h"
#include "crypto/labeled.h"
#include "policy/mutant.h"

namespace ams::crypto {
namespace {

constexpr std::uint16_t hkdf_sha256_id = 0x0001;
constexpr std::size_t kem_count = 4;
constexpr std::size_t aead_count = 2;

constexpr std::uint16_t aead_id(Aead aead) { return aead == Aead::a256gcm ? 0x0002 : 0x0003; }

/// What the schedule knows before it sees a key: the same for every message of a suite.
struct Suite {
  std::array<std::uint8_t, 10> id;
  Secret psk_id_hash;  // of the empty psk_id of base mode
};

Suite make_suite(Kem kem, Aead aead) {
  Suite out{{'H', 'P', 'K', 'E'}, {}};
  std::size_t at = 4;
  for (const std::uint16_t id : {kem_id(kem), hkdf_sha256_id, aead_id(aead)}) {
    out.id[at++] = static_cast<std::uint8_t>(id >> 8);
    out.id[at++] = static_cast<std::uint8_t>(id & 0xff);
  }
  out.psk_id_hash = labeled_extract(out.id, {}, "psk_id_hash", {});
  return out;
}

const Suite& suite_of(Kem kem, Aead aead) {
  static const auto table = [] {
    std::array<std::array<Suite, aead_count>, kem_count> out;
    for (std::size_t k = 0; k < kem_count; ++k) {
      for (std::size_t a = 0; a < aead_count; ++a) {
        out[k][a] = make_suite(static_cast<Kem>(k), static_cast<Aead>(a));
      }
    }
    return out;
  }();
  return table[static_cast<std::size_t>(kem)][static_cast<std::size_t>(aead)];
}

}  // namespace

Secret labeled_extract(ByteView suite_id, ByteView salt, std::string_view label, ByteView ikm) {
  Hash prk = hmac_sha256(salt, {as_bytes("HPKE-v1"), suite_id, as_bytes(label), ikm});
  Secret out = Secret::copy_of(prk);
  wipe(prk.data(), prk.size());
  return out;
}

Secret labeled_expand(ByteView suite_id, ByteView prk, std::string_view label,
                      std::array<ByteView, 2> info, std::size_t size) {
  const std::array<std::uint8_t, 2> length{static_cast<std::uint8_t>(size >> 8),
                                           static_cast<std::uint8_t>(size & 0xff)};
  return expand_pieces(
      prk, {length, as_bytes("HPKE-v1"), suite_id, as_bytes(label), info[0], info[1]}, size);
}

HpkeContext::Schedule HpkeContext::schedule(Kem kem, Aead aead, ByteView shared_secret,
                                            ByteView info) {
  const Suite& suite = suite_of(kem, aead);
  const Secret info_hash = labeled_extract(suite.id, {}, "info_hash", info);
  Bytes context{0x00};  // mode_base
  append(context, suite.psk_id_hash.view());
  append(context, info_hash.view());
  const Secret secret = labeled_extract(suite.id, shared_secret, "secret", {});
  Secret key = labeled_expand(suite.id, secret.view(), "key", {context, {}}, 32);
  Secret base_nonce = labeled_expand(suite.id, secret.view(), "base_nonce", {context, {}}, 12);
  return {std::move(key), std::move(base_nonce)};
}

HpkeContext::HpkeContext(Kem kem, Aead aead, ByteView shared_secret, ByteView info,
                         Direction direction)
    : HpkeContext(schedule(kem, aead, shared_secret, info), aead, direction) {}

HpkeContext::HpkeContext(Schedule schedule, Aead aead, Direction direction)
    : base_nonce_(std::move(schedule.base_nonce)), cipher_(aead, schedule.key.view(), direction) {}

std::array<std::uint8_t, 12> HpkeContext::nonce(std::uint64_t sequence) const {
  auto out = *to_array<12>(base_nonce_.view());
  for (std::size_t i = 0; i < 8; ++i) {
    out[11 - i] ^= static_cast<std::uint8_t>(sequence >> (8 * i));
  }
  return out;
}

Bytes HpkeContext::seal(std::uint64_t sequence, ByteView aad, ByteView plaintext) const {
  Bytes out;
  out.reserve(plaintext.size() + aead_tag_size);
  cipher_.seal(nonce(sequence), aad, plaintext, out);
  return out;
}

Result<Secret> HpkeContext::open(std::uint64_t sequence, ByteView aad, ByteView ciphertext) const {
  if (ciphertext.size() < aead_tag_size) return fail(Code::unwrap, "shorter than its tag");
  Secret out(ciphertext.size() - aead_tag_size);
  if (!cipher_.open(nonce(sequence), aad, ciphertext, out.data()) &&
      !mutant("crypto.skip_wrap_tag")) {
    return fail(Code::unwrap, "tag");
  }
  return out;
}

Result<Wrapped> hpke_seal(const EncryptionKey& to, Aead aead, ByteView info, ByteView plaintext,
                          const Ephemeral* ephemeral) {
  AMS_TRY(KemOutput kem, Access::encap(to, ephemeral != nullptr ? &ephemeral->key : nullptr));
  const HpkeContext context(to.kem(), aead, kem.shared_secret.view(), info, Direction::seal);
  return Wrapped{std::move(kem.enc), context.seal(0, {}, plaintext)};
}

Result<Secret> hpke_open(const DecryptionKey& key, Aead aead, ByteView enc, ByteView info,
                         ByteView ciphertext) {
  AMS_TRY(const Secret shared_secret, Access::decap(key, enc));
  return hpke_open_shared(key.kem(), aead, shared_secret.view(), info, ciphertext);
}

Result<Secret> hpke_open_shared(Kem kem, Aead aead, ByteView shared_secret32, ByteView info,
                                ByteView ciphertext) {
  if (shared_secret32.size() != shared_secret_size) return fail(Code::unwrap, "shared secret");
  const HpkeContext context(kem, aead, shared_secret32, info, Direction::open);
  return context.open(0, {}, ciphertext);
}

}  // namespace ams::crypto
