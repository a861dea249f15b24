// Goal: requests and answers have one form, and an asker believes nothing that does not fit its
// question. Method: each op there and back; one member broken at a time, with the code that the
// spec gives it; answers of a lying store.
#include "keystore/messages.h"

#include <gtest/gtest.h>

#include "keystore/test_bench.h"

namespace ams::keystore {
namespace {

using bench::Bench;
using bench::day_ms;
using bench::start_ms;

Id16 id_of(std::uint8_t fill) {
  Id16 out;
  out.fill(fill);
  return out;
}

std::vector<Args> one_of_each(Bench& b) {
  Member member = b.member(bench::alice, {"sales", "support"});
  return {DecapArgs{Bytes(32, 1), id_of(1)},
          SignArgs{id_of(2), bench::header_text()},
          ExportArgs{id_of(3)},
          CreateArgs{{bench::alice, {}}, start_ms + day_ms, true, start_ms, Profile::rsa3072},
          RotateArgs{start_ms + day_ms, id_of(4), start_ms},
          RewrapArgs{
              {{crypto::Aead::c20p1305, Bytes(256, 5), Hash{6}, Bytes(48, 7)}}, id_of(5), id_of(6)},
          ListArgs{id_of(7)},
          AuditArgs{100, 3},
          GrantArgs{member},
          RevokeArgs{bench::alice}};
}

TEST(KeystoreRequest, every_op_comes_back_byte_for_byte) {
  Bench b;
  for (const Args& args : one_of_each(b)) {
    const Request request = b.request(bench::alice, args,
                                      Capability{bench::alice, Hash{1}, id_of(9), "sales",
                                                 Purpose::export_key, start_ms, Hash{2}});
    const Bytes bytes = b.bytes_of(request);
    const auto value = wire::decode(bytes);
    ASSERT_TRUE(value.has_value());
    const auto read = parse_request(*value);
    ASSERT_TRUE(read.has_value()) << op_name(args) << read.error().where;
    EXPECT_EQ(b.bytes_of(*read), bytes);
    EXPECT_EQ(read->capability, request.capability);
    EXPECT_EQ(read->args.index(), args.index());
  }
}

/// The code that a request with these args has after `change`.
Code refused(Bench& b, const Args& args, const std::function<void(wire::Object&)>& change) {
  auto value = *wire::decode(b.bytes_of(b.request(bench::alice, args)));
  change(value.as_object().at("args").as_object());
  const auto read = parse_request(value);
  return read ? Code{} : read.error().code;
}

TEST(KeystoreRequest, each_member_missing_unknown_or_of_another_type_is_refused) {
  Bench b;
  for (const Args& args : one_of_each(b)) {
    const auto whole = *wire::decode(b.bytes_of(b.request(bench::alice, args)));
    const wire::Object members = whole.find("args")->as_object();
    for (const auto& member : members) {  // a lambda of C++20's clang takes no structured binding
      const std::string& name = member.first;
      const wire::Value& value = member.second;
      const bool optional = name == "addr" || name == "group" || name == "after";
      const Code missing = refused(b, args, [&](wire::Object& o) { o.erase(name); });
      const bool may_miss = optional && !std::holds_alternative<RevokeArgs>(args);
      EXPECT_EQ(missing, may_miss ? Code{} : Code::schema) << op_name(args) << "." << name;
      const wire::Value other = value.is_string() ? wire::Value(1) : wire::Value("1");
      EXPECT_EQ(refused(b, args, [&](wire::Object& o) { o.insert_or_assign(name, other); }),
                Code::schema)
          << op_name(args) << "." << name;
    }
    EXPECT_EQ(refused(b, args, [](wire::Object& o) { o.emplace("x_more", 1); }),
              Code::unknown_member);
  }
}

TEST(KeystoreRequest, values_outside_their_range_are_refused) {
  Bench b;
  const auto all = one_of_each(b);
  const auto set = [&](std::size_t op, const char* name, wire::Value value) {
    return refused(b, all[op],
                   [&](wire::Object& o) { o.insert_or_assign(name, std::move(value)); });
  };
  EXPECT_EQ(set(0, "enc", to_base64url(Bytes(1025))), Code::base64url);
  EXPECT_EQ(set(0, "enc", ""), Code::base64url);
  EXPECT_EQ(set(1, "text", to_base64url(Bytes(257))), Code::base64url);
  EXPECT_EQ(set(3, "profile", "rsa1024"), Code::unknown_algorithm);
  EXPECT_EQ(set(3, "group", "sales"), Code::schema);  // beside addr
  EXPECT_EQ(set(3, "addr", "Alice@corp.example"), Code::address_syntax);
  EXPECT_EQ(set(5, "items", wire::Array{}), Code::schema);
  EXPECT_EQ(set(5, "items", wire::Array(101, wire::Object{})), Code::object_too_large);
  EXPECT_EQ(set(7, "count", 0), Code::schema);
  EXPECT_EQ(set(7, "count", 101), Code::schema);
  for (const char* group : {"", "Sales", "sa les", "sales_1"})
    EXPECT_EQ(refused(b, CreateArgs{{{}, "sales"}, 2, false, 1, Profile::modern},
                      [&](wire::Object& o) { o.insert_or_assign("group", group); }),
              Code::schema);
}

TEST(KeystoreRequest, members_are_judged_in_full) {
  Bench b;
  const auto with = [&](const std::function<void(Member&)>& change) {
    Member member = b.member(bench::alice, {"sales"});
    change(member);
    const auto read = parse_request(to_value(b.request(bench::alice, GrantArgs{member})));
    auto value = to_value(b.request(bench::alice, GrantArgs{member}));
    value.as_object().emplace("sig", "AA");
    const auto judged = parse_request(value);
    EXPECT_FALSE(read.has_value());  // no sig
    return judged ? Code{} : judged.error().code;
  };
  EXPECT_EQ(with([](Member&) {}), Code{});
  EXPECT_EQ(with([](Member& m) { m.devices.clear(); }), Code::schema);
  EXPECT_EQ(with([](Member& m) { m.devices.push_back(m.devices[0]); }), Code::schema);
  EXPECT_EQ(with([](Member& m) { m.devices.resize(17, m.devices[0]); }), Code::object_too_large);
  EXPECT_EQ(with([](Member& m) { m.devices[0].sk = Hash{1}; }), Code::key_material);
  EXPECT_EQ(with([](Member& m) { m.devices[0].ek = Hash{}; }), Code::key_material);
  EXPECT_EQ(with([](Member& m) { m.groups = {"b", "a"}; }), Code::schema);
  EXPECT_EQ(with([](Member& m) { m.groups = {"a", "a"}; }), Code::schema);
  EXPECT_EQ(with([](Member& m) { m.groups = {"A"}; }), Code::schema);
  EXPECT_EQ(with([](Member& m) { m.purposes = {Purpose::sign, Purpose::decap}; }), Code::schema);
  EXPECT_EQ(with([](Member& m) { m.purposes.clear(); }), Code::schema);
  EXPECT_EQ(with([](Member& m) {
              m.purposes.clear();
              m.admin = true;
            }),
            Code{});
}

TEST(KeystoreRequest, unknown_ops_and_other_objects_are_refused) {
  Bench b;
  auto value = *wire::decode(b.bytes_of(b.request(bench::alice, ListArgs{})));
  value.as_object().insert_or_assign("op", "destroy");
  EXPECT_EQ(parse_request(value).error().code, Code::unsupported);
  value.as_object().insert_or_assign("op", "list");
  EXPECT_TRUE(parse_request(value).has_value());
  value.as_object().insert_or_assign("ams", "ks-req/2");
  EXPECT_EQ(parse_request(value).error().code, Code::unknown_ams_tag);
}

// --- what an asker believes ----------------------------------------------------------------------
struct AskerTest : ::testing::Test {
  Bench b;
  keys::KeyPair pair =
      *keys::make_modern(Bytes(80, 3), {start_ms, start_ms + day_ms, keys::Custody::corporate});
  Id16 kid = pair.record.id().kid;

  Code verdict(const Request& request, const Bytes& answer) {
    const auto out = judge_answer(request, answer, &pair.record);
    return out ? Code{} : out.error().code;
  }
};

TEST_F(AskerTest, answers_come_back_byte_for_byte_and_fit_their_op_alone) {
  const Capability capability{bench::alice, Hash{1}, kid, {}, Purpose::decap, 5, Hash{2}};
  const auto all = one_of_each(b);
  const auto answers = [&](std::size_t i) -> Ok {
    switch (i) {
      case 0:
        return Shared{kid, crypto::Secret(32)};
      case 1:
        return Signed{kid, Bytes(64, 1)};
      case 2:
        return Exported{Bytes(32, 1), kid, Bytes(48, 2)};
      case 3:
      case 4:
        return Made{pair.record.value()};
      case 5:
        return Rewrapped{{Rewrapped::Stanza{Bytes(32, 1), Bytes(48, 2)}, std::string("unwrap")}};
      case 6: {
        Listed listed;
        listed.keys.push_back({{capability}, true, pair.record.value(), {{}, "sales"}});
        return listed;
      }
      case 7:
        return AuditPage{{wire::Object{{"n", 1}}}, Hash{3}, 2};
      case 8:
        return Granted{bench::alice};
      default:
        return Revoked{bench::alice, {kid, id_of(1)}};
    }
  };
  for (std::size_t op = 0; op < all.size(); ++op) {
    const Bytes bytes = encode_ok(id_of(8), answers(op));
    const auto read = parse_answer(bytes, all[op]);
    ASSERT_TRUE(read.has_value()) << op_name(all[op]) << read.error().where;
    EXPECT_EQ(encode_ok(read->id, std::get<Ok>(read->outcome)), bytes);
    for (std::size_t other = 0; other < all.size(); ++other) {
      const bool alike = op == other || (op == 3 && other == 4) || (op == 4 && other == 3);
      EXPECT_EQ(parse_answer(bytes, all[other]).has_value(), alike)
          << op_name(all[op]) << " as " << op_name(all[other]);
    }
  }
}

TEST_F(AskerTest, a_lying_store_is_told_by_its_lie) {
  const Request decap = b.request(bench::alice, DecapArgs{Bytes(32, 9), kid});
  EXPECT_EQ(verdict(decap, encode_ok(decap.id, Shared{kid, crypto::Secret(32)})), Code{});
  EXPECT_EQ(verdict(decap, encode_ok(decap.id, Shared{id_of(1), crypto::Secret(32)})),
            Code::kid_mismatch);
  EXPECT_EQ(verdict(decap, encode_ok(id_of(1), Shared{kid, crypto::Secret(32)})),
            Code::keystore_answer);
  EXPECT_EQ(verdict(decap, encode_ok(decap.id, Shared{kid, crypto::Secret(31)})),
            Code::keystore_answer);
  EXPECT_EQ(verdict(decap, encode_ok(decap.id, Granted{bench::alice})), Code::keystore_answer);
  EXPECT_EQ(verdict(decap, to_bytes("<html>")), Code::keystore_answer);
  EXPECT_EQ(verdict(decap, {}), Code::keystore_answer);
  EXPECT_EQ(verdict(decap, Bytes(message_size_max + 1, ' ')), Code::keystore_answer);

  const Request sign = b.request(bench::alice, SignArgs{kid, bench::header_text()});
  const Bytes sig = *pair.signing.sign(bench::header_text());
  EXPECT_EQ(verdict(sign, encode_ok(sign.id, Signed{kid, sig})), Code{});
  EXPECT_EQ(verdict(sign, encode_ok(sign.id, Signed{kid, *pair.signing.sign(Bytes(3))})),
            Code::signature);
  EXPECT_EQ(verdict(sign, encode_ok(sign.id, Signed{id_of(1), sig})), Code::kid_mismatch);
  EXPECT_FALSE(judge_answer(sign, encode_ok(sign.id, Signed{kid, sig}), nullptr).has_value());
}

TEST_F(AskerTest, refusals_keep_their_code_and_unknown_ones_are_no_answer) {
  const Request request = b.request(bench::alice, ListArgs{});
  EXPECT_EQ(verdict(request, encode_error(request.id, Code::not_member)), Code::not_member);
  EXPECT_EQ(verdict(request, encode_error(request.id, Code::rate)), Code::rate);
  const auto later = wire::encode(wire::Object{
      {"ams", "ks-ans/1"}, {"id", to_base64url(request.id)}, {"error", "of_a_later_version"}});
  EXPECT_EQ(verdict(request, later), Code::keystore_answer);
  EXPECT_EQ(verdict(request, encode_error({}, Code::not_member)), Code::keystore_answer);
}

TEST_F(AskerTest, made_records_are_judged) {
  const auto create =
      b.request(bench::alice, CreateArgs{{}, start_ms + day_ms, false, start_ms, Profile::modern});
  EXPECT_EQ(verdict(create, encode_ok(create.id, Made{pair.record.value()})), Code{});
  const auto client = keys::make_modern(Bytes(80, 4), {start_ms, start_ms + day_ms});
  EXPECT_EQ(verdict(create, encode_ok(create.id, Made{client->record.value()})), Code::key_origin);
  const auto rsa =
      b.request(bench::alice, CreateArgs{{}, start_ms + day_ms, false, start_ms, Profile::rsa2048});
  EXPECT_EQ(verdict(rsa, encode_ok(rsa.id, Made{pair.record.value()})), Code::key_material);
  wire::Value broken = pair.record.value();
  broken.as_object().insert_or_assign("exp", start_ms + 2 * day_ms);
  EXPECT_EQ(verdict(create, encode_ok(create.id, Made{broken})), Code::signature);
}

TEST_F(AskerTest, an_export_of_another_key_is_refused) {
  const auto& device = b.device(bench::alice);
  const Device own = device_of(device);
  const auto to = crypto::EncryptionKey::from_raw(crypto::Kem::x25519, *own.ek);
  const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 2));
  const auto sealed = [&](const Bytes& half) {
    const auto wrapped = crypto::hpke_seal(*to, crypto::Aead::a256gcm,
                                           export_info(pair.record.id(), own.sk), half, &ephemeral);
    return Exported{wrapped->enc, kid, wrapped->ciphertext};
  };
  const Bytes half = to_bytes(pair.encryption.private_raw().view());
  EXPECT_TRUE(open_export(sealed(half), pair.record, device).has_value());
  const auto other = open_export(sealed(Bytes(32, 5)), pair.record, device);
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, Code::key_material);
}

}  // namespace
}  // namespace ams::keystore
