// Goal: what our code does with a secret depends on nothing but its length: no branch and no
// address is made from what it holds. Method: after A. Langley's ctgrind. Secrets are marked
// undefined for valgrind's memcheck, which then reports every branch and address that depends on
// them; OpenSSL's own are suppressed (tools/constant-time.supp), so what is reported is ours.
// `--leak NAME` does on purpose what must be reported. Run by tools/constant-time. Exit codes: 0
// the operations gave what they should, 1 not, 2 wrong argument.
#include <valgrind/memcheck.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "crypto/secret_text.h"
#include "mail/forge_test.h"

namespace {

using namespace ams;

void poison(ByteView secret) { (void)VALGRIND_MAKE_MEM_UNDEFINED(secret.data(), secret.size()); }
/// What is published or decided may be looked at.
void publish(ByteView bytes) { (void)VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()); }
bool published(bool verdict) {
  (void)VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof verdict);
  return verdict;
}

crypto::Secret secret_of(std::uint8_t first) {
  crypto::Secret out(32);
  for (std::size_t i = 0; i < out.size(); ++i)
    out.data()[i] = static_cast<std::uint8_t>(first + i * 37);
  poison(out.view());
  return out;
}

bool compares() {
  const crypto::Secret a = secret_of(1), same = secret_of(1), other = secret_of(2);
  return published(equal_constant_time(a.view(), same.view())) &&
         !published(equal_constant_time(a.view(), other.view()));
}

bool holds_and_drops() {
  crypto::Secret a = secret_of(3);
  const crypto::Secret copy = a.clone();
  a = crypto::Secret::copy_of(secret_of(4).view());
  const crypto::Secret moved = std::move(a);
  return copy.size() == moved.size();
}

bool writes_and_reads_text() {
  const crypto::Secret secret = secret_of(5);
  std::string text(base64url_size(secret.size()), '\0');
  crypto::write_secret_text(secret.view(), text.data());
  crypto::Secret back(secret.size());
  if (!published(crypto::read_secret_text(text, back))) return false;
  return published(equal_constant_time(secret.view(), back.view()));
}

bool derives() {
  const crypto::Secret key = crypto::hkdf(secret_of(6).view(), secret_of(7).view(), {}, 100);
  crypto::Drbg drbg(secret_of(8).view());
  return key.size() == 100 && drbg.bytes(100).size() == 100;
}

bool signs() {
  const auto key = crypto::SigningKey::ed25519_from_seed(secret_of(9).view());
  publish(key.public_raw());
  const auto signature = key.sign(as_bytes("message"));
  if (!signature) return false;
  publish(*signature);
  const auto verifier = crypto::VerifyKey::from_raw(key.alg(), key.public_raw());
  return verifier && verifier->verify(as_bytes("message"), *signature).has_value();
}

bool wraps_and_unwraps() {
  const auto key = crypto::DecryptionKey::x25519_from_seed(secret_of(10).view());
  publish(key.public_raw());
  const auto to = crypto::EncryptionKey::from_raw(crypto::Kem::x25519, key.public_raw());
  const auto ephemeral = crypto::Ephemeral::from_seed(secret_of(11).view());
  publish(ephemeral.key.public_raw());
  const auto wrapped = crypto::hpke_seal(*to, crypto::Aead::a256gcm, as_bytes("info"),
                                         secret_of(12).view(), &ephemeral);
  if (!wrapped) return false;
  publish(wrapped->ciphertext);
  publish(wrapped->enc);
  const auto opened = crypto::hpke_open(key, crypto::Aead::a256gcm, wrapped->enc, as_bytes("info"),
                                        wrapped->ciphertext);
  return opened && published(equal_constant_time(opened->view(), secret_of(12).view()));
}

bool seals_streams() {
  const Bytes plain(20'000, 7);
  for (const crypto::Aead aead : {crypto::Aead::a256gcm, crypto::Aead::c20p1305})
    if (!crypto::stream_seal(aead, secret_of(13).view(), as_bytes("context"), Bytes(24, 1), plain))
      return false;
  return true;
}

bool writes_letters() {
  const mail::testing::World world;
  const mail::Draft draft = world.draft();
  std::vector<mail::AttachmentInfo> attachments(1);
  attachments[0].key = secret_of(14);
  const mail::LetterText text =
      mail::letter_text({draft, Id16{4}, world.alice.pair.record.id(), world.alice.binding, {}},
                        attachments, secret_of(15).view());
  const auto commitment = mail::franking_commitment(secret_of(15).view(), text.parts);
  return text.parts.size() == draft.parts.size() && commitment.size() == 32;
}

/// What a compare must not do, so that the tool shows that it would see it.
bool leak(std::string_view how) {
  const crypto::Secret a = secret_of(1), b = secret_of(1);
  if (how == "branch") {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (a.view()[i] != b.view()[i]) return false;
    return true;
  }
  if (how == "address") return !from_base64url(to_base64url(a.view()))->empty();
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--leak") == 0) return leak(argv[2]) ? 0 : 1;
  if (argc != 1) return std::fputs("usage: constant_time [--leak branch|address]\n", stderr), 2;
  const std::pair<const char*, bool (*)()> operations[] = {
      {"compares", compares},
      {"holds and drops", holds_and_drops},
      {"writes and reads text", writes_and_reads_text},
      {"derives", derives},
      {"signs", signs},
      {"wraps and unwraps", wraps_and_unwraps},
      {"seals streams", seals_streams},
      {"writes letters", writes_letters}};
  for (const auto& [name, operation] : operations) {
    if (!operation()) return std::fprintf(stderr, "constant_time: %s: wrong result\n", name), 1;
    std::printf("%s\n", name);
  }
  return 0;
}
