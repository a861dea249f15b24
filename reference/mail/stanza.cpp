// Stanzas: the content key wrapped for one recipient key (spec MSG-15 … MSG-17).
#include "mail/objects.h"
#include "policy/mutant.h"

namespace ams::mail {
namespace {

constexpr std::size_t wrapped_key_size = 32 + crypto::aead_tag_size;
constexpr std::size_t enc_size_max = 1024;

}  // namespace

wire::Value to_value(const Stanza& stanza) {
  wire::Object out{
      {"kid", to_uuid_text(stanza.to.kid)},
      {"fp", to_base64url(stanza.to.fp)},
      {"wk", to_base64url(stanza.wk)},
  };
  if (stanza.enc) out.emplace("enc", to_base64url(*stanza.enc));
  return out;
}

Result<Stanza> parse_stanza(const wire::Value& value) {
  wire::ObjectReader in(value, "stanza");
  Stanza out;
  out.to.kid = in.uuid("kid");
  out.to.fp = in.bytes<32>("fp");
  out.wk = in.binary("wk", wrapped_key_size, wrapped_key_size);
  out.enc = in.optional_binary("enc", 1, enc_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<std::vector<Stanza>> parse_stanzas(const wire::Value& array) {
  if (!array.is_array()) return fail(Code::schema, "stanzas");
  if (array.as_array().empty())
    return fail(mutant("mail.wrong_code_no_stanzas") ? Code::too_many_stanzas : Code::schema,
                "stanzas");
  if (array.as_array().size() > stanzas_max && !mutant("mail.accept_many_stanzas"))
    return fail(Code::too_many_stanzas, "stanzas");
  std::vector<Stanza> out;
  out.reserve(array.as_array().size());
  for (const wire::Value& element : array.as_array()) {
    AMS_TRY(Stanza stanza, parse_stanza(element));
    out.push_back(std::move(stanza));
  }
  return out;
}

}  // namespace ams::mail
