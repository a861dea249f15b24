// What is heard of others' logs: whom it is compared with, and what the log itself is asked about
// it (spec DIR-20, DIR-43, DIR-50 to DIR-53).
#include <algorithm>

#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {
namespace {

constexpr std::size_t introductions_max = 4;  // questions under way to one log that is not known

wire::Value told(const std::string& domain, const std::string& note) {
  return wire::Object{{"checkpoint", note}, {"domain", domain}};
}

/// Of a proof of two faces (CKP-11, CKP-13).
std::string first_note(const std::string& evidence) {
  const auto gap = evidence.find("\n\n");
  const auto end = gap == std::string::npos ? gap : evidence.find("\n\n", gap + 2);
  return end == std::string::npos ? std::string() : evidence.substr(0, end + 1);
}

}  // namespace

std::vector<std::string> comparers(std::string_view log, Instant now,
                                   const std::vector<std::string>& peers, std::string_view self) {
  // The least few of a thousand: kept apart, nothing is sorted.
  std::vector<std::pair<Hash, std::string_view>> least;
  const std::int64_t day = std::max<std::int64_t>(to_unix_ms(now), 0) / 86'400'000;
  Bytes input = to_bytes(log);
  input.push_back(0);
  append_u64(input, static_cast<std::uint64_t>(day));
  const std::size_t prefix = input.size();
  const auto place = [&](std::string_view peer) {
    if (peer == log) return;
    input.resize(prefix);
    append(input, peer);
    const std::pair<Hash, std::string_view> item{crypto::sha256(input), peer};
    least.insert(std::upper_bound(least.begin(), least.end(), item), item);
    if (least.size() > comparers_max) least.pop_back();
  };
  for (const std::string& peer : peers) place(peer);
  place(self);
  std::vector<std::string> out;
  for (const auto& [hash, peer] : least) out.emplace_back(peer);
  return out;
}

/// DIR-50: both faces of a log that shows two come to the same peers, at once.
void Peer::tell_comparers(const std::string& log, const std::string& note, Instant now) {
  if (!options_.full || evicted(log) || mutant("directory.compare_nothing")) return;
  const std::string_view text = std::string_view(note).substr(0, note.find("\n\n"));
  std::string& last = compared_[log];
  if (last == text) return;  // with more cosignatures it is no other one
  last = text;
  std::vector<std::string> whom = comparers(log, now, in_order(), options_.domain);
  if (const auto& named = slots_.configured(); !slots_.learned().empty()) {
    // DIR-75: whoever filled our learned slots does not choose all who hear of it.
    const std::vector<std::string> configured(named.begin(), named.end());
    for (const std::string& peer : comparers(log, now, configured, log))
      if (std::find(whom.begin(), whom.end(), peer) == whom.end() &&
          !mutant("directory.compare_with_anyone"))
        whom.push_back(peer);
  }
  for (const std::string& peer : whom)
    if (peer != options_.domain && !evicted(peer))
      ask({Purpose::compare, peer, {}, {}, {}, {}, {}}, "directory.compare",
          wire::Object{{"seen", wire::Array{told(log, note)}}});
}

Result<wire::Value> Peer::compare(const wire::Value& args, std::string_view from_domain,
                                  Instant now) {
  begin();
  wire::ObjectReader in(args, "directory.compare", wire::ObjectReader::Unknown::ignore_x);
  const std::size_t most = mutant("directory.skip_compare_limit") ? 2 * told_max : told_max;
  const wire::Array items = in.array("seen", most);
  AMS_CHECK(in.finish());
  if (evicted(from_domain)) return fail(Code::peer_evicted, "directory.compare");
  std::vector<std::pair<std::string, std::string>> notes;
  for (const wire::Value& item : items) {
    if (!item.is_object() && mutant("directory.wrong_code_compare"))
      return fail(Code::proof_form, "directory.compare.seen");
    wire::ObjectReader one(item, "directory.compare.seen");
    std::string domain = one.string("domain", 253);
    std::string note = one.string("checkpoint", 16 * 1'024);
    AMS_CHECK(one.finish());
    notes.emplace_back(std::move(domain), std::move(note));
  }
  if (is_peer(from_domain)) hear(args, now);
  wire::Array seen, proofs;
  for (const auto& [domain, note] : notes) {
    const auto log = witness_.seen().find(domain);
    if (log != witness_.seen().end() && !log->second.notes.empty() &&
        log->second.notes.back().second != note)
      seen.push_back(told(domain, log->second.notes.back().second));
    const auto proof = witness_.evidence().find(domain);
    if (proof != witness_.evidence().end() && !proof->second.empty())
      proofs.push_back(wire::Object{{"domain", domain}, {"evidence", proof->second}});
  }
  wire::Object answer;
  if (!seen.empty() && !mutant("directory.compare_silently"))
    answer.emplace("seen", std::move(seen));
  if (!proofs.empty()) answer.emplace("proofs", std::move(proofs));
  return wire::Value(std::move(answer));
}

/// What the other side tells of third peers. Nothing of it is believed: it is all signed.
void Peer::hear(const wire::Value& message, Instant now) {
  storage::WriteBatch writes;
  const auto each = [&](std::string_view list, std::string_view member, auto&& take) {
    const wire::Value* items = message.find(list);
    if (items == nullptr || !items->is_array()) return;
    std::size_t taken = 0;
    for (const wire::Value& item : items->as_array()) {
      if (++taken > 2 * told_max) break;
      const wire::Value* domain = item.find("domain");
      const wire::Value* text = item.find(member);
      if (domain == nullptr || text == nullptr || !domain->is_string() || !text->is_string())
        continue;
      if (domain->as_string() != options_.domain) take(domain->as_string(), text->as_string());
    }
  };
  each("proofs", "evidence", [&](const std::string& domain, const std::string& evidence) {
    // Of one that is not known here its key comes first; who told will tell again.
    if (is_peer(domain) && !witness_.seen().contains(domain))
      return introduce(domain, first_note(evidence));
    (void)witness_.accuse(domain, evidence, writes);
  });
  each("seen", "checkpoint", [&](const std::string& domain, const std::string& note) {
    hear_of(domain, note, writes, now);
  });
  write(std::move(writes));
}

/// DIR-20: of one for which there is none of the same size, that log itself must tell.
void Peer::hear_of(const std::string& domain, const std::string& note, storage::WriteBatch& writes,
                   Instant now) {
  if (is_peer(domain) && !witness_.seen().contains(domain)) {
    const auto whom = comparers(domain, now, in_order(), options_.domain);
    const bool ours = std::find(whom.begin(), whom.end(), options_.domain) != whom.end();
    return ours ? introduce(domain, note) : void();
  }
  if (!witness_.heard(domain, note, writes) || !is_peer(domain)) return;
  owed_.try_emplace(domain, Owed{note, now});
  ask_log(domain, note);
}

void Peer::ask_log(const std::string& domain, const std::string& note) {
  const auto log = witness_.seen().find(domain);
  const auto checkpoint = verifiable::read_unverified(note);
  if (log == witness_.seen().end() || !checkpoint) return;
  const verifiable::Checkpoint& known = log->second.newest;
  ask({Purpose::consistency, domain, {}, {}, {}, {}, note, known}, "directory.consistency",
      wire::Object{{"first", static_cast<std::int64_t>(std::min(known.size, checkpoint->size))},
                   {"second", static_cast<std::int64_t>(std::max(known.size, checkpoint->size))}});
}

/// A log that was told of before it showed itself: its key comes with its answer (DIR-51).
void Peer::introduce(const std::string& domain, const std::string& note) {
  const auto checkpoint = verifiable::read_unverified(note);
  if (!checkpoint || !options_.full || mutant("directory.no_introduction")) return;
  std::size_t under_way = 0;
  for (const auto& [cookie, asked] : asked_) {
    if (asked.purpose != Purpose::introduction || asked.domain != domain) continue;
    if (asked.note == note) return;
    ++under_way;
  }
  if (under_way >= introductions_max) return;
  const auto size = static_cast<std::int64_t>(checkpoint->size);
  ask({Purpose::introduction, domain, {}, {}, {}, {}, note}, "directory.consistency",
      wire::Object{{"first", size}, {"second", size}});
}

void Peer::handle_introduction(const Asked& asked, const Result<wire::Value>& outcome,
                               const crypto::VerifyKey* op, Instant now) {
  if (op == nullptr) return;
  storage::WriteBatch writes;
  const wire::Value* shown = outcome ? outcome->find("checkpoint") : nullptr;
  if (shown != nullptr && shown->is_string())
    (void)witness_.meet(asked.domain, *op, shown->as_string(), writes);
  if (!witness_.meet(asked.domain, *op, asked.note, writes) &&
      witness_.seen().contains(asked.domain))
    hear_of(asked.domain, asked.note, writes, now);
  write(std::move(writes));
}

void Peer::handle_consistency(const Asked& asked, const Result<wire::Value>& outcome, Instant now) {
  storage::WriteBatch writes;
  if (!outcome) {
    // It signed both sizes, so it has both. It is not cast out at once: what it shows meanwhile may
    // make a proof that others can check.
    if (outcome.error().code == Code::not_found && owes(asked.domain, now))
      witness_.denied(asked.domain, asked.known, asked.note, writes);
    return write(std::move(writes));
  }
  const wire::Value* text = outcome->find("proof");
  const auto proof = text != nullptr && text->is_string() ? from_base64url(text->as_string())
                                                          : std::optional<Bytes>(Bytes{});
  const wire::Value* own = outcome->find("checkpoint");
  const std::string_view shown =
      own != nullptr && own->is_string() ? std::string_view(own->as_string()) : std::string_view();
  if (!witness_.consistent(asked.domain, asked.known, asked.note, proof.value_or(Bytes{}), shown,
                           writes)) {
    agreeing_.erase(asked.domain);
    pursue(asked.domain);
  }
  if (const auto owed = owed_.find(asked.domain);
      owed != owed_.end() && owed->second.note == asked.note)
    owed_.erase(owed);
  write(std::move(writes));
}

/// Once in a round, with what is known now: what a log did not answer, it is asked again (DIR-53).
void Peer::ask_owed() {
  std::erase_if(owed_, [&](const auto& one) { return evicted(one.first) || !is_peer(one.first); });
  std::set<std::string, std::less<>> under_way;
  for (const auto& [cookie, asked] : asked_)
    if (asked.purpose == Purpose::consistency) under_way.insert(asked.domain);
  for (const auto& [domain, owed] : owed_)
    if (!under_way.contains(domain)) ask_log(domain, owed.note);
}

bool Peer::owes(std::string_view domain, Instant now) const {
  const auto owed = owed_.find(domain);
  return owed != owed_.end() && owed->second.since + owed_intervals * options_.interval <= now &&
         !mutant("directory.cosign_debtors");
}

}  // namespace ams::directory
