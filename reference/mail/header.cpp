// The header of a message and the account's signature beside it (spec MSG-1 … MSG-7).
#include <algorithm>

#include "mail/elements.h"
#include "mail/franking.h"
#include "mail/objects.h"
#include "policy/mutant.h"
#include "wire/sigform.h"

namespace ams::mail {
namespace {

constexpr std::size_t header_blobs_max = 512;

wire::Object blob_ref_value(const BlobRef& ref) {
  return {{"len", static_cast<std::int64_t>(ref.len)}, {"hash", to_base64url(ref.hash)}};
}

void read_blob_ref(wire::ObjectReader& in, BlobRef& out) {
  out.len = static_cast<std::uint64_t>(in.integer("len"));
  out.hash = in.bytes<32>("hash");
}

/// MSG-2.
Result<> read_body(const wire::Value& value, Header& out) {
  wire::ObjectReader in(value, "body");
  read_blob_ref(in, out.body);
  wire::ObjectReader head(in.any("head"), "head");
  read_blob_ref(head, out.head);
  in.include(head.finish());
  out.blobs = read_hashes(in, "blobs", header_blobs_max);
  const bool ascending = std::adjacent_find(out.blobs.begin(), out.blobs.end(),
                                            std::greater_equal<>()) == out.blobs.end();
  in.require(ascending || mutant("mail.skip_blob_order"), Code::schema, "blobs");
  return in.finish();
}

/// The part of MSG-6 that does not ask what time it is.
Result<> check_life(const Header& header) {
  if (mutant("mail.skip_header_life")) return {};
  if (header.exp <= header.ts) return fail(Code::expired, "header");
  if (header.exp - header.ts > header_life_ms_max) return fail(Code::expired, "header");
  return {};
}

}  // namespace

wire::Value to_value(const Header& header) {
  wire::Object body = blob_ref_value(header.body);
  body.emplace("head", blob_ref_value(header.head));
  body.emplace("blobs", hash_array(header.blobs));
  wire::Object out{
      {"ams", "env/1"},
      {"id", to_base64url(header.id)},
      {"aead", crypto::name(header.aead)},
      {"skid", to_uuid_text(header.sender.kid)},
      {"sfp", to_base64url(header.sender.fp)},
      {"sdom", header.sdom},
      {"ts", header.ts},
      {"exp", header.exp},
      {"leaves", header.leaves},
      {"fc", to_base64url(header.fc)},
      {"body", std::move(body)},
  };
  if (header.epk) out.emplace("epk", to_base64url(*header.epk));
  return out;
}

Result<Header> parse_header(const wire::Value& value) {
  wire::ObjectReader in(value, "header");
  Header out;
  in.tag("env/1");
  out.id = in.bytes<16>("id");
  const auto aead = crypto::find_aead(in.string("aead"));
  in.require(aead.has_value(),
             mutant("mail.wrong_code_aead") ? Code::schema : Code::unknown_algorithm, "aead");
  out.aead = aead.value_or(crypto::Aead::a256gcm);
  out.sender.kid = in.uuid("skid");
  out.sender.fp = in.bytes<32>("sfp");
  out.sdom = read_domain(in, "sdom");
  out.ts = in.integer("ts");
  out.exp = in.integer("exp");
  if (const auto epk = in.optional_binary("epk", 32, 32)) out.epk = to_array<32>(*epk);
  out.leaves = in.integer("leaves", 1, leaves_max);
  out.fc = in.bytes<32>("fc");
  in.include(read_body(in.any("body"), out));
  AMS_CHECK(in.finish());
  AMS_CHECK(check_life(out));
  return out;
}

Result<> in_force(const Header& header, Instant now) {
  const std::int64_t now_ms = to_unix_ms(now);
  if (header.exp <= now_ms && !mutant("mail.accept_expired")) return fail(Code::expired, "header");
  if (header.ts > now_ms + clock_tolerance_ms && !mutant("mail.accept_future"))
    return fail(Code::not_yet_valid, "header");
  return {};
}

Hash ehash(const wire::Value& header) { return crypto::sha256(wire::encode(header)); }

Hash h0(const wire::Value& header) { return crypto::sha256(wire::encode_without(header, "body")); }

Result<Bytes> sign_header(const wire::Value& header, const crypto::SigningKey& key) {
  return keys::sign_beside(header, key);
}

Result<> verify_asig(const wire::Value& header, ByteView asig, const keys::KeyRecord& sender) {
  if (mutant("mail.skip_asig")) return {};
  return keys::verify_beside(header, asig, sender.signing());
}

}  // namespace ams::mail
