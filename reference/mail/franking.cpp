#include "mail/franking.h"

#include "crypto/crypto.h"
#include "mail/objects.h"

namespace ams::mail {
namespace {

wire::Value attachment_leaf(const wire::Value& attachment) {
  wire::Object out = attachment.as_object();
  out.erase("key");
  return out;
}

Bytes committed_leaf(ByteView prk, std::uint32_t index, ByteView leaf) {
  Bytes info = to_bytes("AMS-FRANK");
  append_u32(info, index);
  const crypto::Secret key = crypto::hkdf_expand(prk, info, 32);
  Bytes prefix;
  prefix.reserve(12);
  append_u32(prefix, index);
  append_u64(prefix, leaf.size());
  return to_bytes(crypto::hmac_sha256(key.view(), {prefix, leaf}));
}

}  // namespace

std::vector<Bytes> leaves_of(const wire::Value& letter) {
  wire::Object first;
  for (const auto& [name, member] : letter.as_object())
    if (name != "fk" && name != "parts" && name != "att") first.emplace(name, member);
  std::vector<Bytes> out;
  out.push_back(wire::encode(first));
  for (const wire::Value& part : letter.find("parts")->as_array())
    out.push_back(wire::encode(part));
  for (const wire::Value& attachment : letter.find("att")->as_array())
    out.push_back(wire::encode(attachment_leaf(attachment)));
  return out;
}

Hash franking_commitment(ByteView fk, const std::vector<Bytes>& leaves) {
  const std::vector<ByteView> views(leaves.begin(), leaves.end());
  return franking_commitment(fk, views);
}

Hash franking_commitment(ByteView fk, std::span<const ByteView> leaves) {
  const crypto::Secret prk = crypto::hkdf_extract({}, fk);
  std::vector<Bytes> committed;
  committed.reserve(leaves.size());
  for (std::uint32_t i = 0; i < leaves.size(); ++i)
    committed.push_back(committed_leaf(prk.view(), i, leaves[i]));
  return merkle_root(committed);
}

}  // namespace ams::mail
