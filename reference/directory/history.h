// History: the log of a peer's map roots (spec DIR-10 to DIR-13, LOG, CKP). At most once an
// interval the map's root is written as an epoch; when the row is durable, and not before, the
// checkpoint that signs it is shown: a peer that crashed between the two must not sign another root
// for the same size.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "storage/storage.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"
#include "verifiable/map.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr storage::Table table_epochs{0x44};      // u64 index -> 60 bytes (LOG-2)
inline constexpr storage::Table table_changes{0x45};     // u64 epoch index || kid -> value
inline constexpr std::size_t epoch_changes_max = 4'096;  // DIR-10
inline constexpr Duration epoch_interval = std::chrono::seconds{60};   // DIR-10
inline constexpr Duration epoch_interval_max = std::chrono::hours{1};  // DIR-10
inline constexpr std::size_t history_epochs_max = 64;                  // in one answer (DIR-13)
inline constexpr std::size_t cosignatures_wanted = 2;                  // DIR-22, DIR-78
inline constexpr Duration witnessed_life = std::chrono::minutes{5};    // DIR-79

/// The origin of a domain's directory log (DIR-11).
std::string log_origin(std::string_view domain);
/// The key by which its checkpoints are verified, or cosigned: the op key of the domain's chain.
/// Fails with unknown_algorithm when that is no Ed25519 key, proof_form when the name is too long.
Result<verifiable::NoteKey> log_key(std::string_view domain, const crypto::VerifyKey& op,
                                    verifiable::NoteKeyType type);

class History {
 public:
  /// `key` (the domain's op key; null or not Ed25519: no checkpoints) and `reader` are borrowed.
  History(std::string_view domain, const crypto::SigningKey* key, const storage::Reader& reader);

  /// Reads the epochs of storage when they were not read yet; `map`: what is held now.
  Result<> load(const verifiable::Map& map);
  /// A row for each kid that changed: what an auditor replays.
  void note_change(const Id16& kid, const Hash& value, storage::WriteBatch& writes);
  /// When the next epoch is to be cut (DIR-10).
  Instant due(const verifiable::Map& map) const;
  /// The rows of the next epoch. Nothing else is cut until durable() or forget().
  void cut(const verifiable::Map& map, Instant now, storage::WriteBatch& writes);
  bool cutting() const { return pending_.has_value(); }
  /// The rows of cut() are durable.
  void durable();
  void forget();

  std::uint64_t size() const { return log_.size(); }
  const verifiable::Log& log() const { return log_; }
  /// The signed checkpoint with the cosignatures that came in; empty before the first epoch.
  const std::string& checkpoint() const { return note_; }
  /// How many came in for it.
  std::size_t cosignatures() const { return cosignatures_; }
  /// Adds a witness's signature line to the checkpoint. Fails with `signature` or proof_form.
  Result<> add_cosignature(const verifiable::NoteSignature& signature,
                           const verifiable::NoteKey& witness);

  /// directory.proof: that the kid has its value, or none, under the checkpoint (DIR-12): the
  /// newest that has cosignatures_wanted, while the newest of all has not and is little younger
  /// (DIR-79). Fails with not_found before the first epoch.
  Result<wire::Value> prove(const Id16& kid) const;
  /// directory.consistency {"first","second"}.
  Result<wire::Value> consistency(std::uint64_t first, std::uint64_t second) const;
  /// directory.history {"from"}: epochs with their changes (DIR-13).
  Result<wire::Value> replay(std::uint64_t from) const;

 private:
  struct Cut {
    verifiable::Map map;
    verifiable::Epoch epoch;
  };
  /// What a proof stands under.
  struct Proven {
    verifiable::Map map;
    verifiable::Epoch epoch;
    std::uint64_t size = 0;  // of the log
    std::string note;
  };
  void sign();
  bool proves_older() const;

  std::string origin_;
  const crypto::SigningKey* key_;
  const storage::Reader* reader_;
  bool loaded_ = false;
  verifiable::Log log_;
  std::optional<verifiable::Epoch> last_;  // the newest durable epoch
  std::optional<verifiable::Map> map_;     // its map; unknown after a restart until the next cut
  std::optional<Cut> pending_;             // given out, not durable yet
  std::size_t changes_ = 0;                // since the last cut
  std::string note_;
  std::size_t cosignatures_ = 0;     // on it
  std::optional<Proven> witnessed_;  // the newest with enough of them, but for the newest of all
};

}  // namespace ams::directory
