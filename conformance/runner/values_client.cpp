// Values of cases that judge a client: people's keys, honest answers to make lies of, letters
// opened.
#include "runner/home.h"
#include "runner/stage.h"

namespace ams::conform {
namespace {

Bytes concat(std::initializer_list<ByteView> pieces) {
  Bytes out;
  for (const ByteView piece : pieces) append(out, piece);
  return out;
}

/// A submitted message's letter as the key's owner reads it (MSG-15, MSG-21); a text: why not.
Json open_letter(const Json& args, const Key& key, const Bytes* body) {
  const Json& env = args.at("env");
  if (!body) return "its body was not put";
  Json without = env;
  without.erase("body");
  const Hash h0 = hash_of(without);
  const auto aead = env.at("aead") == "c20p1305" ? crypto::Aead::c20p1305 : crypto::Aead::a256gcm;
  for (const Json& stanza : args.at("stanzas")) {
    if (stanza.at("kid") != key.kid) continue;
    const Bytes info = concat({as_bytes("AMS1"), h0, key.kid_bytes(), key.fp});
    const auto content_key = crypto::hpke_open(key.secret.encryption, aead, unb64(env.at("epk")),
                                               info, unb64(stanza.at("wk")));
    if (!content_key) return "its stanza does not unwrap (MSG-18)";
    const auto plain =
        crypto::stream_open(aead, content_key->view(), concat({as_bytes("AMS1-BODY"), h0}), *body);
    if (!plain || plain->size() < 4) return "its body does not open (MSG-21)";
    const std::size_t size = read_u32(*plain);
    if (size > plain->size() - 4) return "its body's layout (MSG-21)";
    return Json::parse(as_text(ByteView(*plain).subspan(4, size)), nullptr, false);
  }
  return "it has no stanza for this key (MSG-19)";
}

/// The note with another signature of the same key's name.
std::string spoilt(std::string note) {
  char& last = note.at(note.size() - 6);  // of the signature's base64, before its padding
  last = last == 'A' ? 'B' : 'A';
  return note;
}

}  // namespace

std::string hosts_line(const Domain& domain, const std::string& listening) {
  const std::size_t pin = listening.rfind(' ');
  return domain.name + " " + listening.substr(0, pin) + " " + domain.root.kid + " " +
         to_hex(domain.root.fp) + listening.substr(pin);
}

/// {"from": address, "key": its key's name, "entry": for its binding, "to": kid of the client's
/// key, "subject", "proof"?, "ts_ms"?}: a letter to the client, as mail.sync has it, and its body.
Json Stage::built_letter(const Json& plan) {
  const Key& key = realm().person(plan.at("key"));
  const std::string addr = plan.at("from");
  const std::int64_t now = target_.unix_ms() + plan.value("ts_ms", std::int64_t{0});
  const Json from = {{"addr", addr},
                     {"kid", key.kid},
                     {"fp", b64(key.fp)},
                     {"binding", realm().binding(plan.at("entry"), Json::object(), "")}};
  MessagePlan out;
  out.letter = make_letter(from, home().addr(), now, plan.at("subject"));
  if (plan.contains("proof")) out.letter["proof"] = plan.at("proof");
  out.from = &key;
  out.sdom = addr.substr(addr.find('@') + 1);
  out.to = {realm().record_of(plan.at("to")).value()};
  out.now = now;
  out.tag = tag_ + plan.at("subject").get<std::string>();
  out.set = franking_of(out.letter);
  const Json made = make_message(out);
  return {{"message",
           {{"env", made.at("env")},
            {"asig", made.at("asig")},
            {"stanza", made.at("stanzas")[0]},
            {"head", made.at("head")},
            {"addr", home().addr()},
            {"kind", "mail"}}},
          {"body", made.at("body")}};
}

/// $person, $letter, $binding_of, $truth, $chain, $opened; of a log $place, $proof, $bhist, $head,
/// $spoilt; realm.h, judge/bindings.h.
std::optional<Json> Stage::built_client(const std::string& name, const Json& plan) {
  if (!target_.client()) return std::nullopt;
  if (name == "$person") {
    const Key& key = realm().person(plan.at("name"), plan.value("set", Json::object()));
    return Json{{"record", key.record}, {"kid", key.kid}, {"fp", b64(key.fp)}};
  }
  if (name == "$binding_of")
    return realm().binding(plan.at("entry"), plan.value("set", Json::object()),
                           plan.value("by", ""));
  if (name == "$truth") return realm().truth(plan.at("op"), plan.at("args"));
  if (name == "$chain")
    return realm().chain(plan.at("of"), plan.value("set", Json::object()), plan.value("seed", ""));
  if (name == "$spoilt") return spoilt(plan);
  if (name == "$head") return realm().of(plan.at("of")).log.head_of(plan.at("epoch"));
  if (name == "$place" || name == "$proof" || name == "$bhist") {
    const std::string addr = plan.at("addr");
    const BindingLog& log = realm().of(addr).log;
    if (name == "$place") return log.place(addr, plan.at("version"));
    if (name == "$proof") return log.prove(addr, plan.at("last"));
    return log.history(addr, plan.at("from"), plan.at("size"), plan.at("last"));
  }
  if (name == "$letter") return built_letter(plan);
  if (name == "$opened") {
    const Json& args = plan.at("args");
    return open_letter(args, realm().person(plan.at("key")),
                       home().blob(args.at("env").at("body").at("hash")));
  }
  return std::nullopt;
}

}  // namespace ams::conform
