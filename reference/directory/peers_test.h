// Peers over a std::map store for tests, their asks carried by hand.
#pragma once

#include <functional>
#include <map>

#include "directory/peer.h"

namespace ams::directory::testing {

class MapStore final : public storage::Reader {
 public:
  void apply(const storage::WriteBatch& batch) {
    for (const auto& put : batch.puts) rows_[{put.table, put.key}] = put.value;
    for (const auto& erase : batch.erases) rows_.erase({erase.table, erase.key});
  }
  Result<std::optional<Bytes>> get(storage::Table table, ByteView key) const override {
    const auto at = rows_.find({table, to_bytes(key)});
    if (at == rows_.end()) return std::optional<Bytes>{};
    return std::optional<Bytes>(at->second);
  }
  Result<> scan(storage::Table table, ByteView prefix, ByteView from,
                const std::function<bool(ByteView, ByteView)>& visit) const override {
    for (auto at = rows_.lower_bound({table, to_bytes(from)});
         at != rows_.end() && at->first.first == table; ++at) {
      const ByteView key = at->first.second;
      if (key.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), key.begin())) {
        if (!prefix.empty() && to_bytes(key) > to_bytes(prefix)) break;
        continue;
      }
      if (!visit(key, at->second)) break;
    }
    return {};
  }
  /// Whether any row has these bytes in its value.
  bool mentions(std::string_view text) const {
    for (const auto& row : rows_)
      if (as_text(row.second).find(text) != std::string_view::npos) return true;
    return false;
  }
  std::size_t count(storage::Table table) const {
    std::size_t n = 0;
    for (const auto& row : rows_) n += row.first.first == table;
    return n;
  }

 private:
  std::map<std::pair<storage::Table, Bytes>, Bytes> rows_;
};

inline keys::KeyPair make_key(std::uint64_t number) {
  const Hash seed = crypto::sha256(to_bytes("peer_test " + std::to_string(number)));
  crypto::Drbg drbg(seed);
  const Bytes entropy = drbg.bytes(80);
  return std::move(*keys::make_modern(entropy, {.nbf = 0, .exp = keys::key_life_ms_max}));
}

inline wire::Value publish_args(const std::vector<const keys::KeyPair*>& pairs) {
  wire::Array records;
  for (const auto* pair : pairs) records.push_back(pair->record.value());
  return wire::Object{{"records", std::move(records)}};
}

inline std::string code_of(const wire::Value& answer, std::size_t i) {
  const wire::Value* code = answer.find("results")->as_array()[i].find("code");
  return code ? code->as_string() : "ok";
}

inline wire::Value objects_args(wire::Array objects) {
  return wire::Object{{"records", std::move(objects)}};
}

/// A peer with a disk, and the op key of its domain. Whatever it gives out is durable at once.
struct Node {
  std::string name;
  MapStore store;
  keys::KeyPair op;
  PeerOptions options;
  Peer peer;
  Instant now{};
  Node(std::string domain, bool full, std::vector<std::string> peers)
      : name(domain),
        op(make_key(crypto::sha256(to_bytes(domain))[0])),
        options{.domain = domain, .full = full, .peers = std::move(peers)},
        peer(options, &op.signing, store, Instant{}) {}
  Node(const Node&) = delete;
  void drain() {
    while (auto write = peer.poll_write()) {
      store.apply(write->batch);
      peer.handle_written(write->ticket, {});
    }
  }
  Result<wire::Value> take(Result<Peer::Answered> answered) {
    if (!answered) return tl::unexpected<Error>(answered.error());
    store.apply(answered->writes);
    drain();
    return std::move(answered->answer);
  }
  Result<wire::Value> publish(const wire::Value& args, std::string_view from,
                              const crypto::VerifyKey* from_op = nullptr) {
    return take(peer.publish(args, from, now, from_op));
  }
  Result<wire::Value> compare(const wire::Value& args, std::string_view from) {
    auto answer = peer.compare(args, from, now);
    drain();
    return answer;
  }
  Result<wire::Value> serve(const Ask& ask, const Node& from) {
    if (ask.op == "directory.publish")
      return publish(ask.args, from.name, &from.op.record.signing());
    if (ask.op == "directory.head") return peer.head();
    if (ask.op == "directory.gossip")
      return take(peer.gossip(ask.args, from.name, &from.op.record.signing(), now));
    if (ask.op == "directory.compare") return compare(ask.args, from.name);
    if (ask.op == "directory.peers") return peer.peers(ask.args, now);
    if (ask.op == "directory.get") return peer.get(ask.args);
    if (ask.op == "directory.entries") return peer.entries(ask.args);
    if (ask.op == "directory.reconcile") return peer.reconcile(ask.args);
    if (ask.op == "directory.consistency") return peer.consistency(ask.args);
    return fail(Code::unsupported, "op");
  }
  Result<> drop_card(const Id16& kid) {
    AMS_TRY(const storage::WriteBatch rows, peer.drop_card(kid));
    store.apply(rows);
    return {};
  }
  /// As if it had crashed and come back with what was durable.
  void restart() { peer = Peer(options, &op.signing, store, now); }
  void tick(Instant at) {
    now = at;
    peer.handle_timeout(at);
    drain();
  }
};

/// The chain of a node's domain (DOM-4).
inline wire::Value chain_of(const Node& node) {
  const keys::KeyPair root = make_key(1'000 + crypto::sha256(to_bytes(node.name))[1]);
  const keys::DomainRecord record{node.name, root.record.id(), node.op.record.id(),
                                  keys::isp_policy(), 1};
  return keys::chain_value(*keys::make_domain_record(record, root.signing), root.record,
                           node.op.record);
}

using Net = std::map<std::string, Node*>;
using Lost = std::function<bool(const std::string&, const Ask&)>;

/// Carries asks until none is left; `lost` asks are answered with peer_unreachable. Gives how many.
inline std::size_t settle(Net& net, const Lost& lost = {}, Instant now = {}) {
  std::size_t carried = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& [domain, node] : net) {
      while (auto ask = node->peer.poll_ask()) {
        moved = true;
        ++carried;
        Result<wire::Value> outcome = fail(Code::peer_unreachable, "test");
        Node& other = *net.at(ask->domain);
        if (!lost || !lost(domain, *ask)) outcome = other.serve(*ask, *node);
        node->peer.handle_reply(ask->cookie, outcome, &other.op.record.signing(), now);
        node->drain();
      }
      node->drain();
    }
  }
  return carried;
}

/// Rounds of an interval each for all peers.
inline void run_rounds(Net& net, Instant& now, int rounds, const Lost& lost = {}) {
  for (int i = 0; i < rounds; ++i) {
    now += reconcile_interval;
    for (auto& [domain, node] : net) node->tick(now);
    settle(net, lost, now);
  }
}

}  // namespace ams::directory::testing
