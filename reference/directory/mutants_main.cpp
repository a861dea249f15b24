// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe that tells whether the rule holds. Exit code: 0 all do, 1 otherwise.
#include "directory/bindlog_probes_test.h"
#include "directory/card_test.h"
#include "directory/compare_test.h"
#include "directory/cosigners_test.h"
#include "directory/evidence.h"
#include "directory/exchange_test.h"
#include "directory/grants_test.h"
#include "directory/light.h"
#include "directory/mesh_test.h"
#include "directory/peers_test.h"
#include "directory/relay_test.h"
#include "policy/probe.h"

namespace ams::directory {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::seconds;

const std::vector<std::string> two{"a.example", "b.example"};

wire::Value forged(const keys::KeyPair& pair) {
  wire::Value out = pair.record.value();
  out.as_object()["sig"] = to_base64url(Bytes(64, 1));
  return out;
}

wire::Value kid_args(const keys::KeyPair& pair) {
  return wire::Object{{"kid", to_uuid_text(pair.record.id().kid)}};
}

Code refusal(const Result<wire::Value>& outcome) {
  return outcome ? Code::bom : outcome.error().code;
}

struct Pair {
  Node a{two[0], true, two}, b{two[1], true, two};
  Net net{{two[0], &a}, {two[1], &b}};
  keys::KeyPair key = make_key(1);
  std::string publish(const wire::Value& object) {
    const auto answer = a.publish(objects_args({object}), "c.example");
    return answer ? code_of(*answer, 0) : "failed";
  }
  /// a shows its newest checkpoint to b.
  Result<wire::Value> show(Node& liar, wire::Object args = {}) {
    args.emplace("checkpoint", *liar.peer.head()->find("checkpoint"));
    return b.take(b.peer.gossip(wire::Value(args), two[0], &liar.op.record.signing(), Instant{}));
  }
};

// --- publication --------------------------------------------------------------------------------
bool verifies_at_publication() {
  Pair host;
  return host.publish(forged(host.key)) == "signature";
}

/// Nobody can make two keys of one kid; so the second row is laid into storage by hand.
bool quarantines_two_of_one_kid() {
  Pair host;
  const keys::KeyPair other = make_key(2);
  if (host.publish(host.key.record.value()) != "ok") return false;
  Bytes row = to_bytes(ByteView(host.key.record.id().kid));
  append(row, other.record.id().fp);
  storage::WriteBatch batch;
  batch.puts.push_back({table_records, row, wire::encode(other.record.value())});
  host.a.store.apply(batch);
  host.a.restart();
  return refusal(host.a.peer.get(kid_args(host.key))) == Code::kid_quarantined;
}

bool head_follows_the_set() {
  Pair host;
  const auto before = host.a.peer.head();
  host.publish(host.key.record.value());
  const auto after = host.a.peer.head();
  return before && after && *before->find("root") != *after->find("root");
}

bool refuses_a_batch_of_65() {
  Pair host;
  const wire::Array many(publish_max + 1, host.key.record.value());
  return refusal(host.a.publish(objects_args(many), "c.example")) == Code::batch_too_large;
}

bool refuses_large_objects() {
  Pair host;
  wire::Value large = host.key.record.value();
  large.as_object()["zz"] = std::string(5'000, 'a');
  return host.publish(large) == "object_too_large";
}

bool keeps_to_the_quota() {
  MapStore store;
  Peer peer({.domain = "a.example", .full = true, .peers = {}, .quota = 1}, nullptr, store,
            Instant{});
  const auto one = make_key(1), other = make_key(2);
  const auto answer = peer.publish(publish_args({&one, &other}), "c.example", Instant{});
  return answer && code_of(answer->answer, 1) == "publisher";
}

bool keeps_to_the_rate() {
  MapStore store;
  Peer peer({.domain = "a.example", .full = true, .peers = {}, .requests_per_s = 1}, nullptr, store,
            Instant{});
  for (int i = 0; i < 5; ++i) (void)peer.admit("c.example", Instant{});
  return !peer.admit("c.example", Instant{});
}

bool answers_with_all_that_is_held() {
  Pair host;
  host.publish(host.key.record.value());
  host.publish(*keys::make_revocation(host.key));
  const auto got = host.a.peer.get(kid_args(host.key));
  return got && got->find("revocation") != nullptr;
}

// --- reading ------------------------------------------------------------------------------------
bool refuses_other_digits() {
  Pair host;
  return refusal(host.a.peer.range(wire::Object{{"prefix", "xy"}})) == Code::schema;
}

bool entries_are_whole() {
  Pair host;
  host.publish(host.key.record.value());
  host.publish(*keys::make_revocation(host.key));
  const wire::Array kids{wire::Value(to_uuid_text(host.key.record.id().kid))};
  const auto got = host.a.peer.entries(wire::Object{{"kids", kids}});
  return got && got->find("entries")->as_array()[0].as_array().size() == 2;
}

bool refuses_65_kids() {
  Pair host;
  const wire::Array kids(entries_max + 1, wire::Value(to_uuid_text(Id16{})));
  return refusal(host.a.peer.entries(wire::Object{{"kids", kids}})) == Code::batch_too_large;
}

bool refuses_1025_ranges() {
  Pair host;
  const wire::Array prefixes(ranges_max + 1, wire::Value(""));
  const std::string children = to_base64url(Bytes(128 * prefixes.size()));
  return refusal(host.a.peer.reconcile(wire::Object{
             {"children", children}, {"prefixes", prefixes}})) == Code::batch_too_large;
}

// --- other peers' answers -----------------------------------------------------------------------
/// A peer that is asked for an entry answers with another's.
bool verifies_what_peers_answer() {
  Node light("l.example", false, {"a.example"});
  light.peer.fetch(7, make_key(1).record.id().kid, Instant{});
  const wire::Value other = wire::Object{{"record", make_key(2).record.value()}};
  light.peer.handle_reply(light.peer.poll_ask()->cookie, other, nullptr, Instant{});
  const auto fetched = light.peer.poll_fetched();
  return fetched && !fetched->outcome;
}

bool joins_what_peers_answer() {
  Node light("l.example", false, two);
  const auto key = make_key(1);
  light.peer.fetch(1, key.record.id().kid, Instant{});
  const wire::Value old = wire::Object{{"record", key.record.value()}};
  wire::Value revoked = old;
  revoked.as_object()["revocation"] = *keys::make_revocation(key);
  for (const wire::Value& answer : {old, revoked})
    light.peer.handle_reply(light.peer.poll_ask()->cookie, answer, nullptr, Instant{});
  return !light.peer.usable(key.record.id());
}

bool asks_again_after_a_day() {
  Node light("l.example", false, {"a.example"});
  const auto key = make_key(1);
  light.peer.fetch(1, key.record.id().kid, Instant{});
  light.peer.handle_reply(light.peer.poll_ask()->cookie,
                          wire::Value(wire::Object{{"record", key.record.value()}}), nullptr,
                          Instant{});
  light.drain();
  return light.peer.stale(key.record.id().kid, Instant{} + hours{24});
}

bool what_was_erased_stays_erased() {
  Pair host;
  keys::Card card, empty;
  card.name = "Alice A.";
  empty.cseq = 2;
  const wire::Value record = host.key.record.value();
  const wire::Value named = *keys::make_card(host.key, card);
  const wire::Value erasure = *keys::make_card(host.key, empty);
  (void)host.a.publish(objects_args({record, named, erasure}), "c.example");
  (void)host.b.publish(objects_args({record, named}), "c.example");
  while (host.a.peer.poll_ask() || host.b.peer.poll_ask()) {
  }
  host.a.tick(Instant{} + reconcile_interval);
  settle(host.net);
  return !host.a.store.mentions("Alice A.") && !host.b.store.mentions("Alice A.");
}

// --- the log ------------------------------------------------------------------------------------
bool signs_after_durable() {
  Pair host;
  host.a.peer.handle_timeout(Instant{} + seconds{1});
  return host.a.peer.poll_write() && host.a.peer.head()->find("checkpoint") == nullptr;
}

/// A look-up of a published key at a, by one who trusts a's log.
Code look_up(const std::function<void(wire::Value& got, wire::Value& proof)>& change,
             Duration later = seconds{1}) {
  Pair host;
  host.publish(host.key.record.value());
  host.a.tick(Instant{} + seconds{1});
  wire::Value got = *host.a.peer.get(kid_args(host.key));
  wire::Value proof = *host.a.peer.proof(kid_args(host.key));
  change(got, proof);
  const auto log = *log_key(two[0], host.a.op.record.signing(), verifiable::NoteKeyType::ed25519);
  const auto looked =
      verify_lookup(host.key.record.id().kid, &got, proof, {&log, {}, Instant{} + later});
  return looked ? Code::bom : looked.error().code;
}

bool looks_at_the_map_path() {
  return look_up([](wire::Value&, wire::Value& proof) {
           proof.as_object()["value"] = to_base64url(Hash{});
         }) == Code::proof;
}
bool looks_at_the_epochs_place() {
  return look_up([](wire::Value&, wire::Value& proof) {
           proof.as_object()["inclusion"] = to_base64url(Hash{});
         }) == Code::proof;
}
bool looks_at_the_checkpoints_age() {
  return look_up([](wire::Value&, wire::Value&) {}, hours{25}) == Code::checkpoint_stale;
}

bool audits() {
  Pair host;
  host.publish(host.key.record.value());
  host.a.tick(Instant{} + seconds{1});
  wire::Value answer = *host.a.peer.history(wire::Object{{"from", 0}});
  answer.as_object()["epochs"].as_array()[0].as_object()["changes"] = "";
  const auto taken = Auditor().take(answer);
  return !taken && taken.error().code == Code::proof;
}

// --- witnesses ----------------------------------------------------------------------------------
bool demands_consistency() {
  Pair host;
  host.a.tick(Instant{} + seconds{1});
  if (!host.show(host.a)) return false;
  host.publish(host.key.record.value());
  host.a.tick(Instant{} + seconds{61});
  const wire::Object args{{"first", 1}, {"proof", to_base64url(Hash{})}};
  return refusal(host.show(host.a, args)) == Code::proof;
}

bool evicts_who_has_two_faces() {
  Pair host;
  Node face(two[0], true, two);
  host.publish(host.key.record.value());
  host.a.tick(Instant{} + seconds{1});
  face.tick(Instant{} + seconds{1});
  (void)host.show(host.a);
  (void)host.show(face);
  return refusal(host.show(host.a)) == Code::peer_evicted;
}

bool believes_no_accusation() {
  Pair host;
  host.a.tick(Instant{} + seconds{1});
  (void)host.show(host.a);
  Node c("c.example", true, two);
  host.b.options.peers = {two[0], "c.example"};
  host.b.restart();
  const wire::Value args =
      wire::Object{{"proofs", wire::Array{wire::Object{{"domain", two[0]}, {"evidence", "x"}}}}};
  (void)host.b.take(host.b.peer.gossip(args, "c.example", &c.op.record.signing(), Instant{}));
  return host.b.peer.stats().peers_evicted == 0;
}

// --- evidence -----------------------------------------------------------------------------------
Code judged(const wire::Value& evidence, bool believe, std::size_t quorum) {
  const auto outcome =
      judge_evidence(evidence, {[&](std::string_view, const keys::KeyId& claimed) {
                                  return believe ? std::optional(claimed) : std::nullopt;
                                },
                                quorum, std::nullopt});
  return outcome ? Code::bom : outcome.error().code;
}

wire::Value absence(Pair& host) {
  host.a.tick(Instant{} + seconds{1});
  const wire::Value proof = *host.a.peer.proof(kid_args(host.key));
  return evidence_of({{two[0], chain_of(host.a)}, host.key.record.id().kid, {}, proof, {}});
}

bool believes_known_roots_alone() {
  Pair host;
  return judged(absence(host), false, 0) == Code::domain_record;
}

bool counts_witnesses() {
  Pair host;
  return judged(absence(host), true, 1) == Code::witnesses;
}

bool convicts_by_two_faces_alone() {
  Pair host;
  host.a.tick(Instant{} + seconds{1});
  const std::string note = host.a.peer.head()->find("checkpoint")->as_string();
  return judged(evidence_of({two[0], chain_of(host.a)}, note + "\n" + note), true, 0) ==
         Code::proof;
}

}  // namespace
}  // namespace ams::directory

int main() {
  using namespace ams::directory;
  return ams::mutants::run({
      {"directory.skip_verify", verifies_at_publication},
      {"directory.skip_quarantine", quarantines_two_of_one_kid},
      {"directory.stale_head", head_follows_the_set},
      {"directory.answer_record_alone", answers_with_all_that_is_held},
      {"directory.skip_batch_limit", refuses_a_batch_of_65},
      {"directory.skip_object_size", refuses_large_objects},
      {"directory.skip_quota", keeps_to_the_quota},
      {"directory.skip_rate", keeps_to_the_rate},
      {"directory.accept_prefix", refuses_other_digits},
      {"directory.stale_entries", entries_are_whole},
      {"directory.skip_entries_limit", refuses_65_kids},
      {"directory.skip_ranges_limit", refuses_1025_ranges},
      {"directory.skip_gossip_verify", verifies_what_peers_answer},
      {"directory.first_answer_wins", joins_what_peers_answer},
      {"directory.trust_stale", asks_again_after_a_day},
      {"directory.replace_on_pull", what_was_erased_stays_erased},
      {"directory.sign_before_durable", signs_after_durable},
      {"directory.skip_map_path", looks_at_the_map_path},
      {"directory.skip_inclusion", looks_at_the_epochs_place},
      {"directory.skip_checkpoint_age", looks_at_the_checkpoints_age},
      {"directory.skip_audit", audits},
      {"directory.skip_consistency", demands_consistency},
      {"directory.keep_equivocator", evicts_who_has_two_faces},
      {"directory.believe_accusation", believes_no_accusation},
      {"directory.evidence_any_root", believes_known_roots_alone},
      {"directory.evidence_no_quorum", counts_witnesses},
      {"directory.evidence_one_face", convicts_by_two_faces_alone},
      {"directory.same_order", peers_ask_in_orders_of_their_own},
      {"directory.push_on_to_all", what_a_peer_told_goes_on_to_eight},
      {"directory.ignore_answer_checkpoint", two_faces_in_answers_are_noticed},
      {"directory.consistency_without_checkpoint", a_failed_consistency_gives_a_proof},
      {"directory.round_ends_at_a_failure", a_comparison_goes_on_after_failures},
      {"directory.tell_first_only", checkpoints_are_told_by_turns},
      {"directory.bindlog_many_epochs", testing::limits_epochs_shown_at_once},
      {"directory.bindlog_many_versions", testing::limits_versions_shown_at_once},
      {"directory.bindlog_any_order", testing::demands_labels_in_order},
      {"directory.bindlog_two_faces", testing::convicts_two_faces},
      {"directory.wrong_code_bindlog", testing::witnesses_who_keeps_a_log},
      {"directory.bindlog_other_key", testing::knows_one_key_of_a_log},
      {"directory.bindlog_any_size", testing::compares_sizes},
      {"directory.bindlog_any_from", testing::says_from_where},
      {"directory.bindlog_no_budget", testing::keeps_a_budget_for_logs},
      {"directory.bindlog_no_cosignature", testing::gives_its_cosignature},
      {"directory.compare_nothing", both_faces_come_to_the_same_peers},
      {"directory.compare_silently", a_comparer_says_what_it_knows},
      {"directory.no_introduction", a_log_that_is_told_of_is_asked_who_it_is},
      {"directory.keep_doubts", what_a_log_could_not_explain_is_told},
      {"directory.no_rewrite", a_log_that_answers_convicts_itself},
      {"directory.no_pursuit", a_log_cast_out_is_asked_until_it_convicts_itself},
      {"verifiable.ask_at_power", a_log_cast_out_is_asked_until_it_convicts_itself},
      {"directory.no_pursuit", a_log_that_stays_small_convicts_itself},
      {"directory.forget_doubts", what_a_log_could_not_explain_is_durable},
      {"directory.cosign_debtors", a_log_that_owes_an_answer_is_not_cosigned},
      {"directory.relay_without_end", a_peer_passes_on_a_quota_a_day},
      {"directory.one_relay_budget", what_was_told_has_a_budget_of_its_own},
      {"directory.push_on_as_own", what_a_peer_told_goes_on_as_told},
      {"directory.fetch_without_end", a_comparison_fetches_what_a_day_allows},
      {"directory.grants_kept_back", testing::a_grant_goes_with_its_key},
      {"directory.grants_ignored", testing::a_grant_counts_against_who_granted},
      {"directory.grant_nothing", testing::a_domain_grants_its_users_keys},
      {"directory.grant_for_others", testing::a_light_peer_grants_nothing_else},
      {"directory.grant_unsigned", testing::a_forged_grant_is_refused},
      {"directory.grant_any_path", testing::a_key_that_was_not_granted_is_refused},
      {"directory.grant_any_op_key", testing::a_grant_by_another_key_counts_for_nothing},
      {"directory.grants_of_strangers", testing::an_unknown_domain_is_asked_who_it_is},
      {"directory.ask_without_end", testing::made_up_domains_are_asked_within_a_budget},
      {"directory.aside_without_end", testing::what_waits_is_bounded},
      {"directory.lend_without_end", testing::half_of_the_quota_is_lent},
      {"directory.work_keeps_grant", testing::who_pays_with_work_is_granted_here},
      {"directory.never_ask_for_grants", testing::a_comparison_takes_what_is_granted},
      {"directory.rounds_begin_anew", testing::rounds_share_what_is_granted},
      {"directory.grantor_for_ever", testing::a_domains_key_is_believed_for_a_day},
      {"directory.entries_ungranted", testing::entries_come_with_grants},
      {"directory.grant_leaf_untagged", testing::grants_have_one_form},
      {"directory.accept_large_grant", testing::grants_have_one_form},
      {"directory.grant_any_domain", testing::grants_have_one_form},
      {"directory.grant_any_count", testing::grants_have_one_form},
      {"directory.wrong_code_voucher", testing::grants_have_one_form},
      {"directory.voucher_any_size", testing::grants_have_one_form},
      {"directory.wrong_code_vouchers", testing::grants_and_vouchers_belong_together},
      {"directory.grants_without_end", testing::grants_and_vouchers_belong_together},
      {"directory.deaf_to_unproven", an_unproven_revocation_counts},
      {"directory.card_comes_back", a_dropped_card_does_not_come_back},
      {"directory.wait_for_cosigners", proofs_are_cosigned_however_busy},
      {"directory.seek_all", gives_up_seeking_after_some},
      {"directory.prove_unwitnessed", proves_under_the_epoch_that_was_cosigned},
      {"directory.prove_old_epoch", proves_under_no_old_epoch},
      {"directory.learn_without_end", sixteen_are_learned},
      {"directory.one_block_is_all", two_of_a_block_are_learned},
      {"directory.mapped_is_v6", a_mapped_address_is_of_its_block},
      {"directory.one_tells_all", eight_of_a_teller_wait},
      {"directory.no_turns", tellers_have_their_turns},
      {"directory.public_trials", nobody_knows_the_order_of_trials},
      {"directory.keep_the_dead", three_times_no_answer_end_a_place},
      {"directory.evicted_come_back", the_evicted_stay_away},
      {"directory.learn_anyone", who_shows_no_log_is_not_learned},
      {"directory.deaf_to_callers", a_caller_is_tried},
      {"directory.forget_learned", learned_peers_outlive_a_restart},
      {"directory.tell_nobody", sixteen_are_told_by_turns},
      {"directory.tell_same_peers", sixteen_are_told_by_turns},
      {"directory.tell_17_peers", sixteen_are_told_by_turns},
      {"directory.tell_silent_peers", the_silent_are_not_told},
      {"directory.tell_evicted_peers", the_evicted_are_not_told},
      {"directory.compare_with_anyone", a_named_peer_compares_too},
      {"directory.seen_fills_up", logs_of_former_peers_give_way},
      {"directory.ask_learned_first", named_peers_are_asked_first},
      {"directory.bear_denials", a_log_that_denies_its_history_is_evicted},
  });
}
