// Goal: every mutant switch of this room really breaks its rule, and only when it is on.
// Method: for each switch a probe that tells whether the rule holds; it must hold with all switches
// off, fail with the switch on, and the switch must have been asked.
// Exit code: 0 all do, 1 otherwise.
#include "policy/probe.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"
#include "verifiable/map.h"

namespace ams::verifiable {
namespace {

using crypto::SigningKey;
using mutants::Probe;

Map small_map() { return Map::of({{{0x00}, {1}}, {{0x40}, {2}}, {{0x80}, {3}}, {{0xc0}, {4}}}); }

bool other_value_refused() {
  const Map map = small_map();
  return !verify_present(map.root(), {0x40}, {9}, map.prove({0x40}));
}

bool trailing_byte_refused() {
  const Map map = small_map();
  Bytes proof = map.prove({0x40});
  proof.push_back(0);
  return !verify_present(map.root(), {0x40}, {2}, proof);
}

bool own_leaf_is_no_absence() {
  const Map map = small_map();
  MapProof proof = *decode_map_proof(map.prove({0x40}));
  proof.kind = MapProofKind::other_leaf;
  proof.other = Entry{{0x40}, {2}};
  return !verify_absent(map.root(), {0x40}, encode(proof));
}

/// A dishonest tree hangs 0x80's leaf to the left of bit 0.
bool misplaced_leaf_refused() {
  const Hash root = hash_branch(0, hash_leaf({0x80}, {3}), Hash{});
  const MapProof proof{MapProofKind::other_leaf, {0}, {Hash{}}, Entry{{0x80}, {3}}};
  return !verify_absent(root, {0x40}, encode(proof));
}

Log log_of(std::uint8_t size) {
  Log log;
  for (std::uint8_t i = 0; i < size; ++i) log.append(log_leaf_hash(Bytes{i}));
  return log;
}

bool short_proof_refused() {
  const Log log = log_of(4);
  return !verify_inclusion(log.root(), 8, 3, log_leaf_hash(Bytes{3}), log.prove_inclusion(3, 4));
}

bool foreign_leaf_refused() {
  const Log log = log_of(5);
  return !verify_inclusion(log.root(), 5, 3, Hash{9}, log.prove_inclusion(3, 5));
}

bool consistency_refused(bool old_root) {
  const Log log = log_of(7);
  const Bytes proof = log.prove_consistency(3, 7);
  return old_root ? !verify_consistency(3, Hash{9}, 7, log.root(), proof)
                  : !verify_consistency(3, log.root(3), 7, Hash{9}, proof);
}

SigningKey secret(std::uint8_t n) { return SigningKey::ed25519_from_seed(Bytes(32, n)); }

NoteKey key_of(std::string name, NoteKeyType type, std::uint8_t n) {
  auto key = *crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, secret(n).public_raw());
  return *NoteKey::make(std::move(name), type, std::move(key));
}

NoteKey log_key() { return key_of("log.example", NoteKeyType::ed25519, 1); }

Note signed_note(std::uint8_t root, std::uint64_t size, std::string origin = "log.example") {
  Note note{checkpoint_text({std::move(origin), size, Hash{root}, {}}), {}};
  note.signatures.push_back(*sign_note(note.text, "log.example", secret(1)));
  return note;
}

bool bad_note_signature_refused() {
  Note note = signed_note(1, 2);
  note.signatures[0].blob[0] ^= 1;
  return !open_checkpoint(format(note), log_key());
}

bool other_origin_refused() {
  return !open_checkpoint(format(signed_note(1, 2, "other.example")), log_key());
}

const std::vector<NoteKey>& twins() {
  static const std::vector<NoteKey> keys{key_of("a.example", NoteKeyType::cosignature_v1, 2),
                                         key_of("b.example", NoteKeyType::cosignature_v1, 2)};
  return keys;
}

bool bad_cosignature_refused() {
  Note note = signed_note(1, 2);
  note.signatures.push_back(*cosign(note.text, "a.example", secret(2), 5));
  note.signatures[1].blob[20] ^= 1;
  return !open_checkpoint(format(note), log_key(), {twins(), 1});
}

bool missing_witness_refused() {
  return !open_checkpoint(format(signed_note(1, 2)), log_key(), {twins(), 1});
}

bool one_witness_counts_once() {
  Note note = signed_note(1, 2);
  note.signatures.push_back(*cosign(note.text, "a.example", secret(2), 5));
  note.signatures.push_back(*cosign(note.text, "b.example", secret(2), 5));
  return !open_checkpoint(format(note), log_key(), {twins(), 2});
}

bool not_convicted(const Note& a, const Note& b) {
  return !verify_equivocation(format(a) + "\n" + format(b), log_key());
}

std::vector<Probe> probes() {
  return {
      {"verifiable.skip_path_check", other_value_refused},
      {"verifiable.accept_trailing_bytes", trailing_byte_refused},
      {"verifiable.absent_though_present", own_leaf_is_no_absence},
      {"verifiable.accept_misplaced_leaf", misplaced_leaf_refused},
      {"verifiable.accept_short_proof", short_proof_refused},
      {"verifiable.skip_inclusion_root", foreign_leaf_refused},
      {"verifiable.skip_old_root", [] { return consistency_refused(true); }},
      {"verifiable.skip_new_root", [] { return consistency_refused(false); }},
      {"verifiable.skip_note_signature", bad_note_signature_refused},
      {"verifiable.accept_other_origin", other_origin_refused},
      {"verifiable.skip_cosignature", bad_cosignature_refused},
      {"verifiable.skip_quorum", missing_witness_refused},
      {"verifiable.count_witness_twice", one_witness_counts_once},
      {"verifiable.accept_other_size",
       [] { return not_convicted(signed_note(1, 2), signed_note(2, 3)); }},
      {"verifiable.accept_equal_roots",
       [] { return not_convicted(signed_note(1, 2), signed_note(1, 2)); }},
  };
}

}  // namespace
}  // namespace ams::verifiable

int main() { return ams::mutants::run(ams::verifiable::probes()); }
