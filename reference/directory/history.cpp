#include "directory/history.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::directory {
namespace {

Bytes epoch_key(std::uint64_t index) {
  Bytes key;
  append_u64(key, index);
  return key;
}

std::uint64_t unix_s(Instant now) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 0)) / 1'000;
}

Instant from_unix_s(std::uint64_t seconds) {
  return from_unix_ms(static_cast<std::int64_t>(seconds) * 1'000);
}

}  // namespace

std::string log_origin(std::string_view domain) { return std::string(domain) + "/ams-directory"; }

Result<verifiable::NoteKey> log_key(std::string_view domain, const crypto::VerifyKey& op,
                                    verifiable::NoteKeyType type) {
  return verifiable::NoteKey::make(log_origin(domain), type, op);
}

History::History(std::string_view domain, const crypto::SigningKey* key,
                 const storage::Reader& reader)
    : origin_(log_origin(domain)), key_(key), reader_(&reader) {
  const bool fit = key_ != nullptr && key_->alg() == crypto::SigAlg::ed25519 &&
                   verifiable::is_note_name(origin_);
  if (!fit) key_ = nullptr;
}

Result<> History::load(const verifiable::Map& map) {
  if (loaded_) return {};
  verifiable::Log log;
  std::optional<verifiable::Epoch> last;
  Result<> read;
  AMS_CHECK(reader_->scan(table_epochs, {}, {}, [&](ByteView key, ByteView value) {
    const auto epoch = verifiable::decode_epoch(value);
    if (!epoch || to_bytes(key) != epoch_key(log.size()))
      read = fail(Code::storage, "directory: epochs do not follow one another");
    if (epoch) last = *epoch;
    log.append(verifiable::log_leaf_hash(value));
    return read.has_value();
  }));
  AMS_CHECK(read);
  std::size_t changes = 0;
  AMS_CHECK(reader_->scan(table_changes, epoch_key(log.size()), {}, [&](ByteView, ByteView) {
    ++changes;
    return true;
  }));
  log_ = std::move(log);
  last_ = last;
  changes_ = changes;
  loaded_ = true;
  if (last_ && last_->map_root == map.root()) map_ = map;
  if (last_) sign();
  return {};
}

void History::note_change(const Id16& kid, const Hash& value, storage::WriteBatch& writes) {
  Bytes key = epoch_key(log_.size() + (pending_ ? 1 : 0));
  append(key, kid);
  writes.puts.push_back({table_changes, std::move(key), to_bytes(ByteView(value))});
  ++changes_;
}

Instant History::due(const verifiable::Map& map) const {
  if (!last_) return Instant{};
  if (mutant("directory.one_epoch")) return Instant::max();
  const Instant last = from_unix_s(last_->time_s);
  if (changes_ >= epoch_changes_max || mutant("directory.epoch_at_once")) return last;
  return last + (map.root() == last_->map_root ? epoch_interval_max : epoch_interval);
}

void History::cut(const verifiable::Map& map, Instant now, storage::WriteBatch& writes) {
  AMS_ASSERT(!pending_);
  // A clock that was set back must not date an epoch before the one it follows.
  const std::uint64_t time_s = std::max(unix_s(now), last_ ? last_->time_s : 0);
  pending_ = Cut{map, {map.root(), map.size(), time_s}};
  changes_ = 0;
  writes.puts.push_back(
      {table_epochs, epoch_key(log_.size()), verifiable::encode(pending_->epoch)});
  if (mutant("directory.sign_before_durable")) durable();
}

void History::durable() {
  if (!pending_) return;
  if (map_ && cosignatures_ >= cosignatures_wanted)
    witnessed_ = Proven{std::move(*map_), *last_, log_.size(), std::move(note_)};
  log_.append(verifiable::log_leaf_hash(verifiable::encode(pending_->epoch)));
  last_ = pending_->epoch;
  map_ = std::move(pending_->map);
  pending_.reset();
  sign();
}

void History::sign() {
  note_.clear();
  cosignatures_ = 0;
  if (key_ == nullptr) return;
  const std::string text = verifiable::checkpoint_text({origin_, log_.size(), log_.root(), {}});
  auto signature = verifiable::sign_note(text, origin_, *key_);
  if (signature) note_ = verifiable::format({text, {std::move(*signature)}});
}

void History::forget() {
  loaded_ = false;
  pending_.reset();
  map_.reset();
  last_.reset();
  log_ = {};
  note_.clear();
  cosignatures_ = 0;
  witnessed_.reset();
}

Result<> History::add_cosignature(const verifiable::NoteSignature& signature,
                                  const verifiable::NoteKey& witness) {
  AMS_TRY(verifiable::Note note, verifiable::parse_note(note_));
  AMS_CHECK(verifiable::verify_note({note.text, {signature}}, witness));
  std::erase_if(note.signatures, [&](const verifiable::NoteSignature& held) {
    return held.name == signature.name && held.key_id == signature.key_id;
  });
  if (note.signatures.size() == verifiable::note_signatures_max) return {};
  note.signatures.push_back(signature);
  note_ = verifiable::format(note);
  cosignatures_ = note.signatures.size() - 1;  // but for the log's own
  return {};
}

/// DIR-79. Who has to be found for the newest epoch is found within seconds, or is away.
bool History::proves_older() const {
  if (!witnessed_ || cosignatures_ >= cosignatures_wanted) return false;
  if (mutant("directory.prove_unwitnessed")) return false;
  const auto life = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(witnessed_life).count());
  return last_->time_s <= witnessed_->epoch.time_s + life || mutant("directory.prove_old_epoch");
}

Result<wire::Value> History::prove(const Id16& kid) const {
  if (note_.empty()) return fail(Code::not_found, "directory: no checkpoint yet");
  const bool older = proves_older();
  if (!older && !map_) return fail(Code::not_found, "directory: no map of the last epoch yet");
  const verifiable::Map& map = older ? witnessed_->map : *map_;
  const verifiable::Epoch& epoch = older ? witnessed_->epoch : *last_;
  const std::uint64_t size = older ? witnessed_->size : log_.size();
  const std::uint64_t proven = mutant("directory.prove_first_epoch") ? 0 : size - 1;
  wire::Object out{
      {"checkpoint", older ? witnessed_->note : note_},
      {"epoch", to_base64url(verifiable::encode(epoch))},
      {"inclusion", to_base64url(log_.prove_inclusion(proven, size))},
      {"map", to_base64url(map.prove(kid))},
  };
  const auto value = map.find(kid);
  if (value && !mutant("directory.proof_without_value")) out.emplace("value", to_base64url(*value));
  return wire::Value(std::move(out));
}

Result<wire::Value> History::consistency(std::uint64_t first, std::uint64_t second) const {
  if (first > second || second > log_.size())
    return fail(mutant("directory.wrong_code_consistency") ? Code::schema : Code::not_found,
                "directory.consistency");
  Bytes proof = log_.prove_consistency(first, second);
  if (mutant("directory.consistency_from_start")) proof = log_.prove_consistency(0, second);
  if (proof.empty() && mutant("directory.consistency_padded")) proof.resize(32);
  return wire::Object{{"proof", to_base64url(proof)}};
}

Result<wire::Value> History::replay(std::uint64_t from) const {
  wire::Array epochs;
  Result<> read;
  std::size_t listed = 0;
  if (mutant("directory.history_from_zero")) from = 0;
  AMS_CHECK(reader_->scan(table_epochs, {}, epoch_key(from), [&](ByteView key, ByteView value) {
    // What was written while the last epoch was on its way is not in the log yet.
    if (read_u64(key) >= log_.size()) return false;
    Bytes changes;
    read = reader_->scan(table_changes, key, {}, [&](ByteView row, ByteView changed) {
      if (mutant("directory.history_without_changes")) return false;
      append(changes, row.subspan(8));
      append(changes, changed);
      return true;
    });
    if (!read) return false;
    listed += changes.size() / 48;
    if (!epochs.empty() && listed > epoch_changes_max) return false;
    epochs.push_back(
        wire::Object{{"changes", to_base64url(changes)}, {"epoch", to_base64url(value)}});
    return epochs.size() < history_epochs_max;
  }));
  AMS_CHECK(read);
  return wire::Object{{"epochs", std::move(epochs)},
                      {"size", static_cast<std::int64_t>(log_.size())}};
}

}  // namespace ams::directory
