#include "client/trace.h"

#include <algorithm>

#include "bindlog/proof.h"
#include "directory/history.h"
#include "directory/light.h"
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
  if (!chain.record.log) return begin(work, answer);
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
  if (!binding) return work->then(std::move(steps));
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
                    return work->then(std::move(work->steps));
                  }
                  for (const wire::Value& peer : peers->as_array())
                    if (peer.is_string() && work->peers.size() < traced_peers_max)
                      work->peers.push_back(peer.as_string());
                  std::reverse(work->peers.begin(), work->peers.end());
                  ask_next(work);
                });
}

void Tracer::ask_next(WorkPtr work) {
  if (work->peers.empty()) return work->then(std::move(work->steps));
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
                  std::string seen = "nothing";
                  Result<> outcome = outcome_of(answer);
                  if (got != nullptr) outcome = judge_domain(*work, *got, seen);
                  work->steps.push_back({"peer " + peer + ": has seen of the domain's log " + seen +
                                             ", no other than what was shown here",
                                         outcome});
                  ask_next(work);
                });
}

/// BLG-42: what a peer cosigned, beside the head that we judged: of one size it is the same, or the
/// domain is convicted by its own two signatures.
Result<> Tracer::judge_domain(const Work& work, const wire::Value& got, std::string& seen) {
  AMS_TRY(const bindlog::Identity log, bindlog::identity_of(work.chain.record));
  if (const wire::Value* told = got.find("lie")) {
    AMS_TRY(const bindlog::Lie lie, bindlog::parse_lie(*told));
    AMS_CHECK(bindlog::verify_lie(lie, log, &work.chain));
    convict(work, got, *told);
    return fail(Code::log_rewritten, "it has the proof of a fork");
  }
  const wire::Value* note = got.find("checkpoint");
  if (note == nullptr) return {};
  if (!note->is_string()) return fail(Code::schema, "directory.domain.checkpoint");
  AMS_TRY(const auto theirs, verifiable::open_checkpoint(note->as_string(), log.log));
  AMS_TRY(const auto ours, verifiable::open_checkpoint(work.note, log.log));
  seen = std::to_string(theirs.checkpoint.size) + " epochs";
  const bool apart = theirs.checkpoint.size == ours.checkpoint.size &&
                     theirs.checkpoint.root != ours.checkpoint.root;
  if (!apart || mutant("client.skip_fork")) return {};
  convict(work, got, fork(work.chain, work.note, note->as_string()));
  return fail(Code::log_rewritten, "another root of the same size");
}

void Tracer::convict(const Work& work, const wire::Value& shown, Evidence lie) {
  core_.tell(
      Alarm{work.addr, Error{Code::log_rewritten, "directory.domain"}, shown, std::move(lie)});
}

void Tracer::judge_peer(Work& work, const std::string& peer, const keys::Chain& chain,
                        const wire::Value& answer) const {
  const auto log = directory::log_key(peer, chain.op.signing(), verifiable::NoteKeyType::ed25519);
  const wire::Value* proof = answer.find("proof");
  const std::string what =
      "peer " + peer + ": objects, map path, the epoch in its log, checkpoint, not a day old";
  if (!log || !proof)
    return work.steps.push_back({what, fail(Code::schema, "directory.relay.proof")});
  const auto looked =
      directory::verify_lookup(work.key.kid, answer.find("got"), *proof, {&*log, {}, core_.now});
  Result<> outcome = outcome_of(looked);
  if (looked && !looked->entry) outcome = fail(Code::not_found, "it does not have the key");
  if (looked && looked->entry && looked->entry->record().id() != work.key)
    outcome = fail(Code::fp_mismatch, "it has another key under this id");
  work.steps.push_back({what, outcome});
}

}  // namespace ams::client
