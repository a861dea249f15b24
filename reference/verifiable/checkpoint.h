// Checkpoints of a log (c2sp.org/tlog-checkpoint) and the proof that a log showed two faces: spec
// CKP-7 to CKP-12.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "verifiable/note.h"

namespace ams::verifiable {

// Small enough that two of them with their signatures are always below 1,000 bytes, whatever a
// liar writes into them.
inline constexpr std::size_t checkpoint_text_size_max = 300;  // bytes, CKP-8
inline constexpr std::size_t equivocation_size_max = 1000;    // bytes, all are below it, CKP-11

struct Checkpoint {
  std::string origin;  // a note name; the log's key bears it too
  std::uint64_t size = 0;
  Hash root{};
  std::vector<std::string> extensions;  // opaque lines; AMS peers write none
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// Origin, size, base64 of the root, extensions: a line each.
std::string checkpoint_text(const Checkpoint& checkpoint);
/// Fails with object_too_large, then proof_form. Inverse of checkpoint_text.
Result<Checkpoint> parse_checkpoint(std::string_view text);
/// What a note says, whoever signed it: to compare it with others, or to ask about it.
Result<Checkpoint> read_unverified(std::string_view note);

struct WitnessPolicy {
  std::span<const NoteKey> witnesses;  // of type cosignature_v1
  std::size_t quorum = 0;              // how many different keys must have cosigned
};
struct OpenedCheckpoint {
  Checkpoint checkpoint;
  std::vector<std::uint64_t> times_s;  // one for each witness that cosigned, in the policy's order
};

/// Reads a note and judges it, in this order: form of note and text (object_too_large,
/// proof_form), the origin is the log key's name (`proof`), the log's signature (`signature`), each
/// known witness's cosignature (`signature`), quorum (`witnesses`). Signatures of unknown keys are
/// passed over. How old the times may be is the caller's matter.
Result<OpenedCheckpoint> open_checkpoint(std::string_view note, const NoteKey& log,
                                         const WitnessPolicy& policy = {});

/// Evidence from two notes of one log: only the log's own signatures, the lesser root first. The
/// same two checkpoints give the same bytes, whoever noticed. Fails like verify_equivocation.
Result<std::string> make_equivocation(std::string_view a, std::string_view b, const NoteKey& log);
/// Note || "\n" || note. Whether `log` signed two roots for one size, in the order of CKP-12: fails
/// with object_too_large, proof_form, `proof` (another origin), signature, or `proof` when they do
/// not contradict each other. Gives that size.
Result<std::uint64_t> verify_equivocation(std::string_view evidence, const NoteKey& log);

}  // namespace ams::verifiable
