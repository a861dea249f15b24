#include "verifiable/checkpoint.h"

#include <algorithm>

#include "policy/mutant.h"
#include "verifiable/own_note.h"

namespace ams::verifiable {
namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    out.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

Code checkpoint_form() {
  return ams::mutant("verifiable.wrong_code_checkpoint") ? Code::proof : Code::proof_form;
}

Result<std::uint64_t> contradiction(const Checkpoint& a, const Checkpoint& b) {
  if (!ams::mutant("verifiable.accept_other_size") && a.size != b.size)
    return fail(Code::proof, "checkpoints of two sizes");
  if (!ams::mutant("verifiable.accept_equal_roots") && a.root == b.root)
    return fail(Code::proof, "checkpoints of one root");
  return a.size;
}

}  // namespace

Result<> check_own(const Checkpoint& checkpoint, const Note& note, const NoteKey& log) {
  if (!ams::mutant("verifiable.accept_other_origin") && checkpoint.origin != log.name())
    return fail(Code::proof, "origin");
  AMS_CHECK(verify_note(note, log));
  return {};
}

Result<Checkpoint> open_own(Note& note, const NoteKey& log) {
  AMS_TRY(auto checkpoint, parse_checkpoint(note.text));
  AMS_CHECK(check_own(checkpoint, note, log));
  std::erase_if(note.signatures, [&](const NoteSignature& signature) {
    return signature.name != log.name() || signature.key_id != log.id();
  });
  note.signatures.resize(1);
  return checkpoint;
}

std::string checkpoint_text(const Checkpoint& checkpoint) {
  std::string out = checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                    to_base64(checkpoint.root) + "\n";
  for (const std::string& line : checkpoint.extensions) out += line + "\n";
  return out;
}

Result<Checkpoint> read_unverified(std::string_view note) {
  AMS_TRY(const Note read, parse_note(note));
  return parse_checkpoint(read.text);
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  if (text.size() > checkpoint_text_size_max && !ams::mutant("verifiable.accept_large_checkpoint"))
    return fail(Code::object_too_large, "checkpoint");
  if (!text.ends_with('\n')) return fail(Code::proof_form, "checkpoint");
  const auto lines = lines_of(text);
  if (lines.size() < 3) return fail(checkpoint_form(), "checkpoint");
  if (!is_note_name(lines[0]) && !ams::mutant("verifiable.accept_any_origin"))
    return fail(Code::proof_form, "origin");
  Checkpoint checkpoint;
  checkpoint.origin = std::string(lines[0]);
  AMS_TRY(checkpoint.size, parse_note_number(lines[1]));
  const auto root = from_base64(lines[2]);
  if (!root || root->size() != checkpoint.root.size()) return fail(checkpoint_form(), "root");
  checkpoint.root = *to_array<32>(*root);
  for (std::size_t i = 3; i < lines.size(); ++i) {
    const bool printable = std::all_of(lines[i].begin(), lines[i].end(),
                                       [](char c) { return c >= 0x20 && c <= 0x7e; });
    const bool good = !lines[i].empty() && printable;
    if (!good && !ams::mutant("verifiable.accept_empty_extension"))
      return fail(Code::proof_form, "extension line");
    checkpoint.extensions.emplace_back(lines[i]);
  }
  return checkpoint;
}

Result<OpenedCheckpoint> open_checkpoint(std::string_view in, const NoteKey& log,
                                         const WitnessPolicy& policy) {
  AMS_TRY(const Note note, parse_note(in));
  Note own = note;
  AMS_TRY(auto checkpoint, open_own(own, log));
  OpenedCheckpoint opened{std::move(checkpoint), {}};
  std::vector<Bytes> counted;  // one key is one witness, whatever its names
  for (const NoteKey& witness : policy.witnesses) {
    const bool cosigned = std::any_of(
        note.signatures.begin(), note.signatures.end(), [&](const NoteSignature& signature) {
          return signature.name == witness.name() && signature.key_id == witness.id();
        });
    if (!cosigned || witness.type() != NoteKeyType::cosignature_v1) continue;
    AMS_TRY(const auto time_s, verify_note(note, witness));
    const bool twice =
        std::find(counted.begin(), counted.end(), witness.key().raw()) != counted.end();
    if (!ams::mutant("verifiable.count_witness_twice") && twice) continue;
    counted.push_back(witness.key().raw());
    opened.times_s.push_back(time_s);
  }
  if (!ams::mutant("verifiable.skip_quorum") && opened.times_s.size() < policy.quorum)
    return fail(Code::witnesses, "quorum");
  return opened;
}

Result<std::string> make_equivocation(std::string_view a, std::string_view b, const NoteKey& log) {
  AMS_TRY(Note first, parse_note(a));
  AMS_TRY(Note second, parse_note(b));
  AMS_TRY(const auto first_checkpoint, open_own(first, log));
  AMS_TRY(const auto second_checkpoint, open_own(second, log));
  AMS_CHECK(contradiction(first_checkpoint, second_checkpoint));
  if (second_checkpoint.root < first_checkpoint.root) std::swap(first, second);
  return format(first) + "\n" + format(second);
}

Result<std::uint64_t> verify_equivocation(std::string_view evidence, const NoteKey& log) {
  if (evidence.size() >= equivocation_size_max && !ams::mutant("verifiable.accept_large_faces"))
    return fail(Code::object_too_large, "equivocation");
  // Neither text has empty lines, so the second empty line ends the first note.
  const auto gap = evidence.find("\n\n");
  const auto end = gap == std::string_view::npos ? gap : evidence.find("\n\n", gap + 2);
  if (end == std::string_view::npos) return fail(checkpoint_form(), "equivocation");
  AMS_TRY(const Note first, parse_note(evidence.substr(0, end + 1)));
  AMS_TRY(const Note second, parse_note(evidence.substr(end + 2)));
  const bool one_each = first.signatures.size() == 1 && second.signatures.size() == 1;
  if (!one_each && !ams::mutant("verifiable.accept_cosigned_faces"))
    return fail(Code::proof_form, "more than one signature");
  AMS_TRY(const Checkpoint a, parse_checkpoint(first.text));
  AMS_TRY(const Checkpoint b, parse_checkpoint(second.text));
  if (b.root < a.root && !ams::mutant("verifiable.accept_faces_turned"))
    return fail(Code::proof_form, "order of the two notes");
  AMS_CHECK(check_own(a, first, log));
  AMS_CHECK(check_own(b, second, log));
  return contradiction(a, b);
}

}  // namespace ams::verifiable
