// The proof that a log rewrote its history (spec CKP-13, CKP-14): two of its checkpoints of
// different sizes, and the hashes which show that the later one's history was another at the size
// of the earlier. It convicts those whose faces never sign one size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "verifiable/note.h"

namespace ams::verifiable {

inline constexpr std::size_t rewrite_size_max = 4'000;  // bytes, all are below it, CKP-13

/// From which size consistency with a later one is to be asked (directory.consistency) so that the
/// answer tells the root at `size`: RFC 9162 leaves that root out where `size` is a power of two.
std::uint64_t rewrite_question(std::uint64_t size);
/// The hashes of CKP-13 for sizes `first` < `second`, from the proof of consistency of
/// rewrite_question(first) and `second`. Fails with proof_form; with `proof` where they cannot be
/// had: `first` is 0 or 1, or `second` is no later than the question; or the proof is too short.
Result<Bytes> rewrite_hashes(std::uint64_t first, std::uint64_t second, ByteView proof);

/// Evidence from two notes of one log, in either order. The same two and the same hashes give the
/// same bytes. Fails as verify_rewrite when they do not convict.
Result<std::string> make_rewrite(std::string_view a, std::string_view b, ByteView hashes,
                                 const NoteKey& log);

struct Rewrite {
  std::uint64_t first = 0, second = 0;  // sizes of the two checkpoints
};
/// Note || "\n" || note || "\n" || a line of base64 for each hash. Judged in the order of CKP-14:
/// fails with object_too_large, proof_form, `proof` (another origin), signature, or `proof` when
/// the history of the second may well be that of the first.
Result<Rewrite> verify_rewrite(std::string_view evidence, const NoteKey& log);

/// Whether a proof against a log is one of CKP-13, by its parts; otherwise it can only be one of
/// CKP-11.
bool is_rewrite(std::string_view evidence);
/// Whichever of the two it is. Fails as verify_rewrite or verify_equivocation.
Result<> verify_conviction(std::string_view evidence, const NoteKey& log);

}  // namespace ams::verifiable
