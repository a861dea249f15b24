// What one who trusts no single peer does with a peer's answers: a look-up verified down to a
// witnessed checkpoint (spec DIR-22), several of them joined, and a whole history replayed
// (DIR-13).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/instant.h"
#include "base/result.h"
#include "keys/lineage.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"
#include "verifiable/map.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr Duration checkpoint_life = std::chrono::hours{24};        // DIR-22
inline constexpr Duration checkpoint_ahead_max = std::chrono::minutes{5};  // DIR-22

struct LogTrust {
  const verifiable::NoteKey* log = nullptr;  // of the peer that answered
  verifiable::WitnessPolicy witnesses;
  std::optional<Instant> now;  // empty: how old the epoch is stays the caller's own judgement
};
/// A look-up that holds: the entry, or that there was none when the checkpoint was made.
struct Looked {
  std::optional<keys::Entry> entry;
  std::uint64_t time_s = 0;  // of the epoch
  std::size_t cosigned = 0;  // by how many of the witnesses that were given
};
/// `objects`: of the entry, in an order in which an entry takes them, empty: the kid is in none;
/// `proof`: what directory.proof answered. The steps in order, each with its codes: the objects (as
/// KEY-8, KEV-4, KEV-5, REV-2, CRD-5, unknown_ams_tag for what no entry has), form of the proof
/// (schema, base64url, proof_form), value and map path (`proof`), the checkpoint (as
/// open_checkpoint), the epoch's place in the log (`proof`), its age (checkpoint_stale).
/// Error::where names the step. An entry younger than the checkpoint fails with `proof`: ask again
/// when the next epoch is there.
Result<Looked> verify_objects(const Id16& kid, const wire::Array& objects, const wire::Value& proof,
                              const LogTrust& trust);
/// The same of `got`: what directory.get answered, null for not_found.
Result<Looked> verify_lookup(const Id16& kid, const wire::Value* got, const wire::Value& proof,
                             const LogTrust& trust);
/// The join of what several peers answered: the freshest of all they said. Empty when none knew it.
std::optional<keys::Entry> freshest(std::span<const Looked> answers);
/// DIR-56. Whether the key may be used, by the freshest of `verified` and by `unproven`: entries
/// whose objects verify while the proof that came with them does not. Those speak against a key,
/// never for one. Fails as keys::Entry::usable, and with not_found when nobody verified knew it.
Result<> usable_by(std::span<const Looked> verified, std::span<const keys::Entry> unproven);

/// Replays a log from its first epoch: feed take() the answers of directory.history in order.
class Auditor {
 public:
  /// Fails with schema, base64url, proof_form (DIR-71), or `proof` at the first epoch whose root or
  /// number of keys is not that of its changes, or whose time is before the last one's.
  Result<> take(const wire::Value& answer);
  std::uint64_t size() const { return log_.size(); }
  const verifiable::Map& map() const { return map_; }
  /// The log's root when it had `size` <= size() entries.
  Hash root_at(std::uint64_t size) const { return log_.root(size); }
  /// Whether what was replayed begins with what the peer signed: fails as open_checkpoint, or with
  /// `proof`.
  Result<> conclude(std::string_view checkpoint, const verifiable::NoteKey& log) const;
  /// CKP-13: the proof that the log which was replayed up to `checkpoint` is not the one that
  /// signed `kept`, a smaller checkpoint. Fails as verifiable::make_rewrite; with `proof` where the
  /// sizes are not ascending, or beyond what was replayed.
  Result<std::string> rewrite(std::string_view kept, std::string_view checkpoint,
                              const verifiable::NoteKey& log) const;

 private:
  verifiable::Map map_;
  verifiable::Log log_;
  std::uint64_t time_s_ = 0;
};

}  // namespace ams::directory
