// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe that tells whether the rule holds; it must hold with all switches off,
// fail with the switch on, and the switch must have been asked. Exit code: 0 all do, 1 otherwise.
#include <functional>

#include "client/test_bench.h"
#include "client/test_bindings.h"
#include "client/test_traced.h"
#include "client/test_witnesses.h"
#include "policy/probe.h"

namespace ams::client::testing {
namespace {

using mutants::Probe;

bool keeps_private_keys() {
  Bench bench;
  bench.enrol();
  for (const crypto::Secret& secret : bench.client->private_bytes())
    if (holds(bench.server.received, as_bytes(to_base64url(secret.view())))) return false;
  return true;
}

/// True when nothing is sealed for the answer that `spoil` prepares.
bool refuses(const std::function<void(Bench&)>& spoil) {
  Bench bench;
  bench.enrol();
  spoil(bench);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  return bench.server.submissions.empty();
}

void answer_for_bob(Bench& bench, const wire::Value& binding, const keys::KeyRecord& key) {
  bench.server.lookups[bench.bob.addr] = wire::Object{{"binding", binding}, {"key", key.value()}};
}

void forge_binding(Bench& bench) {
  const keys::KeyRecord& carol = bench.carol.pair.record;
  answer_for_bob(bench, sign_binding(bench.home, bench.bob.addr, carol.id()), carol);
}

void swap_record(Bench& bench) {
  answer_for_bob(bench, bench.bob.binding, bench.carol.pair.record);
}

void forge_chain(Bench& bench) {
  const Domain fake = Domain::make(bench.away.name, bench.drbg);
  bench.server.chains[bench.away.name] = fake.chain;
  const Person bob = Person::make(fake, "bob", bench.drbg);
  answer_for_bob(bench, bob.binding, bob.pair.record);
}

bool sends_the_same_again() {
  Bench bench;
  bench.enrol();
  bench.server.cut_after = "mail.submit";
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  return bench.server.submissions.size() == 1;
}

bool keeps_drafts_over_a_crash() {
  Bench bench;
  bench.enrol();
  bench.reachable = false;
  bench.cut();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  bench.crash();
  bench.reachable = true;
  bench.run_for(10s);
  return bench.count<Submitted>() == 1;
}

bool tells_all_of_a_page() {
  Bench bench;
  bench.enrol();
  for (int i = 0; i < 3; ++i) bench.deliver(bench.bob, "letter");
  bench.tell_and_settle();
  return bench.count<Received>() == 3;
}

bool tells_what_is_durable() {
  Bench bench;
  bench.enrol();
  bench.deliver(bench.bob, "letter");
  bench.disk.faults().fail_next_commit = true;
  bench.tell_and_settle();
  return bench.count<Received>() == 0;
}

bool opens_what_came_before_a_rotation() {
  Bench bench;
  bench.enrol();
  const mail::Sealed before = bench.sealed_by(bench.bob, "letter");
  bench.client->rotate(std::nullopt, bench.now);
  bench.run_for(10s);
  bench.server.add_message(bench.server.as_message(before, 0, "mail"));
  bench.tell_and_settle();
  return bench.count<Received>() == 1;
}

bool sends_before_it_rotates() {
  Bench bench;
  bench.enrol();
  bench.server.silent_on = "mail.submit";
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  bench.client->rotate(std::nullopt, bench.now);
  bench.settle();
  return bench.server.bound_version == 1;
}

/// bob's address is bound to a shared key, in a domain that is isp.
void share_under_isp(Bench& bench) {
  const keys::KeyPairOptions corporate{.nbf = start_ms - 86'400'000,
                                       .exp = start_ms + 86'400'000,
                                       .custody = keys::Custody::corporate};
  const auto own = keys::make_modern(bench.drbg.bytes(80), corporate).value();
  const auto shared = keys::make_modern(bench.drbg.bytes(80), corporate).value();
  bench.server.lookups[bench.bob.addr] = wire::Object{
      {"binding", sign_binding(bench.away, bench.bob.addr, own.record.id(), 2, shared.record.id())},
      {"key", own.record.value()},
      {"enc", shared.record.value()}};
}

/// away.example was isp two hours ago, and says now that it has been corporate for days.
bool waits_out_a_flip() {
  Bench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(2h);
  share_under_isp(bench);  // which it is not any more
  const wire::Value& shared = *bench.server.lookups[bench.bob.addr].find("enc");
  const keys::KeyId id = keys::KeyRecord::parse(shared).value().id();
  constexpr std::int64_t day = 86'400'000;
  bench.away.seq = 2;
  bench.away.policy = {start_ms - 3 * day,
                       {keys::Policy::corporate, start_ms - day, {{"", id}}},
                       keys::PolicyTerms{}};
  bench.away.remake();
  bench.server.chains[bench.away.name] = bench.away.chain;
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10min);
  return bench.server.submissions.size() == 1;
}

bool sends_to_bob(const std::function<void(LogBench&)>& spoil) {
  LogBench bench;
  bench.enrol();
  spoil(bench);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  return !bench.server.submissions.empty();
}

bool unproven_is_refused() {
  return !sends_to_bob(
      [](LogBench& bench) { bench.server.lookups[bench.bob.addr].as_object().erase("proof"); });
}

bool contradiction_is_refused() {
  return !sends_to_bob([](LogBench& bench) { bench.lie_about_bob(); });
}

bool own_copy_is_read() {
  LogBench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.settle();
  bench.tell_and_settle();
  return bench.count<Received>() == 1;
}

/// What becomes of a letter to the first of `hops` forwards that lead in a ring.
Code led_refusal(int hops) {
  LogBench bench;
  bench.enrol();
  const auto at = [](int i) { return "f" + std::to_string(i) + "@away.example"; };
  for (int i = 0; i < hops; ++i) bench.lead(at(i), {at((i + 1) % hops)});
  bench.client->submit(bench.draft({at(0)}), bench.now);
  bench.run_for(10s);
  const auto* failed = bench.last<SubmitFailed>();
  return failed ? failed->why.code : Code{};
}

bool unendorsed_is_held() {
  LogBench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  bench.rebind_bob(make_pair(bench.drbg), false);
  bench.run_for(2h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  return bench.server.submissions.size() == 1;
}

bool rotation_is_endorsed() {
  LogBench bench;
  bench.enrol();
  bench.run_for(10s);
  bool endorsed = false;
  bench.server.hooks["keys.associate"] = [&](const wire::Value& args) -> FakeServer::Answer {
    endorsed = args.find("entry") != nullptr;
    return std::nullopt;
  };
  bench.client->rotate(std::nullopt, bench.now);
  bench.run_for(1min);
  return endorsed;
}

bool other_log_is_refused() {
  LogBench bench;
  bench.enrol();
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  bench.replace_away_log();
  bench.run_for(25h);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(10s);
  const auto* failed = bench.last<SubmitFailed>();
  return failed && failed->why.code == Code::log_replaced;
}

bool foreign_version_alarms() {
  LogBench bench;
  bench.enrol();
  bench.bind_alice(bench.carol.pair.record.id());
  bench.run_for(25h);
  return bench.alarms() > 0;
}

/// The server leads alice's mail to carol and signs it with a key of its own.
bool foreign_redirect_alarms() {
  LogBench bench;
  bench.enrol();
  bench.bind_first();
  bindlog::Entry entry = bench.mine.back();
  entry.prev = bench.home_log.value(entry);
  entry.version = 2;
  entry.type = bindlog::Type::forward;
  entry.to = {bench.carol.addr};
  entry = *bindlog::endorse(std::move(entry), bench.carol.pair.signing);
  if (!bench.home_log.add(entry)) return false;
  bench.home_log.seal(bench.now_s());
  bench.mine.push_back(std::move(entry));
  bench.run_for(25h);
  return bench.alarms() > 0;
}

bool witnesses_are_demanded() {
  WitnessedSender bench(1);
  return bench.looked_up() == Code::witnesses;
}

bool the_logs_domain_is_no_witness() {
  WitnessedSender bench(1);
  bench.cosign_bob(bench.away);
  return bench.looked_up() == Code::witnesses;
}

bool unwitnessed_letters_wait() {
  WitnessedSender bench(1);
  bench.stapled = *bench.server.lookups[bench.bob.addr].find("proof");
  bench.deliver(bench.bob, "early");
  bench.tell_and_settle();
  return bench.count<Received>() == 0;
}

bool forks_are_told() {
  WitnessedSender bench(0);
  bindlog::Prover forked = LogBench::make_log(bench.away);
  forked.seal(bench.now_s());
  bench.told = wire::Object{{"chain", bench.away.chain}, {"checkpoint", forked.checkpoint()}};
  bench.traced();
  return bench.alarms() > 0;
}

/// Of a version that was seen bob's domain shows another value later.
bool rewritten_version_is_refused() {
  LogSender bench;
  bench.enrol();
  if (bench.refused()) return false;
  bench.run_for(2h);
  bench.begin_away_log_anew();
  bench.server.submissions.clear();
  return bench.refused().has_value();
}

/// A directory peer has a revocation that its log has not yet.
bool unproven_revocation_counts() {
  TracedSender bench;
  bench.revoke_bob(false);
  return !bench.traced().found;
}

/// Who demands witnesses of logs does so of a directory peer's, too.
bool demands_cosigned_peers() {
  TracedSender bench(1);
  return has_step(bench.traced().steps, "peer one.example: objects, map path", false);
}

std::vector<Probe> probes() {
  return {
      {"client.skip_witnesses", witnesses_are_demanded},
      {"client.own_witness", the_logs_domain_is_no_witness},
      {"client.read_unwitnessed", unwitnessed_letters_wait},
      {"client.skip_fork", forks_are_told},
      {"client.skip_compare",
       [] {
         WitnessedSender bench(1);
         bindlog::Prover forked = LogBench::make_log(bench.away);
         forked.seal(bench.now_s());
         bench.told = wire::Object{{"checkpoint", forked.checkpoint()}};
         bench.looked_up();
         return bench.alarms() == 1;
       }},
      {"client.leak_private_key", keeps_private_keys},
      {"client.skip_binding_check", [] { return refuses(forge_binding); }},
      {"client.skip_record_check", [] { return refuses(swap_record); }},
      {"client.skip_chain_check", [] { return refuses(forge_chain); }},
      {"client.reseal_on_retry", sends_the_same_again},
      {"client.forget_outbox", keeps_drafts_over_a_crash},
      {"client.sync_skips_last", tells_all_of_a_page},
      {"client.report_before_durable", tells_what_is_durable},
      {"client.forget_former_keys", opens_what_came_before_a_rotation},
      {"client.seal_while_rotating", sends_before_it_rotates},
      {"client.skip_log_proof", unproven_is_refused},
      {"client.skip_staple", own_copy_is_read},
      {"client.skip_log_match", contradiction_is_refused},
      {"client.skip_endorsement", unendorsed_is_held},
      {"client.skip_redirect_loop", [] { return led_refusal(2) == Code::binding_loop; }},
      {"client.skip_redirect_depth", [] { return led_refusal(6) == Code::binding_depth; }},
      {"client.skip_own_endorsement", rotation_is_endorsed},
      {"client.accept_other_log", other_log_is_refused},
      {"client.skip_history", foreign_version_alarms},
      {"client.trust_every_version", foreign_version_alarms},
      {"client.trust_every_redirect", foreign_redirect_alarms},
      {"client.deaf_to_unproven", unproven_revocation_counts},
      {"client.peers_uncosigned", demands_cosigned_peers},
      {"client.skip_same_version", rewritten_version_is_refused},
      {"client.skip_policy", [] { return refuses(share_under_isp); }},
      {"client.skip_policy_notice", waits_out_a_flip},
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::client::testing

int main() { return ams::client::testing::run_probes(); }
