#include "bindlog/prover.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::bindlog {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t known_max = 65'536;  // labels, some 200 bytes each

/// Of a note whose first signature is the log's own.
std::size_t cosignatures_in(std::string_view note) {
  const auto parsed = verifiable::parse_note(note);
  return parsed ? parsed->signatures.size() - 1 : 0;
}

}  // namespace

Result<Prover> Prover::make(std::string domain, Secrets secrets) {
  if (secrets.log.alg() != crypto::SigAlg::ed25519) return fail(Code::key_material, "log key");
  AMS_TRY(Identity identity,
          make_identity(std::move(domain), secrets.vrf.public_raw(), secrets.log.public_raw()));
  return Prover(std::move(identity), std::move(secrets));
}

void Prover::add_epoch(ByteView epoch) {
  log_.append(verifiable::log_leaf_hash(epoch));
  newest_.epoch = to_bytes(epoch);
  newest_.size = log_.size();
}

Result<> Prover::restore(std::vector<Leaf> leaves, std::span<const Bytes> epochs,
                         std::string checkpoint) {
  map_ = verifiable::Map::of(std::move(leaves));
  newest_.map = map_;
  for (const Bytes& epoch : epochs) add_epoch(epoch);
  newest_.checkpoint = std::move(checkpoint);
  if (epochs.empty()) return {};
  const auto last = verifiable::decode_epoch(newest_.epoch);
  if (!last || last->map_root != map_.root()) return fail(Code::storage, "binding log");
  if (!open_head(head(newest_), identity_)) return fail(Code::storage, "binding log checkpoint");
  newest_.cosignatures = cosignatures_in(newest_.checkpoint);
  return {};
}

const Prover::Known& Prover::known(std::string_view addr, std::int64_t version) const {
  const std::pair key{std::string(addr), version};
  if (const auto at = known_.find(key); at != known_.end()) return at->second;
  if (known_.size() >= known_max) known_.clear();
  ++evaluations_;
  Bytes vrf = secrets_.vrf.prove(label_input(addr, version));
  const Id16 label = label_of(*crypto::vrf_proof_to_hash(vrf));
  return known_.emplace(key, Known{label, std::move(vrf)}).first->second;
}

std::vector<std::pair<std::int64_t, Bytes>> Prover::vrf_proofs(std::string_view addr) const {
  std::vector<std::pair<std::int64_t, Bytes>> out;
  const std::string name(addr);
  for (auto at = known_.lower_bound({name, 0}); at != known_.end() && at->first.first == name; ++at)
    out.emplace_back(at->first.second, at->second.vrf);
  return out;
}

void Prover::learn(std::string_view addr, std::int64_t version, Bytes vrf) {
  const auto beta = crypto::vrf_proof_to_hash(vrf);
  if (!beta || known_.size() >= known_max) return;
  known_.emplace(std::pair{std::string(addr), version}, Known{label_of(*beta), std::move(vrf)});
}

Id16 Prover::label(std::string_view addr, std::int64_t version) const {
  return known(addr, version).label;
}

Hash Prover::opening(std::string_view addr, std::int64_t version) const {
  Bytes text = to_bytes("AMS-BIND-OPEN/1\0"sv);
  append(text, label_input(addr, version));
  return crypto::hmac_sha256(secrets_.commit.view(), text);
}

Result<Leaf> Prover::add(const Entry& entry) {
  const Leaf leaf{label(entry.addr, entry.version), value(entry)};
  const bool taken = map_.find(leaf.kid).has_value();
  if (taken && !mutant("bindlog.replace_version"))
    return fail(Code::version_conflict, "entry.version");
  if (entry.version > 1) {
    const auto before = map_.find(label(entry.addr, entry.version - 1));
    if (!before && !mutant("bindlog.append_gap"))
      return fail(Code::version_conflict, "entry.version");
    if (before && before != entry.prev && !mutant("bindlog.append_any_prev"))
      return fail(Code::history_gap, "entry.prev");
  }
  map_.insert(leaf.kid, leaf.value);
  return leaf;
}

Sealed Prover::seal(std::uint64_t time_s) {
  if (log_.size() > 0) time_s = std::max(time_s, verifiable::decode_epoch(newest_.epoch)->time_s);
  newest_.map = map_;
  add_epoch(verifiable::encode(verifiable::Epoch{map_.root(), map_.size(), time_s}));
  newest_.checkpoint = checkpoint_at(log_.size());
  newest_.cosignatures = 0;
  return {newest_.epoch, newest_.checkpoint};
}

std::string Prover::checkpoint_at(std::uint64_t size) const {
  const std::string origin = origin_of(identity_.domain);
  verifiable::Note note{verifiable::checkpoint_text({origin, size, log_.root(size), {}}), {}};
  note.signatures.push_back(*verifiable::sign_note(note.text, origin, secrets_.log));
  return verifiable::format(note);
}

std::uint64_t Prover::offer() {
  if (!offered_ || offered_->size != newest_.size) offered_ = newest_;
  return newest_.size;
}

std::string Prover::offered_at(std::uint64_t size) const {
  for (const State* state : {&newest_, offered_ ? &*offered_ : nullptr})
    if (state != nullptr && state->size == size) return state->checkpoint;
  return {};
}

Result<> Prover::cosigned(std::string_view text) {
  AMS_TRY(const verifiable::Note note, verifiable::parse_note(text));
  const auto is_of = [&](const State* state) {
    const auto own = state != nullptr ? verifiable::parse_note(state->checkpoint)
                                      : Result<verifiable::Note>(fail(Code::proof, "none"));
    return own && own->text == note.text;
  };
  State* const states[] = {&newest_, offered_ ? &*offered_ : nullptr,
                           vouched_ ? &*vouched_ : nullptr};
  const State* taken = nullptr;
  for (State* state : states) {
    if (!is_of(state)) continue;
    if (taken == nullptr) AMS_CHECK(verifiable::verify_note(note, identity_.log));
    if (text.size() > note_size_max) return fail(Code::object_too_large, "checkpoint");
    state->checkpoint = std::string(text);
    state->cosignatures = note.signatures.size() - 1;
    taken = state;
  }
  if (taken == nullptr) return fail(Code::proof, "another checkpoint");
  const bool better =
      !vouched_ || (taken->size >= vouched_->size && taken->cosignatures >= vouched_->cosignatures);
  if (better && taken->cosignatures > 0) vouched_ = State(*taken);
  return {};
}

void Prover::drop_vouched_before(std::uint64_t time_s) {
  if (vouched_ && verifiable::decode_epoch(vouched_->epoch)->time_s < time_s) vouched_.reset();
}

const Prover::State& Prover::state_for(std::string_view addr, std::int64_t version,
                                       std::uint64_t known_size) const {
  const bool more =
      vouched_ && vouched_->cosignatures > newest_.cosignatures && known_size <= vouched_->size;
  if (!more || mutant("bindlog.prove_uncosigned")) return newest_;
  const bool whole = version == 0 || vouched_->map.find(label(addr, version)).has_value();
  return whole || mutant("bindlog.prove_older_than_entry") ? *vouched_ : newest_;
}

Place Prover::place(const State& state, std::string_view addr, std::int64_t version) const {
  const Known& at = known(addr, version);
  return {state.map.prove(at.label), at.vrf};
}

Head Prover::head(const State& state) const {
  AMS_ASSERT(state.size > 0);
  return {state.checkpoint, state.epoch, log_.prove_inclusion(state.size - 1, state.size)};
}

Proof Prover::prove(const Entry& entry) const {
  const State& state = state_for(entry.addr, entry.version, 0);
  Proof out;
  out.addr = entry.addr;
  out.r = opening(entry.addr, entry.version);
  auto versions = steps(entry.version);
  versions.pop_back();
  for (const std::int64_t version : versions) {
    const auto value = state.map.find(label(entry.addr, version));
    out.steps.push_back({place(state, entry.addr, version), value.value_or(Hash{})});
  }
  out.here = place(state, entry.addr, entry.version);
  out.next = place(state, entry.addr, entry.version + 1);
  out.head = head(state);
  out.entry = entry;
  return out;
}

Proof Prover::prove_none(std::string_view addr) const {
  const State& state = state_for(addr, 0, 0);
  Proof out;
  out.addr = std::string(addr);
  out.next = place(state, addr, 1);
  out.head = head(state);
  return out;
}

History Prover::history(std::span<const Entry> entries, bool complete,
                        std::uint64_t known_size) const {
  AMS_ASSERT(!entries.empty() && entries.size() <= items_max && known_size <= log_.size());
  const State& state = state_for(entries.front().addr, entries.back().version, known_size);
  History out;
  out.addr = entries.front().addr;
  for (const Entry& entry : entries)
    out.items.push_back(
        {entry, opening(entry.addr, entry.version), place(state, entry.addr, entry.version)});
  if (complete)
    for (const std::int64_t version : gaps(entries.back().version))
      out.above.push_back(place(state, out.addr, version));
  out.consistency = log_.prove_consistency(known_size, state.size);
  out.head = head(state);
  return out;
}

Sighting Prover::sight(std::string_view addr, std::int64_t version,
                       std::optional<Hash> value) const {
  return {head(newest_), newest_.map.prove(label(addr, version)), value};
}

}  // namespace ams::bindlog
