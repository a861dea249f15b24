#include "directory/witness.h"

#include <algorithm>

#include "policy/mutant.h"
#include "verifiable/rewrite.h"

namespace ams::directory {
namespace {

std::string row_value(const verifiable::NoteKey& key, std::string_view text) {
  return key.format() + "\n" + std::string(text);
}

/// The notes of a row of table_doubted: neither text nor signatures have empty lines of their own.
std::vector<std::string> read_notes(std::string_view row) {
  std::vector<std::string> out;
  while (!row.empty()) {
    const auto gap = row.find("\n\n");
    const auto end = gap == std::string_view::npos ? gap : row.find("\n\n", gap + 2);
    if (end == std::string_view::npos) break;
    out.emplace_back(row.substr(0, end + 1));
    row.remove_prefix(end + 2);
  }
  return out;
}

/// The note of a checkpoint that is remembered; empty when it is no longer.
std::string text_of(const Witness::Seen& seen, const verifiable::Checkpoint& checkpoint) {
  for (const auto& [held, note] : seen.notes)
    if (held.size == checkpoint.size && held.root == checkpoint.root) return note;
  return {};
}

}  // namespace

Witness::Witness(std::string_view domain, const crypto::SigningKey* key,
                 const storage::Reader& reader)
    : domain_(domain), key_(key), reader_(&reader) {
  const bool fit = key_ != nullptr && key_->alg() == crypto::SigAlg::ed25519 &&
                   verifiable::is_note_name(log_origin(domain));
  if (!fit) key_ = nullptr;
}

void Witness::load() const {
  if (loaded_) return;
  std::map<std::string, Seen, std::less<>> seen;
  std::map<std::string, std::string, std::less<>> evicted;
  const auto seen_read = reader_->scan(table_seen, {}, {}, [&](ByteView domain, ByteView value) {
    const std::string_view text = as_text(value);
    const auto end = text.find('\n');
    auto key = verifiable::NoteKey::parse(text.substr(0, end));
    if (!key || end == std::string_view::npos) return true;
    const std::string note(text.substr(end + 1));
    const auto opened = verifiable::open_checkpoint(note, *key);
    if (opened)
      seen.emplace(to_string(domain),
                   Seen{std::move(*key), opened->checkpoint, {{opened->checkpoint, note}}, {}});
    return true;
  });
  const auto doubted_read =
      reader_->scan(table_doubted, {}, {}, [&](ByteView domain, ByteView value) {
        if (const auto at = seen.find(to_string(domain)); at != seen.end())
          at->second.doubted = read_notes(as_text(value));
        return true;
      });
  const auto evicted_read =
      reader_->scan(table_evicted, {}, {}, [&](ByteView domain, ByteView value) {
        const std::string_view text = as_text(value);
        evicted.emplace(to_string(domain), std::string(text.substr(text.find('\n') + 1)));
        return true;
      });
  if (!seen_read || !evicted_read || !doubted_read) return;  // the next call tries again
  seen_ = std::move(seen);
  evicted_ = std::move(evicted);
  loaded_ = true;
}

bool Witness::evicted(std::string_view domain) const {
  load();
  return evicted_.contains(domain) && !mutant("directory.keep_equivocator");
}

const std::map<std::string, std::string, std::less<>>& Witness::evidence() const {
  load();
  return evicted_;
}

const std::map<std::string, Witness::Seen, std::less<>>& Witness::seen() const {
  load();
  return seen_;
}

Witness::Seen* Witness::find(std::string_view domain) {
  load();
  const auto at = seen_.find(domain);
  return at == seen_.end() ? nullptr : &at->second;
}

void Witness::evict(std::string_view domain, const verifiable::NoteKey& key, std::string evidence,
                    storage::WriteBatch& writes) {
  writes.puts.push_back({table_evicted, to_bytes(domain), to_bytes(row_value(key, evidence))});
  if (Seen* seen = find(domain); seen != nullptr && !evidence.empty() && !seen->doubted.empty()) {
    seen->doubted.clear();
    writes.erases.push_back({table_doubted, to_bytes(domain)});
  }
  evicted_.insert_or_assign(std::string(domain), std::move(evidence));
}

void Witness::remember(Seen& seen, const verifiable::Checkpoint& checkpoint,
                       std::string_view note) {
  // What the log itself showed last stays last.
  const bool last = seen.notes.empty() || checkpoint == seen.newest;
  seen.notes.emplace(last ? seen.notes.end() : std::prev(seen.notes.end()), checkpoint,
                     std::string(note));
  if (seen.notes.size() > seen_notes_max) seen.notes.pop_front();
}

bool Witness::contradicts(std::string_view domain, Seen& seen,
                          const verifiable::Checkpoint& checkpoint, std::string_view note,
                          storage::WriteBatch& writes) {
  for (const auto& [held, held_note] : seen.notes) {
    if (held.size != checkpoint.size || held.root == checkpoint.root) continue;
    auto evidence = verifiable::make_equivocation(held_note, note, seen.key);
    if (!evidence) continue;
    evict(domain, seen.key, std::move(*evidence), writes);
    return true;
  }
  return false;
}

Result<Witness::Shown> Witness::show(std::string_view domain, const crypto::VerifyKey& op,
                                     std::string_view note, std::uint64_t first, ByteView proof,
                                     Instant now, storage::WriteBatch& writes) {
  if (evicted(domain)) return fail(Code::peer_evicted, "directory.gossip");
  AMS_TRY(const auto key, log_key(domain, op, verifiable::NoteKeyType::ed25519));
  AMS_TRY(const auto opened, verifiable::open_checkpoint(note, key));
  const verifiable::Checkpoint& checkpoint = opened.checkpoint;
  Seen* seen = find(domain);
  if (seen != nullptr && seen->key.id() != key.id()) {
    // A new op key signs on: its log goes on where the old one was, or it is another log.
    seen->key = key;
    seen->notes.clear();
  }
  if (seen == nullptr) {
    if (seen_.size() >= seen_logs_max) return Shown{};
    seen = &seen_.emplace(std::string(domain), Seen{key, checkpoint, {}, {}}).first->second;
  }
  if (contradicts(domain, *seen, checkpoint, note, writes))
    return Shown{{}, seen->newest.size, true};
  if (checkpoint.size < seen->newest.size) return Shown{{}, seen->newest.size, false};
  if (checkpoint != seen->newest) {  // of the same size, too: notes know of one op key alone
    const bool jump = mutant("directory.cosign_jump");
    if (first != seen->newest.size && !jump) return Shown{{}, seen->newest.size, false};
    if (!mutant("directory.skip_consistency") && !jump)
      AMS_CHECK(verifiable::verify_consistency(first, seen->newest.root, checkpoint.size,
                                               checkpoint.root, proof));
  }
  seen->newest = checkpoint;
  if (seen->notes.empty() || seen->notes.back().first != checkpoint)
    remember(*seen, checkpoint, note);
  writes.puts.push_back({table_seen, to_bytes(domain), to_bytes(row_value(key, note))});
  Shown out{{}, checkpoint.size, false};
  if (key_ == nullptr) return out;
  const std::string text = verifiable::checkpoint_text(checkpoint);
  const auto time_s =
      static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 0)) / 1'000;
  AMS_TRY(auto signature, verifiable::cosign(text, log_origin(domain_), *key_, time_s));
  out.cosignature = verifiable::format({text, {std::move(signature)}});
  return out;
}

bool Witness::meet(std::string_view domain, const crypto::VerifyKey& op, std::string_view note,
                   storage::WriteBatch& writes) {
  if (find(domain) != nullptr || evicted(domain) || seen_.size() >= seen_logs_max) return false;
  auto key = log_key(domain, op, verifiable::NoteKeyType::ed25519);
  if (!key) return false;
  const auto opened = verifiable::open_checkpoint(note, *key);
  if (!opened) return false;
  writes.puts.push_back({table_seen, to_bytes(domain), to_bytes(row_value(*key, note))});
  seen_.emplace(
      std::string(domain),
      Seen{std::move(*key), opened->checkpoint, {{opened->checkpoint, std::string(note)}}, {}});
  return true;
}

void Witness::make_room(const std::function<bool(std::string_view)>& used,
                        storage::WriteBatch& writes) {
  load();
  if (seen_.size() < seen_logs_max || mutant("directory.seen_fills_up")) return;
  const auto at = std::find_if(seen_.begin(), seen_.end(), [&](const auto& log) {
    const auto out = evicted_.find(log.first);
    const bool open = out != evicted_.end() && out->second.empty();
    return !open && !used(log.first);
  });
  if (at == seen_.end()) return;
  writes.erases.push_back({table_seen, to_bytes(at->first)});
  seen_.erase(at);
}

bool Witness::heard(std::string_view domain, std::string_view note, storage::WriteBatch& writes) {
  Seen* seen = find(domain);
  if (seen == nullptr) return false;
  const auto held = evicted_.find(domain);
  const bool out = held != evicted_.end();
  if (out && !held->second.empty()) return false;
  // Many tell the same, with more cosignatures or fewer: whoever signed this, it says nothing new.
  const auto read = verifiable::read_unverified(note);
  if (!read || std::any_of(seen->notes.begin(), seen->notes.end(), [&](const auto& one) {
        return one.first.size == read->size && one.first.root == read->root;
      }))
    return false;
  const auto opened = verifiable::open_checkpoint(note, seen->key);
  if (!opened) return false;
  if (contradicts(domain, *seen, opened->checkpoint, note, writes)) return false;
  const bool unknown = std::none_of(seen->notes.begin(), seen->notes.end(), [&](const auto& one) {
    return one.first.size == opened->checkpoint.size;
  });
  // Evicted without a proof for others: what is heard of it may make one yet.
  if (out && unknown) remember(*seen, opened->checkpoint, note);
  return unknown && !out;
}

bool Witness::consistent(std::string_view domain, const verifiable::Checkpoint& known,
                         std::string_view note, ByteView proof, std::string_view shown,
                         storage::WriteBatch& writes) {
  Seen* seen = find(domain);
  if (seen == nullptr || evicted(domain)) return true;
  const auto opened = verifiable::open_checkpoint(note, seen->key);
  if (!opened) return true;
  const bool later = opened->checkpoint.size > known.size;
  const verifiable::Checkpoint& first = later ? known : opened->checkpoint;
  const verifiable::Checkpoint& second = later ? opened->checkpoint : known;
  const bool one_history =
      verifiable::verify_consistency(first.size, first.root, second.size, second.root, proof)
          .has_value();
  // Another of that size may have come while the question was under way.
  if (contradicts(domain, *seen, opened->checkpoint, note, writes)) return false;
  remember(*seen, opened->checkpoint, note);
  if (one_history) return true;
  // The log's own answer shows that the greater of the two has another history (DIR-47).
  const std::string held = text_of(*seen, known);
  auto evidence = verifiable::make_rewrite(held, note, proof, seen->key);
  if (evidence && !mutant("directory.no_rewrite")) {
    evict(domain, seen->key, std::move(*evidence), writes);
    return false;
  }
  const auto own = verifiable::open_checkpoint(shown, seen->key);
  if (own && contradicts(domain, *seen, own->checkpoint, shown, writes)) return false;
  std::vector<std::string> notes{std::string(note)};
  if (own) notes.emplace_back(shown);
  doubt(domain, *seen, std::move(notes), writes);
  return false;
}

void Witness::denied(std::string_view domain, const verifiable::Checkpoint& known,
                     std::string_view note, storage::WriteBatch& writes) {
  Seen* seen = find(domain);
  if (seen == nullptr || evicted(domain) || mutant("directory.bear_denials")) return;
  const auto opened = verifiable::open_checkpoint(note, seen->key);
  if (!opened || opened->checkpoint.size == known.size) return;
  remember(*seen, opened->checkpoint, note);
  doubt(domain, *seen, {std::string(note)}, writes);
}

/// No proof for others, enough for us; they are told what to ask that log (DIR-52).
void Witness::doubt(std::string_view domain, Seen& seen, std::vector<std::string> notes,
                    storage::WriteBatch& writes) {
  seen.doubted = std::move(notes);
  keep_doubts(domain, seen, writes);
  evict(domain, seen.key, {}, writes);
}

void Witness::keep_doubts(std::string_view domain, const Seen& seen, storage::WriteBatch& writes) {
  std::string row;
  for (const std::string& note : seen.doubted) row += note + "\n";
  if (!mutant("directory.forget_doubts"))
    writes.puts.push_back({table_doubted, to_bytes(domain), to_bytes(row)});
}

std::optional<Witness::Question> Witness::question(std::string_view domain) {
  Seen* seen = find(domain);
  const auto out = evicted_.find(domain);
  if (seen == nullptr || out == evicted_.end() || !out->second.empty() || seen->doubted.empty())
    return std::nullopt;
  // Of two that contradict each other, one at least is not of the history that it shows now.
  std::vector<std::string> suspects{seen->doubted.front()};
  if (!seen->notes.empty()) suspects.push_back(seen->notes.back().second);
  for (std::size_t i = 0; i < suspects.size(); ++i) {
    const std::string& note = suspects[(seen->turn + i) % suspects.size()];
    const auto said = verifiable::read_unverified(note);
    if (!said || said->size < 1) continue;
    const std::uint64_t first = verifiable::rewrite_question(said->size);
    const std::uint64_t shown = seen->shown.first.size;
    const bool last_entry = first > said->size && first == shown;
    if (first >= shown && !last_entry) continue;
    seen->turn += i + 1;
    return Question{said->size, first, shown, last_entry, note, seen->shown.second};
  }
  return Question{};
}

bool Witness::convict(std::string_view domain, const Question& question, ByteView hashes,
                      std::string_view shown, storage::WriteBatch& writes) {
  Seen* seen = find(domain);
  const auto out = evicted_.find(domain);
  if (seen == nullptr || out == evicted_.end() || !out->second.empty()) return false;
  const bool asked = question.second > 0;
  if (asked && !hashes.empty()) {
    const std::string_view later = question.last_entry ? shown : question.later;
    auto evidence = verifiable::make_rewrite(question.earlier, later, hashes, seen->key);
    if (evidence) {
      evict(domain, seen->key, std::move(*evidence), writes);
      return true;
    }
  }
  const auto own = verifiable::open_checkpoint(shown, seen->key);
  if (!own) return asked;
  if (contradicts(domain, *seen, own->checkpoint, shown, writes)) return true;
  if (own->checkpoint.size <= seen->shown.first.size) return asked;
  // Others are told of it, who may have been shown the other side.
  seen->shown = {own->checkpoint, std::string(shown)};
  seen->doubted.resize(1);
  seen->doubted.emplace_back(shown);
  keep_doubts(domain, *seen, writes);
  return true;
}

bool Witness::accuse(std::string_view domain, std::string_view evidence,
                     storage::WriteBatch& writes) {
  Seen* seen = find(domain);
  if (seen == nullptr || domain == domain_) return false;
  const auto held = evicted_.find(domain);
  if (held != evicted_.end() && !held->second.empty()) return false;
  if (!verifiable::verify_conviction(evidence, seen->key) &&
      !mutant("directory.believe_accusation"))
    return false;
  evict(domain, seen->key, std::string(evidence), writes);
  return true;
}

}  // namespace ams::directory
