#include "bindlog/proof.h"

#include <algorithm>

#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::bindlog {
namespace {

Result<Step> read_step(const wire::Value& value) {
  wire::ObjectReader in(value, "step");
  Step out;
  out.place = read_place(in);
  out.value = in.bytes<32>("value");
  AMS_CHECK(in.finish());
  return out;
}

Result<> verify_entry(const Proof& proof, const Identity& log, const Proven& proven) {
  const Hash& map_root = proven.head.epoch.map_root;
  const auto versions = steps(proof.entry->version);
  const std::size_t below = std::min(proof.steps.size(), versions.size() - 1);
  for (std::size_t i = 0; i < below && !mutant("bindlog.skip_steps"); ++i)
    AMS_CHECK(verify_version(log, map_root, proof.addr, versions[i], proof.steps[i].value,
                             proof.steps[i].place));
  if (mutant("bindlog.skip_here")) return {};
  return verify_version(log, map_root, proof.addr, proof.entry->version, proven.value, proof.here);
}

Result<Proof> read_proof(const wire::Value& value) {
  wire::ObjectReader in(value, "proof");
  Proof out;
  in.tag("bproof/1");
  out.addr = in.string("addr");
  in.require(wire::parse_address(out.addr).has_value(), Code::address_syntax, "proof.addr");
  const wire::Value* entry = in.optional("entry");
  if (entry != nullptr) {
    auto parsed = parse_entry(*entry);
    in.include(parsed ? Result<>() : tl::unexpected<Error>(parsed.error()));
    out.entry = parsed ? std::move(*parsed) : Entry();
  }
  const auto r = in.optional_binary("r", 32, 32);
  if (r) out.r = *to_array<32>(*r);
  for (const wire::Value& one : in.array("steps", steps_max)) {
    auto step = read_step(one);
    in.include(step ? Result<>() : tl::unexpected<Error>(step.error()));
    if (step) out.steps.push_back(std::move(*step));
  }
  const bool here = value.find("here") != nullptr;
  if (here) out.here = read_place_at(in, "here");
  out.next = read_place_at(in, "next");
  out.head = read_head(in);
  AMS_CHECK(in.finish());
  if (r.has_value() != out.entry.has_value() || here != out.entry.has_value())
    return fail(Code::schema, "proof.entry");
  return out;
}

}  // namespace

Result<Proof> parse_proof(const wire::Value& value) {
  auto proof = read_proof(value);
  if (!proof && mutant("bindlog.wrong_code_proof")) return fail(Code::history_gap, "proof");
  return proof;
}

wire::Value to_value(const Proof& proof) {
  wire::Array all;
  for (const Step& step : proof.steps) {
    wire::Object one = to_object(step.place);
    one["value"] = to_base64url(step.value);
    all.emplace_back(std::move(one));
  }
  wire::Object out{{"ams", "bproof/1"},
                   {"addr", proof.addr},
                   {"steps", std::move(all)},
                   {"next", to_object(proof.next)},
                   {"head", to_value(proof.head)}};
  if (proof.entry) {
    out["entry"] = to_value(*proof.entry);
    out["r"] = to_base64url(proof.r);
    out["here"] = to_object(proof.here);
  }
  return out;
}

Result<Proven> verify_proof(const wire::Value& value, std::string_view asked, const Identity& log,
                            const verifiable::WitnessPolicy& witnesses) {
  AMS_TRY(Proof proof, parse_proof(value));
  AMS_CHECK(judge_address(log, asked, proof.addr));
  if (proof.entry) AMS_CHECK(judge_address(log, asked, proof.entry->addr));
  const bool stepped = proof.entry.has_value() && !mutant("bindlog.demand_no_steps");
  const std::size_t expected = stepped ? steps(proof.entry->version).size() - 1 : 0;
  if (proof.steps.size() != expected && !mutant("bindlog.skip_step_count"))
    return fail(Code::proof_form, "proof.steps");
  Proven out;
  AMS_TRY(out.head, open_head(proof.head, log, witnesses));
  if (proof.entry) {
    out.value = value_of(*proof.entry, proof.r);
    AMS_CHECK(verify_entry(proof, log, out));
  }
  const std::int64_t successor = proof.entry ? proof.entry->version + 1 : 1;
  if (!mutant("bindlog.skip_next"))
    AMS_CHECK(verify_no_version(log, out.head.epoch.map_root, proof.addr, successor, proof.next));
  out.entry = std::move(proof.entry);
  return out;
}

bool agrees(const std::optional<Entry>& entry, const keys::Binding& binding) {
  return entry && entry->type == Type::key && entry->version == binding.version &&
         entry->key == binding.key && entry->custody == binding.custody &&
         entry->enc == binding.enc;
}

}  // namespace ams::bindlog
