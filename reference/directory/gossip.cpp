// Epochs of the log, checkpoints shown and cosigned, proofs of two faces passed on (spec DIR-7,
// DIR-10, DIR-19 to DIR-21).
#include <algorithm>

#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {
void Peer::cut_epoch(Instant now) {
  next_epoch_ = now + std::chrono::seconds{1};  // when storage is down, or an epoch on its way
  const auto map = ready();
  if (!map || history_.cutting()) return;
  const Instant due = history_.due(**map);
  if (due > now) {
    next_epoch_ = due;
    return;
  }
  storage::WriteBatch writes;
  history_.cut(**map, now, writes);
  write(std::move(writes));
  epoch_ticket_ = writes_.back().ticket;
  next_epoch_ = now + epoch_interval;
}

/// Our checkpoint, and what we saw of others.
wire::Object Peer::gossip_to(const std::string& domain) {
  wire::Object message = shown_to(domain);
  tell(message);
  return message;
}

void Peer::start_gossip() {
  if (gossiping_ || !ready()) return;
  const std::string* domain = nullptr;
  for (std::size_t i = 0; i < in_order().size() && domain == nullptr; ++i) {
    const std::string& next = in_order()[next_peer_++ % in_order().size()];
    if (!evicted(next)) domain = &next;
  }
  if (domain == nullptr) return;
  gossiping_ = true;
  ask({Purpose::gossip, *domain, {}, {}, {}, {}, {}}, "directory.gossip",
      wire::Value(gossip_to(*domain)));
  if (learns() && slots_.has_room())
    ask({Purpose::exchange, *domain, {}, {}, {}, {}, {}}, "directory.peers", wire::Object{});
}

/// Our checkpoint, with the proof from the size that the peer last saw.
wire::Object Peer::shown_to(const std::string& domain) const {
  wire::Object out;
  if (history_.checkpoint().empty()) return out;
  const auto known = shown_.find(domain);
  const std::uint64_t first = known == shown_.end() ? 0 : std::min(known->second, history_.size());
  out.emplace("checkpoint", history_.checkpoint());
  out.emplace("first", static_cast<std::int64_t>(first));
  out.emplace("proof", to_base64url(history_.log().prove_consistency(first, history_.size())));
  return out;
}

/// Others' checkpoints by turns: where there are more than one message holds, each is told in time
/// (DIR-44).
void Peer::tell(wire::Object& message) {
  wire::Array seen, proofs;
  const auto& logs = witness_.seen();
  auto at = logs.upper_bound(mutant("directory.tell_first_only") ? std::string() : told_last_);
  for (std::size_t i = 0; i < logs.size() && seen.size() < told_max; ++i, ++at) {
    if (at == logs.end()) at = logs.begin();
    const auto& [domain, log] = *at;
    if (log.notes.empty()) continue;
    seen.push_back(wire::Object{{"checkpoint", log.notes.back().second}, {"domain", domain}});
    for (const std::string& note : log.doubted)  // DIR-52
      if (!mutant("directory.keep_doubts"))
        seen.push_back(wire::Object{{"checkpoint", note}, {"domain", domain}});
    told_last_ = domain;
  }
  for (const auto& [domain, evidence] : witness_.evidence())
    if (!evidence.empty() && proofs.size() < told_max)
      proofs.push_back(wire::Object{{"domain", domain}, {"evidence", evidence}});
  if (!seen.empty()) message.emplace("seen", std::move(seen));
  if (!proofs.empty() && !mutant("directory.keep_proofs"))
    message.emplace("proofs", std::move(proofs));
}

/// What the other side shows of its own log, though nobody asked for a cosignature: a peer that has
/// two faces shows one here, too (DIR-42).
void Peer::meet(const std::string& domain, const crypto::VerifyKey& op, const wire::Value& shown,
                Instant now) {
  if (mutant("directory.ignore_answer_checkpoint") || !is_peer(domain)) return;
  storage::WriteBatch writes;
  witness_.make_room([&](std::string_view log) { return is_peer(log); }, writes);
  if (!witness_.meet(domain, op, shown.as_string(), writes))
    hear_of(domain, shown.as_string(), writes, now);
  write(std::move(writes));
  tell_comparers(domain, shown.as_string(), now);
}

Result<Peer::Answered> Peer::gossip(const wire::Value& args, std::string_view from_domain,
                                    const crypto::VerifyKey* op, Instant now) {
  begin();
  wire::ObjectReader in(args, "directory.gossip", wire::ObjectReader::Unknown::ignore_x);
  const auto note = in.optional_string("checkpoint", 16 * 1'024);
  const std::int64_t first = in.optional_integer("first").value_or(0);
  const Bytes proof = in.optional_binary("proof", 0, 4'096).value_or(Bytes{});
  in.optional("seen");
  in.optional("proofs");
  AMS_CHECK(in.finish());
  if (evicted(from_domain)) return fail(Code::peer_evicted, "directory.gossip");
  if (op != nullptr && is_peer(from_domain)) grantors_.put(from_domain, *op, now);
  AMS_TRY(const verifiable::Map* map, ready());
  Answered out;
  wire::Object answer{
      {"count", static_cast<std::int64_t>(map->size())},
      {"root", to_base64url(mutant("directory.gossip_no_root") ? Hash{} : map->root())}};
  const bool peer = is_peer(from_domain) || mutant("directory.cosign_anyone");
  if (note && op != nullptr && options_.full && peer) {
    witness_.make_room([&](std::string_view log) { return is_peer(log); }, out.writes);
    const auto judged = witness_.show(from_domain, *op, *note, static_cast<std::uint64_t>(first),
                                      proof, now, out.writes);
    if (!judged && mutant("directory.wrong_code_note")) return fail(Code::schema, "checkpoint");
    AMS_TRY(const Witness::Shown shown, judged);
    answer.emplace("size", static_cast<std::int64_t>(shown.size));
    const bool cosigns = !shown.cosignature.empty() && !owes(from_domain, now);
    if (cosigns && !mutant("directory.cosign_nobody"))
      answer.emplace("cosignature", shown.cosignature);
    tell_comparers(std::string(from_domain), *note, now);
  }
  if (note && op != nullptr && learns() && !is_peer(from_domain))
    hear_of_caller(std::string(from_domain), *op, *note);
  if (is_peer(from_domain)) hear(args, now);
  if (!history_.checkpoint().empty()) answer.emplace("checkpoint", history_.checkpoint());
  tell(answer);
  out.answer = wire::Value(std::move(answer));
  return out;
}

void Peer::take_shown(const Asked& asked, const wire::Value& ok, const crypto::VerifyKey* op,
                      Instant now) {
  hear(ok, now);
  const wire::Value* shown = ok.find("checkpoint");
  if (shown != nullptr && shown->is_string() && op != nullptr) meet(asked.domain, *op, *shown, now);
  if (const wire::Value* size = ok.find("size"); size != nullptr && size->is_integer())
    shown_[asked.domain] =
        static_cast<std::uint64_t>(std::max<std::int64_t>(size->as_integer(), 0));
  const wire::Value* cosigned = ok.find("cosignature");
  if (op != nullptr && cosigned != nullptr && cosigned->is_string()) {
    const auto note = verifiable::parse_note(cosigned->as_string());
    const auto witness = log_key(asked.domain, *op, verifiable::NoteKeyType::cosignature_v1);
    if (note && witness && history_.add_cosignature(note->signatures.front(), *witness))
      ++stats_.cosignatures;
  }
}

void Peer::handle_gossip(const Asked& asked, const wire::Value& ok, const crypto::VerifyKey* op,
                         Instant now) {
  take_shown(asked, ok, op, now);
  const auto map = ready();
  const wire::Value* root = ok.find("root");
  if (!map || root == nullptr) return;
  if (*root == wire::Value(to_base64url((*map)->root()))) {
    agreeing_.insert(asked.domain);
    if ((*map)->size() > 0) fresh_ = false;  // of nothing all agree
    if (agreeing_.size() == in_order().size()) stats_.agreed_at = now;
  } else {
    start_round(asked.domain);
  }
}

}  // namespace ams::directory
