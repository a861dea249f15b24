// Receipts of the receiving domain and notices of one's own (spec chapter 06, REL-8 and REL-15).
#include "keys/records.h"
#include "mail/elements.h"
#include "mail/objects.h"
#include "policy/mutant.h"

namespace ams::mail {
namespace {

/// A registered code's name; what is not registered is outside the member's range.
std::optional<Code> read_code(wire::ObjectReader& in, const std::string& text) {
  const CodeInfo* info = find_code(text);
  in.require(info != nullptr || mutant("mail.accept_unregistered_code"), Code::schema, "code");
  if (info == nullptr) return std::nullopt;
  return info->code;
}

}  // namespace

Result<wire::Value> make_receipt(const Receipt& receipt, const crypto::SigningKey& op) {
  wire::Object out{
      {"ams", "receipt/1"},
      {"ehash", to_base64url(receipt.ehash)},
      {"rdom", receipt.rdom},
      {"dkid", to_uuid_text(receipt.dkid)},
      {"addr_tag", to_base64url(receipt.addr_tag)},
      {"verdict", receipt.accepted ? "accepted" : "refused"},
      {"ts", receipt.ts},
  };
  if (receipt.code) out.emplace("code", code_info(*receipt.code).name);
  return keys::sign_object(std::move(out), op);
}

Result<Receipt> parse_receipt(const wire::Value& value) {
  wire::ObjectReader in(value, "receipt");
  Receipt out;
  in.tag("receipt/1");
  out.ehash = in.bytes<32>("ehash");
  out.rdom = read_domain(in, "rdom");
  out.dkid = in.uuid("dkid");
  out.addr_tag = in.bytes<32>("addr_tag");
  const std::string verdict = in.string("verdict");
  const bool known = verdict == "accepted" || verdict == "refused";
  in.require(known || mutant("mail.accept_verdict"), Code::schema, "verdict");
  out.accepted = verdict == "accepted";
  const auto code = in.optional_string("code");
  in.require(code.has_value() == !out.accepted || mutant("mail.accept_receipt_code"), Code::schema,
             "code");
  if (code) out.code = read_code(in, *code);
  out.ts = in.integer("ts");
  in.binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<Receipt> verify_receipt(const wire::Value& value, const keys::Chain& receiver) {
  AMS_TRY(Receipt receipt, parse_receipt(value));
  if (receipt.rdom != receiver.record.domain && !mutant("mail.skip_receipt_domain"))
    return fail(Code::domain_mismatch, "receipt");
  if (receipt.dkid != receiver.op.id().kid && !mutant("mail.skip_receipt_dkid"))
    return fail(Code::kid_mismatch, "receipt");
  if (!mutant("mail.skip_receipt_signature"))
    AMS_CHECK(keys::verify_object(value, receiver.op.signing()));
  return receipt;
}

Result<wire::Value> make_notice(const Notice& notice, const crypto::SigningKey& op) {
  wire::Object out{
      {"ams", "notice/1"},
      {"ehash", to_base64url(notice.ehash)},
      {"id", to_base64url(notice.id)},
      {"addr", notice.addr},
      {"verdict", notice.failed ? "failed" : "undetermined"},
      {"code", code_info(notice.code).name},
      {"ts", notice.ts},
      {"dkid", to_uuid_text(notice.dkid)},
  };
  if (notice.receipt) out.emplace("receipt", *notice.receipt);
  return keys::sign_object(std::move(out), op);
}

Result<Notice> parse_notice(const wire::Value& value) {
  wire::ObjectReader in(value, "notice");
  Notice out;
  in.tag("notice/1");
  out.ehash = in.bytes<32>("ehash");
  out.id = in.bytes<16>("id");
  out.addr = read_address(in, "addr");
  const std::string verdict = in.string("verdict");
  in.require(verdict == "failed" || verdict == "undetermined", Code::schema, "verdict");
  out.failed = verdict == "failed";
  out.code = read_code(in, in.string("code")).value_or(Code::undetermined);
  out.ts = in.integer("ts");
  out.dkid = in.uuid("dkid");
  if (const wire::Value* receipt = in.optional("receipt")) {
    const auto parsed = parse_receipt(*receipt);
    in.include(parsed ? Result<>() : Result<>(tl::unexpected<Error>(parsed.error())));
    out.receipt = *receipt;
  }
  in.binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<Notice> verify_notice(const wire::Value& value, const keys::Chain& own) {
  AMS_TRY(Notice notice, parse_notice(value));
  if (notice.dkid != own.op.id().kid && !mutant("mail.skip_notice_dkid"))
    return fail(Code::kid_mismatch, "notice");
  if (!mutant("mail.skip_notice_signature"))
    AMS_CHECK(keys::verify_object(value, own.op.signing()));
  return notice;
}

}  // namespace ams::mail
