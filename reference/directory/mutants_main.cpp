// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe that tells whether the rule holds. Exit code: 0 all do, 1 otherwise.
#include <map>

#include "directory/peer.h"
#include "keys/records.h"
#include "policy/probe.h"

namespace ams::directory {
namespace {

constexpr std::int64_t day_ms = 86'400'000;

class RowStore final : public storage::Reader {
 public:
  void put(storage::Table table, const Bytes& key, const Bytes& value) {
    rows_[{table, key}] = value;
  }
  void apply(const storage::WriteBatch& batch) {
    for (const auto& row : batch.puts) put(row.table, row.key, row.value);
  }
  Result<std::optional<Bytes>> get(storage::Table table, ByteView key) const override {
    const auto at = rows_.find({table, to_bytes(key)});
    if (at == rows_.end()) return std::optional<Bytes>{};
    return std::optional<Bytes>(at->second);
  }
  Result<> scan(storage::Table table, ByteView prefix, ByteView from,
                const std::function<bool(ByteView, ByteView)>& visit) const override {
    for (auto at = rows_.lower_bound({table, to_bytes(from)}); at != rows_.end(); ++at) {
      const Bytes& key = at->first.second;
      const bool inside = at->first.first == table && key.size() >= prefix.size() &&
                          std::equal(prefix.begin(), prefix.end(), key.begin());
      if (!inside || !visit(key, at->second)) break;
    }
    return {};
  }

 private:
  std::map<std::pair<storage::Table, Bytes>, Bytes> rows_;
};

keys::KeyPair pair_of(std::uint8_t seed) {
  return keys::make_modern(Bytes(80, seed), {.nbf = 0, .exp = 9 * day_ms}).value();
}

wire::Value forged(const keys::KeyPair& pair) {
  wire::Value out = pair.record.value();
  out.as_object()["sig"] = to_base64url(Bytes(64, 1));
  return out;
}

wire::Value publish_args(wire::Value record, std::size_t times = 1) {
  return wire::Object{{"records", wire::Array(times, record)}};
}

/// The code of the first result; "ok" when there is none.
std::string first_code(const wire::Value& answer) {
  const wire::Value* code = answer.find("results")->as_array().at(0).find("code");
  return code ? code->as_string() : "ok";
}

struct Host {
  RowStore store;
  Peer peer{{.domain = "a.example", .full = true, .peers = {"b.example"}}, store, Instant{}};
  std::string publish(const wire::Value& record) {
    const auto published = peer.publish(publish_args(record), "c.example", Instant{});
    if (!published) return "failed";
    store.apply(published->writes);
    return first_code(published->answer);
  }
};

bool verifies_at_publication() {
  Host host;
  return host.publish(forged(pair_of(1))) == "signature";
}

/// Nobody can make two keys of one kid; so the second row is laid into storage by hand.
bool quarantines_two_of_one_kid() {
  Host host;
  const keys::KeyPair key = pair_of(1), other = pair_of(2);
  if (host.publish(key.record.value()) != "ok") return false;
  Bytes row = to_bytes(ByteView(key.record.id().kid));
  append(row, other.record.id().fp);
  host.store.put(table_records, row, wire::encode(other.record.value()));
  const auto got = host.peer.get(wire::Object{{"kid", to_uuid_text(key.record.id().kid)}});
  return !got && got.error().code == Code::kid_quarantined;
}

/// A peer that is asked for a record answers with one whose signature is another's.
bool verifies_what_peers_answer() {
  Host host;
  const keys::KeyPair key = pair_of(1);
  host.peer.fetch(7, key.record.id().kid, Instant{});
  const auto ask = host.peer.poll_ask();
  if (!ask) return false;
  host.peer.handle_reply(ask->cookie, wire::Value(wire::Object{{"record", forged(key)}}),
                         Instant{});
  const auto fetched = host.peer.poll_fetched();
  return fetched && !fetched->outcome;
}

bool head_follows_the_set() {
  Host host;
  const auto before = host.peer.head();
  host.publish(pair_of(1).record.value());
  const auto after = host.peer.head();
  return before && after && *before->find("root") != *after->find("root");
}

bool refuses_a_batch_of_65() {
  Host host;
  const auto args = publish_args(pair_of(1).record.value(), publish_max + 1);
  const auto done = host.peer.publish(args, "c.example", Instant{});
  return !done && done.error().code == Code::batch_too_large;
}

bool refuses_other_digits() {
  Host host;
  const auto done = host.peer.range(wire::Object{{"prefix", "xy"}});
  return !done && done.error().code == Code::schema;
}

}  // namespace
}  // namespace ams::directory

int main() {
  using namespace ams::directory;
  return ams::mutants::run({
      {"directory.skip_verify", verifies_at_publication},
      {"directory.skip_quarantine", quarantines_two_of_one_kid},
      {"directory.skip_gossip_verify", verifies_what_peers_answer},
      {"directory.stale_head", head_follows_the_set},
      {"directory.skip_batch_limit", refuses_a_batch_of_65},
      {"directory.accept_prefix", refuses_other_digits},
  });
}
