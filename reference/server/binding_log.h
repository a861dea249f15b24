// The domain's binding log as its server keeps it (spec BLG-7, BLG-8, BLG-25): each version's entry
// encrypted like the row of its binding, beside it the leaf that commits to it, the epochs and the
// newest checkpoint. What is in memory follows from what is stored; after a failed commit it is
// read anew.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "bindlog/prover.h"
#include "server/server.h"
#include "server/txn.h"

namespace ams::server {

inline constexpr std::int64_t log_epoch_s_max = 3'600;                // BLG-8
inline constexpr std::string_view log_note_row = "binding_log_note";  // of table_meta

/// The plaintext of a row of BND-2: length, AMS-CJ, zeros.
Bytes pad_row(const wire::Value& row);
/// Fails with storage.
Result<wire::Value> unpad_row(ByteView row);

/// The log's keys, as binding_log_keys() says of their public halves.
bindlog::Prover::Secrets binding_log_secrets(ByteView index_key);

class BindingLog {
 public:
  /// Null unless the domain's record names the keys that follow from `options.index_key`.
  static std::unique_ptr<BindingLog> open(const Options& options, const keys::DomainRecord& record,
                                          const storage::Reader& reader);

  /// Adds the entry of a binding and ends an epoch, in `txn`: commit it, or forget(). Fails with
  /// storage.
  Result<> add(Txn& txn, const keys::Binding& binding, keys::Policy mode, std::int64_t now_ms,
               ByteView nonce12);
  /// The same of an entry that its owner made (BLG-28, BLG-33).
  Result<> add_entry(Txn& txn, const bindlog::Entry& made, std::int64_t now_ms, ByteView nonce12);
  /// BLG-28: whether the version after `held_version` may be this one. `record` is of the key that
  /// `held_version` has. Fails with the codes of BLG-4, storage.
  Result<> judge_endorsed(Txn& txn, const bindlog::Entry& made, std::int64_t held_version,
                          const keys::KeyRecord& record);
  /// Ends an epoch when the newest is more than `age_s` old; whether it did.
  Result<bool> refresh(Txn& txn, std::int64_t now_ms, std::int64_t age_s = log_epoch_s_max);
  /// That this version is the latest. Precondition: refresh() or add() before. Fails with storage.
  Result<wire::Value> proof(Txn& txn, std::string_view addr, std::int64_t version);
  /// Whether there are versions `from` up to `last` to show to an asker who says that the log had
  /// `known_size`. To be asked before anything is added or sealed: what a stranger claims must not
  /// cost us the log in memory. Fails with not_found, storage.
  Result<> may_show(std::int64_t from, std::int64_t last, std::uint64_t known_size);
  /// The versions `from` up to `last`, or a page of them, for an asker who knows the log of
  /// `known_size`. Precondition: may_show() of them. Fails with storage.
  Result<wire::Value> history(Txn& txn, std::string_view addr, std::int64_t from, std::int64_t last,
                              std::uint64_t known_size);
  /// Keeps the VRF proofs that were made for an address, encrypted: a restart need not make them
  /// again. Whether there is something new, in `txn`.
  Result<bool> keep_proofs(Txn& txn, std::string_view addr, ByteView nonce12);
  /// What there is to show to witnesses: keeps it until the next call, and gives its size, 0 before
  /// the first epoch. Fails with storage.
  Result<std::uint64_t> offer();
  /// The args of directory.bindlog (BLG-35): epochs from `from` on, at most up to `size`, which
  /// offer() gave; `to`: up to where. Reads rows that are applied, and perhaps not durable. Fails
  /// with storage; also for a log some of whose leaves are of no known epoch.
  struct Shown {
    std::uint64_t to = 0;
    wire::Value args;
  };
  Result<Shown> shown(std::uint64_t from, std::uint64_t size);
  /// A witness's cosignature of what was shown, up to `size`: judged, added to what proofs are made
  /// with, and, where it is of the newest epoch, put into `txn`. Fails with proof_form, signature,
  /// proof (of something else, or of what is offered no more), storage.
  Result<> cosigned(Txn& txn, std::uint64_t size, std::string_view note,
                    const verifiable::NoteKey& witness);
  /// Epochs in memory, 0 when the log is not read yet. Free.
  std::uint64_t size() const { return prover_ ? prover_->size() : 0; }
  /// Another number after each forget().
  std::uint64_t generation() const { return generation_; }
  /// A commit failed: what was added since the last good one is not there.
  void forget() {
    prover_.reset();
    ++generation_;
  }

 private:
  BindingLog(const Options& options, const storage::Reader& reader)
      : options_(options), reader_(reader) {}
  Result<> load();
  Result<> recall(Txn& txn, std::string_view addr);
  void seal(Txn& txn, std::int64_t now_ms);
  Bytes entry_key(std::string_view addr, std::int64_t version) const;
  Bytes entry_aad(ByteView key) const;
  /// The plaintext of a row that put_row() wrote; empty: there is none. Fails with storage.
  Result<std::optional<Bytes>> open_row(Txn& txn, Table table, ByteView key) const;
  Result<> put_row(Txn& txn, Table table, const Bytes& key, ByteView plain, ByteView nonce12) const;
  Result<bindlog::Entry> entry(Txn& txn, std::string_view addr, std::int64_t version) const;

  const Options& options_;
  const storage::Reader& reader_;
  std::optional<bindlog::Prover> prover_;  // empty: to be read from storage
  std::int64_t epoch_s_ = 0;               // of the newest epoch
  std::uint64_t generation_ = 0;
  bool showable_ = true;            // each leaf's epoch is known
  std::set<std::string> recalled_;  // addresses whose VRF proofs were read
  std::uint64_t evaluations_ = 0;   // of the prover, kept
};

}  // namespace ams::server
