#include "directory/light.h"

#include <bit>

#include "directory/peer.h"
#include "policy/mutant.h"
#include "verifiable/rewrite.h"

namespace ams::directory {
namespace {

using Unknown = wire::ObjectReader::Unknown;

struct Proof {
  std::string checkpoint;
  verifiable::Epoch epoch;
  Bytes epoch_bytes, inclusion, map;
  std::optional<Hash> value;
};

Result<Proof> read_proof(const wire::Value& value) {
  wire::ObjectReader in(value, "directory.proof", Unknown::ignore_x);
  Proof out;
  out.checkpoint = in.string("checkpoint", verifiable::note_size_max);
  out.epoch_bytes = in.binary("epoch", verifiable::epoch_size, verifiable::epoch_size);
  out.inclusion = in.binary("inclusion", 0, 4'096);
  out.map = in.binary("map", 2, verifiable::map_proof_size_max);
  if (const auto raw = in.optional_binary("value", 32, 32)) out.value = to_array<32>(*raw);
  AMS_CHECK(in.finish());
  AMS_TRY(out.epoch, verifiable::decode_epoch(out.epoch_bytes));
  return out;
}

Result<> check_path(const Id16& kid, const std::optional<keys::Entry>& entry, const Proof& proof) {
  if (mutant("directory.skip_map_path")) return {};
  if (!entry) {
    if (proof.value && !mutant("directory.accept_needless_value"))
      return fail(Code::proof, "value: of an entry that was not given");
    return verifiable::verify_absent(proof.epoch.map_root, kid, proof.map);
  }
  if (proof.value != entry->value()) return fail(Code::proof, "value: of another entry");
  return verifiable::verify_present(proof.epoch.map_root, kid, *proof.value, proof.map);
}

constexpr std::size_t change_size = 16 + 32;  // a kid and its value

struct Step {
  verifiable::Epoch epoch;
  Bytes bytes, changes;
};

/// In the order of kids, as an epoch's changes are listed (DIR-13).
bool ascending(ByteView changes) {
  for (; changes.size() > change_size; changes = changes.subspan(change_size))
    if (*to_array<16>(changes.first(16)) >= *to_array<16>(changes.subspan(change_size, 16)))
      return false;
  return true;
}

Result<> read_step(const wire::Value& value, std::vector<Step>& out) {
  wire::ObjectReader in(value, "directory.history.epochs", Unknown::ignore_x);
  Step step;
  step.bytes = in.binary("epoch", verifiable::epoch_size, verifiable::epoch_size);
  step.changes = in.binary("changes", 0, change_size * 2 * epoch_changes_max);
  AMS_CHECK(in.finish());
  AMS_TRY(step.epoch, verifiable::decode_epoch(step.bytes));
  const bool whole = step.changes.size() % change_size == 0;
  if (!whole || (!ascending(step.changes) && !mutant("directory.accept_changes_unordered")))
    return fail(mutant("directory.wrong_code_changes") ? Code::proof : Code::proof_form, "changes");
  out.push_back(std::move(step));
  return {};
}

/// DIR-71, wholly before anything of it is replayed.
Result<std::vector<Step>> read_history(const wire::Value& answer) {
  wire::ObjectReader in(answer, "directory.history", Unknown::ignore_x);
  std::vector<Step> out;
  in.integer("size");
  for (const wire::Value& item : in.array("epochs", history_epochs_max))
    in.include(read_step(item, out));
  AMS_CHECK(in.finish());
  return out;
}

/// DIR-22. An epoch from the future would stay fresh for as long as its log likes.
Result<> check_age(std::uint64_t time_s, Instant now) {
  // In whole milliseconds: what a liar dates may be the last instant that an Instant can have.
  using std::chrono::milliseconds;
  const milliseconds made{static_cast<std::int64_t>(std::min<std::uint64_t>(time_s, 1ull << 42)) *
                          1'000};
  const milliseconds at{to_unix_ms(now)};
  constexpr auto life = std::chrono::duration_cast<milliseconds>(checkpoint_life);
  constexpr auto ahead = std::chrono::duration_cast<milliseconds>(checkpoint_ahead_max);
  if (at >= made + life && !mutant("directory.skip_checkpoint_age"))
    return fail(Code::checkpoint_stale, "checkpoint");
  if (made > at + ahead && !mutant("directory.accept_future_epoch"))
    return fail(Code::checkpoint_stale, "checkpoint: of the future");
  return {};
}

}  // namespace

Result<Looked> verify_objects(const Id16& kid, const wire::Array& objects, const wire::Value& proof,
                              const LogTrust& trust) {
  Looked out;
  if (!objects.empty()) {
    AMS_TRY(out.entry, entry_of(kid, objects));
  }
  AMS_TRY(const Proof read, read_proof(proof));
  AMS_CHECK(check_path(kid, out.entry, read));
  AMS_TRY(const auto opened,
          verifiable::open_checkpoint(read.checkpoint, *trust.log, trust.witnesses));
  const verifiable::Checkpoint& checkpoint = opened.checkpoint;
  // An empty log has no last entry: no index is below its size.
  if (!mutant("directory.skip_inclusion"))
    AMS_CHECK(verifiable::verify_inclusion(checkpoint.root, checkpoint.size, checkpoint.size - 1,
                                           verifiable::log_leaf_hash(read.epoch_bytes),
                                           read.inclusion));
  out.time_s = read.epoch.time_s;
  out.cosigned = opened.times_s.size();
  if (trust.now) AMS_CHECK(check_age(out.time_s, *trust.now));
  return out;
}

Result<Looked> verify_lookup(const Id16& kid, const wire::Value* got, const wire::Value& proof,
                             const LogTrust& trust) {
  if (got == nullptr) return verify_objects(kid, {}, proof, trust);
  const wire::Array objects = objects_of(*got);
  if (objects.empty()) return fail(Code::schema, "entry");
  return verify_objects(kid, objects, proof, trust);
}

std::optional<keys::Entry> freshest(std::span<const Looked> answers) {
  std::optional<keys::Entry> out;
  for (const Looked& answer : answers) {
    if (!answer.entry) continue;
    if (out) {
      out->merge(*answer.entry);
    } else {
      out = answer.entry;
    }
  }
  return out;
}

Result<> usable_by(std::span<const Looked> verified, std::span<const keys::Entry> unproven) {
  auto entry = freshest(verified);
  if (!entry && !mutant("directory.deaf_to_unproven"))
    for (const keys::Entry& one : unproven) AMS_CHECK(one.usable());
  if (!entry) return fail(Code::not_found, "kid");
  for (const keys::Entry& one : unproven)
    if (!mutant("directory.deaf_to_unproven")) entry->merge(one);
  return entry->usable();
}

Result<> Auditor::take(const wire::Value& answer) {
  AMS_TRY(const std::vector<Step> steps, read_history(answer));
  for (const Step& step : steps) {
    for (ByteView rest(step.changes); !rest.empty(); rest = rest.subspan(change_size))
      map_.insert(*to_array<16>(rest.first(16)), *to_array<32>(rest.subspan(16, 32)));
    const bool honest = map_.root() == step.epoch.map_root && map_.size() == step.epoch.map_size;
    if (!honest && !mutant("directory.skip_audit")) return fail(Code::proof, "epoch");
    if (step.epoch.time_s < time_s_ && !mutant("directory.accept_time_back"))
      return fail(Code::proof, "epoch: before the one before");
    time_s_ = step.epoch.time_s;
    log_.append(verifiable::log_leaf_hash(step.bytes));
  }
  return {};
}

Result<> Auditor::conclude(std::string_view checkpoint, const verifiable::NoteKey& log) const {
  AMS_TRY(const auto opened, verifiable::open_checkpoint(checkpoint, log));
  const verifiable::Checkpoint& signed_one = opened.checkpoint;
  const bool replayed =
      signed_one.size <= log_.size() && signed_one.root == log_.root(signed_one.size);
  if (!replayed && !mutant("directory.conclude_anything"))
    return fail(Code::proof, "checkpoint: not of the history that was replayed");
  return {};
}

Result<std::string> Auditor::rewrite(std::string_view kept, std::string_view checkpoint,
                                     const verifiable::NoteKey& log) const {
  AMS_TRY(const auto earlier, verifiable::read_unverified(kept));
  AMS_TRY(const auto later, verifiable::read_unverified(checkpoint));
  if (earlier.size == 0 || earlier.size >= later.size || later.size > log_.size())
    return fail(Code::proof, "sizes of a rewritten history");
  Bytes hashes;
  if (std::has_single_bit(earlier.size)) append(hashes, log_.root(earlier.size));
  append(hashes, log_.prove_consistency(earlier.size, later.size));
  return verifiable::make_rewrite(kept, checkpoint, hashes, log);
}

}  // namespace ams::directory
