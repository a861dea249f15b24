// BindlogWitness: what a full peer keeps of other domains' binding logs, so that it can cosign
// their checkpoints (spec BLG-24, BLG-35 to BLG-38): labels and values, the log's frontier, the
// newest checkpoints. A domain that showed two roots for one size is refused for good, with the
// proof.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "bindlog/witness.h"
#include "crypto/crypto.h"
#include "directory/buckets.h"
#include "keys/records.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr storage::Table table_bindlog{0x49};       // domain -> AMS-CJ of its state
inline constexpr storage::Table table_bindlog_leaf{0x4a};  // domain 0 label -> value
inline constexpr std::size_t shown_epochs_max = 64;        // in one request (BLG-35)
inline constexpr std::size_t shown_added_max = 4'096;      // versions in one request (BLG-35)

struct BindlogLimits {
  std::int64_t per_day = 100'000;      // epochs and versions taken from one domain (BLG-37)
  std::size_t logs_max = 4'096;        // domains
  std::size_t versions_max = 250'000;  // of one domain
  std::size_t loaded_max = 2'000'000;  // versions of all domains in memory, about 128 bytes each
};

class BindlogWitness {
 public:
  /// `key` (our domain's op key; null or not Ed25519: nothing is witnessed) and `reader` are
  /// borrowed.
  BindlogWitness(std::string_view domain, const crypto::SigningKey* key,
                 const storage::Reader& reader, BindlogLimits limits);

  struct Shown {
    std::uint64_t size = 0;   // of the log as it is known here now
    std::string cosignature;  // a note with our cosignature alone; empty: none
  };
  /// directory.bindlog from a session whose chain has this record. `writes` must be durable before
  /// the answer is given away; on a refusal they hold the evidence of a lie, or nothing. Fails in
  /// the order of BLG-36: schema, batch_too_large, proof_form; not_found; log_replaced; those of
  /// open_checkpoint, proof; log_rewritten; witness_budget; those of bindlog::Witness; storage.
  Result<Shown> show(const wire::Value& args, const keys::DomainRecord& record, Instant now,
                     storage::WriteBatch& writes);

  /// What is known of a domain's log: members checkpoint (cosigned here) and lie (blie/1), as far
  /// as there are any (DIR-46).
  Result<wire::Object> known(std::string_view domain) const;
  /// Rows did not become durable: what is remembered of storage is void.
  void forget() { logs_.clear(); }
  std::uint64_t cosigned() const { return cosigned_; }

 private:
  struct Row {  // of table_bindlog
    std::string key;
    std::uint64_t time_s = 0;
    verifiable::Frontier frontier;
    std::deque<std::string> notes;  // with the log's signature alone, newest last
    std::string checkpoint;         // the newest, with our cosignature
    std::string lie;                // two notes (CKP-11); empty: none
  };
  struct Kept {
    Row row;
    bindlog::Witness witness;
  };
  struct Request {
    std::uint64_t from = 0;
    struct Epoch {
      Bytes bytes;
      std::vector<bindlog::Leaf> added;
    };
    std::vector<Epoch> epochs;
    std::size_t added = 0;
    std::string checkpoint;
    verifiable::Checkpoint opened{};  // what it says, once its signature is verified
  };

  static Result<Request> parse(const wire::Value& args);
  Result<std::optional<Row>> read(std::string_view domain) const;
  Result<Kept*> load(const std::string& domain, const verifiable::NoteKey& log);
  bool contradicts(Kept& kept, const std::string& domain, const verifiable::NoteKey& log,
                   const verifiable::Checkpoint& shown, std::string_view note,
                   storage::WriteBatch& writes);
  Result<Shown> take(Kept& kept, const std::string& domain, const Request& request, Instant now,
                     storage::WriteBatch& writes);
  Result<> feed(Kept& kept, const std::string& domain, const Request& request, Instant now,
                storage::WriteBatch& writes);
  void make_room(const std::string& except);
  static storage::Put put(const std::string& domain, const Row& row);

  std::string domain_;
  const crypto::SigningKey* key_;
  const storage::Reader* reader_;
  BindlogLimits limits_;
  Buckets budget_;
  std::map<std::string, Kept, std::less<>> logs_;
  std::uint64_t cosigned_ = 0;
};

}  // namespace ams::directory
