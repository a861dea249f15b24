// Goal: a full peer cosigns a domain's binding log only as far as that only added, keeps what it
// needs for it over a restart, and convicts a domain that shows two logs. Method: a Prover that
// shows its epochs to a peer over a std::map store; liars sign what the rules do not let them.
#include "directory/bindlog_witness.h"

#include <gtest/gtest.h>

#include "bindlog/lie.h"
#include "directory/bindlog_test.h"

namespace ams::directory {
namespace {

using namespace testing;

Code code(const Result<wire::Value>& answer) { return answer ? Code::bom : answer.error().code; }
std::int64_t size_in(const Result<wire::Value>& answer) {
  return answer ? answer->find("size")->as_integer() : -1;
}

TEST(BindlogWitness, cosigns_a_log_as_it_grows) {
  WitnessHost host;
  const auto first = host.show(0, 1);
  ASSERT_TRUE(first) << code_info(code(first)).name;
  EXPECT_TRUE(host.cosigned(*first, 1));
  const auto second = host.show(1, 2);
  EXPECT_EQ(size_in(second), 2);
  EXPECT_TRUE(host.cosigned(*second, 2));
  const auto again = host.show(2, 2);  // the answer was lost
  EXPECT_TRUE(host.cosigned(*again, 2));
  EXPECT_EQ(host.peer.peer.stats().witnessed, 3u);
}

TEST(BindlogWitness, says_where_it_is_to_who_starts_elsewhere) {
  WitnessHost host;
  EXPECT_EQ(size_in(host.show(2, 2)), 0);
  EXPECT_EQ(size_in(host.show(1, 2)), 0);
  ASSERT_TRUE(host.show(0, 2));
  const auto behind = host.show(0, 1);
  EXPECT_EQ(size_in(behind), 2);
  EXPECT_EQ(behind->find("cosignature"), nullptr);
}

TEST(BindlogWitness, goes_on_after_a_restart) {
  WitnessHost host;
  ASSERT_TRUE(host.show(0, 2));
  host.home.grow();
  host.peer.restart();
  const auto next = host.show(2, 3);
  ASSERT_TRUE(next) << code_info(code(next)).name;
  EXPECT_TRUE(host.cosigned(*next, 3));
  EXPECT_EQ(host.peer.store.count(table_bindlog_leaf), 4u);
}

TEST(BindlogWitness, keeps_nothing_of_what_was_not_durable) {
  WitnessHost host;
  ASSERT_TRUE(host.peer.peer.bindlog(host.home.args(0, 2), host.home.record(), host.now));
  host.peer.peer.handle_write_failure();
  EXPECT_EQ(size_in(host.show(2, 2)), 0);
  EXPECT_TRUE(host.show(0, 2));
}

TEST(BindlogWitness, refuses_what_does_not_only_add) {
  WitnessHost host;
  ASSERT_TRUE(host.show(0, 2));
  // A third epoch in which a version of the first is another one.
  bindlog::Leaf changed = host.home.epochs[0].added[0];
  changed.value = Hash{7};
  host.home.grow(0);
  host.home.epochs[2].added = {changed};
  EXPECT_EQ(code(host.show(2, 3)), Code::log_rewritten);
  host.home.epochs[2].added.clear();
  EXPECT_TRUE(host.show(2, 3));  // the refusal changed nothing
}

TEST(BindlogWitness, refuses_epochs_that_the_checkpoint_does_not_sign) {
  WitnessHost host;
  wire::Value args = host.home.args(0, 1);
  args.as_object()["checkpoint"] = host.home.log.checkpoint_at(2);
  EXPECT_EQ(code(host.show(args)), Code::proof);
  const ShownLog other = fork_of(host);
  args.as_object()["checkpoint"] = other.log.checkpoint_at(1);
  EXPECT_EQ(code(host.show(args)), Code::proof);
  args.as_object()["checkpoint"] = ShownLog("other.example").log.checkpoint();
  EXPECT_EQ(code(host.show(args)), Code::proof_form);
  EXPECT_EQ(size_in(host.show(2, 2)), 0);
}

TEST(BindlogWitness, refuses_times_that_are_not_of_now) {
  WitnessHost host;
  host.home.grow(1, bt::now_s + 301);
  EXPECT_EQ(code(host.show(0, 3)), Code::binding_stale);
  host.now = from_unix_ms(bt::now_ms + 60'000);
  EXPECT_TRUE(host.show(0, 3));
}

TEST(BindlogWitness, convicts_who_shows_two_logs) {
  WitnessHost host;
  ASSERT_TRUE(host.show(0, 2));
  EXPECT_EQ(host.peer.peer.domain_log(host.home.domain)->count("lie"), 0u);
  const ShownLog fork = fork_of(host);
  EXPECT_EQ(code(host.show(fork.args(0, 2))), Code::log_rewritten);
  host.peer.restart();
  EXPECT_EQ(code(host.show(2, 2)), Code::log_rewritten);  // the honest face, too
  const auto known = host.peer.peer.domain_log(host.home.domain);
  ASSERT_TRUE(known && known->count("lie") == 1);
  const auto lie = bindlog::parse_lie(known->at("lie"));
  ASSERT_TRUE(lie);
  EXPECT_EQ(bindlog::kind_of(*lie), "fork");
  EXPECT_TRUE(bindlog::verify_lie(*lie, host.home.log.identity(), nullptr));
}

TEST(BindlogWitness, shows_the_newest_checkpoint_with_its_own_cosignature) {
  WitnessHost host;
  EXPECT_TRUE(host.peer.peer.domain_log(host.home.domain)->empty());
  ASSERT_TRUE(host.show(0, 2));
  host.peer.restart();
  const auto known = host.peer.peer.domain_log(host.home.domain);
  const auto witness =
      log_key("p.example", host.peer.op.record.signing(), verifiable::NoteKeyType::cosignature_v1);
  const std::vector<verifiable::NoteKey> witnesses{*witness};
  const auto opened = verifiable::open_checkpoint(known->at("checkpoint").as_string(),
                                                  host.home.log.identity().log, {witnesses, 1});
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->checkpoint.size, 2u);
}

TEST(BindlogWitness, takes_one_log_of_a_domain_for_ever) {
  WitnessHost host;
  ASSERT_TRUE(host.show(0, 2));
  const ShownLog other("other.example");  // its keys in the record of the same domain
  keys::DomainRecord record = other.record();
  record.domain = host.home.domain;
  EXPECT_EQ(code(host.peer.take(host.peer.peer.bindlog(host.home.args(2, 2), record, host.now))),
            Code::log_replaced);
  record.log.reset();
  EXPECT_EQ(code(host.peer.take(host.peer.peer.bindlog(host.home.args(2, 2), record, host.now))),
            Code::not_found);
}

TEST(BindlogWitness, a_light_peer_witnesses_nothing) {
  WitnessHost host;
  Node light("l.example", false, {"p.example"});
  EXPECT_EQ(
      code(light.take(light.peer.bindlog(host.home.args(0, 2), host.home.record(), host.now))),
      Code::not_found);
}

TEST(BindlogWitness, limits_a_request) {
  WitnessHost host;
  for (std::size_t i = host.home.epochs.size(); i < shown_epochs_max; ++i) host.home.grow(0);
  EXPECT_TRUE(host.show(0, shown_epochs_max));
  WitnessHost other;
  for (std::size_t i = other.home.epochs.size(); i <= shown_epochs_max; ++i) other.home.grow(0);
  EXPECT_EQ(code(other.show(0, shown_epochs_max + 1)), Code::batch_too_large);
  wire::Value args = host.home.args(0, 1);
  wire::Value& added = args.as_object()["epochs"].as_array()[0].as_object()["added"];
  added = to_base64url(Bytes(48 * (shown_added_max + 1), 1));
  EXPECT_EQ(code(host.show(args)), Code::batch_too_large);
  added = to_base64url(Bytes(49, 1));
  EXPECT_EQ(code(host.show(args)), Code::proof_form);
  added = to_base64url(Bytes(96, 1));  // the same label twice
  EXPECT_EQ(code(host.show(args)), Code::proof_form);
}

TEST(BindlogWitness, a_domain_has_a_budget) {
  MapStore store;
  const keys::KeyPair op = make_key(1);
  BindlogWitness witness("p.example", &op.signing, store, {.per_day = 5, .versions_max = 4});
  ShownLog home;
  for (int i = 0; i < 6; ++i) home.grow();
  const Instant now = from_unix_ms(bt::now_ms);
  const auto show = [&](std::uint64_t from, std::uint64_t to, Instant at) -> Code {
    storage::WriteBatch writes;
    const auto shown = witness.show(home.args(from, to), home.record(), at, writes);
    store.apply(writes);
    return shown ? Code::bom : shown.error().code;
  };
  EXPECT_EQ(show(0, 3, now), Code::witness_budget);  // 3 epochs and 3 versions
  EXPECT_EQ(show(0, 2, now), Code::bom);
  EXPECT_EQ(show(2, 3, now), Code::witness_budget);
  const Instant tomorrow = now + std::chrono::hours{24};
  EXPECT_EQ(show(2, 4, tomorrow), Code::bom);
  EXPECT_EQ(show(4, 5, tomorrow + std::chrono::hours{24}), Code::witness_budget);  // versions_max
}

TEST(BindlogWitness, has_room_for_so_many_domains) {
  MapStore store;
  const keys::KeyPair op = make_key(1);
  BindlogWitness witness("p.example", &op.signing, store, {.logs_max = 2, .loaded_max = 1});
  for (const char* name : {"a.example", "b.example", "c.example", "a.example"}) {
    ShownLog home(name);
    home.grow();
    storage::WriteBatch writes;
    const auto shown =
        witness.show(home.args(0, 1), home.record(), from_unix_ms(bt::now_ms), writes);
    store.apply(writes);
    if (std::string_view(name) == "c.example") {
      EXPECT_EQ(shown.error().code, Code::witness_budget);
    } else {
      EXPECT_TRUE(shown) << name;
    }
  }
}

}  // namespace
}  // namespace ams::directory
