// What the proofs against a log share: its own checkpoints in their least form (spec CKP-9).
#pragma once

#include "verifiable/checkpoint.h"

namespace ams::verifiable {

/// CKP-9: that a note's checkpoint is of this log and signed by its key. Fails with `proof`, then
/// signature.
Result<> check_own(const Checkpoint& checkpoint, const Note& note, const NoteKey& log);
/// The checkpoint of a note that `log` signed; of the note remains the log's first signature. Fails
/// as parse_checkpoint, then as check_own.
Result<Checkpoint> open_own(Note& note, const NoteKey& log);

}  // namespace ams::verifiable
