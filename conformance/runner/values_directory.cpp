// Builders for the directory (spec MAP, LOG, CKP, DIR): what a peer's answers must be, computed by
// the suite itself, and verdicts on proofs: "holds", or why not.
#include <algorithm>
#include <bit>

#include "judge/log.h"
#include "runner/stage.h"

namespace ams::conform {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t short_hash = 8;  // DIR-15
constexpr std::int64_t ms_per_day = 86'400'000;

Id16 kid_of(const Json& text) { return from_uuid_text(text.get<std::string>()).value_or(Id16{}); }
Hash hash_from(const Json& text) { return to_array<32>(ByteView(unb64(text))).value_or(Hash{}); }

Hash tagged(std::string_view tag, Json object) {
  object.erase("sig");
  Bytes text = to_bytes(tag);
  text.push_back(0);
  append(text, canonical(object));
  return crypto::sha256(text);
}

/// DIR-8, of an entry with one record.
Hash entry_value(const Json& objects) {
  Bytes text = to_bytes(std::string_view("AMS-ENTRY/1\0\x01", 13));
  std::int64_t last = 0, cseq = 0;
  std::vector<Hash> heads;
  Hash fp{}, card{};
  bool revoked = false;
  for (const Json& object : objects) {
    const std::string tag = object.at("ams");
    if (tag == "key/1") fp = fp_of(object);
    if (tag == "rev/1") revoked = true;
    if (tag == "kev/1" && object.at("seq") >= last) {
      if (object.at("seq") > last) heads.clear();
      last = object.at("seq");
      heads.push_back(tagged("AMS-EVENT/1", object));
    }
    if (tag != "card/1") continue;
    cseq = object.at("cseq");
    card = object.contains("salt") ? tagged("AMS-CARD/1", object) : Hash{};
  }
  std::sort(heads.begin(), heads.end());
  append(text, fp);
  text.push_back(static_cast<std::uint8_t>(last));
  text.push_back(static_cast<std::uint8_t>(heads.size()));
  for (const Hash& head : heads) append(text, head);
  text.push_back(revoked ? 1 : 0);
  append_u64(text, static_cast<std::uint64_t>(cseq));
  append(text, card);
  return crypto::sha256(text);
}

std::map<Id16, Hash> leaves_of(const Json& entries) {
  std::map<Id16, Hash> out;
  for (const Json& entry : entries) out[kid_of(entry.at("kid"))] = hash_from(entry.at("value"));
  return out;
}

/// {"prefix","entries"}: DIR-15's children of an asker that holds those entries there.
Json short_children(const Json& plan) {
  const std::string prefix = plan.at("prefix");
  Bytes out;
  for (const char digit : digits) {
    std::map<Id16, Hash> below;
    for (const auto& [kid, value] : leaves_of(plan.value("entries", Json::array())))
      if (to_hex(ByteView(kid)).starts_with(prefix + digit)) below[kid] = value;
    append(out, ByteView(map_root(below)).first(short_hash));
  }
  return b64(out);
}

/// {"n","of":[what $said gave…]}: the objects of the n least hashes, ascending (KEV-6, CRD-4).
Json least(const Json& plan) {
  std::vector<std::pair<Bytes, Json>> all;
  for (const Json& said : plan.at("of"))
    all.emplace_back(unb64(said.at("hash")), said.at("object"));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Json out = Json::array();
  for (std::size_t i = 0; i < plan.at("n").get<std::size_t>(); ++i) out.push_back(all[i].second);
  return out;
}

/// {"answer","kid"}: whether an answer of directory.proof is one (DIR-12).
std::string judge_proof(const Json& plan, const std::string& domain, const Json& op_key) {
  const Json& answer = plan.at("answer");
  std::string why;
  const auto epoch = open_head(answer, directory_origin(domain), op_key, why);
  if (!epoch) return why;
  std::optional<Hash> value;
  if (answer.contains("value")) value = hash_from(answer["value"]);
  const auto map =
      judge_map_proof(epoch->root, kid_of(plan.at("kid")), value, unb64(answer.at("map")));
  return map.value_or("holds");
}

/// {"from","to","proof"}: whether one checkpoint extends the other (LOG-6).
std::string judge_consistency(const Json& plan, const std::string& domain, const Json& op_key) {
  std::string why;
  const std::string origin = directory_origin(domain);
  const auto from = open_checkpoint(plan.at("from"), origin, op_key, why);
  const auto to = open_checkpoint(plan.at("to"), origin, op_key, why);
  if (!from || !to) return "a checkpoint " + why;
  const Bytes proof = unb64(plan.at("proof"));
  return extends(from->size, from->root, to->size, to->root, proof) ? "holds"
                                                                    : "the logs are two (LOG-6)";
}

/// {"history","checkpoint"}: whether the epochs from 0 on lead to what the peer signed (DIR-13).
std::string judge_history(const Json& plan, const std::string& domain, const Json& op_key) {
  std::string why;
  const auto checkpoint =
      open_checkpoint(plan.at("checkpoint"), directory_origin(domain), op_key, why);
  if (!checkpoint) return "the checkpoint " + why;
  std::map<Id16, Hash> leaves;
  std::vector<Hash> log;
  for (const Json& item : plan.at("history").at("epochs")) {
    const Bytes entry = unb64(item.at("epoch")), changes = unb64(item.at("changes"));
    const auto epoch = read_epoch(entry);
    if (!epoch || changes.size() % 48 != 0) return "an epoch's form (DIR-13)";
    for (ByteView rest(changes); !rest.empty(); rest = rest.subspan(48))
      leaves[*to_array<16>(rest.first(16))] = *to_array<32>(rest.subspan(16, 32));
    if (map_root(leaves) != epoch->root || leaves.size() != epoch->count)
      return "an epoch's changes do not lead to its root (DIR-13)";
    log.push_back(log_leaf(entry));
  }
  if (log.size() != checkpoint->size || log_root(log) != checkpoint->root)
    return "the epochs are not the log that is signed (LOG-1)";
  return "holds";
}

/// The suite's own log: any number of entries that say nothing, other ones for each fork.
std::vector<Hash> own_log(std::size_t size, const std::string& fork) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < size; ++i)
    out.push_back(log_leaf(as_bytes("conform epoch " + fork + std::to_string(i))));
  return out;
}

int work_of(const std::string& domain, std::int64_t day, const Json& object, ByteView nonce) {
  Bytes text = to_bytes(std::string_view("AMS-WORK/1\0", 11));
  text.push_back(static_cast<std::uint8_t>(domain.size()));
  append(text, domain);
  append_u64(text, static_cast<std::uint64_t>(day));
  append(text, hash_of(object));
  append(text, nonce);
  const Hash hash = crypto::sha256(text);
  return std::countl_zero(read_u64(ByteView(hash).first(8)));
}

/// {"object","bits","day"?: days from today,"domain"?,"for"?: another object}: a nonce that is
/// worth so many bits to whom the plan says, and, where that is not the target today, fewer to it
/// (DIR-23).
Json own_work(const Json& plan, const std::string& target, std::int64_t today) {
  const int bits = plan.at("bits");
  const std::int64_t day = today + plan.value("day", std::int64_t{0});
  const std::string domain = plan.value("domain", target);
  const Json& object = plan.contains("for") ? plan["for"] : plan.at("object");
  const bool other = domain != target || plan.contains("for") || day < today - 1 || day > today ||
                     plan.value("less", false);
  for (std::uint64_t number = 0;; ++number) {
    Bytes nonce;
    append_u64(nonce, number);
    const bool pays = work_of(domain, day, object, nonce) >= bits;
    const auto worth = [&](std::int64_t at) {
      return work_of(target, at, plan.at("object"), nonce) >= bits;
    };
    const bool wanted = plan.value("less", false) ? true : pays;
    if (wanted && !(other && (worth(today) || worth(today - 1)))) return b64(nonce);
  }
}

}  // namespace

/// {"as","size","fork"?,"origin"?,"by"?}: a checkpoint of a domain of the suite's.
std::string Stage::own_checkpoint(const Json& plan) {
  const Domain& from = domain_of(plan.value("as", "server"));
  const Domain& by = domain_of(plan.value("by", plan.value("as", "server")));
  const auto size = plan.at("size").get<std::size_t>();
  const std::string origin = plan.value("origin", directory_origin(from.name));
  return make_checkpoint(origin, size, log_root(own_log(size, plan.value("fork", ""))),
                         by.op.secret.signing);
}

/// {"keys":[record…],"as","by"?: another domain whose op key signs,"set"?: members put over the
/// others before that}: {"grant","vouchers":[of each key…]} (DIR-57, DIR-58).
Json Stage::built_grant(const Json& plan) {
  const Domain& from = domain_of(plan.value("as", "server"));
  const Domain& by = domain_of(plan.value("by", plan.value("as", "server")));
  std::vector<Hash> leaves;
  for (const Json& record : plan.at("keys")) {
    Bytes entry = to_bytes(std::string_view("AMS-GRANT/1\0", 12));
    append(entry, fp_of(record));
    leaves.push_back(log_leaf(entry));
  }
  Json grant = {{"ams", "grant/1"},
                {"domain", from.name},
                {"op_key", b64(crypto::sha256(unb64(by.op.record.at("sk"))))},
                {"root", b64(log_root(leaves))},
                {"count", leaves.size()}};
  if (plan.contains("set")) grant.update(plan["set"]);
  Json vouchers = Json::array();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    Bytes voucher{0, static_cast<std::uint8_t>(i)};
    append(voucher, inclusion_path(leaves, i));
    vouchers.push_back(b64(voucher));
  }
  return {{"grant", sign(std::move(grant), by.op.secret.signing)},
          {"vouchers", std::move(vouchers)}};
}

/// {"as","size"}: two faces of one log (CKP-11); with "earlier", a size at which it showed another
/// history (CKP-13).
Json Stage::built_evidence(const Json& plan) {
  if (plan.contains("earlier")) {
    Json then = plan;
    then["size"] = plan["earlier"];
    then["fork"] = "other ";
    const auto log = own_log(plan.at("size").get<std::size_t>(), "");
    return own_checkpoint(then) + "\n" + own_checkpoint(plan) + "\n" +
           rewrite_lines(log, plan["earlier"].get<std::size_t>());
  }
  std::vector<std::pair<Hash, std::string>> faces;
  for (const char* fork : {"", "other "}) {
    Json one = plan;
    one["fork"] = fork;
    const auto size = plan.at("size").get<std::size_t>();
    faces.emplace_back(log_root(own_log(size, fork)), own_checkpoint(one));
  }
  std::sort(faces.begin(), faces.end());
  return faces[0].second + "\n" + faces[1].second;
}

Json Stage::built_directory(const std::string& name, const Json& plan) {
  const auto judged = [&](auto judge) { return judge(plan, target_.domain, vars_.at("op_key")); };
  if (name == "$value") return b64(entry_value(plan));
  if (name == "$map_root") return b64(map_root(leaves_of(plan)));
  if (name == "$short_children") return short_children(plan);
  if (name == "$least") return least(plan);
  if (name == "$proof_verdict") return judged(judge_proof);
  if (name == "$consistency_verdict") return judged(judge_consistency);
  if (name == "$history_verdict") return judged(judge_history);
  if (name == "$checkpoint") return own_checkpoint(plan);
  if (name == "$evidence") return built_evidence(plan);
  if (name == "$grant") return built_grant(plan);
  if (name == "$extension") {  // {"first","second"}
    const auto log = own_log(plan.at("second").get<std::size_t>(), "");
    return b64(consistency_proof(log, plan.at("first").get<std::size_t>()));
  }
  if (name == "$work") return own_work(plan, target_.domain, target_.unix_ms() / ms_per_day);
  if (name == "$prefix") {  // {"of": kid, "n": digits}
    const Id16 kid = kid_of(plan.at("of"));
    return to_hex(ByteView(kid)).substr(0, plan.at("n").get<std::size_t>());
  }
  if (name == "$listed") {  // kid ‖ first 8 bytes of the value, for each (DIR-15)
    Bytes out;
    for (const auto& [kid, value] : leaves_of(plan)) {
      append(out, kid);
      append(out, ByteView(value).first(short_hash));
    }
    return b64(out);
  }
  if (name == "$joined") {  // {"parts": 16 digests, "depth": bits of the prefix}
    std::vector<Hash> parts;
    for (const Json& part : plan.at("parts")) parts.push_back(hash_from(part));
    return b64(joined_digests(parts, plan.at("depth").get<std::size_t>() + 4));
  }
  std::string why;
  const std::string origin = directory_origin(target_.domain);
  if (name == "$log_size") {  // of the target's checkpoint
    const auto opened = open_checkpoint(plan, origin, vars_.at("op_key"), why);
    if (!opened) fail_step("the checkpoint " + why);
    return opened->size;
  }
  if (name == "$cosignature_verdict") {  // {"note","as","size"}
    const std::string shown = own_checkpoint(plan);
    const std::string text = shown.substr(0, shown.rfind("\n\n") + 1);
    return has_cosignature(plan.at("note"), text, origin, vars_.at("op_key"))
               ? "holds"
               : "has no cosignature of the target's (CKP-5)";
  }
  throw StepFailed{Verdict::suite_error, "no such builder: " + name};
}

}  // namespace ams::conform
