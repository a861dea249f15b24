// What holds where a log shows two faces (spec DIR-47, DIR-48, DIR-50 to DIR-53), as predicates:
// the tests want each of them true, the mutants false.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "directory/mesh_test.h"
#include "verifiable/rewrite.h"

namespace ams::directory::testing {

inline Instant second(int s) { return Instant{} + std::chrono::seconds{s}; }
inline std::string note_of(const Node& node) {
  return node.peer.head()->find("checkpoint")->as_string();
}
inline wire::Value seen_args(const std::string& log, const std::string& note) {
  return wire::Object{{"seen", wire::Array{wire::Object{{"checkpoint", note}, {"domain", log}}}}};
}

/// A log with two faces that begin alike: one epoch in common, then each goes its own way.
struct Liar {
  Node face, other;
  int at = 1;
  Liar(const std::string& name, const std::vector<std::string>& peers)
      : face(name, true, peers), other(name, true, peers) {
    face.tick(second(at));
    other.tick(second(at));
  }
  /// Another epoch of one of them, with a key that nobody else has.
  void grow(Node& one, std::uint64_t number) {
    const keys::KeyPair key = make_key(number);
    (void)one.publish(publish_args({&key}), "x.example");
    one.tick(second(at += 61));
    (void)asks_of(one);
  }
};

/// The liar shows a face to a peer that judges by itself.
inline Result<wire::Value> show(const Node& face, Node& to, Instant at, std::int64_t first = 0) {
  wire::Object args{{"checkpoint", note_of(face)}, {"first", first}};
  if (first > 0) {
    const wire::Value sizes = wire::Object{
        {"first", first}, {"second", static_cast<std::int64_t>(face.peer.stats().epochs)}};
    args.emplace("proof", *face.peer.consistency(sizes)->find("proof"));
  }
  return to.take(
      to.peer.gossip(wire::Value(std::move(args)), face.name, &face.op.record.signing(), at));
}

/// Answers every question of `judge` to the log about itself with what `face` says; gives how many.
inline std::size_t answer_for(Node& judge, Node& face, Instant at, bool silent = false) {
  std::size_t asked = 0;
  for (const Ask& ask : asks_of(judge)) {
    if (ask.op == "directory.proof")
      judge.peer.handle_reply(ask.cookie, fail(Code::peer_unreachable, "test"), nullptr, at);
    if (ask.op != "directory.consistency") continue;
    ++asked;
    const Result<wire::Value> answer =
        silent ? fail(Code::peer_unreachable, "test") : face.peer.consistency(ask.args);
    judge.peer.handle_reply(ask.cookie, answer, &face.op.record.signing(), at);
    judge.drain();
  }
  return asked;
}

/// DIR-50. Two peers see one face each; no round goes by until somebody knows both.
inline bool both_faces_come_to_the_same_peers() {
  Mesh mesh(8);
  Liar liar(mesh.names[7], mesh.names);
  liar.grow(liar.face, 21);
  liar.at = 1;
  liar.grow(liar.other, 22);
  Net net;
  for (std::size_t i = 0; i < 7; ++i) net.emplace(mesh.names[i], mesh.nodes[i].get());
  net.emplace(mesh.names[7], &liar.face);
  if (!show(liar.face, mesh[0], second(70)) || !show(liar.other, mesh[1], second(70))) return false;
  settle(net, {}, second(70));
  std::size_t noticed = 0;
  for (std::size_t i = 0; i < 7; ++i) noticed += mesh[i].peer.stats().peers_evicted;
  return noticed > 0;
}

/// DIR-50. As the sentence lists them, the log itself never.
inline bool comparers_are_those_of_least_hash() {
  const std::vector<std::string> peers{"p0.example", "p1.example", "p2.example", "p3.example"};
  std::map<Hash, std::string> order;
  for (const std::string& peer : {peers[0], peers[2], peers[3], std::string("self.example")}) {
    Bytes input = to_bytes(std::string_view("p1.example\0", 11));
    append_u64(input, 3);
    append(input, peer);
    order.emplace(crypto::sha256(input), peer);
  }
  const std::vector<std::string> expected{order.begin()->second, std::next(order.begin())->second};
  const Instant day = from_unix_ms(3 * 86'400'000LL + 5);
  return comparers("p1.example", day, peers, "self.example") == expected;
}

/// A judge, a teller, and a log with two faces.
struct Dispute {
  std::vector<std::string> names{"p0.example", "p1.example", "p2.example"};
  Node judge{names[0], true, names}, teller{names[2], true, names};
  Liar liar{names[1], names};
  void tell(const Node& face) { (void)judge.compare(seen_args(names[1], note_of(face)), names[2]); }
  /// The judge has seen the face of size 1, which has 3 now, and is told of the other's 2: a power
  /// of two, whose root no consistency proof tells. Gives whether it was shown.
  bool part(std::uint64_t first_key);
  wire::Value gossip(Instant at) {
    return *judge.take(
        judge.peer.gossip(wire::Object{}, names[2], &teller.op.record.signing(), at));
  }
};

inline bool Dispute::part(std::uint64_t first_key) {
  if (!show(liar.face, judge, second(2))) return false;
  liar.grow(liar.other, first_key);
  liar.at = 1;
  liar.grow(liar.face, first_key + 1);
  liar.grow(liar.face, first_key + 2);
  tell(liar.other);
  return true;
}

/// DIR-51. Who tells hears what the other side knows.
inline bool a_comparer_says_what_it_knows() {
  Dispute d;
  if (!show(d.liar.face, d.judge, second(2))) return false;
  const std::string known = note_of(d.liar.face);
  d.liar.grow(d.liar.other, 23);
  const auto answer = d.judge.compare(seen_args(d.names[1], note_of(d.liar.other)), d.names[2]);
  const wire::Value* seen = answer ? answer->find("seen") : nullptr;
  return seen != nullptr && *seen->as_array()[0].find("checkpoint") == wire::Value(known);
}

/// DIR-51. Two faces are told to a comparer that never met the log.
inline bool a_log_that_is_told_of_is_asked_who_it_is() {
  Dispute d;
  d.liar.grow(d.liar.face, 24);
  d.liar.at = 1;
  d.liar.grow(d.liar.other, 25);
  d.tell(d.liar.other);
  (void)answer_for(d.judge, d.liar.face, second(70));
  return d.judge.peer.stats().peers_evicted == 1;
}

/// DIR-52. The log is cast out without a proof; what it could not explain is told to others.
inline bool what_a_log_could_not_explain_is_told() {
  Dispute d;
  if (!d.part(26)) return false;
  (void)answer_for(d.judge, d.liar.face, second(130));
  const wire::Value said = d.gossip(second(130));
  std::vector<std::string> told;
  for (const wire::Value& one : said.find("seen")->as_array())
    told.push_back(one.find("checkpoint")->as_string());
  const auto has = [&](const Node& node) {
    return std::find(told.begin(), told.end(), note_of(node)) != told.end();
  };
  return said.find("proofs") == nullptr && d.judge.peer.stats().peers_evicted == 1 &&
         has(d.liar.face) && has(d.liar.other);
}

/// The evidence of CKP-13 that the judge tells of the log, if there is one and it holds.
inline bool tells_a_rewrite(Dispute& d, Instant at) {
  const wire::Value said = d.gossip(at);
  const wire::Value* proofs = said.find("proofs");
  if (proofs == nullptr || proofs->as_array().size() != 1) return false;
  const auto log =
      log_key(d.names[1], d.liar.face.op.record.signing(), verifiable::NoteKeyType::ed25519);
  const std::string& evidence = proofs->as_array()[0].find("evidence")->as_string();
  return verifiable::verify_rewrite(evidence, *log).has_value() && evidence.size() < 1'000;
}

/// DIR-47. The log answers from the history that it shows here; at the size of what it showed
/// elsewhere, that is another one.
inline bool a_log_that_answers_convicts_itself() {
  Dispute d;
  if (!show(d.liar.face, d.judge, second(2))) return false;
  d.liar.grow(d.liar.other, 31);
  d.liar.grow(d.liar.other, 32);
  d.liar.at = 1;
  for (std::uint64_t number = 33; number < 37; ++number) d.liar.grow(d.liar.face, number);
  if (!show(d.liar.face, d.judge, second(250), 1)) return false;
  d.tell(d.liar.other);  // of size 3; the judge has seen 1 and 5
  (void)answer_for(d.judge, d.liar.face, second(250));
  return d.judge.peer.stats().peers_evicted == 1 && tells_a_rewrite(d, second(250));
}

/// DIR-47. What it answered proves nothing yet; it is asked on while its log grows.
inline bool a_log_cast_out_is_asked_until_it_convicts_itself() {
  Dispute d;
  if (!d.part(37)) return false;
  for (int i = 0; i < 4; ++i) (void)answer_for(d.judge, d.liar.face, second(130));
  if (d.judge.peer.stats().peers_evicted != 1 || tells_a_rewrite(d, second(130))) return false;
  d.liar.grow(d.liar.face, 40);
  d.judge.tick(second(300));
  std::size_t asked = 0;
  while (const std::size_t some = answer_for(d.judge, d.liar.face, second(300))) asked += some;
  return asked <= pursuit_questions_max && tells_a_rewrite(d, second(300));
}

/// DIR-47. It has grown by one entry beyond a power of two, and stays there: its last entry's place
/// tells the root before it.
inline bool a_log_that_stays_small_convicts_itself() {
  Dispute d;
  if (!d.part(45)) return false;
  (void)answer_for(d.judge, d.liar.face, second(130));
  for (int i = 0; i < pursuit_questions_max; ++i) {
    for (const Ask& ask : asks_of(d.judge)) {
      const bool place = ask.op == "directory.proof";
      if (!place && ask.op != "directory.consistency") continue;
      const auto answer =
          place ? d.liar.face.peer.proof(ask.args) : d.liar.face.peer.consistency(ask.args);
      d.judge.peer.handle_reply(ask.cookie, answer, &d.liar.face.op.record.signing(), second(130));
      d.judge.drain();
    }
  }
  return tells_a_rewrite(d, second(130));
}

/// DIR-48. Cast out without evidence, and then the judge comes back from a crash.
inline bool what_a_log_could_not_explain_is_durable() {
  Dispute d;
  if (!d.part(41)) return false;
  (void)answer_for(d.judge, d.liar.face, second(130));
  d.judge.restart();
  const wire::Value said = d.gossip(second(130));
  std::size_t told = 0;
  for (const wire::Value& one : said.find("seen")->as_array())
    told += *one.find("checkpoint") == wire::Value(note_of(d.liar.face)) ||
            *one.find("checkpoint") == wire::Value(note_of(d.liar.other));
  d.liar.grow(d.liar.face, 44);
  for (int s = 400; s < 700; s += 100) {
    d.judge.tick(second(s));
    while (answer_for(d.judge, d.liar.face, second(s)) > 0) {
    }
  }
  const bool proven = tells_a_rewrite(d, second(700));
  d.judge.restart();
  return told == 2 && proven && tells_a_rewrite(d, second(701));
}

/// DIR-53. Until it answers, and as long as that takes.
inline bool a_log_that_owes_an_answer_is_not_cosigned() {
  Dispute d;
  if (!show(d.liar.face, d.judge, second(2))) return false;
  d.liar.grow(d.liar.face, 29);
  d.tell(d.liar.face);
  (void)answer_for(d.judge, d.liar.face, second(70), true);
  const auto early = show(d.liar.face, d.judge, second(70), 1);
  const auto late = show(d.liar.face, d.judge, second(70) + 2 * reconcile_interval);
  d.judge.tick(second(200));
  const std::size_t asked = answer_for(d.judge, d.liar.face, second(200));
  const auto answered = show(d.liar.face, d.judge, second(200));
  const auto cosigned = [](const Result<wire::Value>& answer) {
    return answer && answer->find("cosignature") != nullptr;
  };
  return cosigned(early) && late && !cosigned(late) && asked == 1 && cosigned(answered);
}

/// DIR-53. It signed both sizes, and says that it has no such history.
inline bool a_log_that_denies_its_history_is_evicted() {
  Dispute d;
  if (!show(d.liar.face, d.judge, second(2))) return false;
  d.liar.grow(d.liar.other, 30);
  d.tell(d.liar.other);
  (void)answer_for(d.judge, d.liar.face, second(70));
  if (d.judge.peer.stats().peers_evicted != 0) return false;  // it may yet convict itself
  d.judge.tick(second(300));
  (void)answer_for(d.judge, d.liar.face, second(300));
  return d.judge.peer.stats().peers_evicted == 1;
}

}  // namespace ams::directory::testing
