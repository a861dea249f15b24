// Whom peers tell each other of, and how one of them comes into use here (spec DIR-64 to DIR-74).
// Slots decides; this asks, looks at the answers and keeps the rows.
#include <algorithm>

#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {

/// Only names: an address that a stranger tells is evidence of nothing.
Result<wire::Value> Peer::peers(const wire::Value& args, Instant now) {
  begin();
  wire::ObjectReader in(args, "directory.peers", wire::ObjectReader::Unknown::ignore_x);
  AMS_CHECK(in.finish());
  std::vector<std::string> known;
  for (const std::string& domain : in_order()) {
    const auto at = answered_.find(domain);
    const bool lately =
        (at != answered_.end() && now <= at->second + peers_told_intervals * options_.interval) ||
        mutant("directory.tell_silent_peers");
    const bool out = evicted(domain) && !mutant("directory.tell_evicted_peers");
    if (options_.full && lately && !out && !mutant("directory.tell_nobody"))
      known.push_back(domain);
  }
  const std::size_t most = mutant("directory.tell_17_peers") ? peers_told_max + 1 : peers_told_max;
  const std::size_t told = std::min(known.size(), most);
  wire::Array out;
  for (std::size_t i = 0; i < told; ++i)
    out.push_back(wire::Object{{"domain", known[(next_told_ + i) % known.size()]}});
  if (known.size() > told && !mutant("directory.tell_same_peers"))
    next_told_ = (next_told_ + told) % known.size();
  if (out.empty() && mutant("directory.tell_no_array")) return wire::Value(wire::Object{});
  return wire::Object{{"peers", std::move(out)}};
}

// --- learned peers ------------------------------------------------------------------------------

void Peer::bar_evicted() {
  const auto& evicted = witness_.evidence();
  if (evicted.size() == barred_) return;
  for (const auto& [domain, evidence] : evicted) slots_.bar(domain);
  barred_ = evicted.size();
}

/// The rows of learned peers as they are in storage.
bool Peer::read_learned() {
  std::map<std::string, std::string> rows;
  const auto read = reader_->scan(table_learned, {}, {}, [&](ByteView domain, ByteView block) {
    rows.emplace(to_string(domain), as_text(block));
    return true;
  });
  if (read) learned_kept_ = std::move(rows);
  return read.has_value();
}

/// DIR-74. Those that were evicted since are not taken up again.
void Peer::load_learned() {
  if (!learns()) {
    learned_loaded_ = true;
    return;
  }
  bar_evicted();
  if (!read_learned()) return;  // the next call tries again
  learned_loaded_ = true;
  for (const auto& [domain, block] : *learned_kept_)
    if (!mutant("directory.forget_learned")) (void)slots_.restore(domain, block);
}

/// After anything that may have changed who is in use: rows follow, and so does what is remembered
/// of peers that are not any more.
void Peer::keep_learned() {
  if (!learns() || !learned_loaded_) return;
  bar_evicted();
  if (!learned_kept_ && !read_learned()) return;
  std::map<std::string, std::string> now;
  for (const auto& [domain, learned] : slots_.learned()) now.emplace(domain, learned.block);
  if (now == *learned_kept_) return;
  storage::WriteBatch writes;
  for (const auto& [domain, block] : *learned_kept_)
    if (!now.contains(domain)) writes.erases.push_back({table_learned, to_bytes(domain)});
  for (const auto& [domain, block] : now)
    if (const auto at = learned_kept_->find(domain);
        at == learned_kept_->end() || at->second != block)
      writes.puts.push_back({table_learned, to_bytes(domain), to_bytes(block)});
  learned_kept_ = std::move(now);
  write(std::move(writes));
  const auto gone = [&](const auto& one) { return !is_peer(one.first); };
  std::erase_if(shown_, gone);
  std::erase_if(answered_, gone);
  std::erase_if(owed_, gone);
  std::erase_if(compared_, gone);
  std::erase_if(agreeing_, [&](const auto& domain) { return !is_peer(domain); });
}

/// DIR-65: one in a round. Our own connection verifies the domain's chain (DOM-14).
void Peer::try_one() {
  keep_learned();
  if (trying_ || !ready()) return;
  const auto domain = slots_.next_trial();
  if (!domain) return;
  trying_ = true;
  ask({Purpose::trial, *domain, {}, {}, {}, {}, {}}, "directory.gossip",
      wire::Value(gossip_to(*domain)));
}

namespace {

/// Whether that is a checkpoint of the domain's own log.
bool shows_log(std::string_view domain, const crypto::VerifyKey& op, std::string_view note) {
  const auto key = log_key(domain, op, verifiable::NoteKeyType::ed25519);
  return key && verifiable::open_checkpoint(note, *key);
}

}  // namespace

/// DIR-73. It says that it is a full peer; that it answers as one is to be seen first.
void Peer::hear_of_caller(const std::string& domain, const crypto::VerifyKey& op,
                          const std::string& note) {
  if (!slots_.has_room() || mutant("directory.deaf_to_callers")) return;
  if (shows_log(domain, op, note)) slots_.called(domain);
}

void Peer::handle_exchange(const Asked& asked, const wire::Value& ok) {
  const wire::Value* peers = ok.find("peers");
  if (peers == nullptr || !peers->is_array()) return;
  std::vector<std::string> domains;
  for (const wire::Value& one : peers->as_array()) {
    if (domains.size() >= peers_told_max) break;
    const wire::Value* domain = one.find("domain");
    if (domain != nullptr && domain->is_string()) domains.push_back(domain->as_string());
  }
  slots_.told(asked.domain, domains);
}

void Peer::handle_trial(const Asked& asked, const Result<wire::Value>& outcome,
                        const crypto::VerifyKey* op, Instant now) {
  const wire::Value* note = outcome ? outcome->find("checkpoint") : nullptr;
  const bool full = op != nullptr && note != nullptr && note->is_string() &&
                    shows_log(asked.domain, *op, note->as_string());
  if (!full && !mutant("directory.learn_anyone")) {
    slots_.failed(asked.domain);
    return keep_learned();
  }
  const auto map = ready();
  const wire::Value* root = outcome ? outcome->find("root") : nullptr;
  const bool agrees = map && root && *root == wire::Value(to_base64url((*map)->root()));
  if (slots_.answered(asked.domain, agrees)) {
    answered_.insert_or_assign(asked.domain, now);
    if (outcome) handle_gossip(asked, *outcome, op, now);
  }
  keep_learned();
}

void Peer::note_answer(const std::string& domain, bool answered, Instant now) {
  if (!is_peer(domain)) return;
  if (answered) {
    answered_.insert_or_assign(domain, now);
    (void)slots_.answered(domain, agreeing_.contains(domain));
  } else {
    answered_.erase(domain);
    slots_.failed(domain);
  }
  keep_learned();
}

void Peer::handle_reached(std::string_view domain, ByteView address) {
  begin();
  slots_.reached(domain, network_block(address));
  keep_learned();
}

}  // namespace ams::directory
