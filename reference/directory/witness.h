// Witness: what a peer has seen of other peers' logs (spec DIR-19 to DIR-21). It cosigns a
// checkpoint only when that extends the last one it saw, remembers some for comparison, and evicts
// a peer that showed two faces, for good, with the proof.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "directory/history.h"
#include "storage/storage.h"
#include "verifiable/checkpoint.h"

namespace ams::directory {

inline constexpr storage::Table table_seen{0x46};     // domain -> verifier key, newline, checkpoint
inline constexpr storage::Table table_evicted{0x47};  // domain -> verifier key, newline, proof
inline constexpr storage::Table table_doubted{0x50};  // domain -> note, newline, note … (DIR-48)
inline constexpr std::size_t seen_notes_max = 32;     // checkpoints remembered of one log
inline constexpr std::size_t seen_logs_max = 1'024;   // logs remembered at once (DIR-77)

class Witness {
 public:
  /// `key` (our domain's op key; null or not Ed25519: nothing is cosigned) and `reader` are
  /// borrowed.
  Witness(std::string_view domain, const crypto::SigningKey* key, const storage::Reader& reader);

  struct Shown {
    std::string cosignature;  // a note with our cosignature alone; empty: none
    std::uint64_t size = 0;   // of the log as we know it now
    bool evicted = false;     // just now
  };
  /// A peer shows its own checkpoint, with the proof from size `first` on. Rows go to `writes` and
  /// must be durable before the cosignature is given away. Fails with what open_checkpoint says,
  /// `proof`, peer_evicted.
  Result<Shown> show(std::string_view domain, const crypto::VerifyKey& op, std::string_view note,
                     std::uint64_t first, ByteView proof, Instant now, storage::WriteBatch& writes);

  /// A peer shows its own checkpoint and wants nothing for it. Whether it is the first of that log;
  /// of a log that is known already, heard() is to be asked.
  bool meet(std::string_view domain, const crypto::VerifyKey& op, std::string_view note,
            storage::WriteBatch& writes);

  /// Somebody tells of a checkpoint of `domain`. Gives whether only that log itself can tell if
  /// both are of one history; a contradiction evicts.
  bool heard(std::string_view domain, std::string_view note, storage::WriteBatch& writes);
  /// What that log answered (DIR-20) when it was asked to prove that `note` and `known`, its newest
  /// checkpoint when it was asked, are of one history: it may have shown a newer one since.
  /// `shown`: the checkpoint in its answer, which may make the proof for others (DIR-43); may be
  /// empty. Gives false, and evicts, when it cannot prove it.
  bool consistent(std::string_view domain, const verifiable::Checkpoint& known,
                  std::string_view note, ByteView proof, std::string_view shown,
                  storage::WriteBatch& writes);
  /// That log answered that it has no such history, though it signed `note` and `known`: it is
  /// evicted, without a proof for others.
  void denied(std::string_view domain, const verifiable::Checkpoint& known, std::string_view note,
              storage::WriteBatch& writes);
  /// DIR-47. What to ask a log that was evicted without evidence: its consistency from `first` to
  /// `second`, where `later` is of size `second` and `earlier`, of `size`, may be of another
  /// history. All 0: only to hear what it shows by now. Empty: nothing is to be asked of it.
  struct Question {
    std::uint64_t size = 0, first = 0, second = 0;
    bool last_entry = false;  // directory.proof tells what consistency does not: second = size + 1
    std::string earlier, later;
  };
  std::optional<Question> question(std::string_view domain);
  /// What it answered: the hashes of CKP-13, which may be none, and its checkpoint, which may be
  /// empty. Whether that brought anything new; with evidence there is no further question.
  bool convict(std::string_view domain, const Question& question, ByteView hashes,
               std::string_view shown, storage::WriteBatch& writes);
  /// A proof that somebody passed on; whether it is new and holds. Unknown logs: false.
  bool accuse(std::string_view domain, std::string_view evidence, storage::WriteBatch& writes);

  /// Where no more logs can be remembered, forgets one that is not `used`, and of which nothing is
  /// open (DIR-77). That a log was evicted is never forgotten.
  void make_room(const std::function<bool(std::string_view)>& used, storage::WriteBatch& writes);

  bool evicted(std::string_view domain) const;
  const std::map<std::string, std::string, std::less<>>& evidence() const;
  /// The newest checkpoint of each log, and its size.
  struct Seen {
    verifiable::NoteKey key;
    verifiable::Checkpoint newest;
    std::deque<std::pair<verifiable::Checkpoint, std::string>> notes;  // newest last
    // While there is no proof for others: a checkpoint that the log could not prove to be of one
    // history with `newest`, and the one that it showed with its answer (DIR-52).
    std::vector<std::string> doubted;
    // The newest that it showed since (DIR-47), and by turns which other one is held against it.
    std::pair<verifiable::Checkpoint, std::string> shown{};
    std::size_t turn = 0;
  };
  const std::map<std::string, Seen, std::less<>>& seen() const;
  void forget() { loaded_ = false; }

 private:
  void load() const;
  Seen* find(std::string_view domain);
  /// Evicts without a proof for others, and keeps what the log could not explain.
  void doubt(std::string_view domain, Seen& seen, std::vector<std::string> notes,
             storage::WriteBatch& writes);
  static void keep_doubts(std::string_view domain, const Seen& seen, storage::WriteBatch& writes);
  static void remember(Seen& seen, const verifiable::Checkpoint& checkpoint, std::string_view note);
  void evict(std::string_view domain, const verifiable::NoteKey& key, std::string evidence,
             storage::WriteBatch& writes);
  /// Whether the note contradicts one that is remembered; then its log is evicted.
  bool contradicts(std::string_view domain, Seen& seen, const verifiable::Checkpoint& checkpoint,
                   std::string_view note, storage::WriteBatch& writes);

  std::string domain_;
  const crypto::SigningKey* key_;
  const storage::Reader* reader_;
  mutable bool loaded_ = false;
  mutable std::map<std::string, Seen, std::less<>> seen_;
  mutable std::map<std::string, std::string, std::less<>> evicted_;  // domain -> proof, or empty
};

}  // namespace ams::directory
