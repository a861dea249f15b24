// The one signature form (spec SIG-1 … SIG-4).
#include "wire/sigform.h"

#include "keys/records.h"

namespace ams::keys {
namespace {

using std::string_view_literals::operator""sv;

/// Bytes of a signature: what tells another algorithm's from a wrong one (ALG-3).
std::size_t signature_size(crypto::SigAlg alg) {
  switch (alg) {
    case crypto::SigAlg::ed25519:
      return 64;
    case crypto::SigAlg::rsa2048pss:
      return 256;
    case crypto::SigAlg::rsa3072pss:
      return 384;
    case crypto::SigAlg::rsa4096pss:
      return 512;
  }
  return 0;
}

Result<std::string_view> tag_of(const wire::Value& object) {
  const wire::Value* tag = object.find("ams");
  if (tag == nullptr || !tag->is_string()) return fail(Code::schema, "ams");
  return std::string_view(tag->as_string());
}

}  // namespace

Bytes signing_input(std::string_view tag, const wire::Value& object) {
  Bytes out;
  out.reserve(64 + tag.size());
  append(out, "AMS-SIG/1\0"sv);
  append(out, tag);
  out.push_back(0);
  append(out, crypto::sha256(wire::encode_without(object, "sig")));
  return out;
}

Result<Bytes> sign_beside(const wire::Value& object, const crypto::SigningKey& key) {
  AMS_TRY(const std::string_view tag, tag_of(object));
  return key.sign(signing_input(tag, object));
}

Result<> verify_beside(const wire::Value& object, ByteView signature,
                       const crypto::VerifyKey& key) {
  AMS_TRY(const std::string_view tag, tag_of(object));
  if (signature.size() != signature_size(key.alg())) return fail(Code::algorithm_mix, "sig");
  return key.verify(signing_input(tag, object), signature);
}

Result<wire::Value> sign_object(wire::Value object, const crypto::SigningKey& key) {
  AMS_TRY(const Bytes signature, sign_beside(object, key));
  object.as_object().insert_or_assign("sig", wire::Value(to_base64url(signature)));
  return object;
}

Result<> verify_object(const wire::Value& object, const crypto::VerifyKey& key) {
  const wire::Value* member = object.find("sig");
  if (member == nullptr || !member->is_string()) return fail(Code::schema, "sig");
  const auto signature = from_base64url(member->as_string());
  if (!signature) return fail(Code::base64url, "sig");
  return verify_beside(object, *signature, key);
}

}  // namespace ams::keys
