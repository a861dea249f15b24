#include "container/form.h"

#include "mail/elements.h"

namespace ams::container {

wire::Value to_value(const Header& header) {
  wire::Object out{
      {"ams", "seal/1"},
      {"id", to_base64url(header.id)},
      {"aead", crypto::name(header.aead)},
      {"skid", to_uuid_text(header.sender.kid)},
      {"sfp", to_base64url(header.sender.fp)},
      {"ts", header.ts},
      {"to", mail::hash_array(header.to)},
  };
  if (header.epk) out.emplace("epk", to_base64url(*header.epk));
  return out;
}

Result<Header> parse_header(const wire::Value& value) {
  wire::ObjectReader in(value, "container header");
  Header out;
  in.tag("seal/1");
  out.id = in.bytes<16>("id");
  const auto aead = crypto::find_aead(in.string("aead"));
  in.require(aead.has_value(), Code::unknown_algorithm, "aead");
  out.aead = aead.value_or(crypto::Aead::a256gcm);
  out.sender.kid = in.uuid("skid");
  out.sender.fp = in.bytes<32>("sfp");
  out.ts = in.integer("ts");
  out.to = mail::read_hashes(in, "to", mail::stanzas_max);
  in.require(!out.to.empty(), Code::schema, "to");
  if (const auto epk = in.optional_binary("epk", 32, 32)) out.epk = to_array<32>(*epk);
  AMS_CHECK(in.finish());
  return out;
}

wire::Value to_value(const Trailer& trailer) {
  return wire::Object{{"asig", to_base64url(trailer.asig)},
                      {"hash", to_base64url(trailer.hash)},
                      {"len", static_cast<std::int64_t>(trailer.len)}};
}

Result<Trailer> parse_trailer(const wire::Value& value) {
  wire::ObjectReader in(value, "container trailer");
  Trailer out;
  out.asig = in.binary("asig", 1, keys::signature_size_max);
  out.hash = in.bytes<32>("hash");
  out.len = static_cast<std::uint64_t>(in.integer("len"));
  AMS_CHECK(in.finish());
  return out;
}

wire::Value signed_form(wire::Value header, const Trailer& trailer) {
  header.as_object().insert_or_assign(
      "body", wire::Value(wire::Object{{"hash", to_base64url(trailer.hash)},
                                       {"len", static_cast<std::int64_t>(trailer.len)}}));
  return header;
}

Bytes stream_context(const Hash& h0) {
  Bytes out = to_bytes("AMS1-SEAL");
  append(out, h0);
  return out;
}

}  // namespace ams::container
