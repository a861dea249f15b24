// Goal: each op of the adapter judges what it is given: good objects are taken, a changed one gets
// its code. Method: objects made by the rooms themselves, sent as JSON lines.
#include "adapter/codec.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "crypto/vrf.h"
#include "mail/forge_test.h"

namespace ams::adapter {
namespace {

using Json = nlohmann::json;
using mail::testing::World;

const World& codec_world() {
  static const World world;
  return world;
}

std::string b64(ByteView raw) { return to_base64url(raw); }
std::string b64(const wire::Value& value) { return to_base64url(wire::encode(value)); }

/// The answer's ok, or its error's code, or "fault".
Json judged(const std::string& op, const Json& args) {
  const Json out = Json::parse(answer(Json{{"id", 3}, {"op", op}, {"args", args}}.dump()));
  EXPECT_EQ(out["id"], 3);
  if (out.contains("ok")) return out["ok"];
  if (out.contains("fault")) return "fault";
  EXPECT_EQ(out["error"]["phase"], find_code(out["error"]["code"].get<std::string>())->phase);
  return out["error"]["code"];
}

Json with_chain(const mail::testing::Domain& domain, Json args) {
  args["chain_b64"] = b64(domain.chain->value);
  args["root_kid"] = to_uuid_text(domain.root.record.id().kid);
  args["root_fp"] = b64(domain.root.record.id().fp);
  return args;
}

Json message_args(const mail::Sealed& sealed, const mail::testing::Person& reader) {
  wire::Array stanzas;
  for (const mail::Stanza& stanza : sealed.stanzas) stanzas.push_back(to_value(stanza));
  const World& world = codec_world();
  return with_chain(world.alpha,
                    {{"header_b64", b64(sealed.header)},
                     {"asig_b64", b64(sealed.asig)},
                     {"stanzas_b64", b64(wire::Value(stanzas))},
                     {"reader", reader.addr},
                     {"own_record_b64", b64(reader.pair.record.value())},
                     {"own_private_b64", b64(reader.pair.encryption.private_raw().view())},
                     {"sender_record_b64", b64(world.alice.pair.record.value())}});
}

TEST(Codec, keys) {
  const keys::KeyRecord& record = codec_world().rita.pair.record;
  const std::string kid = to_uuid_text(record.id().kid);
  const Json good{{"raw_b64", b64(record.value())}};
  EXPECT_EQ(judged("key.verify", good)["kid"], kid);
  const Json other{{"raw_b64", b64(record.value())}, {"kid", to_uuid_text(Id16{})}};
  EXPECT_EQ(judged("key.verify", other), "kid_mismatch");
  const Json fp{{"raw_b64", b64(record.value())}, {"kid", kid}, {"fp", b64(Hash{})}};
  EXPECT_EQ(judged("key.verify", fp), "fp_mismatch");
}

TEST(Codec, domains_and_bindings) {
  const World& world = codec_world();
  EXPECT_EQ(judged("domain.verify", with_chain(world.alpha, {}))["domain"], "alpha.example");
  EXPECT_EQ(judged("domain.verify", with_chain(world.alpha, {{"domain", "beta.example"}})),
            "domain_record");
  const Json raw{{"raw_b64", b64(world.alice.binding)}};
  EXPECT_EQ(judged("binding.verify", with_chain(world.alpha, raw))["addr"], world.alice.addr);
  EXPECT_EQ(judged("binding.verify", with_chain(world.beta, raw)), "domain_mismatch");
}

TEST(Codec, vouches_and_receipts) {
  const World& world = codec_world();
  mail::Vouch vouch;
  vouch.sdom = world.alpha.name;
  vouch.rdom = world.beta.name;
  vouch.dkid = world.alpha.op.record.id().kid;
  const wire::Value header = wire::Object{};
  vouch.ehash = mail::vouch_ehash(header, Bytes(64));
  vouch.rroot = mail::merkle_root({to_bytes(mail::rtag(Id16{1}, world.bob.addr))});
  const Json rcpt{{"salt_b64", b64(Id16{1})}, {"addr", world.bob.addr}};
  const auto signed_vouch = mail::make_vouch(vouch, world.alpha.op.signing).value();
  Json args = with_chain(world.alpha, {{"raw_b64", b64(signed_vouch)},
                                       {"header_b64", b64(header)},
                                       {"asig_b64", b64(Bytes(64))},
                                       {"rdom", vouch.rdom},
                                       {"rcpts", Json::array({rcpt})}});
  EXPECT_EQ(judged("vouch.verify", args)["day"], 0);
  args["rcpts"].push_back(rcpt);
  EXPECT_EQ(judged("vouch.verify", args), "vouch_mismatch");
  const mail::Receipt receipt{{}, world.beta.name, world.beta.op.record.id().kid, {}, true, {}, 1};
  const auto value = mail::make_receipt(receipt, world.beta.op.signing).value();
  EXPECT_EQ(judged("receipt.verify", with_chain(world.beta, {{"raw_b64", b64(value)}}))["accepted"],
            true);
  EXPECT_EQ(judged("receipt.verify", with_chain(world.alpha, {{"raw_b64", b64(value)}})),
            "domain_mismatch");
}

TEST(Codec, messages) {
  const World& world = codec_world();
  mail::Draft draft = world.draft();
  draft.attachments = {{"a", "text/plain", {1, 2, 3}}};
  const mail::Sealed sealed =
      world.seal(draft, {&world.bob.pair.record, &world.rita.pair.record}).value();
  for (const mail::testing::Person* reader : {&world.bob, &world.rita}) {
    Json args = message_args(sealed, *reader);
    args["body_b64"] = b64(sealed.body);
    const Json letter = judged("message.open", args);
    EXPECT_EQ(letter["subject"], draft.subject);
    EXPECT_EQ(letter["parts"].size(), 2u);
    const Json& att = letter["att"][0];
    Json attachment{{"header_b64", b64(sealed.header)}, {"sealed_b64", b64(sealed.blobs[0])}};
    for (const char* name : {"id", "size", "blob", "key_b64"}) attachment[name] = att[name];
    EXPECT_EQ(judged("attachment.open", attachment)["data_b64"], "AQID");
    args["body_b64"] = b64(sealed.head);
    EXPECT_EQ(judged("message.open", args), "blob_hash");
    args["stanzas_b64"] = b64(wire::Value(wire::Array{}));
    EXPECT_EQ(judged("message.open", args), "schema");
    args["own_private_b64"] = "";
    EXPECT_EQ(judged("message.open", args), "fault");
  }
  Json args = message_args(sealed, world.bob);
  args["head_b64"] = b64(sealed.head);
  EXPECT_EQ(judged("head.open", args)["subject"], draft.subject);
  args["asig_b64"] = b64(Bytes(64));
  EXPECT_EQ(judged("head.open", args), "signature");
}

TEST(Codec, header_in_time_and_chain_of_sdom) {
  const World& world = codec_world();
  const mail::Sealed sealed = world.seal(world.draft(), {&world.bob.pair.record}).value();
  Json args{{"header_b64", b64(sealed.header)}, {"now", mail::testing::now_ms}};
  EXPECT_EQ(judged("header.judge", args)["ehash_b64"], b64(mail::ehash(sealed.header)));
  args["now"] = mail::testing::now_ms + mail::header_life_ms_max;
  EXPECT_EQ(judged("header.judge", args), "expired");
  Json open = with_chain(world.beta, message_args(sealed, world.bob));
  open["body_b64"] = b64(sealed.body);
  EXPECT_EQ(judged("message.open", open), "domain_record");
  open["asig_b64"] = b64(Bytes(64));
  EXPECT_EQ(judged("message.open", open), "signature");
  Json key{{"raw_b64", b64(world.bob.pair.record.value())}, {"now", 0}};
  EXPECT_EQ(judged("key.usable", key), "key_expired");
  key["now"] = mail::testing::now_ms;
  EXPECT_TRUE(judged("key.usable", key).contains("kid"));
}

TEST(Codec, payload_shapes) {
  const auto shape = [](std::string_view text) {
    return judged("payload.shape", {{"raw_b64", b64(as_bytes(text))}});
  };
  EXPECT_EQ(shape(R"({"args":{},"id":1,"op":"ping"})")["shape"], "request");
  EXPECT_EQ(shape(R"({"id":1,"ok":{}})")["shape"], "answer");
  EXPECT_EQ(shape(R"({"error":{"code":"rate","phase":"limit"},"id":1})")["shape"], "error");
  EXPECT_EQ(shape(R"({"data":{},"event":"e"})")["shape"], "event");
  EXPECT_EQ(shape(R"({"id":1})"), "request_shape");
}

TEST(Codec, streams) {
  const Bytes sealed =
      crypto::stream_seal(crypto::Aead::a256gcm, Hash{}, Bytes{1}, Bytes(24), Bytes{7}).value();
  Json args{{"aead", "a256gcm"},
            {"key_b64", b64(Hash{})},
            {"context_b64", b64(Bytes{1})},
            {"sealed_b64", b64(sealed)}};
  EXPECT_EQ(judged("stream.open", args)["plain_b64"], "Bw");
  args["context_b64"] = "";
  EXPECT_EQ(judged("stream.open", args), "key_commitment");
  args["aead"] = "rot13";
  EXPECT_EQ(judged("stream.open", args), "unknown_algorithm");
}

TEST(Codec, vrf_proofs) {
  const auto key = crypto::VrfKey::from_seed(Hash{});
  Json args{{"public_b64", b64(key.public_raw())},
            {"alpha_b64", b64(Bytes{1})},
            {"proof_b64", b64(key.prove(Bytes{1}))}};
  EXPECT_EQ(judged("vrf.verify", args)["beta_b64"],
            b64(crypto::vrf_proof_to_hash(key.prove(Bytes{1})).value()));
  args["alpha_b64"] = "";
  EXPECT_EQ(judged("vrf.verify", args), "vrf_proof");
  args["public_b64"] = "AA";
  EXPECT_EQ(judged("vrf.verify", args), "key_material");
}

}  // namespace
}  // namespace ams::adapter
