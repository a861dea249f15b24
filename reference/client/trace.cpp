#include "client/trace.h"

#include <algorithm>

#include "bindlog/proof.h"
#include "directory/history.h"
#include "directory/light.h"
#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::client {
namespace {

using Steps = std::vector<LookupStep>;

template <class T>
Result<> outcome_of(const Result<T>& result) {
  if (!result) return tl::unexpected(result.error());
  return {};
}

std::string short_id(const keys::KeyId& id) { return to_uuid_text(id.kid); }

void trace_record(Steps& out, const BindingRow& answer, const keys::Binding& binding) {
  const auto record = keys::KeyRecord::parse(answer.key);
  out.push_back({"key record: canonical, members, signed by itself", outcome_of(record)});
  if (!record) return;
  Result<> same;
  if (record->id() != binding.key) same = fail(Code::kid_mismatch, "another key than bound");
  out.push_back({"kid and fingerprint recomputed: " + short_id(record->id()), same});
  if (binding.enc)
    out.push_back({"shared key to seal to: " + short_id(*binding.enc),
                   outcome_of(keys::KeyRecord::parse_as(answer.enc, *binding.enc))});
}

void trace_log(Steps& out, const std::string& addr, const BindingRow& answer,
               const keys::Binding& binding, const keys::Chain& chain, Instant now,
               const Demand& demand) {
  if (!chain.record.log) {
    out.push_back({"binding log: the domain keeps none, its signature is all there is", {}});
    return;
  }
  const auto log = bindlog::identity_of(chain.record);
  const auto proof = bindlog::parse_proof(answer.proof);
  out.push_back({"proof of the domain's binding log: its form", outcome_of(proof)});
  if (!log || !proof) return;
  const auto head = bindlog::open_head(proof->head, *log);
  out.push_back({"checkpoint of the log: signed by the domain's log key, the epoch its last entry",
                 outcome_of(head)});
  if (!head) return;
  out.push_back({"epoch " + std::to_string(head->size) + " of " +
                     std::to_string(head->epoch.map_size) + " versions: less than a day old",
                 bindlog::holds_at(head->epoch, to_unix_ms(now))});
  const auto counted =
      verifiable::open_checkpoint(proof->head.checkpoint, log->log, demand.counted());
  const std::size_t cosigned = counted ? counted->times_s.size() : 0;
  Result<> enough = outcome_of(counted);
  if (counted && cosigned < demand.quorum)
    enough = fail(Code::witnesses, "fewer than are demanded");
  out.push_back({"log root: cosigned by " + std::to_string(cosigned) + " of " +
                     std::to_string(demand.keys.size()) + " witnesses",
                 enough});
  const auto proven = bindlog::verify_proof(answer.proof, addr, *log);
  out.push_back(
      {"labels by the domain's VRF; the entry is in the map, no later one is", outcome_of(proven)});
  if (!proven) return;
  Result<> same;
  if (!bindlog::agrees(proven->entry, binding))
    same = fail(Code::binding_contradiction, "the log commits to another key");
  out.push_back({"the binding is what the log commits to", same});
}

}  // namespace

void Tracer::run(const std::string& addr, const BindingRow& answer, const keys::Chain& chain,
                 Then then) {
  auto work = std::make_shared<Work>(Work{{}, {}, {}, std::move(then), addr, chain, {}});
  lookup_.witnesses().ready([this, work, answer] { begin(work, answer); }, true);
}

void Tracer::begin(WorkPtr work, const BindingRow& answer) {
  const std::string& addr = work->addr;
  const keys::Chain& chain = work->chain;
  Steps& steps = work->steps;
  steps.push_back({"chain of " + chain.record.domain + ": root " + short_id(chain.root.id()) +
                       " by discovery, record and op key under it",
                   {}});
  const auto binding = keys::verify_binding(answer.binding, chain);
  steps.push_back({"binding of " + addr + ": signed by the op key " + short_id(chain.op.id()),
                   outcome_of(binding)});
  if (!binding) return work->then({std::move(steps), {}, {}});
  steps.push_back({"version " + std::to_string(binding->version) + ": key " +
                       short_id(binding->key) + ", " + std::string(keys::name(binding->custody)) +
                       " custody",
                   {}});
  trace_log(steps, addr, answer, *binding, chain, core_.now,
            lookup_.witnesses().demand(chain.record.domain));
  if (const auto proof = bindlog::parse_proof(answer.proof); proof && chain.record.log)
    work->note = proof->head.checkpoint;
  trace_record(steps, answer, *binding);
  work->key = binding->key;
  ask_peers(std::move(work));
}

void Tracer::ask_peers(WorkPtr work) {
  link_.request("directory.relay", wire::Object{{"kid", to_uuid_text(work->key.kid)}},
                [this, work](const Result<wire::Value>& answer) {
                  core_.again = true;
                  const wire::Value* peers = answer ? answer->find("peers") : nullptr;
                  if (!answer || !peers || !peers->is_array()) {
                    work->steps.push_back({"directory peers: who they are", outcome_of(answer)});
                    return work->then({std::move(work->steps), {}, {}});
                  }
                  for (const wire::Value& peer : peers->as_array())
                    if (peer.is_string() && work->peers.size() < traced_peers_max)
                      work->peers.push_back(peer.as_string());
                  std::reverse(work->peers.begin(), work->peers.end());
                  ask_next(work);
                });
}

void Tracer::ask_next(WorkPtr work) {
  if (work->peers.empty()) return finish(*work);
  const std::string peer = std::move(work->peers.back());
  work->peers.pop_back();
  lookup_.chain(peer, Lookup::Ask::cached_will_do, [this, work, peer](const auto& chain) {
    if (chain) return ask_peer(work, peer, **chain);
    work->steps.push_back({"peer " + peer + ": its chain", outcome_of(chain)});
    ask_next(work);
  });
}

void Tracer::ask_peer(WorkPtr work, const std::string& peer, const keys::Chain& chain) {
  link_.request("directory.relay",
                wire::Object{{"kid", to_uuid_text(work->key.kid)}, {"peer", peer}},
                [this, work, peer, chain](const Result<wire::Value>& answer) {
                  core_.again = true;
                  if (answer) judge_peer(*work, peer, chain, *answer);
                  if (!answer) work->steps.push_back({"peer " + peer, outcome_of(answer)});
                  ask_domain(work, peer);
                });
}

void Tracer::ask_domain(WorkPtr work, const std::string& peer) {
  const std::string& domain = work->chain.record.domain;
  if (work->note.empty() || domain == peer) return ask_next(work);
  link_.request("directory.relay", wire::Object{{"domain", domain}, {"peer", peer}},
                [this, work, peer](const Result<wire::Value>& answer) {
                  core_.again = true;
                  const wire::Value* got = answer ? answer->find("got") : nullptr;
                  HeldAgainst held;
                  held.outcome = outcome_of(answer);
                  if (got != nullptr) held = hold_against(work->chain, work->note, *got);
                  work->steps.push_back({"peer " + peer + ": has seen of the domain's log " +
                                             held.seen + ", no other than what was shown here",
                                         held.outcome});
                  if (held.lie)
                    core_.tell(Alarm{work->addr, Error{Code::log_rewritten, "directory.domain"},
                                     *got, std::move(held.lie)});
                  ask_next(work);
                });
}

void Tracer::finish(Work& work) {
  if (work.verified.empty() && work.unproven.empty())
    return work.then({std::move(work.steps), {}, {}});
  const Result<> outcome = directory::usable_by(work.verified, work.unproven);
  work.steps.push_back(
      {"what its owner says of the key, by the freshest of these: it may be used", outcome});
  const bool unknown = !outcome && outcome.error().code == Code::not_found;
  // A card proves itself, and what it says nobody has verified: proven or not, the newest is it.
  auto entry = directory::freshest(work.verified);
  for (const keys::Entry& other : work.unproven)
    entry ? (void)entry->merge(other) : (void)(entry = other);
  work.then({std::move(work.steps), unknown ? Result<>() : outcome, entry->card()});
}

void Tracer::judge_peer(Work& work, const std::string& peer, const keys::Chain& chain,
                        const wire::Value& answer) const {
  const auto log = directory::log_key(peer, chain.op.signing(), verifiable::NoteKeyType::ed25519);
  const wire::Value* proof = answer.find("proof");
  const Demand demand = lookup_.witnesses().demand(peer);
  const std::string what =
      "peer " + peer + ": objects, map path, the epoch in its log, not a day old, its checkpoint";
  if (!log || !proof)
    return work.steps.push_back({what, fail(Code::schema, "directory.relay.proof")});
  const auto policy = mutant("client.peers_uncosigned") ? demand.counted() : demand.policy();
  const auto looked = directory::verify_lookup(work.key.kid, answer.find("got"), *proof,
                                               {&*log, policy, core_.now});
  const wire::Value* got = answer.find("got");
  if (looked) {
    work.verified.push_back(*looked);
  } else if (got != nullptr && !mutant("client.deaf_to_unproven")) {
    auto entry = directory::entry_of(work.key.kid, directory::objects_of(*got));
    if (entry) work.unproven.push_back(std::move(*entry));
  }
  Result<> outcome = outcome_of(looked);
  if (looked && !looked->entry) outcome = fail(Code::not_found, "it does not have the key");
  if (looked && looked->entry && looked->entry->record().id() != work.key)
    outcome = fail(Code::fp_mismatch, "it has another key under this id");
  std::string whose = " cosigned by as many witnesses as are demanded";
  if (looked)
    whose = " cosigned by " + std::to_string(looked->cosigned) + " of " +
            std::to_string(demand.keys.size()) + " witnesses";
  work.steps.push_back({what + whose, outcome});
}

}  // namespace ams::client
