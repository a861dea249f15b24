// Goal: every mutant switch of this room really breaks its rule, and only when it is on.
// Method: for each switch a probe that tells whether the rule holds; it must hold with all switches
// off, fail with the switch on, and the switch must have been asked.
// Exit code: 0 all do, 1 otherwise.
#include <functional>

#include "crypto/crypto.h"
#include "crypto/vrf.h"
#include "policy/probe.h"

namespace ams::crypto {
namespace {

using mutants::Probe;

Bytes sample_stream(std::size_t size) {
  return *stream_seal(Aead::a256gcm, Bytes(32, 1), {}, Bytes(24, 2), Bytes(size, 3));
}

bool stream_refused(ByteView sealed, Code code) {
  const auto opened = stream_open(Aead::a256gcm, Bytes(32, 1), {}, sealed);
  return !opened && opened.error().code == code;
}

bool forged_signature_refused() {
  const auto key = SigningKey::ed25519_from_seed(Bytes(32, 4));
  const auto verifier = *VerifyKey::from_raw(SigAlg::ed25519, key.public_raw());
  return !verifier.verify(as_bytes("m"), Bytes(64));
}

bool changed_commitment_refused() {
  Bytes sealed = sample_stream(10);
  sealed[stream_header_size - 1] ^= 1;
  return stream_refused(sealed, Code::key_commitment);
}

bool cut_at_a_chunk_refused() {
  const Bytes sealed = sample_stream(2 * stream_chunk_size + 5);
  const std::size_t two_chunks = 2 * (stream_chunk_size + aead_tag_size);
  return stream_refused(ByteView(sealed).first(stream_header_size + two_chunks),
                        Code::stream_truncated);
}

/// Nobody's private key is needed to read what is sealed through a point of small order.
bool low_order_enc_refused() {
  const auto key = DecryptionKey::x25519_from_seed(Bytes(32, 5));
  const auto opened = hpke_open(key, Aead::a256gcm, Bytes(32), {}, Bytes(48));
  return !opened && opened.error().where == "enc low order";
}

bool proof_for_other_input_refused() {
  const VrfKey key = VrfKey::from_seed(Bytes(32, 6));
  const auto verified = vrf_verify(key.public_raw(), as_bytes("other"), key.prove(as_bytes("m")));
  return !verified && verified.error().code == Code::vrf_proof;
}

std::vector<Probe> probes() {
  return {
      {"crypto.skip_verify", forged_signature_refused},
      {"crypto.skip_commitment", changed_commitment_refused},
      {"crypto.accept_truncated_stream", cut_at_a_chunk_refused},
      {"crypto.accept_low_order", [] { return !EncryptionKey::from_raw(Kem::x25519, Bytes(32)); }},
      {"crypto.accept_low_order", [] { return !VerifyKey::from_raw(SigAlg::ed25519, Bytes(32)); }},
      {"crypto.accept_low_order", low_order_enc_refused},
      {"crypto.skip_vrf_challenge", proof_for_other_input_refused},
      {"crypto.skip_vrf_key_check", [] { return !vrf_check_key(Bytes{0x00}); }},  // infinity
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::crypto

int main() { return ams::crypto::run_probes(); }
