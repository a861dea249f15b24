#include "bindlog/witness.h"

#include "policy/mutant.h"

namespace ams::bindlog {

Result<> Witness::feed(ByteView epoch, std::span<const Leaf> added, Instant now) {
  AMS_TRY(const verifiable::Epoch judged, verifiable::decode_epoch(epoch));
  verifiable::Map map = map_;
  for (const Leaf& leaf : added) {
    if (map.find(leaf.kid) && !mutant("bindlog.witness_replacement"))
      return fail(Code::log_rewritten, "epoch.added");
    map.insert(leaf.kid, leaf.value);
  }
  const bool same = judged.map_root == map.root() && judged.map_size == map.size();
  if (!same && !mutant("bindlog.witness_any_root")) return fail(Code::proof, "epoch.map_root");
  const auto latest_s = static_cast<std::uint64_t>((to_unix_ms(now) + clock_tolerance_ms) / 1000);
  if ((judged.time_s < time_s_ || judged.time_s > latest_s) && !mutant("bindlog.witness_any_time"))
    return fail(Code::binding_stale, "epoch.time");
  map_ = std::move(map);
  frontier_.append(verifiable::log_leaf_hash(epoch));
  time_s_ = judged.time_s;
  return {};
}

Result<> Witness::judge(const verifiable::Checkpoint& checkpoint) const {
  const bool same = checkpoint.size == frontier_.size() && checkpoint.root == frontier_.root();
  if (!same && !mutant("bindlog.witness_any_checkpoint")) return fail(Code::proof, "checkpoint");
  return {};
}

}  // namespace ams::bindlog
