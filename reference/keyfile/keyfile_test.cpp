// Goal: what a key file was made of comes out of it, with the passphrase and without it nothing;
// and each fault has its code (KFL-5). Method: files with one thing changed, sealed again where it
// must.
#include "keyfile/keyfile.h"

#include <gtest/gtest.h>

#include "keyfile/test_bench.h"

namespace ams::keyfile::testing {
namespace {

TEST(KeyFile, keys_of_every_kind_come_back) {
  const keys::KeyPair first = modern(1), second = rsa2048(), third = modern(3);
  const Bytes file = seal_file({source_of(first), source_of(second), source_of(third, false)});
  const auto opened = open(file, passphrase);
  ASSERT_TRUE(opened) << code_info(opened.error().code).name;
  EXPECT_EQ(opened->addr, "alice@a.example");
  ASSERT_EQ(opened->pairs.size(), 3u);
  const std::array<const keys::KeyPair*, 3> made{&first, &second, &third};
  for (std::size_t i = 0; i < made.size(); ++i) {
    const Held& held = opened->pairs[i];
    EXPECT_EQ(held.pair.record.value(), made[i]->record.value());
    EXPECT_EQ(to_bytes(held.pair.signing.private_raw().view()),
              to_bytes(made[i]->signing.private_raw().view()));
    EXPECT_EQ(to_bytes(held.pair.encryption.private_raw().view()),
              to_bytes(made[i]->encryption.private_raw().view()));
    EXPECT_EQ(held.revocation.has_value(), i < 2);
  }
}

TEST(KeyFile, nobodys_keys_have_no_address) {
  const keys::KeyPair pair = modern(1);
  EXPECT_EQ(open(seal_file({source_of(pair)}, ""), passphrase)->addr, "");
}

TEST(KeyFile, a_wrong_passphrase_opens_nothing_and_is_told_as_such) {
  const keys::KeyPair pair = modern(1);
  const Bytes file = seal_file({source_of(pair)});
  for (const char* wrong : {"", "vier Worter sind genug", "vier Wörter sind genug "}) {
    const auto opened = open(file, as_bytes(wrong));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::passphrase);
  }
}

TEST(KeyFile, nothing_of_the_keys_shows) {
  const keys::KeyPair pair = modern(1);
  const Bytes file = seal_file({source_of(pair)});
  const std::string text(as_text(file));
  for (const Bytes& secret :
       {to_bytes(pair.signing.private_raw().view()), to_bytes(pair.encryption.private_raw().view()),
        to_bytes(ByteView(pair.record.id().fp))})
    EXPECT_EQ(text.find(to_base64url(secret)), std::string::npos);
  EXPECT_EQ(text.find("alice"), std::string::npos);
}

TEST(KeyFile, what_stands_outside_is_judged_and_bound) {
  const keys::KeyPair pair = modern(1);
  const Bytes file = seal_file({source_of(pair)});
  const auto with = [&](const char* name, const wire::Value& value) {
    return code_of(changed(file, [&](wire::Object& o) { o.insert_or_assign(name, value); }));
  };
  const auto with_kdf = [&](const char* name, const wire::Value& value) {
    return code_of(changed(
        file, [&](wire::Object& o) { o["kdf"].as_object().insert_or_assign(name, value); }));
  };
  EXPECT_EQ(code_of(changed(file, [](wire::Object&) {})), Code{}) << "without the line feed";
  EXPECT_EQ(with("ams", "keyfile/2"), Code::unknown_ams_tag);
  EXPECT_EQ(with("more", 1), Code::unknown_member);
  EXPECT_EQ(with("aead", "rot13"), Code::unknown_algorithm);
  EXPECT_EQ(with("aead", "a256gcm"), Code::passphrase);  // another context
  EXPECT_EQ(with("box", "AAAA"), Code::stream_truncated);
  EXPECT_EQ(with_kdf("name", "argon2id"), Code::unknown_algorithm);
  EXPECT_EQ(with_kdf("salt", to_base64url(Bytes(16, 0))), Code::passphrase);
  EXPECT_EQ(with_kdf("salt", to_base64url(Bytes(15, 0))), Code::base64url);
  for (const std::int64_t n : {0L, 1L, 8'192L, 16'385L, 524'288L, 1L << 40})
    EXPECT_EQ(with_kdf("n", n), Code::schema) << n;
  EXPECT_EQ(with_kdf("r", 16), Code::schema);
  EXPECT_EQ(with_kdf("p", 0), Code::schema);
  EXPECT_EQ(with_kdf("p", 5), Code::schema);
  EXPECT_EQ(code_of(Bytes(file_size_max + 1, ' ')), Code::object_too_large);
  EXPECT_EQ(code_of(Bytes()), Code::json_syntax);
  Bytes bits = *from_base64url(
      wire::decode(ByteView(file).first(file.size() - 1))->find("box")->as_string());
  bits.back() ^= 1;
  EXPECT_EQ(with("box", to_base64url(bits)), Code::chunk);
}

TEST(KeyFile, what_is_sealed_is_judged_too) {
  const keys::KeyPair pair = modern(1), other = modern(2);
  const std::vector<Source> one{source_of(pair)};
  const auto code = [&](const std::function<void(wire::Object&)>& change,
                        const std::vector<Source>& pairs) {
    const auto parsed = parse_contents(changed_contents(pairs, change));
    return parsed ? Code{} : parsed.error().code;
  };
  const auto in_pair = [&](const char* name, const wire::Value& value) {
    return code(
        [&](wire::Object& o) {
          o["pairs"].as_array()[0].as_object().insert_or_assign(name, value);
        },
        one);
  };
  EXPECT_EQ(code([](wire::Object&) {}, one), Code{});
  EXPECT_EQ(code([](wire::Object& o) { o["ams"] = "keys/2"; }, one), Code::unknown_ams_tag);
  EXPECT_EQ(code([](wire::Object& o) { o["addr"] = "Alice"; }, one), Code::address_syntax);
  EXPECT_EQ(code([](wire::Object& o) { o["pairs"] = wire::Array{}; }, one), Code::schema);
  EXPECT_EQ(code([](wire::Object&) {}, {source_of(pair), source_of(pair)}), Code::schema);
  EXPECT_EQ(in_pair("record", other.record.value()), Code::kid_mismatch) << "its revocation";
  EXPECT_EQ(in_pair("revocation", keys::make_revocation(other).value()), Code::kid_mismatch);
  EXPECT_EQ(in_pair("sk", 0), Code::schema);
  EXPECT_EQ(in_pair("ek", 4'097), Code::schema);
  EXPECT_EQ(in_pair("sk", 31), Code::key_material);
  EXPECT_EQ(in_pair("ek", 4'000), Code::body_layout);
  EXPECT_EQ(in_pair("sk_private", "AAAA"), Code::unknown_member);
  const std::vector<Source> bare{source_of(pair, false)};
  EXPECT_EQ(code(
                [&](wire::Object& o) {
                  o["pairs"].as_array()[0].as_object()["record"] = other.record.value();
                },
                bare),
            Code::key_material)
      << "another record over these private halves";
}

TEST(KeyFile, padding_is_zeros_up_to_padmes_length) {
  const keys::KeyPair pair = modern(1);
  const Bytes whole = changed_contents({source_of(pair)}, [](wire::Object&) {});
  ASSERT_TRUE(parse_contents(whole));
  Bytes more = whole;
  more.push_back(0);
  EXPECT_EQ(parse_contents(more).error().code, Code::body_layout);
  for (std::size_t size = 0; size < whole.size(); size += 13) {
    const auto parsed = parse_contents(ByteView(whole).first(size));
    ASSERT_FALSE(parsed);
  }
  Bytes dirty = whole;
  if (dirty.back() == 0) {
    dirty.back() = 1;
    EXPECT_EQ(parse_contents(dirty).error().code, Code::body_layout);
  }
}

TEST(KeyFile, a_cost_out_of_range_is_not_written) {
  const keys::KeyPair pair = modern(1);
  crypto::Drbg drbg(Bytes(32, 5));
  const std::vector<Source> one{source_of(pair)};
  for (const std::uint64_t n : {std::uint64_t{0}, cost_n_min - 1, cost_n_min / 2, cost_n_max * 2})
    EXPECT_EQ(seal("", one, passphrase, n, drbg).error().code, Code::schema) << n;
}

}  // namespace
}  // namespace ams::keyfile::testing
