// The suite's own verifiable state (spec MAP, LOG, CKP), written from the spec alone: roots of maps
// and logs, proofs judged and made, checkpoints signed and opened. Shares no line with the
// reference's verifiable room, so that a mistake there is not believed here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "judge/objects.h"

namespace ams::conform {

/// The root of a map (MAP-3), or the digest of a range of it (MAP-8).
Hash map_root(const std::map<Id16, Hash>& leaves);
/// The digest of a range from those of its sixteen parts, `depth` bits down (MAP-2, MAP-8).
Hash joined_digests(const std::vector<Hash>& parts, std::size_t depth);
/// Why the proof does not show that `kid` has `value`, or that it is absent, under `root`
/// (MAP-5 to MAP-7); empty: it does.
std::optional<std::string> judge_map_proof(const Hash& root, const Id16& kid,
                                           const std::optional<Hash>& value, ByteView proof);
/// MAP-5 of a kid, there or not.
Bytes map_proof(const std::map<Id16, Hash>& leaves, const Id16& kid);

Hash log_leaf(ByteView entry);
Hash log_root(const std::vector<Hash>& leaves);
/// The hashes of RFC 9162 section 2.1.4.1. Precondition: first <= leaves.size().
Bytes consistency_proof(const std::vector<Hash>& leaves, std::size_t first);
/// The lines of CKP-13: the same with the root at `first` wherever it is a subtree, each hash in
/// base64 on a line of its own.
std::string rewrite_lines(const std::vector<Hash>& leaves, std::size_t first);
/// The path of a leaf (RFC 9162 section 2.1.3.1). Precondition: index < leaves.size().
Bytes inclusion_path(const std::vector<Hash>& leaves, std::size_t index);
/// Whether the last of `size` leaves is this one (LOG-5).
bool is_last_leaf(const Hash& leaf, std::uint64_t size, const Hash& root, ByteView path);
/// Whether the log of `second` extends that of `first` (LOG-6, LOG-7).
bool extends(std::uint64_t first, const Hash& first_root, std::uint64_t second,
             const Hash& second_root, ByteView proof);

/// What a directory peer's log writes of an epoch (LOG-2).
struct EpochEntry {
  Hash root{};
  std::uint64_t count = 0, time_s = 0;
};
std::optional<EpochEntry> read_epoch(ByteView entry);

struct Checkpoint {
  std::uint64_t size = 0;
  Hash root{};
  std::string text;
};
/// `<domain>/ams-directory` (DIR-11).
std::string directory_origin(const std::string& domain);
/// A checkpoint of that origin, signed by the key (CKP-4, CKP-7).
std::string make_checkpoint(const std::string& origin, std::uint64_t size, const Hash& root,
                            const crypto::SigningKey& key);
/// The checkpoint if the record's key signed it as `origin`; otherwise why not, in `why`.
std::optional<Checkpoint> open_checkpoint(const std::string& note, const std::string& origin,
                                          const Json& key_record, std::string& why);
/// The epoch that is the last leaf of the log under a checkpoint (LOG-2, LOG-5): {"checkpoint",
/// "epoch","inclusion"} of `head`; otherwise why there is none, in `why`.
std::optional<EpochEntry> open_head(const Json& head, const std::string& origin,
                                    const Json& key_record, std::string& why);
/// Whether the note has a cosignature of its text by that key under `name` (CKP-5).
bool has_cosignature(const std::string& note, const std::string& text, const std::string& name,
                     const Json& key_record);

}  // namespace ams::conform
