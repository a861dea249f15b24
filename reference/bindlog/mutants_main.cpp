// Goal: every mutant switch of this room really breaks its rule, and only when it is on.
// Method: for each switch a probe that tells whether the rule holds; it must hold with all switches
// off, fail with the switch on, and the switch must have been asked.
// Exit code: 0 all do, 1 otherwise.
#include <functional>

#include "bindlog/test_world.h"
#include "bindlog/witness.h"
#include "policy/probe.h"

namespace ams::bindlog {
namespace {

using mutants::Probe;
using testing::alice_addr;
using testing::now_ms;
using testing::now_s;
using testing::Owner;

struct World {
  Prover log = testing::make_log();
  Owner alice{alice_addr};
  Owner eve{"eve@home.example"};
  World() {
    eve.rotate(log);
    for (int i = 0; i < 3; ++i) alice.rotate(log);
    log.seal(now_s);
  }
  bool refuses(const std::function<void(Proof&)>& break_it,
               std::string_view asked = alice_addr) const {
    Proof proof = log.prove(alice.latest());
    break_it(proof);
    return !verify_proof(to_value(proof), asked, log.identity());
  }
  bool refuses_history(const std::function<void(History&)>& break_it, const Seen& seen = {}) const {
    History history = log.history(alice.entries, true, 0);
    break_it(history);
    return !verify_history(to_value(history), alice_addr, log.identity(), seen);
  }
};

bool refuses_entry(const std::function<void(Entry&)>& break_it) {
  Entry entry;
  entry.addr = alice_addr;
  break_it(entry);
  return !parse_entry(to_value(entry));
}

bool refuses_endorsement(const std::function<void(Entry&, World&)>& break_it,
                         const keys::KeyRecord* record = nullptr) {
  World world;
  Entry entry = world.alice.entries[1];
  break_it(entry, world);
  return !verify_endorsement(entry, world.alice.entries[0], world.log.value(world.alice.entries[0]),
                             record != nullptr ? *record : world.alice.pairs[0].record);
}

bool other_endorser_refused() {
  const keys::KeyPair mallory = testing::make_key("mallory");
  return refuses_endorsement([&](Entry& e, World&) { e = *endorse(e, mallory.signing); },
                             &mallory.record);
}

bool older_epoch_refused() {
  World world;
  const Proof old = world.log.prove(world.alice.latest());
  world.alice.rotate(world.log);
  world.log.seal(now_s);
  return world.refuses([&](Proof& proof) {
    const Head head = proof.head;
    proof = old;
    proof.head.checkpoint = head.checkpoint;
    proof.head.inclusion = to_bytes(ByteView(verifiable::log_leaf_hash(head.epoch)));
  });
}

/// A log of a liar that holds these versions of alice, with this history of them.
bool liar_refused(std::vector<Entry> entries, const Seen& seen = {}) {
  const Prover honest = testing::make_log();
  std::vector<Leaf> leaves;
  for (const Entry& entry : entries)
    leaves.push_back({honest.label(alice_addr, entry.version), honest.value(entry)});
  const Prover liar = testing::make_liar(std::move(leaves));
  return !verify_history(to_value(liar.history(entries, true, 0)), alice_addr, liar.identity(),
                         seen);
}

bool skipped_version_refused() {
  World world;
  Entry third = world.alice.entries[2];
  third.prev = world.log.value(world.alice.entries[0]);
  return liar_refused({world.alice.entries[0], third});
}

bool other_prev_refused() {
  World world;
  Entry second = world.alice.entries[1];
  second.prev = Hash{9};
  return liar_refused({world.alice.entries[0], second});
}

bool late_start_refused() {
  World world;
  return liar_refused({world.alice.entries[1], world.alice.entries[2]});
}

// --- lies ---

bool convicts(const Lie& lie, const Identity& log, const keys::Chain* chain = nullptr) {
  return verify_lie(lie, log, chain).has_value();
}

struct Rewritten {
  World world;
  Lie lie;
  Rewritten(bool grows, bool gone, bool path_of_another = false) {
    const Hash value = world.log.value(world.alice.latest());
    Sighting before = world.log.sight(alice_addr, 3, value);
    world.log.seal(now_s);
    Sighting after = world.log.sight(alice_addr, 3, value);
    if (gone) after = testing::make_liar({}).sight(alice_addr, 3, std::nullopt);
    if (path_of_another) after.value.reset();
    if (!grows) std::swap(before, after);
    lie = {testing::home, Rewrite{world.log.label(alice_addr, 3), before, after}};
  }
};

bool shrinking_rewrite_refused() {
  World world;
  Entry evil = world.alice.entries[0];
  evil.at += 1;
  const Prover liar = testing::make_liar({{world.log.label(alice_addr, 1), world.log.value(evil)}});
  const Lie lie{testing::home,
                Rewrite{world.log.label(alice_addr, 1),
                        world.log.sight(alice_addr, 1, world.log.value(world.alice.entries[0])),
                        liar.sight(alice_addr, 1, world.log.value(evil))}};
  return !convicts(lie, world.log.identity());  // one size: a fork, and no rewrite
}

/// What the op key says of an address, against a proof.
Result<> judged_contradiction(const World& world, keys::Binding binding, const Proof& proof) {
  const keys::KeyPair root = testing::make_key("root"), op = testing::make_key("op");
  keys::DomainRecord record;
  record.domain = testing::home;
  record.root = root.record.id();
  record.op = op.record.id();
  const auto value = *keys::make_domain_record(record, root.signing);
  const keys::Chain chain = *keys::verify_chain(keys::chain_value(value, root.record, op.record),
                                                testing::home, root.record.id());
  binding.dkid = op.record.id().kid;
  const Lie lie{testing::home,
                Contradiction{*keys::make_binding(binding, op.signing), to_value(proof)}};
  return verify_lie(lie, world.log.identity(), &chain);
}

bool contradiction_refused(std::int64_t version, bool same_key) {
  World world;
  keys::Binding binding;
  binding.addr = alice_addr;
  binding.key = same_key ? world.alice.latest().key : testing::make_key("mallory").record.id();
  binding.version = version;
  return !judged_contradiction(world, binding, world.log.prove(world.alice.latest()));
}

Result<> judged_unbound() {
  World world;
  keys::Binding binding;
  binding.addr = "nobody@home.example";
  return judged_contradiction(world, binding, world.log.prove_none(binding.addr));
}

bool denial_refused(bool endorsed, bool other_key, bool other_version) {
  World world;
  world.alice.rotate(world.log, endorsed);
  world.log.seal(now_s);
  const Entry& entry = world.alice.entries[other_version ? 2 : 3];
  const Denial denial{
      to_value(world.log.history(std::span(world.alice.entries).last(2), false, 0)),
      world.alice.pairs[2].record.value(),
      *make_denial(entry, world.log.value(entry), world.alice.pairs[other_key ? 3 : 2].signing)};
  return !convicts({testing::home, denial}, world.log.identity());
}

Result<> judged_denial(const wire::Value& deny, std::size_t versions) {
  World world;
  const Denial denial{
      to_value(world.log.history(std::span(world.alice.entries).last(versions), false, 0)),
      world.alice.pairs[1].record.value(), deny};
  return verify_lie({testing::home, denial}, world.log.identity(), nullptr);
}

bool other_domains_lie_refused() {
  World world;
  Prover other = testing::make_log();
  other.seal(now_s);
  const std::string notes = *verifiable::make_equivocation(
      world.log.checkpoint(), other.checkpoint(), world.log.identity().log);
  return !convicts({"away.example", Fork{notes}}, world.log.identity());
}

// --- server and witness ---

bool add_refused(std::int64_t version, std::optional<Hash> prev) {
  World world;
  Entry entry = world.alice.latest();
  entry.version = version;
  entry.prev = prev ? prev : world.log.value(world.alice.latest());
  return !world.log.add(entry);
}

bool witness_refuses(const std::function<Result<>(Witness&, World&)>& act) {
  World world;
  Witness witness(world.log.identity().log);
  return !act(witness, world);
}

Bytes epoch_of(const verifiable::Map& map, std::uint64_t time_s) {
  return encode(verifiable::Epoch{map.root(), map.size(), time_s});
}

Result<> feed_replacement(Witness& witness, World&) {
  const std::vector<Leaf> first{{{1}, {1}}}, second{{{1}, {2}}};
  const Instant now = from_unix_ms(now_ms);
  AMS_CHECK(witness.feed(epoch_of(verifiable::Map::of(first), now_s), first, now));
  return witness.feed(epoch_of(verifiable::Map::of(second), now_s), second, now);
}

/// Whether alice's proof is cosigned after another epoch, or another version of hers, was added.
bool proof_cosigned(bool rotated) {
  World world;
  auto note = *verifiable::parse_note(world.log.checkpoint());
  note.signatures.push_back(*verifiable::cosign(
      note.text, "w.example", crypto::SigningKey::ed25519_from_seed(Bytes(32, 7)), now_s));
  AMS_ASSERT(world.log.cosigned(verifiable::format(note)).has_value());
  if (rotated) world.alice.rotate(world.log);
  world.log.seal(now_s);
  const Proof proof = world.log.prove(world.alice.latest());
  return verify_proof(to_value(proof), alice_addr, world.log.identity()).has_value() &&
         (rotated || verifiable::parse_note(proof.head.checkpoint)->signatures.size() == 2);
}

template <class T>
bool has_code(const Result<T>& result, Code code) {
  return !result && result.error().code == code;
}

std::vector<Probe> code_probes() {
  const wire::Value none = wire::Object{};
  return {
      {"bindlog.wrong_code_entry", [none] { return has_code(parse_entry(none), Code::schema); }},
      {"bindlog.wrong_code_proof", [none] { return has_code(parse_proof(none), Code::schema); }},
      {"bindlog.wrong_code_history",
       [none] { return has_code(parse_history(none), Code::schema); }},
      {"bindlog.wrong_code_lie", [none] { return has_code(parse_lie(none), Code::schema); }},
      {"bindlog.wrong_code_head",
       [] {
         World world;
         Head head = world.log.prove(world.alice.latest()).head;
         head.epoch[0] ^= 1;
         return has_code(open_head(head, world.log.identity()), Code::proof_form);
       }},
      {"bindlog.wrong_code_deny",
       [none] { return has_code(judged_denial(none, 2), Code::schema); }},
      {"bindlog.wrong_code_denial",
       [none] { return has_code(judged_denial(none, 1), Code::proof_form); }},
      {"bindlog.wrong_code_unbound", [] { return has_code(judged_unbound(), Code::no_lie); }},
      {"bindlog.skip_fork",
       [] {
         World world;
         return !convicts({testing::home, Fork{world.log.checkpoint()}}, world.log.identity());
       }},
  };
}

std::vector<Probe> entry_probes() {
  return {
      {"bindlog.accept_target_order",
       [] {
         return refuses_entry([](Entry& e) {
           e.type = Type::group;
           e.to = {"b@home.example", "a@home.example"};
         });
       }},
      {"bindlog.accept_type_mix",
       [] { return refuses_entry([](Entry& e) { e.to = {"a@home.example"}; }); }},
      {"bindlog.accept_prev_mix", [] { return refuses_entry([](Entry& e) { e.prev = Hash{}; }); }},
      {"bindlog.skip_endorsed_prev",
       [] {
         return refuses_endorsement([](Entry& e, World& w) {
           e.prev = Hash{1};
           e = *endorse(e, w.alice.pairs[0].signing);
         });
       }},
      {"bindlog.skip_endorser", other_endorser_refused},
      {"bindlog.accept_unendorsed",
       [] { return refuses_endorsement([](Entry& e, World&) { e.sig.reset(); }); }},
      {"bindlog.skip_endorser_life",
       [] {
         return refuses_endorsement([](Entry& e, World& w) {
           e.at = 1;
           e = *endorse(e, w.alice.pairs[0].signing);
         });
       }},
      {"bindlog.skip_endorsement_signature",
       [] { return refuses_endorsement([](Entry& e, World&) { e.at += 1; }); }},
  };
}

std::vector<Probe> proof_probes() {
  const auto broken = [](const char* name, std::function<void(Proof&)> how) {
    return Probe{name, [how = std::move(how)] { return World().refuses(how); }};
  };
  return {
      broken("bindlog.skip_vrf", [](Proof& p) { p.here.vrf[80] ^= 1; }),
      broken("bindlog.skip_steps", [](Proof& p) { p.steps[0].value[0] ^= 1; }),
      broken("bindlog.skip_here", [](Proof& p) { p.r[0] ^= 1; }),
      broken("bindlog.skip_next", [](Proof& p) { p.next = p.here; }),
      broken("bindlog.skip_step_count", [](Proof& p) { p.steps.clear(); }),
      broken("bindlog.skip_inclusion", [](Proof& p) { p.head.inclusion.resize(32); }),
      {"bindlog.accept_older_epoch", older_epoch_refused},
      {"bindlog.skip_addr",
       [] {
         return World().refuses([](Proof& p) { p.addr = "eve@home.example"; }, alice_addr) &&
                World().refuses([](Proof&) {}, "eve@home.example");
       }},
      {"bindlog.skip_domain",
       [] {
         World world;
         Owner bob("bob@away.example");
         bob.rotate(world.log);
         world.log.seal(now_s);
         return !verify_proof(to_value(world.log.prove(bob.latest())), bob.addr,
                              world.log.identity());
       }},
      {"bindlog.accept_future",
       [] {
         return !holds_at({{}, 0, now_s}, now_ms - 300'001);
       }},
      {"bindlog.accept_stale",
       [] {
         return !holds_at({{}, 0, now_s}, now_ms + 86'400'001);
       }},
  };
}

std::vector<Probe> history_probes() {
  const auto broken = [](const char* name, std::function<void(History&)> how) {
    return Probe{name, [how = std::move(how)] { return World().refuses_history(how); }};
  };
  return {
      broken("bindlog.skip_gap_count", [](History& h) { h.above.pop_back(); }),
      broken("bindlog.skip_gaps", [](History& h) { std::swap(h.above[0], h.above[1]); }),
      broken("bindlog.skip_consistency", [](History& h) { h.consistency.resize(32); }),
      broken("bindlog.skip_history_items", [](History& h) { h.items.back().r[0] ^= 1; }),
      {"bindlog.skip_history_order", skipped_version_refused},
      {"bindlog.skip_history_prev", other_prev_refused},
      {"bindlog.skip_history_start", late_start_refused},
      {"bindlog.skip_seen_value",
       [] {
         World world;
         const OpenedHead head = verify_proof(to_value(world.log.prove(world.alice.latest())),
                                              alice_addr, world.log.identity())
                                     ->head;
         return world.refuses_history([](History&) {}, {head.size, head.log_root, 1, Hash{9}});
       }},
  };
}

std::vector<Probe> lie_probes() {
  return {
      {"bindlog.skip_lie_domain", other_domains_lie_refused},
      {"bindlog.skip_sighting",
       [] {
         const Rewritten r(true, false, true);
         return !convicts(r.lie, r.world.log.identity());
       }},
      {"bindlog.accept_rewrite_order", shrinking_rewrite_refused},
      {"bindlog.accept_equal_sightings",
       [] {
         const Rewritten r(true, false);
         return !convicts(r.lie, r.world.log.identity());
       }},
      {"bindlog.accept_other_version", [] { return contradiction_refused(2, false); }},
      {"bindlog.accept_same_key", [] { return contradiction_refused(3, true); }},
      {"bindlog.deny_endorsed", [] { return denial_refused(true, false, false); }},
      {"bindlog.skip_denial_signature", [] { return denial_refused(false, true, false); }},
      {"bindlog.accept_other_denial", [] { return denial_refused(false, false, true); }},
  };
}

std::vector<Probe> writer_probes() {
  return {
      {"bindlog.replace_version", [] { return add_refused(1, Hash{}); }},
      {"bindlog.append_gap", [] { return add_refused(5, std::nullopt); }},
      {"bindlog.append_any_prev", [] { return add_refused(4, Hash{9}); }},
      {"bindlog.prove_uncosigned", [] { return proof_cosigned(false); }},
      {"bindlog.prove_older_than_entry", [] { return proof_cosigned(true); }},
      {"bindlog.witness_replacement", [] { return witness_refuses(feed_replacement); }},
      {"bindlog.witness_any_root",
       [] {
         return witness_refuses([](Witness& w, World&) {
           return w.feed(epoch_of(verifiable::Map::of({{{1}, {1}}}), now_s), {},
                         from_unix_ms(now_ms));
         });
       }},
      {"bindlog.witness_any_time",
       [] {
         return witness_refuses([](Witness& w, World&) {
           return w.feed(epoch_of({}, now_s + 301), {}, from_unix_ms(now_ms));
         });
       }},
      {"bindlog.witness_any_checkpoint",
       [] {
         return witness_refuses([](Witness& w, World& world) -> Result<> {
           AMS_TRY(const auto opened,
                   verifiable::open_checkpoint(world.log.checkpoint(), world.log.identity().log));
           return w.judge(opened.checkpoint);
         });
       }},
  };
}

}  // namespace
}  // namespace ams::bindlog

int main() {
  using namespace ams::bindlog;
  std::vector<ams::mutants::Probe> all;
  for (auto& some : {code_probes(), entry_probes(), proof_probes(), history_probes(), lie_probes(),
                     writer_probes()})
    all.insert(all.end(), some.begin(), some.end());
  return ams::mutants::run(all);
}
