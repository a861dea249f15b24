// Vouches: the sending domain's signature over what it hands on (spec VCH).
#include "keys/records.h"
#include "mail/elements.h"
#include "mail/objects.h"
#include "policy/mutant.h"

namespace ams::mail {

Result<wire::Value> make_vouch(const Vouch& vouch, const crypto::SigningKey& op) {
  wire::Object out{
      {"ams", "vouch/1"},
      {"ehash", to_base64url(vouch.ehash)},
      {"sdom", vouch.sdom},
      {"dkid", to_uuid_text(vouch.dkid)},
      {"acct", to_base64url(vouch.acct)},
      {"rdom", vouch.rdom},
      {"class", vouch.cls},
      {"rroot", to_base64url(vouch.rroot)},
      {"day", vouch.day},
      {"age", vouch.age},
      {"close", to_base64url(vouch.close)},
  };
  if (vouch.dseq) out.emplace("dseq", *vouch.dseq);
  if (vouch.aseq) out.emplace("aseq", *vouch.aseq);
  return keys::sign_object(std::move(out), op);
}

Result<Vouch> parse_vouch(const wire::Value& value) {
  wire::ObjectReader in(value, "vouch");
  Vouch out;
  in.tag("vouch/1");
  out.ehash = in.bytes<32>("ehash");
  out.sdom = read_domain(in, "sdom");
  out.dkid = in.uuid("dkid");
  out.acct = in.bytes<16>("acct");
  out.rdom = read_domain(in, "rdom");
  out.cls = in.string("class");
  const bool known = out.cls == "cold" || out.cls == "granted";
  in.require(known || mutant("mail.accept_class"), Code::schema, "class");
  out.rroot = in.bytes<32>("rroot");
  out.day = in.integer("day");
  out.dseq = in.optional_integer("dseq", 1);
  out.aseq = in.optional_integer("aseq", 1);
  out.age = in.integer("age");
  out.close = in.bytes<32>("close");
  in.binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<Vouch> verify_vouch(const wire::Value& value, const keys::Chain& sender,
                           const VouchCover& cover) {
  AMS_TRY(Vouch vouch, parse_vouch(value));
  if (!mutant("mail.skip_vouch_signature")) {
    if (vouch.dkid != sender.op.id().kid) return fail(Code::vouch_mismatch, "dkid");
    if (!keys::verify_object(value, sender.op.signing())) return fail(Code::vouch_mismatch, "sig");
  }
  if (mutant("mail.skip_vouch_cover")) return vouch;
  std::vector<Bytes> leaves;
  for (const Hash& tag : cover.rtags) leaves.push_back(to_bytes(tag));
  if (vouch.ehash != cover.ehash) return fail(Code::vouch_mismatch, "ehash");
  if (vouch.sdom != cover.sdom || cover.sdom != sender.record.domain)
    return fail(Code::vouch_mismatch, "sdom");
  if (vouch.rdom != cover.rdom) return fail(Code::vouch_mismatch, "rdom");
  if (leaves.empty() || vouch.rroot != merkle_root(leaves))
    return fail(Code::vouch_mismatch, "rroot");
  return vouch;
}

Hash vouch_ehash(const wire::Value& header, ByteView asig) {
  Bytes input = wire::encode(header);
  append(input, asig);
  return crypto::sha256(input);
}

Hash rtag(const Id16& salt, std::string_view addr) {
  return crypto::hmac_sha256(salt, as_bytes(addr));
}

}  // namespace ams::mail
