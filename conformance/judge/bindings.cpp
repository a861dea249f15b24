#include "judge/bindings.h"

#include <algorithm>

namespace ams::conform {
namespace {

Bytes log_seed(const std::string& name, std::size_t size) {
  return crypto::Drbg(crypto::sha256(as_bytes("ams-conform log " + name))).bytes(size);
}

Bytes tagged(std::string_view tag) {
  Bytes out = to_bytes(tag);
  out.push_back(0);
  return out;
}

}  // namespace

std::string binding_origin(const std::string& domain) {
  const std::string plain = "ams-bind/" + domain;
  return plain.size() <= 100 ? plain
                             : "ams-bind/" + to_hex(ByteView(crypto::sha256(as_bytes(domain))));
}

Bytes label_input(const std::string& addr, std::int64_t version) {
  Bytes out = tagged("AMS-BIND-LABEL/1");
  append_u64(out, static_cast<std::uint64_t>(version));
  append(out, as_bytes(addr));
  return out;
}

Hash binding_value(const Json& entry, const Json& r) {
  Bytes text = tagged("AMS-BIND-VALUE/1");
  append(text, canonical(entry));
  return crypto::hmac_sha256(unb64(r), text);
}

std::vector<std::int64_t> version_gaps(std::int64_t version) {
  std::vector<std::int64_t> out;
  for (int bit = 0; bit < 16; ++bit)
    if ((version >> bit & 1) == 0) out.push_back(((version >> bit) | 1) << bit);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::int64_t> version_steps(std::int64_t version) {
  std::vector<std::int64_t> out;
  for (int bit = 15; bit >= 0; --bit)
    if ((version >> bit & 1) != 0) out.push_back(version >> bit << bit);
  out.pop_back();
  return out;
}

BindingLog::BindingLog(std::string domain, const std::string& seed)
    : domain_(std::move(domain)),
      secret_(log_seed(seed + " openings", 32)),
      vrf_(crypto::VrfKey::from_seed(log_seed(seed + " vrf", 32))),
      signing_(crypto::SigningKey::ed25519_from_seed(log_seed(seed + " sign", 32))) {}

Json BindingLog::keys() const {
  return {{"vrf_key", b64(vrf_.public_raw())}, {"log_key", b64(signing_.public_raw())}};
}

std::string BindingLog::opening(const Version& version) const {
  return b64(crypto::hmac_sha256(secret_, label_input(version.first, version.second)));
}

const Bytes& BindingLog::proof_of(const Version& version) const {
  const auto at = proofs_.find(version);
  if (at != proofs_.end()) return at->second;
  return proofs_.emplace(version, vrf_.prove(label_input(version.first, version.second)))
      .first->second;
}

Id16 BindingLog::label(const Version& version) const {
  const Hash beta = *crypto::vrf_proof_to_hash(proof_of(version));
  return *to_array<16>(ByteView(beta).first(16));
}

std::vector<Json> BindingLog::entries(const std::string& addr) const {
  std::vector<Json> out;
  for (const auto& [version, entry] : entries_)
    if (version.first == addr) out.push_back(entry);
  return out;
}

std::string BindingLog::value(const Json& entry) const {
  return b64(binding_value(entry, opening({entry.at("addr"), entry.at("version")})));
}

void BindingLog::add(const Json& entry) {
  const Version version{entry.at("addr"), entry.at("version")};
  entries_[version] = entry;
  map_[label(version)] = binding_value(entry, opening(version));
}

void BindingLog::seal(std::int64_t time_s) {
  sealed_ = map_;
  Bytes epoch = tagged("AMS-EPOCH/1");
  append(epoch, map_root(sealed_));
  append_u64(epoch, sealed_.size());
  append_u64(epoch, static_cast<std::uint64_t>(time_s));
  leaves_.push_back(log_leaf(epoch));
  epochs_.push_back(std::move(epoch));
  checkpoint_ = make_checkpoint(binding_origin(domain_), size(), log_root(leaves_), signing_);
}

void BindingLog::begin_anew() {
  entries_.clear();
  map_.clear();
  sealed_.clear();
  leaves_.clear();
  epochs_.clear();
}

Json BindingLog::head_of(std::size_t epoch) const {
  return {{"checkpoint", checkpoint_},
          {"epoch", b64(epochs_.at(epoch))},
          {"inclusion", b64(inclusion_path(leaves_, epoch))}};
}

Json BindingLog::place(const std::string& addr, std::int64_t version) const {
  const Version at{addr, version};
  return {{"path", b64(map_proof(sealed_, label(at)))}, {"vrf", b64(proof_of(at))}};
}

Json BindingLog::prove(const std::string& addr, std::int64_t last) const {
  std::vector<Json> all = entries(addr);
  std::erase_if(all, [&](const Json& entry) { return entry.at("version") > last; });
  Json steps = Json::array();
  Json out = {{"ams", "bproof/1"}, {"addr", addr}, {"head", head()}};
  if (all.empty()) {
    out.update({{"steps", steps}, {"next", place(addr, 1)}});
    return out;
  }
  const Json& entry = all.back();
  const std::int64_t version = entry.at("version");
  for (const std::int64_t below : version_steps(version)) {
    Json step = place(addr, below);
    const auto at = entries_.find({addr, below});
    if (at != entries_.end()) step["value"] = value(at->second);
    steps.push_back(std::move(step));
  }
  out.update({{"entry", entry},
              {"r", opening({addr, version})},
              {"steps", steps},
              {"here", place(addr, version)},
              {"next", place(addr, version + 1)}});
  return out;
}

Json BindingLog::history(const std::string& addr, std::int64_t from, std::uint64_t known,
                         std::int64_t last) const {
  Json items = Json::array(), above = Json::array();
  std::int64_t version = 0;
  for (const Json& entry : entries(addr)) {
    if (entry.at("version") < from || entry.at("version") > last) continue;
    version = entry.at("version");
    Json item = place(addr, version);
    item.update({{"entry", entry}, {"r", opening({addr, version})}});
    items.push_back(std::move(item));
  }
  for (const std::int64_t gap : version_gaps(version)) above.push_back(place(addr, gap));
  return {{"ams", "bhist/1"},
          {"addr", addr},
          {"items", std::move(items)},
          {"above", std::move(above)},
          {"consistency", b64(consistency_proof(leaves_, std::min<std::size_t>(known, size())))},
          {"head", head()}};
}

}  // namespace ams::conform
