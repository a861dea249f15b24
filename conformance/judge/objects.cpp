#include "judge/objects.h"

#include <bit>
#include <span>

namespace ams::conform {
namespace {

Bytes text_with_zero(std::string_view text) {
  Bytes out = to_bytes(text);
  out.push_back(0);
  return out;
}

Bytes concat(std::initializer_list<ByteView> pieces) {
  Bytes out;
  for (const ByteView piece : pieces) append(out, piece);
  return out;
}

Bytes seeded(const std::string& name, std::size_t size) {
  return crypto::Drbg(crypto::sha256(as_bytes("ams-conform " + name))).bytes(size);
}

/// u32 length || text || zeros up to Padmé's length (MSG-21).
Bytes padded(const std::string& text) {
  Bytes out;
  append_u32(out, static_cast<std::uint32_t>(text.size()));
  append(out, text);
  out.resize(crypto::padme(out.size()));
  return out;
}

Hash merkle_of(std::span<const Bytes> leaves) {
  if (leaves.size() == 1) return crypto::sha256(concat({Bytes{0}, leaves[0]}));
  const std::size_t split = std::bit_floor(leaves.size() - 1);
  const Hash left = merkle_of(leaves.first(split));
  const Hash right = merkle_of(leaves.subspan(split));
  return crypto::sha256(concat({Bytes{1}, left, right}));
}

}  // namespace

Bytes signing_text(const std::string& tag, Json object) {
  object.erase("sig");
  Bytes out = text_with_zero("AMS-SIG/1");
  append(out, text_with_zero(tag));
  append(out, hash_of(object));
  return out;
}

Json sign(Json object, const crypto::SigningKey& key) {
  const Bytes text = signing_text(object.at("ams").get<std::string>(), object);
  object["sig"] = b64(*key.sign(text));
  return object;
}

bool signed_by(const Json& object, const Json& key_record) {
  const auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, unb64(key_record.at("sk")));
  if (!key || key_record.value("sig_alg", "") != "ed25519") return false;
  const Bytes text = signing_text(object.value("ams", ""), object);
  return key->verify(text, unb64(object.at("sig"))).has_value();
}

// --- keys ----------------------------------------------------------------------------------------

KeyMaker::KeyMaker(const std::string& name)
    : signing(crypto::SigningKey::ed25519_from_seed(seeded(name + " sign", 32))),
      encryption(crypto::DecryptionKey::x25519_from_seed(seeded(name + " seal", 32))),
      nonce(seeded(name + " nonce", 16)) {}

Hash fp_of(Json record) {
  record.erase("sig");
  Bytes text = text_with_zero("AMS-KEY/1");
  append(text, canonical(record));
  return crypto::sha256(text);
}

std::string kid_of_fp(const Hash& fp) {
  Id16 id{};
  std::copy_n(fp.begin(), id.size(), id.begin());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0F) | 0x80);  // version 8
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3F) | 0x80);  // variant of RFC 9562
  return to_uuid_text(id);
}

Bytes Key::kid_bytes() const {
  const Id16 id = from_uuid_text(kid).value_or(Id16{});
  return to_bytes(ByteView(id));
}

Key make_key(const std::string& name, std::int64_t nbf, const Json& set) {
  Key out{KeyMaker(name), {}, {}, {}};
  Json record = {{"ams", "key/1"},
                 {"sig_alg", "ed25519"},
                 {"kem", "x25519"},
                 {"aeads", {"a256gcm", "c20p1305"}},
                 {"sk", b64(out.secret.signing.public_raw())},
                 {"ek", b64(out.secret.encryption.public_raw())},
                 {"nonce", b64(out.secret.nonce)},
                 {"nbf", nbf},
                 {"exp", nbf + std::int64_t{300} * 86'400'000},
                 {"custody", "client"}};
  record.update(set);
  for (const auto& [member, value] : set.items())
    if (value.is_null()) record.erase(member);
  out.record = sign(std::move(record), out.secret.signing);
  out.fp = fp_of(out.record);
  out.kid = kid_of_fp(out.fp);
  return out;
}

Domain make_domain(const std::string& name, const std::string& seed, std::int64_t now) {
  const std::int64_t nbf = now / 86'400'000 * 86'400'000 - 86'400'000;
  // The root's record stands in hosts files and must never change; the op key's may.
  Domain out{name, make_key(seed + " root", 1'785'000'000'000), make_key(seed + " op", nbf), {}};
  // isp all along: the shift to the same that a seq above 1 has to name is long past.
  const Json isp = {{"mode", "isp"}, {"effective", 0}, {"keys", Json::array()}};
  Json policy = isp;
  policy.update({{"published", 0}, {"effective", 86'400'000}, {"prior", isp}});
  const Json record = {{"ams", "domain/1"},        {"domain", name},
                       {"root_kid", out.root.kid}, {"root_fp", b64(out.root.fp)},
                       {"op_kid", out.op.kid},     {"op_fp", b64(out.op.fp)},
                       {"policy", policy},         {"seq", nbf / 86'400'000}};
  out.chain = {{"record", sign(record, out.root.secret.signing)},
               {"root", out.root.record},
               {"op", out.op.record}};
  return out;
}

std::optional<std::string> judge_chain(const Json& chain, const std::string& domain,
                                       const std::string& root_kid, const std::string& root_fp) {
  for (const char* member : {"record", "root", "op"})
    if (!chain.contains(member) || !chain.at(member).is_object())
      return std::string("has no ") + member;
  const Json &record = chain.at("record"), &root = chain.at("root"), &op = chain.at("op");
  if (record.value("domain", "") != domain) return "is of another domain";
  for (const auto& [role, key] : {std::pair("root", root), std::pair("op", op)}) {
    const Hash fp = fp_of(key);
    const std::string prefix = role;
    if (record.value(prefix + "_fp", "") != b64(fp)) return prefix + "_fp is not its record's";
    if (record.value(prefix + "_kid", "") != kid_of_fp(fp))
      return prefix + "_kid is not its record's";
    if (!signed_by(key, key)) return "the " + prefix + " key's record does not verify";
  }
  if (!root_kid.empty() && record.at("root_kid") != root_kid) return "another root kid";
  if (!root_fp.empty() && to_hex(fp_of(root)) != root_fp) return "another root fingerprint";
  if (!signed_by(record, root)) return "the domain record does not verify under the root";
  return std::nullopt;
}

Hash merkle(const std::vector<Bytes>& leaves) { return merkle_of(leaves); }

// --- messages ------------------------------------------------------------------------------------

Json make_message(const MessagePlan& plan) {
  const std::string tag = "message " + plan.tag;
  const Bytes content_key = seeded(tag + " key", 32), salts = seeded(tag + " salts", 48);
  const auto ephemeral = crypto::Ephemeral::from_seed(seeded(tag + " ephemeral", 32));
  const Json sample = {{"ams", "letter/1"}, {"subject", "conformance " + plan.tag}};
  const Json letter = plan.letter.is_null() ? sample : plan.letter;
  Json env = {{"ams", "env/1"},
              {"id", b64(seeded(tag + " id", 16))},
              {"aead", "a256gcm"},
              {"skid", plan.from->kid},
              {"sfp", b64(plan.from->fp)},
              {"sdom", plan.sdom},
              {"ts", plan.now + plan.ts_offset_ms},
              {"exp", plan.now + plan.ts_offset_ms + plan.life_ms},
              {"epk", b64(ephemeral.key.public_raw())},
              {"leaves", 2},
              {"fc", b64(seeded(tag + " fc", 32))}};
  Json outer_set = plan.set, body_set = Json::object();
  if (const auto at = outer_set.find("body"); at != outer_set.end()) {
    body_set = *at;
    outer_set.erase("body");
  }
  env.update(outer_set);
  const Hash h0 = hash_of(env);
  const Bytes body_context = concat({as_bytes("AMS1-BODY"), h0});
  const Bytes head_context = concat({as_bytes("AMS1-HEAD"), h0});
  const auto head_key = crypto::hkdf({}, content_key, as_bytes("AMS1-HEAD"), 32);
  const ByteView salt(salts);
  const auto aead = crypto::Aead::a256gcm;
  const Bytes body = *crypto::stream_seal(aead, content_key, body_context, salt.first(24),
                                          padded(canonical(letter)));
  const Bytes head = *crypto::stream_seal(aead, head_key.view(), head_context, salt.subspan(24),
                                          padded(canonical(leaf_of(letter))));
  Json stanzas = Json::array();
  for (const Json& record : plan.to) {
    const Hash fp = fp_of(record);
    const std::string kid = kid_of_fp(fp);
    const Id16 kid_raw = from_uuid_text(kid).value_or(Id16{});
    const auto to = crypto::EncryptionKey::from_raw(crypto::Kem::x25519, unb64(record.at("ek")));
    const Bytes info = concat({as_bytes("AMS1"), h0, kid_raw, fp});
    const auto wrapped = crypto::hpke_seal(*to, aead, info, content_key, &ephemeral);
    stanzas.push_back({{"kid", kid}, {"fp", b64(fp)}, {"wk", b64(wrapped->ciphertext)}});
  }
  Json sizes = {{"len", body.size()},
                {"hash", b64(crypto::sha256(body))},
                {"head", {{"len", head.size()}, {"hash", b64(crypto::sha256(head))}}},
                {"blobs", Json::array()}};
  sizes.update(body_set);
  env["body"] = std::move(sizes);
  const Bytes asig = *plan.from->secret.signing.sign(signing_text("env/1", env));
  env.update(plan.set_late);
  Bytes vouched = to_bytes(canonical(env));
  append(vouched, asig);
  return {{"env", env},
          {"asig", b64(asig)},
          {"stanzas", std::move(stanzas)},
          {"head", b64(head)},
          {"body", b64(body)},
          {"ehash", b64(hash_of(env))},
          {"vouch_ehash", b64(crypto::sha256(vouched))}};
}

Json make_letter(const Json& from, const std::string& to, std::int64_t now,
                 const std::string& subject) {
  return {{"ams", "letter/1"},
          {"mid", b64(seeded("mid " + subject, 16))},
          {"from", from},
          {"deliver_to", {to}},
          {"to", {to}},
          {"cc", Json::array()},
          {"date", now},
          {"subject", subject},
          {"parts", {{{"type", "text/plain"}, {"text", "conformance"}}}},
          {"att", Json::array()},
          {"fk", b64(seeded("fk " + subject, 32))}};
}

Json leaf_of(Json letter) {
  for (const char* name : {"fk", "parts", "att", "proof"}) letter.erase(name);
  return letter;
}

Json franking_of(const Json& letter) {
  std::vector<std::string> leaves{canonical(leaf_of(letter))};
  for (const Json& part : letter.at("parts")) leaves.push_back(canonical(part));
  std::vector<Bytes> tags;
  for (std::uint32_t i = 0; i < leaves.size(); ++i) {
    Bytes name = to_bytes("AMS-FRANK"), text;
    append_u32(name, i);
    append_u32(text, i);
    append_u64(text, leaves[i].size());
    append(text, leaves[i]);
    const auto key = crypto::hkdf({}, unb64(letter.at("fk")), name, 32);
    tags.push_back(to_bytes(ByteView(crypto::hmac_sha256(key.view(), text))));
  }
  return {{"leaves", leaves.size()}, {"fc", b64(merkle_of(tags))}};
}

Json make_vouch(const VouchPlan& plan) {
  Json vouch = {{"ams", "vouch/1"},
                {"ehash", b64(plan.ehash)},
                {"sdom", plan.from->name},
                {"dkid", plan.from->op.kid},
                {"acct", b64(Bytes(16, 7))},
                {"rdom", plan.rdom},
                {"class", "cold"},
                {"rroot", b64(merkle(plan.rtags))},
                {"day", plan.day},
                {"dseq", 1},
                {"aseq", 1},
                {"age", 100},
                {"close", b64(Bytes(32, 0))}};
  vouch.update(plan.set);
  return sign(std::move(vouch), plan.from->op.secret.signing);
}

}  // namespace ams::conform
