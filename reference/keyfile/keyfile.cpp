#include "keyfile/keyfile.h"

#include "keyfile/contents.h"
#include "policy/mutant.h"
#include "wire/value.h"

namespace ams::keyfile {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t salt_size = 16;

// --- the outside (KFL-1, KFL-2)
// -------------------------------------------------------------------

struct Outside {
  crypto::ScryptCost cost;
  Bytes salt;
  crypto::Aead aead = crypto::Aead::c20p1305;
  Bytes box;
};

wire::Object outside_value(const Outside& outside) {
  wire::Object kdf{{"name", "scrypt"},
                   {"n", static_cast<std::int64_t>(outside.cost.n)},
                   {"r", static_cast<std::int64_t>(outside.cost.r)},
                   {"p", static_cast<std::int64_t>(outside.cost.p)},
                   {"salt", to_base64url(outside.salt)}};
  return {{"ams", "keyfile/1"}, {"kdf", std::move(kdf)}, {"aead", crypto::name(outside.aead)}};
}

/// A file must not make its reader take memory or time without bounds.
Result<> check_cost(const crypto::ScryptCost& cost) {
  if (mutant("keyfile.skip_cost")) return {};
  const bool power = cost.n != 0 && (cost.n & (cost.n - 1)) == 0;
  if (!power || cost.n < cost_n_min || cost.n > cost_n_max) return fail(Code::schema, "kdf.n");
  if (cost.r != cost_r) return fail(Code::schema, "kdf.r");
  if (cost.p < 1 || cost.p > cost_p_max) return fail(Code::schema, "kdf.p");
  return {};
}

Result<Outside> parse_outside(const wire::Value& value) {
  wire::ObjectReader in(value, "keyfile");
  in.tag("keyfile/1");
  const wire::Value kdf_value = in.any("kdf");
  const std::string aead_name = in.string("aead");
  Outside out;
  out.box = in.binary("box", 1, file_size_max);
  AMS_CHECK(in.finish());
  wire::ObjectReader kdf(kdf_value, "kdf");
  const std::string name = kdf.string("name");
  out.cost.n = static_cast<std::uint64_t>(kdf.integer("n", 0));
  const std::int64_t r = kdf.integer("r", 0, 1 << 20);
  const std::int64_t p = kdf.integer("p", 0, 1 << 20);
  out.salt = kdf.binary("salt", salt_size, salt_size);
  AMS_CHECK(kdf.finish());
  out.cost.r = static_cast<std::uint32_t>(r);
  out.cost.p = static_cast<std::uint32_t>(p);
  if (name != "scrypt" && !mutant("keyfile.accept_any_kdf"))
    return fail(Code::unknown_algorithm, "kdf.name");
  const auto aead = crypto::find_aead(aead_name);
  if (!aead) return fail(Code::unknown_algorithm, "aead");
  out.aead = *aead;
  AMS_CHECK(check_cost(out.cost));
  return out;
}

/// KFL-2: all that stands outside the box is bound to it.
Bytes context_of(const wire::Object& outside) {
  Bytes out = to_bytes("AMS1-KEYFILE"sv);
  append(out, crypto::sha256(wire::encode(outside)));
  return out;
}

}  // namespace

Result<Bytes> seal(const std::string& addr, std::span<const Source> pairs, ByteView passphrase,
                   std::uint64_t n, crypto::Drbg& drbg) {
  AMS_ASSERT(!pairs.empty() && pairs.size() <= pairs_max);
  Outside outside;
  outside.cost = {n, cost_r, 1};
  outside.salt = drbg.bytes(salt_size);
  AMS_CHECK(check_cost(outside.cost));
  const crypto::Secret plain = contents_layout(addr, pairs);
  AMS_TRY(const crypto::Secret key, crypto::scrypt(passphrase, outside.salt, outside.cost, 32));
  wire::Object value = outside_value(outside);
  AMS_TRY(const Bytes box, crypto::stream_seal(outside.aead, key.view(), context_of(value),
                                               drbg.array<24>(), plain.view()));
  value.emplace("box", to_base64url(box));
  Bytes out = wire::encode(value);
  out.push_back('\n');
  return out;
}

Result<Contents> open(ByteView file, ByteView passphrase) {
  if (!file.empty() && file.back() == '\n') file = file.first(file.size() - 1);
  if (file.size() > file_size_max) return fail(Code::object_too_large, "keyfile");
  AMS_TRY(const wire::Value value, wire::decode(file));
  AMS_TRY(const Outside outside, parse_outside(value));
  AMS_TRY(const crypto::Secret key, crypto::scrypt(passphrase, outside.salt, outside.cost, 32));
  auto opened = crypto::stream_open(outside.aead, key.view(), context_of(outside_value(outside)),
                                    outside.box);
  if (!opened && opened.error().code == Code::key_commitment)
    return fail(Code::passphrase, "keyfile");
  if (!opened) return tl::unexpected(opened.error());
  auto contents = parse_contents(*opened);
  crypto::wipe(opened->data(), opened->size());
  return contents;
}

}  // namespace ams::keyfile
