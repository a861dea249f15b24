// Builders for a binding log that the suite shows to a peer (spec BLG-35 to BLG-38): of the domain
// second.conform.test, the same in every run, so that a peer that has seen some of it can be shown
// more.
#include "crypto/vrf.h"
#include "judge/log.h"
#include "runner/stage.h"
#include "runner/suite_domain.h"

namespace ams::conform {
namespace {

constexpr std::uint64_t first_time_s = 1'785'000'000;  // before any run

struct Leaf {
  Id16 label{};
  Hash value{};
};
/// What epoch `index` adds; `fork` makes another log.
Leaf leaf_of(std::uint64_t index, const std::string& fork) {
  const std::string number = std::to_string(index);
  return {*to_array<16>(ByteView(crypto::sha256(as_bytes("conform label " + number))).first(16)),
          crypto::sha256(as_bytes("conform value " + fork + number))};
}

Bytes epoch_of(const std::map<Id16, Hash>& leaves, std::uint64_t time_s) {
  Bytes out = to_bytes("AMS-EPOCH/1");
  out.push_back(0);
  append(out, map_root(leaves));
  append_u64(out, leaves.size());
  append_u64(out, time_s);
  return out;
}

struct Built {
  std::vector<Bytes> epochs, added;
  std::vector<Hash> log;
};
/// The log of `size` epochs. `late_s`: time of the last one; `again`: the last one gives the label
/// of the first another value.
Built build(std::uint64_t size, const std::string& fork, std::uint64_t late_s, bool again) {
  Built out;
  std::map<Id16, Hash> leaves;
  for (std::uint64_t i = 0; i < size; ++i) {
    const bool last = i + 1 == size;
    Leaf leaf = leaf_of(i, fork);
    if (last && again) leaf.label = leaf_of(0, fork).label;
    leaves[leaf.label] = leaf.value;
    out.epochs.push_back(epoch_of(leaves, last && late_s > 0 ? late_s : first_time_s));
    Bytes added = to_bytes(ByteView(leaf.label));
    append(added, leaf.value);
    out.added.push_back(std::move(added));
    out.log.push_back(log_leaf(out.epochs.back()));
  }
  return out;
}

const KeyMaker& log_key() {
  static const KeyMaker key(std::string(second_suite_name) + " log");
  return key;
}

std::string note_of(const Built& built, const crypto::SigningKey& key) {
  return make_checkpoint(std::string("ams-bind/") + second_suite_name, built.log.size(),
                         log_root(built.log), key);
}

}  // namespace

Domain second_suite_domain(std::int64_t now) {
  Domain out = make_domain(second_suite_name, second_suite_name, now);
  const auto vrf =
      crypto::VrfKey::from_seed(crypto::sha256(as_bytes(std::string(second_suite_name) + " vrf")));
  Json record = out.chain.at("record");
  record["vrf_key"] = b64(vrf.public_raw());
  record["log_key"] = b64(log_key().signing.public_raw());
  out.chain["record"] = sign(record, out.root.secret.signing);
  return out;
}

/// $bindlog {"from","to","fork"?,"again"?,"late_s"?: seconds from now,"by"?}: args of
/// directory.bindlog. $bindlog_verdict {"note","size"}: whether the target has cosigned it.
/// $bindlog_note {"size","fork"?}: the checkpoint alone.
Json Stage::built_shown_log(const std::string& name, const Json& plan) {
  const auto size = plan.at(name == "$bindlog" ? "to" : "size").get<std::uint64_t>();
  const std::int64_t late = plan.value("late_s", std::int64_t{0});
  const auto late_s = late == 0 ? 0 : static_cast<std::uint64_t>(target_.unix_ms() / 1'000 + late);
  const Built built = build(size, plan.value("fork", ""), late_s, plan.value("again", false));
  if (name == "$bindlog_verdict") {
    const std::string note = note_of(built, log_key().signing);
    const std::string text = note.substr(0, note.rfind("\n\n") + 1);
    const bool cosigned = has_cosignature(plan.at("note"), text, directory_origin(target_.domain),
                                          vars_.at("op_key"));
    return cosigned ? "holds" : "has no cosignature of the target's (BLG-38)";
  }
  if (name == "$bindlog_note") return note_of(built, log_key().signing);
  if (name != "$bindlog") throw StepFailed{Verdict::suite_error, "no such builder: " + name};
  const auto from = plan.at("from").get<std::uint64_t>();
  Json epochs = Json::array();
  for (std::uint64_t i = from; i < size; ++i)
    epochs.push_back({{"added", b64(built.added.at(i))}, {"epoch", b64(built.epochs.at(i))}});
  const crypto::SigningKey& key =
      plan.contains("by") ? domain_of(plan.at("by")).op.secret.signing : log_key().signing;
  return {{"checkpoint", note_of(built, key)}, {"epochs", epochs}, {"from", from}};
}

}  // namespace ams::conform
