// What a witness of a binding log keeps and demands before it cosigns (spec BLG-24): that versions
// are only ever added. It sees labels and values, so it learns how many there are and nothing else.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "bindlog/prover.h"

namespace ams::bindlog {

class Witness {
 public:
  explicit Witness(verifiable::NoteKey log) : log_key_(std::move(log)) {}

  /// One epoch and what it added, in the order of the log. Fails with proof_form, log_rewritten,
  /// proof, binding_stale (spec BLG-24), and then has changed nothing.
  Result<> feed(ByteView epoch, std::span<const Leaf> added, Instant now);
  /// Whether a checkpoint, whose signature was verified, is of just the epochs fed: then its text
  /// may be cosigned. Fails with proof.
  Result<> judge(const verifiable::Checkpoint& checkpoint) const;

  /// After a restart: what was kept of the epochs fed.
  void restore(verifiable::Map map, verifiable::Frontier frontier, std::uint64_t time_s) {
    map_ = std::move(map);
    frontier_ = std::move(frontier);
    time_s_ = time_s;
  }

  std::uint64_t size() const { return frontier_.size(); }
  std::size_t versions() const { return map_.size(); }
  const verifiable::Frontier& frontier() const { return frontier_; }
  std::uint64_t time_s() const { return time_s_; }  // of the last epoch
  const verifiable::NoteKey& log_key() const { return log_key_; }

 private:
  verifiable::NoteKey log_key_;
  verifiable::Map map_;
  verifiable::Frontier frontier_;
  std::uint64_t time_s_ = 0;
};

}  // namespace ams::bindlog
