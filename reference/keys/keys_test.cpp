// Goal: no key record, chain or binding exists whose checks did not pass, and each refusal has the
// code that the order of checks gives. Method: a good object, one fault at a time (fixed up with a
// fresh signature where the fault is not the signature's), then pairs of faults for the order.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>

#include "keys/records.h"

namespace ams::keys {
namespace {

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t start_ms = 1'900'000'000'000;

KeyPair new_pair(std::uint8_t seed) {
  const Bytes entropy(80, seed);
  return make_modern(entropy, {.nbf = start_ms, .exp = start_ms + 365 * day_ms}).value();
}

/// A record with one change, signed again by the key that it had.
wire::Value changed(const KeyPair& pair, const std::function<void(wire::Object&)>& change) {
  wire::Value value = pair.record.value();
  value.as_object().erase("sig");
  change(value.as_object());
  return sign_object(value, pair.signing).value();
}

Code code_of(const Result<KeyRecord>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Code::schema : result.error().code;
}

struct Domain {
  KeyPair root = new_pair(11), op = new_pair(12);
  DomainRecord record{"alpha.example", root.record.id(), op.record.id(), isp_policy(), 1};
  wire::Value chain() const {
    return chain_value(make_domain_record(record, root.signing).value(), root.record, op.record);
  }
  Chain verified() const {
    return verify_chain(chain(), "alpha.example", root.record.id()).value();
  }
};

TEST(KeyRecord, reads_back_what_was_made) {
  const KeyPair pair = new_pair(1);
  const auto value = wire::decode(wire::encode(pair.record.value()));
  ASSERT_TRUE(value);
  const auto record = KeyRecord::parse(*value);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->id(), pair.record.id());
  EXPECT_EQ(record->signing().raw(), pair.signing.public_raw());
  EXPECT_EQ(record->encryption().raw(), pair.encryption.public_raw());
  EXPECT_TRUE(record->takes(crypto::Aead::a256gcm));
  EXPECT_TRUE(record->takes(crypto::Aead::c20p1305));
  EXPECT_EQ(record->value(), *value);
  EXPECT_EQ(record->id().kid[6] >> 4, 8);
  EXPECT_EQ(record->id().kid[8] >> 6, 2);
}

TEST(KeyRecord, is_deterministic_in_its_entropy) {
  EXPECT_EQ(new_pair(1).record.value(), new_pair(1).record.value());
  EXPECT_NE(new_pair(1).record.id(), new_pair(2).record.id());
}

TEST(KeyRecord, fingerprint_covers_every_member_but_sig) {
  const KeyPair pair = new_pair(1);
  const auto later = KeyRecord::parse(changed(pair, [](auto& o) { o["exp"] = start_ms + day_ms; }));
  ASSERT_TRUE(later);
  EXPECT_NE(later->id().fp, pair.record.id().fp);
}

TEST(KeyRecord, each_fault_has_its_code) {
  const KeyPair pair = new_pair(1);
  const auto refused = [&](const std::function<void(wire::Object&)>& change) {
    return code_of(KeyRecord::parse(changed(pair, change)));
  };
  EXPECT_EQ(refused([](auto& o) { o["ams"] = "key/2"; }), Code::unknown_ams_tag);
  EXPECT_EQ(refused([](auto& o) { o.erase("nonce"); }), Code::schema);
  EXPECT_EQ(refused([](auto& o) { o["nonce"] = "AAAA"; }), Code::base64url);
  EXPECT_EQ(refused([](auto& o) { o["sk"] = ""; }), Code::base64url);
  EXPECT_EQ(refused([](auto& o) { o["custody"] = "server"; }), Code::schema);
  EXPECT_EQ(refused([](auto& o) { o["more"] = 1; }), Code::unknown_member);
  EXPECT_EQ(refused([](auto& o) { o["aeads"] = wire::Array{}; }), Code::schema);
  EXPECT_EQ(refused([](auto& o) {
              o["aeads"] = wire::Array{"c20p1305", "a256gcm"};
            }),
            Code::schema);
  EXPECT_EQ(refused([](auto& o) { o["aeads"] = wire::Array{"a256gcm", "a256gcm"}; }), Code::schema);
  EXPECT_EQ(refused([](auto& o) { o["aeads"] = wire::Array{1}; }), Code::schema);
  EXPECT_EQ(refused([](auto& o) {
              o["aeads"] = wire::Array{"a", "b", "c", "d", "e", "f", "g", "h", "i"};
            }),
            Code::object_too_large);
  EXPECT_EQ(refused([](auto& o) {
              o["aeads"] = wire::Array{"a256gcm", "rot13"};
            }),
            Code::unknown_algorithm);
  EXPECT_EQ(refused([](auto& o) { o["sig_alg"] = "ed448"; }), Code::unknown_algorithm);
  EXPECT_EQ(refused([](auto& o) { o["kem"] = "x448"; }), Code::unknown_algorithm);
  EXPECT_EQ(refused([](auto& o) { o["sk"] = to_base64url(Bytes(31, 7)); }), Code::key_material);
  EXPECT_EQ(refused([](auto& o) { o["ek"] = to_base64url(Bytes(33, 7)); }), Code::key_material);
  EXPECT_EQ(refused([](auto& o) { o["ek"] = to_base64url(Bytes(32, 0)); }), Code::key_material);
  EXPECT_EQ(refused([](auto& o) { o["exp"] = o["nbf"]; }), Code::schema);
  EXPECT_EQ(refused([](auto& o) { o["exp"] = start_ms + 398 * day_ms + 1; }), Code::schema);
  EXPECT_TRUE(KeyRecord::parse(changed(pair, [](auto& o) { o["exp"] = start_ms + 398 * day_ms; })));
}

TEST(KeyRecord, signature_is_its_own_and_of_its_algorithm) {
  const KeyPair pair = new_pair(1);
  wire::Value value = pair.record.value();
  value.as_object()["sig"] = to_base64url(Bytes(64, 1));
  EXPECT_EQ(code_of(KeyRecord::parse(value)), Code::signature);
  value.as_object()["sig"] = to_base64url(Bytes(256, 1));
  EXPECT_EQ(code_of(KeyRecord::parse(value)), Code::algorithm_mix);
  value.as_object().erase("sig");
  EXPECT_EQ(code_of(KeyRecord::parse(sign_object(value, new_pair(2).signing).value())),
            Code::signature);
}

TEST(KeyRecord, expected_ids_are_compared_before_the_signature) {
  const KeyPair pair = new_pair(1);
  const KeyId good = pair.record.id();
  const KeyId other = new_pair(2).record.id();
  wire::Value value = pair.record.value();
  EXPECT_TRUE(KeyRecord::parse_as(value, good));
  EXPECT_TRUE(KeyRecord::parse_as(value, good.kid));
  value.as_object()["sig"] = to_base64url(Bytes(64, 1));
  EXPECT_EQ(code_of(KeyRecord::parse_as(value, other)), Code::kid_mismatch);
  EXPECT_EQ(code_of(KeyRecord::parse_as(value, other.kid)), Code::kid_mismatch);
  EXPECT_EQ(code_of(KeyRecord::parse_as(value, KeyId{good.kid, other.fp})), Code::fp_mismatch);
  EXPECT_EQ(code_of(KeyRecord::parse_as(value, good)), Code::signature);
}

TEST(KeyRecord, order_of_checks) {
  const KeyPair pair = new_pair(1);
  // Each entry breaks one step; a record with two faults answers with the earlier one.
  const std::vector<std::pair<Code, std::function<void(wire::Object&)>>> steps{
      {Code::unknown_ams_tag, [](auto& o) { o["ams"] = "key/2"; }},
      {Code::base64url, [](auto& o) { o["nonce"] = "AAAA"; }},
      {Code::unknown_member, [](auto& o) { o["zz"] = 1; }},
      {Code::unknown_algorithm, [](auto& o) { o["kem"] = "x448"; }},
      {Code::key_material, [](auto& o) { o["sk"] = to_base64url(Bytes(31, 7)); }},
      {Code::schema, [](auto& o) { o["exp"] = o["nbf"]; }},
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t j = i; j < steps.size(); ++j) {
      const auto value = changed(pair, [&](auto& o) {
        steps[i].second(o);
        steps[j].second(o);
      });
      EXPECT_EQ(code_of(KeyRecord::parse_as(value, Id16{})), steps[i].first) << i << " " << j;
    }
  }
}

TEST(KeyRecord, is_valid_from_nbf_until_before_exp) {
  const KeyPair pair = new_pair(1);
  const std::int64_t end_ms = start_ms + 365 * day_ms;
  EXPECT_TRUE(pair.record.valid_at(from_unix_ms(start_ms)));
  EXPECT_TRUE(pair.record.valid_at(from_unix_ms(end_ms - 1)));
  EXPECT_EQ(pair.record.valid_at(from_unix_ms(start_ms - 1)).error().code, Code::key_expired);
  EXPECT_EQ(pair.record.valid_at(from_unix_ms(end_ms)).error().code, Code::key_expired);
}

TEST(KeyRecord, no_flipped_bit_is_accepted) {
  const Bytes good = wire::encode(new_pair(1).record.value());
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1u << (bit % 8)));
    const auto value = wire::decode(bad);
    const bool accepted = value && KeyRecord::parse(*value);
    EXPECT_FALSE(accepted) << "bit " << bit;
    refused += accepted ? 0 : 1;
  }
  EXPECT_EQ(refused, good.size() * 8);
}

class RsaKeys : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    signing_raw =
        crypto::SigningKey::generate_rsa(crypto::SigAlg::rsa2048pss).value().private_raw();
    encryption_raw =
        crypto::DecryptionKey::generate_rsa(crypto::Kem::rsa2048kem).value().private_raw();
  }
  static KeyPair pair() {
    return make_pair(
               crypto::SigningKey::from_private(crypto::SigAlg::rsa2048pss, signing_raw.view())
                   .value(),
               crypto::DecryptionKey::from_private(crypto::Kem::rsa2048kem, encryption_raw.view())
                   .value(),
               Id16{3}, {.nbf = start_ms, .exp = start_ms + day_ms})
        .value();
  }
  static crypto::Secret signing_raw, encryption_raw;
};
crypto::Secret RsaKeys::signing_raw, RsaKeys::encryption_raw;

TEST_F(RsaKeys, record_round_trip_and_material) {
  const KeyPair rsa = pair();
  EXPECT_EQ(rsa.record.signing().alg(), crypto::SigAlg::rsa2048pss);
  EXPECT_EQ(rsa.record.encryption().kem(), crypto::Kem::rsa2048kem);
  EXPECT_TRUE(KeyRecord::parse_as(rsa.record.value(), rsa.record.id()));
  Bytes even = rsa.encryption.public_raw();
  even.back() = static_cast<std::uint8_t>(even.back() & 0xfe);
  EXPECT_EQ(code_of(KeyRecord::parse(changed(rsa, [&](auto& o) { o["ek"] = to_base64url(even); }))),
            Code::key_material);
  Bytes small = rsa.encryption.public_raw();
  small.front() = static_cast<std::uint8_t>(small.front() & 0x7f);
  EXPECT_EQ(
      code_of(KeyRecord::parse(changed(rsa, [&](auto& o) { o["ek"] = to_base64url(small); }))),
      Code::key_material);
  EXPECT_EQ(code_of(KeyRecord::parse(changed(rsa, [&](auto& o) { o["sig_alg"] = "ed25519"; }))),
            Code::key_material);
}

TEST(Chain, verifies_against_discovery_only) {
  const Domain domain;
  EXPECT_TRUE(verify_chain(domain.chain(), "alpha.example", domain.root.record.id()));
  const auto refused = [](const Result<Chain>& chain) {
    return chain ? Code::schema : chain.error().code;
  };
  EXPECT_EQ(refused(verify_chain(domain.chain(), "beta.example", domain.root.record.id())),
            Code::domain_record);
  EXPECT_EQ(refused(verify_chain(domain.chain(), "alpha.example", domain.op.record.id())),
            Code::domain_record);
}

TEST(Chain, refuses_each_fault_with_one_code) {
  const Domain domain;
  const KeyId root = domain.root.record.id();
  const KeyPair stranger = new_pair(13);
  const auto record = [&] {
    return make_domain_record(domain.record, domain.root.signing).value();
  };
  const auto refused = [&](const wire::Value& chain) {
    const auto result = verify_chain(chain, "alpha.example", root);
    return !result && result.error().code == Code::domain_record;
  };
  EXPECT_TRUE(refused(chain_value(make_domain_record(domain.record, stranger.signing).value(),
                                  domain.root.record, domain.op.record)));
  EXPECT_TRUE(refused(chain_value(record(), stranger.record, domain.op.record)));
  EXPECT_TRUE(refused(chain_value(record(), domain.root.record, stranger.record)));
  EXPECT_TRUE(refused(wire::Object{{"record", record()}, {"root", domain.root.record.value()}}));
  wire::Value more = domain.chain();
  more.as_object()["more"] = 1;
  EXPECT_TRUE(refused(more));
  const auto with = [&](const std::string& name, const wire::Value& value) {
    wire::Value out = record();
    out.as_object().erase("sig");
    out.as_object()[name] = value;
    return chain_value(sign_object(out, domain.root.signing).value(), domain.root.record,
                       domain.op.record);
  };
  EXPECT_FALSE(refused(with("policy", to_value(isp_policy()))));
  EXPECT_TRUE(refused(with("policy", to_value(isp_policy(2)))));  // of a later record
  EXPECT_TRUE(refused(with("seq", 7)));                           // with a first one's policy
  EXPECT_TRUE(refused(with("seq", 0)));
  EXPECT_TRUE(refused(with("policy", "none")));
  EXPECT_TRUE(refused(with("domain", "Alpha.example")));
  EXPECT_TRUE(refused(with("op_fp", to_base64url(Hash{}))));
}

TEST(Binding, verifies_through_its_domain) {
  const Domain domain;
  const KeyPair alice = new_pair(21);
  const Binding binding{"alice@alpha.example", alice.record.id(), 3, domain.op.record.id().kid};
  const wire::Value value = make_binding(binding, domain.op.signing).value();
  const auto verified = verify_binding(value, domain.verified());
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->addr, binding.addr);
  EXPECT_EQ(verified->key, binding.key);
  EXPECT_EQ(verified->version, 3);
}

TEST(Binding, each_fault_has_its_code_in_order) {
  const Domain domain;
  const Chain chain = domain.verified();
  const KeyPair alice = new_pair(21);
  const auto refused = [&](Binding binding, const KeyPair& signer) {
    const auto result = verify_binding(make_binding(binding, signer.signing).value(), chain);
    return result ? Code::bom : result.error().code;
  };
  const Id16 dkid = domain.op.record.id().kid;
  const KeyId key = alice.record.id();
  EXPECT_EQ(refused({"alice@alpha.example", key, 1, dkid}, domain.op), Code::bom);
  EXPECT_EQ(refused({"Alice@alpha.example", key, 0, Id16{}}, alice), Code::address_syntax);
  EXPECT_EQ(refused({"alice@alpha.example", key, 0, Id16{}}, alice), Code::schema);
  EXPECT_EQ(refused({"alice@beta.example", key, 1, Id16{}}, alice), Code::domain_mismatch);
  EXPECT_EQ(refused({"alice@alpha.example", key, 1, Id16{}}, alice), Code::kid_mismatch);
  EXPECT_EQ(refused({"alice@alpha.example", key, 1, dkid}, alice), Code::signature);
}

TEST(Binding, kid_has_one_spelling) {
  const Domain domain;
  const KeyId key = new_pair(21).record.id();
  const Binding binding{"alice@alpha.example", key, 1, domain.op.record.id().kid};
  for (const std::string& spelling :
       {to_base64url(key.kid), "{" + to_uuid_text(key.kid) + "}", to_hex(key.kid),
        std::string("01234567-89AB-8def-8101-020304050607")}) {
    wire::Value value = make_binding(binding, domain.op.signing).value();
    value.as_object()["kid"] = spelling;
    EXPECT_EQ(parse_binding(value).error().code, Code::schema) << spelling;
  }
}

TEST(SignatureForm, tag_and_object_are_both_covered) {
  const KeyPair pair = new_pair(1);
  const wire::Value object = wire::Object{{"ams", "bind/1"}, {"n", 1}};
  const wire::Value signed_object = sign_object(object, pair.signing).value();
  EXPECT_TRUE(verify_object(signed_object, pair.record.signing()));
  for (const auto& [name, value] : wire::Object{{"ams", "bind/2"}, {"n", 2}}) {
    wire::Value other = signed_object;
    other.as_object()[name] = value;
    EXPECT_EQ(verify_object(other, pair.record.signing()).error().code, Code::signature);
  }
  EXPECT_EQ(signing_input("t", wire::Object{}).size(), 10 + 1 + 1 + 32u);
  EXPECT_FALSE(sign_object(wire::Object{}, pair.signing));
}

}  // namespace
}  // namespace ams::keys
