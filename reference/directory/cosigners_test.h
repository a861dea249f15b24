// What holds of the cosignatures of a peer's own log (spec DIR-78, DIR-79), as predicates: the
// tests want each of them true, the mutants false.
#pragma once

#include <optional>

#include "directory/light.h"
#include "directory/mesh_test.h"

namespace ams::directory::testing {

/// Full peers of which the first is looked at, with what a client would hold its proofs against.
struct Cosigned {
  static constexpr std::chrono::seconds second{1};
  Mesh mesh;
  Net net;
  Instant now = from_unix_ms(1'900'000'000'000);
  std::vector<keys::KeyPair> keys;
  explicit Cosigned(std::size_t count) : mesh(count) {
    for (std::size_t i = 0; i < count; ++i) net.emplace(mesh.names[i], &mesh[i]);
    for (auto& node : mesh.nodes) node->restart();
  }
  std::optional<Looked> look(std::size_t of) const {
    const Node& node = *mesh.nodes[0];
    const auto log =
        *log_key(node.name, node.op.record.signing(), verifiable::NoteKeyType::ed25519);
    std::vector<verifiable::NoteKey> witnesses;
    for (std::size_t i = 1; i < mesh.nodes.size(); ++i)
      witnesses.push_back(*log_key(mesh.names[i], mesh.nodes[i]->op.record.signing(),
                                   verifiable::NoteKeyType::cosignature_v1));
    const Id16 kid = keys.at(of).record.id().kid;
    const wire::Value args = wire::Object{{"kid", to_uuid_text(kid)}};
    const auto got = node.peer.get(args), proof = node.peer.proof(args);
    if (!got || !proof) return std::nullopt;
    auto out = verify_lookup(kid, &*got, *proof, {&log, {witnesses, cosignatures_wanted}, now});
    if (!out) return std::nullopt;
    return std::move(*out);
  }
  void publish() {
    keys.push_back(make_key(70 + keys.size()));
    (void)mesh[0].publish(publish_args({&keys.back()}), "x.example");
  }
  void tick(const Lost& lost = {}) {
    for (auto& [domain, node] : net) node->tick(now);
    settle(net, lost, now);
  }
};

/// Every minute brings keys, and at the end of each all that is older is proven with cosignatures.
inline bool proofs_are_cosigned_however_busy() {
  Cosigned w(5);
  bool all = true;
  for (int minute = 0; minute < 8; ++minute) {
    w.publish();
    w.now += epoch_interval + Cosigned::second;
    w.tick();
    all = all && w.look(w.keys.size() - 1).has_value();
  }
  return all;
}

/// Witnesses that answer nothing are not waited for, and not all of a large network is asked.
inline bool seeks_others_where_one_is_away() {
  Cosigned w(12);
  std::set<std::string> asked;
  const Lost lost = [&](const std::string& from, const Ask& ask) {
    if (from != w.mesh.names[0] || ask.op != "directory.gossip") return false;
    asked.insert(ask.domain);
    return asked.size() <= 3;
  };
  w.publish();
  w.now += Cosigned::second;
  w.tick(lost);
  return w.look(0).has_value() && asked.size() == 5;
}
inline bool gives_up_seeking_after_some() {
  Cosigned w(20);
  std::set<std::string> asked;
  const Lost lost = [&](const std::string& from, const Ask& ask) {
    if (from == w.mesh.names[0] && ask.op == "directory.gossip") asked.insert(ask.domain);
    return true;
  };
  w.now += Cosigned::second;
  w.tick(lost);
  return asked.size() == cosigners_asked_max;
}

/// The first peer's log with an epoch that is cosigned and one that nobody cosigned, `later` after.
inline std::optional<Looked> looked_while_witnesses_are_away(Duration later) {
  Cosigned w(3);
  w.publish();
  w.now += Cosigned::second;
  w.tick();
  w.publish();
  w.now += later;
  w.tick([](const std::string&, const Ask&) { return true; });
  return w.look(0);
}
inline bool proves_under_the_epoch_that_was_cosigned() {
  return looked_while_witnesses_are_away(epoch_interval).has_value();
}
/// Else what is new would stay unproven for as long as the witnesses are away.
inline bool proves_under_no_old_epoch() {
  return !looked_while_witnesses_are_away(witnessed_life + Cosigned::second);
}

}  // namespace ams::directory::testing
