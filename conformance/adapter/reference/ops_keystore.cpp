// The key store interface: requests, capabilities, answers, the audit log (spec KST).
#include "adapter/ops.h"
#include "keystore/asker.h"
#include "keystore/audit.h"

namespace ams::adapter {
namespace {

Answer keystore_request(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keystore::Request request, keystore::parse_request(value));
  AMS_CHECK(keystore::verify_request(value, request));
  return Json{{"op", keystore::op_name(request.args)}, {"addr", request.addr}};
}

Answer keystore_capability(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const keystore::Capability capability, keystore::parse_capability(value));
  const auto purpose = keystore::find_purpose(args.text("purpose"));
  if (!purpose) throw Fault("purpose: none of decap, export, sign");
  const keystore::CapabilityUse use{args.text("addr"), args.fixed<32>("device_b64"),
                                    args.kid("kid"), *purpose};
  AMS_CHECK(keystore::judge_capability(capability, args.bytes("key_b64"), use,
                                       to_unix_ms(args.instant("now"))));
  return Json{{"purpose", keystore::name(capability.purpose)}};
}

Answer keystore_answer(const Args& args) {
  AMS_TRY(const wire::Value asked, args.value("request_b64"));
  AMS_TRY(const keystore::Request request, keystore::parse_request(asked));
  std::optional<keys::KeyRecord> record;
  if (args.has("record_b64")) {
    AMS_TRY(const wire::Value value, args.value("record_b64"));
    AMS_TRY(record, keys::KeyRecord::parse(value));
  }
  AMS_CHECK(keystore::judge_answer(request, args.bytes("raw_b64"), record ? &*record : nullptr));
  return Json{{"op", keystore::op_name(request.args)}};
}

Answer keystore_audit(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  if (!value.is_array()) throw Fault("raw_b64: no array");
  AMS_TRY(const keystore::AuditHead head, keystore::follow_chain({}, value.as_array()));
  const keystore::AuditHead said{static_cast<std::int64_t>(args.number("size")),
                                 args.fixed<32>("head_b64")};
  AMS_CHECK(keystore::same_head(head, said));
  return Json{{"size", head.size}};
}

}  // namespace

std::vector<Op> keystore_ops() {
  return {{"keystore.answer", keystore_answer},
          {"keystore.audit", keystore_audit},
          {"keystore.capability", keystore_capability},
          {"keystore.request", keystore_request}};
}

}  // namespace ams::adapter
