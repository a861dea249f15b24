// Goal: what a peer says can be proven or is caught: look-ups down to a witnessed checkpoint, its
// whole history replayed, two faces of one log shown by a proof that evicts it everywhere. Method:
// peers over a std::map store; a liar is a peer whose storage was exchanged behind its back.
#include <gtest/gtest.h>

#include "directory/light.h"
#include "directory/peers_test.h"
#include "verifiable/rewrite.h"

namespace ams::directory {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::seconds;

const std::vector<std::string> three{"a.example", "b.example", "c.example"};

struct World {
  Node a{three[0], true, three}, b{three[1], true, three}, c{three[2], true, three};
  Net net{{three[0], &a}, {three[1], &b}, {three[2], &c}};
  Instant now = from_unix_ms(1'900'000'000'000);
  World() {
    for (auto& [name, node] : net) node->restart();
  }
  verifiable::NoteKey log(const Node& node) const {
    return *log_key(node.name, node.op.record.signing(), verifiable::NoteKeyType::ed25519);
  }
  verifiable::NoteKey witness(const Node& node) const {
    return *log_key(node.name, node.op.record.signing(), verifiable::NoteKeyType::cosignature_v1);
  }
};

wire::Value kid_args(const keys::KeyPair& key) {
  return wire::Object{{"kid", to_uuid_text(key.record.id().kid)}};
}

TEST(History, a_look_up_is_verified_down_to_witnesses) {
  World w;
  const auto key = make_key(1), unknown = make_key(2);
  ASSERT_TRUE(
      w.a.publish(objects_args({key.record.value(), *keys::make_revocation(key)}), "x.example"));
  settle(w.net, {}, w.now);
  run_rounds(w.net, w.now, 6);
  const auto got = w.a.peer.get(kid_args(key));
  const auto proof = w.a.peer.proof(kid_args(key));
  ASSERT_TRUE(got && proof);
  const std::vector<verifiable::NoteKey> witnesses{w.witness(w.b), w.witness(w.c)};
  const auto log = w.log(w.a);
  LogTrust trust{&log, {witnesses, 2}, w.now};
  const auto looked = verify_lookup(key.record.id().kid, &*got, *proof, trust);
  ASSERT_TRUE(looked) << looked.error().where;
  EXPECT_TRUE(looked->entry->revoked());
  const auto absent =
      verify_lookup(unknown.record.id().kid, nullptr, *w.a.peer.proof(kid_args(unknown)), trust);
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->entry);

  const auto code = [&](const wire::Value* claimed, const wire::Value& shown) {
    return verify_lookup(key.record.id().kid, claimed, shown, trust).error().code;
  };
  const wire::Value withheld = wire::Object{{"record", key.record.value()}};
  EXPECT_EQ(code(&withheld, *proof), Code::proof);
  EXPECT_EQ(code(nullptr, *proof), Code::proof);
  EXPECT_EQ(code(&*got, *w.a.peer.proof(kid_args(unknown))), Code::proof);
  const auto without = [&](const char* member, const wire::Value& value) {
    wire::Value out = *proof;
    out.as_object()[member] = value;
    return out;
  };
  EXPECT_EQ(code(&*got, without("epoch", to_base64url(Bytes(60)))), Code::proof_form);
  EXPECT_EQ(code(&*got, without("inclusion", to_base64url(Bytes(32)))), Code::proof);
  EXPECT_EQ(code(&*got, without("checkpoint", "")), Code::proof_form);
  EXPECT_EQ(code(&*got, without("map", 1)), Code::schema);
  const auto other_log = w.log(w.b);
  trust.log = &other_log;
  EXPECT_EQ(code(&*got, *proof), Code::proof);
  trust.log = &log;
  trust.now = w.now + hours{25};
  EXPECT_EQ(code(&*got, *proof), Code::checkpoint_stale);
  const std::vector<verifiable::NoteKey> strangers{w.witness(w.b), w.witness(w.a)};
  trust = {&log, {strangers, 2}, w.now};
  EXPECT_EQ(code(&*got, *proof), Code::witnesses);
}

TEST(History, the_freshest_verified_answer_is_the_join) {
  const auto key = make_key(3);
  keys::Entry plain(key.record), revoked(key.record), named(key.record);
  ASSERT_TRUE(revoked.add(*keys::make_revocation(key)));
  keys::Card card;
  card.name = "A";
  ASSERT_TRUE(named.add(*keys::make_card(key, card)));
  const std::vector<Looked> answers{{plain, 3}, {std::nullopt, 9}, {revoked, 1}, {named, 2}};
  const auto fresh = freshest(answers);
  EXPECT_TRUE(fresh->revoked());
  EXPECT_TRUE(fresh->card());
  EXPECT_FALSE(freshest(std::span(answers).subspan(1, 1)));
}

TEST(History, epochs_come_with_changes_and_at_least_every_hour) {
  World w;
  w.a.tick(w.now);
  EXPECT_EQ(w.a.peer.stats().epochs, 1u);  // of the empty map: absence can be proven at once
  const Instant start = w.now;
  w.a.tick(start + seconds{59});
  EXPECT_EQ(w.a.peer.stats().epochs, 1u);
  const auto key = make_key(4);
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  w.a.tick(start + seconds{59});
  EXPECT_EQ(w.a.peer.stats().epochs, 1u);
  w.a.tick(start + seconds{60});
  EXPECT_EQ(w.a.peer.stats().epochs, 2u);
  w.a.tick(start + seconds{60} + hours{1} - seconds{1});
  EXPECT_EQ(w.a.peer.stats().epochs, 2u);
  w.a.tick(start + seconds{60} + hours{1});
  EXPECT_EQ(w.a.peer.stats().epochs, 3u);
}

// A peer that signs a size before its row is durable may sign another root for it after a crash.
TEST(History, no_checkpoint_before_its_epoch_is_durable) {
  World w;
  w.a.peer.handle_timeout(w.now + seconds{1});
  const auto write = w.a.peer.poll_write();
  ASSERT_TRUE(write);
  EXPECT_EQ(w.a.peer.head()->find("checkpoint"), nullptr);
  w.a.store.apply(write->batch);
  w.a.peer.handle_written(write->ticket, {});
  EXPECT_NE(w.a.peer.head()->find("checkpoint"), nullptr);
}

TEST(History, a_restart_goes_on_with_the_log) {
  World w;
  const auto key = make_key(5), late = make_key(6);
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  w.a.tick(w.now + seconds{1});
  const auto before = w.a.peer.proof(kid_args(key));
  const auto head = w.a.peer.head();
  w.a.restart();
  EXPECT_EQ(*w.a.peer.head(), *head);
  EXPECT_EQ(*w.a.peer.proof(kid_args(key)), *before);
  ASSERT_TRUE(w.a.publish(publish_args({&late}), "x.example"));
  w.a.restart();
  EXPECT_EQ(w.a.peer.proof(kid_args(key)).error().code, Code::not_found);  // until the next epoch
  w.a.tick(w.now + seconds{61});
  EXPECT_TRUE(w.a.peer.proof(kid_args(late)));
  EXPECT_EQ(w.a.peer.stats().epochs, 2u);
}

TEST(History, an_auditor_replays_it_to_the_signed_root) {
  World w;
  Instant now = w.now;
  for (std::uint64_t i = 0; i < 150; ++i) {
    const auto key = make_key(100 + i);
    ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
    if (i % 3 == 0) {
      ASSERT_TRUE(w.a.publish(objects_args({*keys::make_revocation(key)}), "x.example"));
    }
    if (i % 2 == 0) w.a.tick(now += seconds{60});
    if (i == 70) w.a.restart();
  }
  Auditor auditor;
  std::vector<wire::Value> answers;
  while (true) {
    const auto answer =
        w.a.peer.history(wire::Object{{"from", static_cast<std::int64_t>(auditor.size())}});
    ASSERT_TRUE(answer);
    if (answer->find("epochs")->as_array().empty()) break;
    ASSERT_TRUE(auditor.take(*answer));
    answers.push_back(*answer);
  }
  EXPECT_GT(answers.size(), 1u);
  EXPECT_EQ(auditor.size(), w.a.peer.stats().epochs);
  const std::string checkpoint = w.a.peer.head()->find("checkpoint")->as_string();
  EXPECT_TRUE(auditor.conclude(checkpoint, w.log(w.a)));
  EXPECT_EQ(Auditor().conclude(checkpoint, w.log(w.a)).error().code, Code::proof);
  // What it signed once, at whatever lesser size, and does not go on from, convicts it (CKP-13).
  const auto once = [&](std::uint64_t size, const Hash& root) {
    const std::string text = verifiable::checkpoint_text({log_origin(w.a.name), size, root, {}});
    return verifiable::format(
        {text, {*verifiable::sign_note(text, log_origin(w.a.name), w.a.op.signing)}});
  };
  for (std::uint64_t size = 1; size < auditor.size(); ++size) {
    const auto lie = auditor.rewrite(once(size, Hash{1}), checkpoint, w.log(w.a));
    ASSERT_TRUE(lie) << size;
    EXPECT_TRUE(verifiable::verify_rewrite(*lie, w.log(w.a)));
    EXPECT_FALSE(auditor.rewrite(once(size, auditor.root_at(size)), checkpoint, w.log(w.a)));
  }
  for (const std::uint64_t size : {std::uint64_t{0}, auditor.size(), auditor.size() + 1})
    EXPECT_FALSE(auditor.rewrite(once(size, Hash{1}), checkpoint, w.log(w.a))) << size;
  // A change left out, or an epoch, is found out.
  wire::Value less = answers[0];
  less.as_object()["epochs"].as_array()[1].as_object()["changes"] = "";
  EXPECT_EQ(Auditor().take(less).error().code, Code::proof);
  less = answers[0];
  auto& epochs = less.as_object()["epochs"].as_array();
  epochs.erase(epochs.begin() + 1);
  EXPECT_EQ(Auditor().take(less).error().code, Code::proof);
}

/// Storage of a peer as it would be had it never heard of `hidden`, and the same number of epochs.
void show_another_face(Node& node, Node& face, Instant now) {
  face.tick(now);
  node.store = face.store;
  node.restart();
}

TEST(Witness, a_split_view_is_caught_and_the_proof_evicts_everywhere) {
  World w;
  const auto key = make_key(7), hidden = make_key(8);
  Node face(three[0], true, three);  // a's other face: same name, same op key, another set
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  ASSERT_TRUE(face.publish(publish_args({&hidden}), "x.example"));
  while (w.a.peer.poll_ask() || face.peer.poll_ask()) {
  }
  w.a.tick(w.now + seconds{1});
  // To b it shows one face, to c the other.
  const auto show = [&](Node& liar, Node& to) {
    const wire::Value args = wire::Object{{"checkpoint", *liar.peer.head()->find("checkpoint")}};
    return to.take(to.peer.gossip(args, "a.example", &liar.op.record.signing(), w.now));
  };
  EXPECT_NE(show(w.a, w.b)->find("cosignature"), nullptr);
  show_another_face(w.a, face, w.now + seconds{1});
  EXPECT_NE(show(w.a, w.c)->find("cosignature"), nullptr);
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 0u);
  // b and c gossip: at most two rounds (03).
  const Lost without_a = [](const std::string& from, const Ask& ask) {
    return from == "a.example" || ask.domain == "a.example";
  };
  run_rounds(w.net, w.now, 2, without_a);
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 1u);
  EXPECT_EQ(w.c.peer.stats().peers_evicted, 1u);
  EXPECT_EQ(show(w.a, w.b).error().code, Code::peer_evicted);
  EXPECT_EQ(w.b.publish(publish_args({&key}), "a.example").error().code, Code::peer_evicted);
  w.b.restart();
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 1u);
}

TEST(Witness, another_history_of_another_length_is_caught_by_asking) {
  World w;
  Node face(three[0], true, three);
  const auto key = make_key(9), hidden = make_key(10), more = make_key(11);
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  ASSERT_TRUE(face.publish(publish_args({&hidden}), "x.example"));
  w.a.tick(w.now + seconds{1});
  face.tick(w.now + seconds{1});
  ASSERT_TRUE(face.publish(publish_args({&more}), "x.example"));
  face.tick(w.now + seconds{61});
  while (w.a.peer.poll_ask() || face.peer.poll_ask()) {
  }
  const auto show = [&](Node& liar, Node& to) {
    const wire::Value args = wire::Object{{"checkpoint", *liar.peer.head()->find("checkpoint")}};
    ASSERT_TRUE(to.take(to.peer.gossip(args, "a.example", &liar.op.record.signing(), w.now)));
  };
  show(w.a, w.b);
  show(face, w.c);
  w.net["a.example"] = &face;  // whoever asks a now, asks this face
  const Lost silent = [](const std::string& from, const Ask& ask) {
    return from == "a.example" || (ask.domain == "a.example" && ask.op != "directory.consistency");
  };
  run_rounds(w.net, w.now, 4, silent);
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 1u);
}

// The log is asked whether two checkpoints are of one history, and shows a third before it answers.
TEST(Witness, an_answer_is_held_against_what_was_asked) {
  World w;
  const auto show = [&](Node& to, std::int64_t first) {
    const auto size = static_cast<std::int64_t>(w.a.peer.stats().epochs);
    wire::Object args{{"checkpoint", *w.a.peer.head()->find("checkpoint")}, {"first", first}};
    const auto proof = w.a.peer.consistency(wire::Object{{"first", first}, {"second", size}});
    args.emplace("proof", *proof->find("proof"));
    ASSERT_TRUE(to.take(to.peer.gossip(wire::Value(std::move(args)), "a.example",
                                       &w.a.op.record.signing(), w.now)));
  };
  const auto grow = [&](std::uint64_t number) {
    const auto key = make_key(number);
    ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
    w.a.tick(w.now += seconds{61});
  };
  w.a.tick(w.now + seconds{1});
  show(w.b, 0);
  grow(21);
  show(w.c, 0);
  wire::Object told{
      {"seen", wire::Array{wire::Object{{"checkpoint", *w.a.peer.head()->find("checkpoint")},
                                        {"domain", "a.example"}}}}};
  ASSERT_TRUE(w.b.take(
      w.b.peer.gossip(wire::Value(std::move(told)), "c.example", &w.c.op.record.signing(), w.now)));
  std::optional<Ask> question = w.b.peer.poll_ask();
  while (question && question->op != "directory.consistency") question = w.b.peer.poll_ask();
  ASSERT_TRUE(question);
  const auto answer = w.a.serve(*question, w.b);
  grow(22);
  show(w.b, 1);
  w.b.peer.handle_reply(question->cookie, answer, &w.a.op.record.signing(), w.now);
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 0u);
}

TEST(Witness, cosigns_only_what_extends_the_last_it_saw) {
  World w;
  w.a.tick(w.now + seconds{1});
  const auto show = [&](wire::Object args) {
    args.emplace("checkpoint", *w.a.peer.head()->find("checkpoint"));
    return w.b.take(
        w.b.peer.gossip(wire::Value(args), "a.example", &w.a.op.record.signing(), w.now));
  };
  EXPECT_NE(show({})->find("cosignature"), nullptr);
  const auto key = make_key(12);
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  w.a.tick(w.now + seconds{61});
  const auto unproven = show({});
  EXPECT_EQ(unproven->find("cosignature"), nullptr);
  EXPECT_EQ(*unproven->find("size"), wire::Value(1));
  EXPECT_EQ(show({{"first", 1}, {"proof", to_base64url(Bytes(32))}}).error().code, Code::proof);
  w.b.restart();  // what it saw is durable
  const auto proof = w.a.peer.consistency(wire::Object{{"first", 1}, {"second", 2}});
  EXPECT_NE(show({{"first", 1}, {"proof", *proof->find("proof")}})->find("cosignature"), nullptr);
  EXPECT_EQ(
      w.b.take(w.b.peer.gossip(wire::Object{{"checkpoint", *w.a.peer.head()->find("checkpoint")}},
                               "a.example", &w.b.op.record.signing(), w.now))
          .error()
          .code,
      Code::signature);
}

// A new op key makes no new log: of the size it knows, a witness cosigns one root.
TEST(Witness, a_new_op_key_hides_no_other_history) {
  World w;
  Node face(three[0], true, three);
  const auto key = make_key(13), hidden = make_key(14);
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  ASSERT_TRUE(face.publish(publish_args({&hidden}), "x.example"));
  w.a.tick(w.now + seconds{1});
  face.op = make_key(15);
  face.restart();
  face.tick(w.now + seconds{1});
  const auto show = [&](Node& liar) {
    const wire::Value args =
        wire::Object{{"checkpoint", *liar.peer.head()->find("checkpoint")}, {"first", 1}};
    return w.b.take(w.b.peer.gossip(args, "a.example", &liar.op.record.signing(), w.now));
  };
  ASSERT_NE(show(w.a)->find("cosignature"), nullptr);
  EXPECT_EQ(show(face).error().code, Code::proof);
  w.a.op = make_key(16);  // the same log goes on under another key
  w.a.restart();
  EXPECT_NE(show(w.a)->find("cosignature"), nullptr);
}

// Many tell of one checkpoint: that log is asked about it once.
TEST(Witness, what_was_proven_once_is_not_asked_again) {
  World w;
  w.a.tick(w.now + seconds{1});
  const wire::Value first = wire::Object{{"checkpoint", *w.a.peer.head()->find("checkpoint")}};
  ASSERT_TRUE(w.b.take(w.b.peer.gossip(first, "a.example", &w.a.op.record.signing(), w.now)));
  const auto key = make_key(17);
  ASSERT_TRUE(w.a.publish(publish_args({&key}), "x.example"));
  w.a.tick(w.now + seconds{61});
  const wire::Value told = wire::Object{
      {"seen", wire::Array{wire::Object{{"checkpoint", *w.a.peer.head()->find("checkpoint")},
                                        {"domain", "a.example"}}}}};
  const auto asked = [&] {
    EXPECT_TRUE(w.b.take(w.b.peer.gossip(told, "c.example", &w.c.op.record.signing(), w.now)));
    int count = 0;
    while (auto ask = w.b.peer.poll_ask()) {
      if (ask->op != "directory.consistency") continue;
      ++count;
      w.b.peer.handle_reply(ask->cookie, w.a.serve(*ask, w.b), &w.a.op.record.signing(), w.now);
    }
    return count;
  };
  EXPECT_EQ(asked(), 1);
  EXPECT_EQ(asked(), 0);
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 0u);
}

TEST(Witness, an_accusation_without_proof_is_nothing) {
  World w;
  w.a.tick(w.now + seconds{1});
  run_rounds(w.net, w.now, 3);
  const std::string checkpoint = w.a.peer.head()->find("checkpoint")->as_string();
  for (const std::string& evidence : {std::string("x"), checkpoint + "\n" + checkpoint}) {
    const wire::Value args = wire::Object{
        {"proofs", wire::Array{wire::Object{{"domain", "a.example"}, {"evidence", evidence}}}}};
    ASSERT_TRUE(w.b.take(w.b.peer.gossip(args, "c.example", &w.c.op.record.signing(), w.now)));
  }
  EXPECT_EQ(w.b.peer.stats().peers_evicted, 0u);
  EXPECT_EQ(w.b.peer.stats().peers_agreeing, 2u);
}

}  // namespace
}  // namespace ams::directory
