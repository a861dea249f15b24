// Goal: header, stanzas, vouch, receipt and notice refuse each fault with its own code and read
// back what was written. Method: one good object each, one fault at a time, then order.
#include "mail/objects.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "mail/forge_test.h"

namespace ams::mail {
namespace {

using testing::code_of;
using testing::now_ms;
using testing::World;
using Change = std::function<void(wire::Object&)>;

const World& objects_world() {
  static const World world;
  return world;
}

Header good_header() {
  Header out;
  out.id = Id16{1};
  out.sender = objects_world().alice.pair.record.id();
  out.sdom = "alpha.example";
  out.ts = now_ms;
  out.exp = now_ms + header_life_ms_max;
  out.epk = Hash{2};
  out.leaves = 3;
  out.fc = Hash{3};
  out.body = {100, Hash{4}};
  out.head = {50, Hash{5}};
  out.blobs = {Hash{1}, Hash{2}};
  return out;
}

Code header_refused(const Change& change) {
  wire::Value value = to_value(good_header());
  change(value.as_object());
  return code_of(parse_header(value));
}

TEST(Header, reads_back_what_was_written) {
  const wire::Value value = to_value(good_header());
  const auto header = parse_header(wire::decode(wire::encode(value)).value());
  ASSERT_TRUE(header);
  EXPECT_EQ(to_value(*header), value);
  EXPECT_EQ(header->blobs, good_header().blobs);
}

TEST(Header, each_fault_has_its_code) {
  EXPECT_EQ(header_refused([](auto&) {}), Code::bom);
  EXPECT_EQ(header_refused([](auto& o) { o["ams"] = "env/2"; }), Code::unknown_ams_tag);
  EXPECT_EQ(header_refused([](auto& o) { o["id"] = "AAAA"; }), Code::base64url);
  EXPECT_EQ(header_refused([](auto& o) { o["aead"] = "rot13"; }), Code::unknown_algorithm);
  EXPECT_EQ(header_refused([](auto& o) { o["skid"] = "x"; }), Code::schema);
  EXPECT_EQ(header_refused([](auto& o) { o["sdom"] = "Alpha.example"; }), Code::address_syntax);
  EXPECT_EQ(header_refused([](auto& o) { o["ts"] = -1; }), Code::schema);
  EXPECT_EQ(header_refused([](auto& o) { o["epk"] = "AAAA"; }), Code::base64url);
  EXPECT_EQ(header_refused([](auto& o) { o["leaves"] = 0; }), Code::schema);
  EXPECT_EQ(header_refused([](auto& o) { o["leaves"] = 1026; }), Code::schema);
  EXPECT_EQ(header_refused([](auto& o) { o["leaves"] = 1025; }), Code::bom);
  EXPECT_EQ(header_refused([](auto& o) { o.erase("body"); }), Code::schema);
  EXPECT_EQ(header_refused([](auto& o) { o["more"] = 1; }), Code::unknown_member);
  EXPECT_EQ(header_refused([](auto& o) { o["body"].as_object()["more"] = 1; }),
            Code::unknown_member);
  const auto blobs = [](const std::vector<Hash>& hashes) {
    return header_refused([&](auto& o) {
      wire::Array array;
      for (const Hash& hash : hashes) array.emplace_back(to_base64url(hash));
      o["body"].as_object()["blobs"] = array;
    });
  };
  EXPECT_EQ(blobs({Hash{2}, Hash{1}}), Code::schema);
  EXPECT_EQ(blobs({Hash{1}, Hash{1}}), Code::schema);
  EXPECT_EQ(blobs(std::vector<Hash>(513, Hash{1})), Code::object_too_large);
  EXPECT_EQ(header_refused([](auto& o) { o["body"].as_object()["blobs"] = wire::Array{1}; }),
            Code::schema);
}

TEST(Header, life_is_at_most_seven_days) {
  EXPECT_EQ(header_refused([](auto& o) { o["exp"] = now_ms; }), Code::expired);
  EXPECT_EQ(header_refused([](auto& o) { o["exp"] = now_ms + 1; }), Code::bom);
  EXPECT_EQ(header_refused([](auto& o) { o["exp"] = now_ms + header_life_ms_max + 1; }),
            Code::expired);
}

TEST(Header, is_in_force_from_ten_minutes_early_until_before_exp) {
  const Header header = good_header();
  const auto at = [&](std::int64_t now) { return code_of(in_force(header, from_unix_ms(now))); };
  EXPECT_EQ(at(header.ts), Code::bom);
  EXPECT_EQ(at(header.ts - clock_tolerance_ms), Code::bom);
  EXPECT_EQ(at(header.ts - clock_tolerance_ms - 1), Code::not_yet_valid);
  EXPECT_EQ(at(header.exp - 1), Code::bom);
  EXPECT_EQ(at(header.exp), Code::expired);
}

TEST(Header, first_fault_decides) {
  const std::vector<std::pair<Code, Change>> steps{
      {Code::unknown_ams_tag, [](auto& o) { o["ams"] = "env/2"; }},
      {Code::base64url, [](auto& o) { o["id"] = "AAAA"; }},
      {Code::unknown_algorithm, [](auto& o) { o["aead"] = "rot13"; }},
      {Code::address_syntax, [](auto& o) { o["sdom"] = "alpha"; }},
      {Code::schema, [](auto& o) { o["body"].as_object()["len"] = -1; }},
      {Code::unknown_member, [](auto& o) { o["more"] = 1; }},
      {Code::expired, [](auto& o) { o["exp"] = o["ts"]; }},
  };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (std::size_t j = i; j < steps.size(); ++j) {
      EXPECT_EQ(header_refused([&](auto& o) {
                  steps[j].second(o);
                  steps[i].second(o);
                }),
                steps[i].first)
          << i << " " << j;
    }
  }
}

TEST(Header, h0_leaves_the_body_out_and_ehash_does_not) {
  const wire::Value value = to_value(good_header());
  Header other = good_header();
  other.body.len = 101;
  EXPECT_EQ(h0(value), h0(to_value(other)));
  EXPECT_NE(ehash(value), ehash(to_value(other)));
  other.leaves = 4;
  EXPECT_NE(h0(value), h0(to_value(other)));
  EXPECT_NE(vouch_ehash(value, Bytes{1}), vouch_ehash(value, Bytes{2}));
}

TEST(Stanzas, round_trip_and_refusals) {
  const Stanza stanza{objects_world().bob.pair.record.id(), Bytes(48, 1), Bytes(256, 2)};
  const wire::Value value = to_value(stanza);
  EXPECT_EQ(to_value(parse_stanza(value).value()), value);
  const auto refused = [&](const Change& change) {
    wire::Value other = value;
    change(other.as_object());
    return code_of(parse_stanza(other));
  };
  EXPECT_EQ(refused([](auto& o) { o.erase("enc"); }), Code::bom);
  EXPECT_EQ(refused([](auto& o) { o["wk"] = to_base64url(Bytes(47, 1)); }), Code::base64url);
  EXPECT_EQ(refused([](auto& o) { o["enc"] = ""; }), Code::base64url);
  EXPECT_EQ(refused([](auto& o) { o["kid"] = ""; }), Code::schema);
  EXPECT_EQ(refused([](auto& o) { o["more"] = ""; }), Code::unknown_member);
  EXPECT_EQ(parse_stanzas(wire::Array(100, value))->size(), 100u);
  EXPECT_EQ(code_of(parse_stanzas(wire::Array(101, value))), Code::too_many_stanzas);
  EXPECT_EQ(code_of(parse_stanzas(wire::Array{})), Code::schema);
  EXPECT_EQ(code_of(parse_stanzas(wire::Object{})), Code::schema);
  EXPECT_EQ(code_of(parse_stanzas(wire::Array{1})), Code::schema);
}

struct VouchCase {
  std::vector<Hash> tags{rtag(Id16{1}, "bob@beta.example"), rtag(Id16{2}, "rita@beta.example")};
  Vouch vouch;
  VouchCover cover;
  VouchCase() {
    vouch.ehash = Hash{1};
    vouch.sdom = "alpha.example";
    vouch.rdom = "beta.example";
    vouch.dkid = objects_world().alpha.op.record.id().kid;
    vouch.acct = Id16{3};
    vouch.rroot = merkle_root({to_bytes(tags[0]), to_bytes(tags[1])});
    vouch.day = 21990;
    vouch.dseq = 1;
    vouch.aseq = 1;
    cover = {vouch.ehash, "alpha.example", "beta.example", tags};
  }
  Result<Vouch> verify() const {
    const auto value = make_vouch(vouch, objects_world().alpha.op.signing).value();
    return verify_vouch(value, *objects_world().alpha.chain, cover);
  }
};

TEST(Vouch, covers_exactly_one_delivery) {
  EXPECT_TRUE(VouchCase().verify());
  const auto refused = [](const std::function<void(VouchCase&)>& change) {
    VouchCase each;
    change(each);
    return code_of(each.verify());
  };
  EXPECT_EQ(refused([](auto& c) { c.cover.ehash = Hash{2}; }), Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.cover.rdom = "gamma.example"; }), Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.cover.sdom = "gamma.example"; }), Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.cover.rtags.pop_back(); }), Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { std::swap(c.cover.rtags[0], c.cover.rtags[1]); }),
            Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.cover.rtags.clear(); }), Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.vouch.dkid = Id16{}; }), Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.vouch.sdom = c.cover.sdom = "beta.example"; }),
            Code::vouch_mismatch);
  EXPECT_EQ(refused([](auto& c) { c.vouch.cls = "hot"; }), Code::schema);
  EXPECT_EQ(refused([](auto& c) { c.vouch.dseq = 0; }), Code::schema);
  EXPECT_EQ(refused([](auto& c) { c.vouch.cls = "granted", c.vouch.dseq.reset(); }), Code::bom);
}

TEST(Vouch, is_signed_by_the_sending_domain) {
  const VouchCase good;
  const auto value = make_vouch(good.vouch, objects_world().beta.op.signing).value();
  EXPECT_EQ(code_of(verify_vouch(value, *objects_world().alpha.chain, good.cover)),
            Code::vouch_mismatch);
}

TEST(Receipt, round_trip_and_refusals) {
  const World& world = objects_world();
  const auto make = [&](const std::function<void(Receipt&)>& change) {
    Receipt out{Hash{1}, "beta.example", world.beta.op.record.id().kid,
                Hash{2}, false,          Code::mailbox_full,
                now_ms};
    change(out);
    return make_receipt(out, world.beta.op.signing).value();
  };
  const auto refused = [&](const std::function<void(Receipt&)>& change) {
    return code_of(verify_receipt(make(change), *world.beta.chain));
  };
  const auto read = verify_receipt(make([](auto&) {}), *world.beta.chain);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->code, Code::mailbox_full);
  EXPECT_FALSE(read->accepted);
  EXPECT_EQ(read->addr_tag, Hash{2});
  EXPECT_EQ(refused([](auto& r) { r.accepted = true, r.code.reset(); }), Code::bom);
  EXPECT_EQ(refused([](auto& r) { r.accepted = true; }), Code::schema);
  EXPECT_EQ(refused([](auto& r) { r.code.reset(); }), Code::schema);
  EXPECT_EQ(refused([](auto& r) { r.rdom = "alpha.example", r.dkid = {}; }), Code::domain_mismatch);
  EXPECT_EQ(refused([](auto& r) { r.dkid = {}; }), Code::kid_mismatch);
  wire::Value other = make([](auto&) {});
  other.as_object()["ts"] = now_ms + 1;
  EXPECT_EQ(code_of(verify_receipt(other, *world.beta.chain)), Code::signature);
  other.as_object()["code"] = "no_such_code";
  EXPECT_EQ(code_of(verify_receipt(other, *world.beta.chain)), Code::schema);
}

TEST(Notice, round_trip_and_refusals) {
  const World& world = objects_world();
  const Receipt receipt{Hash{1}, "beta.example", Id16{}, Hash{2}, false, Code::no_such_address, 5};
  Notice notice{Hash{1},
                Id16{2},
                "bob@beta.example",
                true,
                Code::no_such_address,
                now_ms,
                world.alpha.op.record.id().kid,
                make_receipt(receipt, world.beta.op.signing).value()};
  const auto verify = [&] {
    return verify_notice(make_notice(notice, world.alpha.op.signing).value(), *world.alpha.chain);
  };
  const auto read = verify();
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->failed);
  EXPECT_EQ(read->code, Code::no_such_address);
  EXPECT_EQ(read->receipt, notice.receipt);
  const auto by_other = make_notice(notice, world.beta.op.signing).value();
  EXPECT_EQ(code_of(verify_notice(by_other, *world.alpha.chain)), Code::signature);
  notice.dkid = Id16{};
  EXPECT_EQ(code_of(verify()), Code::kid_mismatch);
  notice.receipt = wire::Value(wire::Object{{"ams", "receipt/2"}});
  EXPECT_EQ(code_of(verify()), Code::unknown_ams_tag);
  notice.addr = "bob";
  EXPECT_EQ(code_of(verify()), Code::address_syntax);
}

// The tree hashes of RFC 9162's predecessor test set (certificate-transparency), by tree size.
TEST(Merkle, known_answers) {
  const std::vector<std::string> hex{"",
                                     "00",
                                     "10",
                                     "2021",
                                     "3031",
                                     "40414243",
                                     "5051525354555657",
                                     "606162636465666768696a6b6c6d6e6f"};
  const std::vector<std::string> roots{
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  std::vector<Bytes> leaves;
  for (std::size_t i = 0; i < hex.size(); ++i) {
    leaves.push_back(from_hex(hex[i]).value());
    EXPECT_EQ(to_hex(merkle_root(leaves)), roots[i]) << i;
  }
}

TEST(Layout, round_trip) {
  for (const LengthField field : {LengthField::u32, LengthField::u64}) {
    EXPECT_TRUE(rc::check([=](const Bytes& content) {
      const Bytes plain = lay_out(content, field);
      RC_ASSERT(to_bytes(take_out(plain, field).value()) == content);
      RC_ASSERT(plain.size() == crypto::padme(content.size() + static_cast<std::size_t>(field)));
    }));
  }
}

TEST(Layout, refuses_any_other_form) {
  const Bytes good = lay_out(Bytes(1000, 7), LengthField::u32);
  ASSERT_GT(good.size(), 1004u);
  const auto refused = [](const Bytes& plain) {
    return code_of(take_out(plain, LengthField::u32)) == Code::body_layout;
  };
  EXPECT_FALSE(refused(good));
  Bytes bad = good;
  bad.back() = 1;
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.push_back(0);
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad.resize(1004);
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad[0] = 0xff;
  EXPECT_TRUE(refused(bad));
  EXPECT_TRUE(refused(Bytes(3)));
  EXPECT_TRUE(code_of(take_out(Bytes(16, 0xff), LengthField::u64)) == Code::body_layout);
}

}  // namespace
}  // namespace ams::mail
