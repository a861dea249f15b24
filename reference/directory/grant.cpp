#include "directory/grant.h"

#include "keys/records.h"
#include "policy/mutant.h"
#include "verifiable/log.h"
#include "wire/address.h"

namespace ams::directory {
namespace {

constexpr std::string_view grant_tag = "grant/1";

/// A leaf of a tag of its own: no entry of a log is one, no other signed tree's neither.
Hash leaf_of(const Hash& fp) {
  Bytes entry = to_bytes(std::string_view("AMS-GRANT/1\0", 12));
  append(entry, fp);
  return verifiable::log_leaf_hash(mutant("directory.grant_leaf_untagged") ? ByteView(fp)
                                                                           : ByteView(entry));
}

}  // namespace

Result<Grant> parse_grant(const wire::Value& value) {
  const Bytes bytes = wire::encode(value);
  if (bytes.size() > grant_size_max && !mutant("directory.accept_large_grant"))
    return fail(Code::object_too_large, "grant");
  wire::ObjectReader in(value, "grant");
  Grant out;
  in.tag(grant_tag);
  out.domain = in.string("domain");
  in.require(wire::is_domain(out.domain) || mutant("directory.grant_any_domain"),
             Code::address_syntax, "grant.domain");
  out.op_key = in.bytes<32>("op_key");
  out.root = in.bytes<32>("root");
  const auto most = static_cast<std::int64_t>(grant_keys_max);
  out.count = static_cast<std::uint8_t>(
      in.integer("count", 1, mutant("directory.grant_any_count") ? 2 * most : most));
  in.binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  out.hash = crypto::sha256(bytes);
  out.value = value;
  return out;
}

Result<> verify_place(const Grant& grant, const Hash& fp, const Place& place) {
  if (mutant("directory.grant_any_path")) return {};
  return verifiable::verify_inclusion(grant.root, grant.count, place.index, leaf_of(fp),
                                      place.path);
}

Hash op_key_hash(const crypto::VerifyKey& op) { return crypto::sha256(op.raw()); }

Result<> verify_grant(const Grant& grant, const crypto::VerifyKey& op) {
  if (grant.op_key != op_key_hash(op) && !mutant("directory.grant_any_op_key"))
    return fail(Code::signature, "grant.op_key");
  if (mutant("directory.grant_unsigned")) return {};
  return keys::verify_object(grant.value, op);
}

Result<Granted> make_grant(std::string_view domain, std::span<const Hash> fps,
                           const crypto::SigningKey& op) {
  AMS_ASSERT(!fps.empty() && fps.size() <= grant_keys_max);
  verifiable::Log tree;
  for (const Hash& fp : fps) tree.append(leaf_of(fp));
  Granted out;
  for (std::size_t i = 0; i < fps.size(); ++i)
    out.places.push_back({static_cast<std::uint8_t>(i), tree.prove_inclusion(i, fps.size())});
  AMS_TRY(out.grant,
          keys::sign_object(wire::Object{{"ams", std::string(grant_tag)},
                                         {"count", static_cast<std::int64_t>(fps.size())},
                                         {"domain", std::string(domain)},
                                         {"op_key", to_base64url(crypto::sha256(op.public_raw()))},
                                         {"root", to_base64url(tree.root())}},
                            op));
  return out;
}

Result<std::optional<Voucher>> read_voucher(std::string_view text) {
  const auto raw = from_base64url(text);
  if (!raw)
    return fail(mutant("directory.wrong_code_voucher") ? Code::schema : Code::base64url, "voucher");
  if (raw->empty()) return std::optional<Voucher>();
  const bool whole = raw->size() >= 2 && raw->size() % 32 == 2 && raw->size() <= voucher_size_max;
  if (!whole && !mutant("directory.voucher_any_size")) return fail(Code::proof_form, "voucher");
  if (raw->size() < 2) return std::optional<Voucher>();
  return std::optional(Voucher{(*raw)[0], {(*raw)[1], to_bytes(ByteView(*raw).subspan(2))}});
}

std::string voucher_text(const Voucher& voucher) {
  Bytes raw{voucher.grant, voucher.place.index};
  append(raw, voucher.place.path);
  return to_base64url(raw);
}

Result<Vouchers> Vouchers::read(const wire::Value* grants, const wire::Value* vouchers,
                                std::size_t records) {
  Vouchers out;
  out.vouchers_.resize(records);
  if (grants == nullptr && vouchers == nullptr) return out;
  if (grants == nullptr || vouchers == nullptr || !grants->is_array() || !vouchers->is_array() ||
      vouchers->as_array().size() != records)
    return fail(mutant("directory.wrong_code_vouchers") ? Code::proof_form : Code::schema,
                "vouchers");
  if (grants->as_array().size() > records && !mutant("directory.grants_without_end"))
    return fail(Code::batch_too_large, "grants");
  out.grants_ = grants;
  out.parsed_.resize(grants->as_array().size());
  for (std::size_t i = 0; i < records; ++i) {
    const wire::Value& text = vouchers->as_array()[i];
    if (!text.is_string()) return fail(Code::schema, "vouchers");
    AMS_TRY(out.vouchers_[i], read_voucher(text.as_string()));
    if (out.vouchers_[i] && out.vouchers_[i]->grant >= out.parsed_.size())
      return fail(mutant("directory.wrong_code_vouchers") ? Code::proof_form : Code::schema,
                  "vouchers: no such grant");
  }
  return out;
}

const Result<std::shared_ptr<const Grant>>& Vouchers::grant(const Voucher& voucher) {
  auto& parsed = parsed_[voucher.grant];
  if (!parsed) {
    auto read = parse_grant(grants_->as_array()[voucher.grant]);
    if (read) {
      parsed = std::make_shared<const Grant>(std::move(*read));
    } else {
      parsed = tl::unexpected<Error>(read.error());
    }
  }
  return *parsed;
}

}  // namespace ams::directory
