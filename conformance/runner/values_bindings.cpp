// Values about the binding log (spec BLG): entries made, proofs and histories judged. Of the
// reference's code only the VRF's primitive is shared.
#include <algorithm>

#include "judge/bindings.h"
#include "runner/stage.h"

namespace ams::conform {
namespace {

constexpr std::int64_t epoch_age_max_s = 3'900;  // an hour (BLG-8), and what clocks may differ
constexpr std::int64_t epoch_ahead_max_s = 300;  // BLG-14

/// What the domain's record says of its log (DOM-16).
struct LogKeys {
  std::string domain;
  Bytes vrf;
  Json note;  // as open_checkpoint takes a key
};

std::string domain_of_addr(const std::string& addr) { return addr.substr(addr.find('@') + 1); }

/// Where proofs of one head stand: empty `why` so long as all held.
class Judge {
 public:
  Judge(const LogKeys& log, const Json& head, std::int64_t now_ms) : log_(log) {
    const auto epoch = open_head(head, binding_origin(log.domain), log.note, why_);
    if (!epoch) return;
    root_ = epoch->root;
    const std::int64_t age = now_ms / 1'000 - static_cast<std::int64_t>(epoch->time_s);
    if (age > epoch_age_max_s) why_ = "the epoch is more than an hour old (BLG-8)";
    if (age < -epoch_ahead_max_s) why_ = "the epoch is of the future (BLG-14)";
  }
  /// The version's place has this value, or nothing.
  void place(const std::string& addr, std::int64_t version, const std::optional<Hash>& value,
             const Json& place) {
    if (!why_.empty()) return;
    const auto beta =
        crypto::vrf_verify(log_.vrf, label_input(addr, version), unb64(place.at("vrf")));
    if (!beta) {
      why_ = "version " + std::to_string(version) + ": the VRF proof does not verify (BLG-5)";
      return;
    }
    const auto fault = judge_map_proof(root_, *to_array<16>(ByteView(*beta).first(16)), value,
                                       unb64(place.at("path")));
    if (fault) why_ = "version " + std::to_string(version) + ": " + *fault;
  }
  void require(bool holds, const std::string& why) {
    if (why_.empty() && !holds) why_ = why;
  }
  std::string verdict() const { return why_.empty() ? "holds" : why_; }

 private:
  const LogKeys& log_;
  std::string why_;
  Hash root_{};
};

/// BLG-13 of an answer's proof, and that it agrees with the answer's binding (BLG-26).
std::string judge_bproof(const LogKeys& log, const Json& answer, std::int64_t now_ms) {
  const Json &proof = answer.at("proof"), &entry = proof.at("entry");
  const Json binding = answer.value("binding", Json());  // none where it leads elsewhere (BLG-33)
  const std::string addr = proof.at("addr");
  const std::int64_t version = entry.at("version");
  Judge judge(log, proof.at("head"), now_ms);
  for (const char* name : {"addr", "version", "kid", "fp", "custody"})
    judge.require(binding.is_null() || entry.at(name) == binding.at(name),
                  std::string("the entry's ") + name + " is not the binding's (BLG-25)");
  judge.require(domain_of_addr(addr) == log.domain && entry.at("addr") == addr,
                "the proof is of another address (BLG-13)");
  const auto steps = version_steps(version);
  judge.require(proof.at("steps").size() == steps.size(), "another number of steps (BLG-13)");
  for (std::size_t i = 0; i < steps.size() && i < proof.at("steps").size(); ++i) {
    const Json& step = proof.at("steps")[i];
    judge.place(addr, steps[i], *to_array<32>(ByteView(unb64(step.at("value")))), step);
  }
  judge.place(addr, version, binding_value(entry, proof.at("r")), proof.at("here"));
  judge.place(addr, version + 1, std::nullopt, proof.at("next"));
  return judge.verdict();
}

/// BLG-17 but for what an asker kept: the items follow each other, stand in the map, and nothing is
/// above them.
std::string judge_bhist(const LogKeys& log, const Json& history, std::int64_t now_ms) {
  Judge judge(log, history.at("head"), now_ms);
  const std::string addr = history.at("addr");
  std::optional<Hash> before;
  std::int64_t version = 0;
  for (const Json& item : history.at("items")) {
    const Json& entry = item.at("entry");
    const Hash value = binding_value(entry, item.at("r"));
    judge.require(
        !before || (entry.at("version") == version + 1 && entry.value("prev", "") == b64(*before)),
        "the versions do not follow each other (BLG-17)");
    version = entry.at("version");
    judge.require(entry.at("addr") == addr, "an entry is of another address (BLG-17)");
    judge.place(addr, version, value, item);
    before = value;
  }
  const auto absent = version_gaps(version);
  judge.require(history.at("above").size() == absent.size(), "another number of gaps (BLG-17)");
  for (std::size_t i = 0; i < absent.size() && i < history.at("above").size(); ++i)
    judge.place(addr, absent[i], std::nullopt, history.at("above")[i]);
  return judge.verdict();
}

}  // namespace

/// {"of": account, "prev"?, "set"?, "by"?: account or name of a $key}: the entry of the account's
/// next version with the key it has, endorsed by `by`.
Json Stage::built_entry(const Json& plan) {
  const std::string of = plan.at("of");
  Account& who = account(of);
  const Key& key = key_of(of);
  Json entry = {{"ams", "bentry/1"},       {"addr", who.grant.addr}, {"version", who.version + 1},
                {"at", target_.unix_ms()}, {"type", "key"},          {"kid", key.kid},
                {"fp", b64(key.fp)},       {"custody", "client"},    {"policy", "isp"}};
  if (plan.contains("prev")) entry["prev"] = plan["prev"];
  const Json set = plan.value("set", Json::object());
  for (const auto& [name, member] : set.items()) {
    if (member.is_null())
      entry.erase(name);
    else
      entry[name] = member;
  }
  if (!plan.contains("by")) return entry;
  const std::string by = plan["by"];
  const bool is_account = by.size() == 2 && (by[0] == 'a' || by[0] == 'f');
  return is_account ? sign(entry, key_of(by).secret.signing)
                    : sign(entry, KeyMaker(tag_ + " key " + by).signing);
}

Json Stage::built_binding_log(const std::string& name, const Json& plan) {
  if (name == "$bind_entry") return built_entry(plan);
  if (name == "$bind_value") return b64(binding_value(plan.at("entry"), plan.at("r")));
  if (name == "$bind_rest") return canonical(plan).size() % 4'096;  // BLG-32
  const Json& record = vars_.at("domain_record");
  if (!record.contains("vrf_key") || !record.contains("log_key"))
    fail_step("the domain's record names no binding log (DOM-16)");
  const LogKeys log{target_.domain, unb64(record.at("vrf_key")), {{"sk", record.at("log_key")}}};
  if (name == "$bind_size") {  // of the log under a head
    std::string why;
    const auto opened =
        open_checkpoint(plan.at("checkpoint"), binding_origin(log.domain), log.note, why);
    if (!opened) fail_step("the checkpoint " + why);
    return opened->size;
  }
  if (name == "$bind_proof") return judge_bproof(log, plan, target_.unix_ms());
  if (name == "$bind_history") return judge_bhist(log, plan, target_.unix_ms());
  throw StepFailed{Verdict::suite_error, "no such builder: " + name};
}

}  // namespace ams::conform
