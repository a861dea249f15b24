// Values in steps: "${name/path}", builders ({"$message": …}) and patterns ({"$any": true}).
#include "runner/stage.h"
#include "runner/suite_domain.h"

namespace ams::conform {
namespace {

const std::set<std::string> patterns{"$any", "$type", "$min", "$size",
                                     "$b64", "$has",  "$no",  "$signed"};
constexpr std::int64_t day_ms = 86'400'000;

[[noreturn]] void bad_step(const std::string& why) { throw StepFailed{Verdict::suite_error, why}; }

Bytes seeded_bytes(const std::string& seed, std::size_t size) {
  return crypto::Drbg(crypto::sha256(as_bytes(seed))).bytes(size);
}

}  // namespace

Json Stage::lookup(const std::string& path) {
  const std::size_t slash = path.find('/');
  const std::string name = path.substr(0, slash);
  Json root;
  if (name == "now") {
    root = target_.unix_ms();
  } else if (vars_.contains(name)) {
    root = vars_.at(name);
  } else if (name.size() == 2 && (name[0] == 'a' || name[0] == 'f')) {
    const Account& who = account(name);
    root = {{"addr", who.grant.addr},
            {"token", b64(who.grant.token)},
            {"device", b64(who.device.public_raw())},
            {"version", who.version},
            {"next", who.version + 1}};
    if (who.key) {
      root["record"] = who.key->record;
      root["kid"] = who.key->kid;
      root["fp"] = b64(who.key->fp);
    }
  } else {
    bad_step("no such value: ${" + path + "}");
  }
  if (slash == std::string::npos) return root;
  const Json::json_pointer pointer(path.substr(slash));
  if (!root.contains(pointer)) bad_step("no such value: ${" + path + "}");
  return root.at(pointer);
}

Json Stage::text(const std::string& raw) {
  const std::size_t first = raw.find("${");
  if (first == std::string::npos) return raw;
  const std::size_t last = raw.find('}', first);
  if (first == 0 && last == raw.size() - 1) return lookup(raw.substr(2, last - 2));
  const Json found = lookup(raw.substr(first + 2, last - first - 2));
  const std::string shown = found.is_string() ? found.get<std::string>() : canonical(found);
  return text(raw.substr(0, first) + shown + raw.substr(last + 1));
}

Json Stage::value(const Json& raw) {
  if (raw.is_string()) return text(raw);
  if (raw.is_object()) {
    for (const auto& [name, member] : raw.items())
      if (name.starts_with('$')) return built(raw);
    Json out = Json::object();
    for (const auto& [name, member] : raw.items()) out[name] = value(member);
    return out;
  }
  if (!raw.is_array()) return raw;
  Json out = Json::array();
  for (const Json& member : raw) out.push_back(value(member));
  return out;
}

/// {"$edit": base, "set": {"/a/b": v}, "drop": ["/c"]}
Json Stage::edited(const Json& raw) {
  Json out = value(raw.at("$edit"));
  if (raw.contains("set"))
    for (const auto& [path, member] : raw.at("set").items())
      out[Json::json_pointer(path)] = value(member);
  if (raw.contains("drop"))
    for (const Json& path : raw.at("drop")) {
      const Json::json_pointer pointer(path.get<std::string>());
      out.at(pointer.parent_pointer()).erase(pointer.back());
    }
  return out;
}

/// {"$range": 3, "of": "x${i}"}
Json Stage::ranged(const Json& raw) {
  Json out = Json::array();
  const std::int64_t count = value(raw.at("$range"));
  for (std::int64_t i = 0; i < count; ++i) {
    vars_["i"] = i;
    out.push_back(value(raw.at("of")));
  }
  return out;
}

Json Stage::built(const Json& raw) {
  if (raw.contains("$edit")) return edited(raw);
  if (raw.contains("$range")) return ranged(raw);
  if (raw.size() != 1) bad_step("no such builder: " + canonical(raw));
  const std::string name = raw.begin().key();
  const Json plan = value(raw.begin().value());
  if (patterns.contains(name)) return {{name, plan}};
  if (name == "$key") return built_key(plan);
  if (name == "$record") return built_key(plan).at("record");
  if (name == "$said") return built_said(plan);
  if (name == "$message") return built_message(plan);
  if (name == "$deliver") return built_deliver(plan);
  if (name == "$receipts") return built_receipts(plan);
  if (name == "$binding") return built_binding(plan);
  if (name == "$literal") return plan;
  if (name == "$bytes")
    return b64(Bytes(plan.at("n").get<std::size_t>(), plan.value("fill", std::uint8_t{7})));
  if (name == "$fresh_bytes") {
    const std::string seed = tag_ + plan.value("tag", "");
    return b64(seeded_bytes(seed, plan.at("n").get<std::size_t>()));
  }
  if (name == "$sha256") return b64(crypto::sha256(unb64(plan)));
  if (name == "$flip") {  // another value of the same size
    Bytes bytes = unb64(plan);
    bytes.at(bytes.size() / 2) ^= 1;
    return b64(bytes);
  }
  if (name == "$text")
    return std::string(plan.at("n").get<std::size_t>(), plan.value("fill", "x").at(0));
  if (name == "$sum") {
    std::int64_t sum = 0;
    for (const Json& part : plan) sum += part.get<std::int64_t>();
    return sum;
  }
  if (name == "$count") return plan.size();
  if (name == "$kid_of") return kid_of_fp(fp_of(plan));
  if (auto of_client = built_client(name, plan)) return *of_client;
  if (name.starts_with("$bindlog")) return built_shown_log(name, plan);
  if (name.starts_with("$bind_")) return built_binding_log(name, plan);
  return built_directory(name, plan);
}

Json Stage::built_key(const Json& plan) {
  const std::int64_t nbf = target_.unix_ms() - day_ms;
  const std::string name = tag_ + " key " + plan.value("name", "");
  Key key = make_key(name, nbf, plan.value("set", Json::object()));
  key.record.update(plan.value("late", Json::object()));
  return {{"record", key.record}, {"kid", key.kid}, {"fp", b64(key.fp)}};
}

/// {"$said": {"by": name of a $key, "object": {…}}}: what the key's owner says of it, signed; and
/// its hash (KEV-2, CRD-3).
Json Stage::built_said(const Json& plan) {
  const KeyMaker owner(tag_ + " key " + plan.value("by", ""));
  Json object = plan.at("object");
  const bool card = object.value("ams", "") == "card/1";
  Bytes text = to_bytes(card ? "AMS-CARD/1" : "AMS-EVENT/1");
  text.push_back(0);
  append(text, canonical(object));
  const std::string hash = b64(crypto::sha256(text));
  if (!card) return {{"object", sign(std::move(object), owner.signing)}, {"hash", hash}};
  // CRD-7: the stub is signed, and stands for the card where it is dropped.
  const bool erased = !object.contains("salt");
  Json stub{{"ams", "cardstub/1"}, {"hash", erased ? b64(Hash{}) : hash}};
  for (const char* member : {"cseq", "kid"})
    if (object.contains(member)) stub[member] = object.at(member);
  stub = sign(std::move(stub), owner.signing);
  object["sig"] = stub.at("sig");
  return {{"object", std::move(object)}, {"hash", hash}, {"stub", stub}};
}

Json Stage::built_message(const Json& plan) {
  MessagePlan out;
  const std::string from = plan.at("from");
  out.from = &key_of(from);
  const bool ours = from.find('@') != std::string::npos;
  out.sdom = ours ? from.substr(from.find('@') + 1) : target_.domain;
  for (const Json& to : plan.at("to")) out.to.push_back(key_of(to).record);
  out.now = target_.unix_ms();
  out.life_ms = plan.value("life_ms", day_ms);
  out.ts_offset_ms = plan.value("ts_offset_ms", std::int64_t{0});
  out.tag = tag_ + plan.value("tag", "");
  out.set = plan.value("set", Json::object());
  out.set_late = plan.value("set_late", Json::object());
  Json message = make_message(out);
  Json rcpts = Json::array();
  for (std::size_t i = 0; i < plan.at("to").size(); ++i) {
    const std::string to = plan.at("to")[i];
    const bool address = to.find('@') != std::string::npos;
    rcpts.push_back({{"addr", address ? to : account(to).grant.addr}, {"stanza", i}});
  }
  message["rcpts"] = rcpts;
  message["args"] = {{"env", message["env"]},
                     {"asig", message["asig"]},
                     {"stanzas", message["stanzas"]},
                     {"head", message["head"]},
                     {"rcpts", std::move(rcpts)}};
  return message;
}

/// A delivery of the suite's own domain, one vouch a recipient.
Json Stage::built_deliver(const Json& plan) {
  const Json& message = plan.at("message");
  const Domain& from = domain_of("server");
  Json rcpts = Json::array(), vouches = Json::array();
  const Json wanted = plan.value("rcpts", message.at("rcpts"));
  for (const Json& rcpt : wanted) {
    const std::string addr = rcpt.at("addr");
    const Bytes salt = seeded_bytes(tag_ + addr, 16);
    const Hash rtag = crypto::hmac_sha256(salt, as_bytes(plan.value("rtag_of", addr)));
    VouchPlan vouch;
    vouch.from = &from;
    vouch.rdom = target_.domain;
    vouch.ehash = unb64(message.at("vouch_ehash"));
    vouch.rtags = {to_bytes(ByteView(rtag))};
    vouch.day = target_.unix_ms() / day_ms;
    vouch.set = plan.value("vouch_set", Json::object());
    Json signed_vouch = make_vouch(vouch);
    signed_vouch.update(plan.value("vouch_late", Json::object()));
    rcpts.push_back({{"addr", addr},
                     {"stanza", rcpt.at("stanza")},
                     {"salt", b64(salt)},
                     {"vouch", vouches.size()}});
    vouches.push_back(std::move(signed_vouch));
  }
  return {{"env", message.at("env")},
          {"asig", message.at("asig")},
          {"head", message.at("head")},
          {"stanzas", message.at("stanzas")},
          {"rcpts", std::move(rcpts)},
          {"vouches", std::move(vouches)},
          {"key", plan.value("key", key_of(plan.at("from")).record)}};
}

/// conform.test's answer to relay.deliver: accepts all, or refuses all with a code.
Json Stage::built_receipts(const Json& plan) {
  const Domain& from = domain_of("server");
  Json results = Json::array();
  for (const Json& delivery : plan.at("deliveries")) {
    Json receipts = Json::array();
    for (const Json& rcpt : delivery.at("rcpts")) {
      const std::string addr = rcpt.at("addr");
      Json receipt = {
          {"ams", "receipt/1"},
          {"ehash", b64(hash_of(delivery.at("env")))},
          {"rdom", from.name},
          {"dkid", from.op.kid},
          {"addr_tag", b64(crypto::hmac_sha256(unb64(rcpt.at("salt")), as_bytes(addr)))},
          {"verdict", plan.contains("code") ? "refused" : "accepted"},
          {"ts", target_.unix_ms()}};
      if (plan.contains("code")) receipt["code"] = plan.at("code");
      const Key& key = plan.value("forged", false) ? from.root : from.op;
      receipts.push_back(sign(std::move(receipt), key.secret.signing));
    }
    results.push_back(std::move(receipts));
  }
  return {{"results", std::move(results)}};
}

/// What conform.test answers to keys.lookup of one of its users.
Json Stage::built_binding(const Json& plan) {
  const Domain& from = domain_of("server");
  const std::string addr = plan.at("addr");
  const Key& key = key_of(addr);
  const Json binding = {{"ams", "bind/1"},    {"addr", addr}, {"kid", key.kid},
                        {"fp", b64(key.fp)},  {"version", 1}, {"custody", key.record.at("custody")},
                        {"dkid", from.op.kid}};
  return {{"binding", sign(binding, from.op.secret.signing)}, {"key", key.record}};
}

// --- patterns ------------------------------------------------------------------------------------

std::optional<std::string> Stage::mismatch_op(const Json& wanted, const Json& got,
                                              const std::string& at) {
  const std::string op = wanted.begin().key();
  const Json& plan = wanted.begin().value();
  const auto differs = [&](const std::string& expected) {
    return std::optional(at + ": expected " + expected + ", got " + canonical(got).substr(0, 200));
  };
  if (op == "$any") return std::nullopt;
  if (op == "$type")
    return got.type_name() == plan ? std::nullopt : differs("a " + canonical(plan));
  if (op == "$min") {
    const bool enough = got.is_number_integer() && got >= plan;
    return enough ? std::nullopt : differs("at least " + canonical(plan));
  }
  if (op == "$size")
    return got.size() == plan ? std::nullopt : differs(canonical(plan) + " elements");
  if (op == "$b64") {
    const auto bytes = got.is_string() ? from_base64url(got.get<std::string>()) : std::nullopt;
    return bytes && bytes->size() == plan ? std::nullopt : differs(canonical(plan) + " bytes");
  }
  if (op == "$has") {
    for (const Json& one : got)
      if (!mismatch(plan, one, at)) return std::nullopt;
    return differs("an element like " + canonical(plan));
  }
  if (op == "$no") {
    for (const Json& one : got)
      if (!mismatch(plan, one, at)) return differs("no element like " + canonical(plan));
    return std::nullopt;
  }
  if (op == "$signed") {  // by the target's op key
    if (!got.is_object() || !got.contains("sig") || !vars_.contains("op_key") ||
        !signed_by(got, vars_.at("op_key")))
      return differs("a signature of the domain's op key");
    return mismatch(plan, got, at);
  }
  bad_step("no such pattern: " + op);
}

/// Objects match when the members wanted match; arrays and the rest must be equal.
std::optional<std::string> Stage::mismatch(const Json& wanted, const Json& got,
                                           const std::string& at) {
  if (wanted.is_object() && wanted.size() == 1 && wanted.begin().key().starts_with('$'))
    return mismatch_op(wanted, got, at);
  if (wanted.is_object() && got.is_object()) {
    for (const auto& [name, member] : wanted.items()) {
      if (!got.contains(name)) return at + ": has no " + name;
      if (auto why = mismatch(member, got.at(name), at + "/" + name)) return why;
    }
    return std::nullopt;
  }
  if (wanted.is_array() && got.is_array() && wanted.size() == got.size()) {
    for (std::size_t i = 0; i < got.size(); ++i)
      if (auto why = mismatch(wanted[i], got[i], at + "/" + std::to_string(i))) return why;
    return std::nullopt;
  }
  if (wanted == got) return std::nullopt;
  return at + ": expected " + canonical(wanted).substr(0, 200) + ", got " +
         canonical(got).substr(0, 200);
}

void Stage::require(const Json& wanted, const Json& got, const std::string& what) {
  if (auto why = mismatch(wanted, got, "")) fail_step(what + *why);
}

}  // namespace ams::conform
