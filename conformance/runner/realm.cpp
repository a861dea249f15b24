#include "runner/realm.h"

#include "runner/verdict.h"

namespace ams::conform {
namespace {

constexpr std::int64_t person_age_ms = 86'400'000;

void put(Json& to, const Json& set) {
  for (const auto& [name, member] : set.items()) {
    if (member.is_null())
      to.erase(name);
    else
      to[name] = member;
  }
}

}  // namespace

Json with_pad(Json answer) {
  constexpr std::size_t unit = 4'096;
  answer["pad"] = "";
  answer["pad"] = std::string((unit - canonical(answer).size() % unit) % unit, '0');
  return answer;
}

Realm::Realm(std::string tag, std::int64_t now) : tag_(std::move(tag)), now_(now) {
  for (const std::string name : {suite_name, second_suite_name}) {
    LoggedDomain one{make_domain(name, name, now), BindingLog(name, tag_ + name)};
    remake(domains_.emplace(name, std::move(one)).first->second);
  }
}

LoggedDomain& Realm::of(const std::string& name_or_addr) {
  const auto at = domains_.find(name_or_addr.substr(name_or_addr.find('@') + 1));
  if (at == domains_.end())
    throw StepFailed{Verdict::suite_error, "no domain of the suite's: " + name_or_addr};
  return at->second;
}

void Realm::remake(LoggedDomain& one) { one.domain.chain = chain(one.domain.name, Json::object()); }

void Realm::publish(const std::string& name, const Json& set) {
  LoggedDomain& one = of(name);
  put(one.set, set);
  ++one.seq_more;
  remake(one);
}

Json Realm::chain(const std::string& name, const Json& set, const std::string& seed) const {
  const LoggedDomain& one = domains_.at(name);
  const Domain plain = make_domain(name, seed.empty() ? name : seed, now_);
  Json record = plain.chain.at("record");
  record["seq"] = record.at("seq").get<std::int64_t>() + one.seq_more;
  record.update(one.log.keys());
  put(record, one.set);
  put(record, set);
  record.erase("sig");
  return {{"record", sign(std::move(record), plain.root.secret.signing)},
          {"root", plain.root.record},
          {"op", plain.op.record}};
}

const Key& Realm::person(const std::string& name, const Json& set) {
  const auto at = people_.find(name);
  if (at != people_.end()) return at->second;
  const Key& made =
      people_.emplace(name, make_key(tag_ + " person " + name, now_ - person_age_ms, set))
          .first->second;
  learn(made.record);
  return made;
}

void Realm::learn(const Json& record) { records_[kid_of_fp(fp_of(record))] = record; }

std::optional<Json> Realm::record_of(const std::string& kid) const {
  const auto at = records_.find(kid);
  return at == records_.end() ? std::nullopt : std::optional(at->second);
}

Json Realm::binding(const Json& entry, const Json& set, const std::string& by) {
  const std::string addr = entry.at("addr");
  const Domain& signer = of(by.empty() ? addr : by).domain;
  Json out = {{"ams", "bind/1"}, {"dkid", signer.op.kid}};
  for (const char* name : {"addr", "kid", "fp", "version", "custody", "enc"})
    if (entry.contains(name)) out[name] = entry.at(name);
  put(out, set);
  return sign(std::move(out), signer.op.secret.signing);
}

Json Realm::bind(const Json& plan, std::int64_t now) {
  const std::string addr = plan.at("addr");
  BindingLog& log = of(addr).log;
  const std::vector<Json> before = log.entries(addr);
  const Key& key = person(plan.at("key"));
  const std::int64_t at = now - plan.value("ago_ms", std::int64_t{0});
  Json entry = {{"ams", "bentry/1"}, {"addr", addr},        {"version", 1},
                {"at", at},          {"type", "key"},       {"kid", key.kid},
                {"fp", b64(key.fp)}, {"custody", "client"}, {"policy", "isp"}};
  if (!before.empty()) {
    entry["version"] = before.back().at("version").get<std::int64_t>() + 1;
    entry["prev"] = log.value(before.back());
  }
  for (const char* name : {"type", "to"})
    if (plan.contains(name)) entry[name] = plan.at(name);
  put(entry, plan.value("set", Json::object()));
  if (plan.contains("by")) entry = sign(entry, person(plan.at("by")).secret.signing);
  log.add(entry);
  if (plan.value("seal", true)) log.seal(at / 1'000);
  return entry;
}

Json Realm::looked_up(const Json& args) {
  const std::string addr = args.at("addr");
  if (!domains_.contains(addr.substr(addr.find('@') + 1))) return "peer_unreachable";
  const BindingLog& log = of(addr).log;
  const std::vector<Json> all = log.entries(addr);
  if (all.empty()) return "no_such_address";
  const Json& entry = all.back();
  Json out = {{"proof", log.prove(addr)}};
  if (entry.at("type") == "key") {
    out["binding"] = binding(entry, Json::object(), "");
    out["key"] = record_of(entry.at("kid")).value();
    if (entry.contains("enc")) out["enc"] = record_of(entry.at("enc").at("kid")).value();
  }
  if (args.contains("since")) {
    const std::int64_t seen = args.at("since").at("version");
    if (seen < entry.at("version"))
      out["history"] = log.history(addr, seen, args.at("since").at("size").get<std::uint64_t>());
  }
  return with_pad(std::move(out));
}

Json Realm::history(const std::string& addr, const Json& args) {
  const BindingLog& log = of(addr).log;
  const std::uint64_t known = args.at("size");
  const std::int64_t from = args.at("from");
  const std::vector<Json> all = log.entries(addr);
  if (known > log.size() || all.empty() || from > all.back().at("version")) return "not_found";
  return {{"history", log.history(addr, from, known)}};
}

Json Realm::truth(const std::string& op, const Json& args) {
  if (op == "keys.lookup") return looked_up(args);
  if (op == "keys.history") return history(args.at("addr"), args);
  if (op == "domain.get") {
    const auto at = domains_.find(args.at("domain"));
    if (at == domains_.end()) return "peer_unreachable";
    return {{"chain", at->second.domain.chain}};
  }
  if (op == "directory.get") {
    const auto record = record_of(args.at("kid"));
    return record ? Json{{"record", *record}} : Json("not_found");
  }
  throw StepFailed{Verdict::suite_error, "no truth is known of " + op};
}

}  // namespace ams::conform
