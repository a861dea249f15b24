// The hash chain (spec KST-25 … KST-27).
#include "keystore/audit.h"

#include "policy/mutant.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

Bytes row_key(std::int64_t n) {
  Bytes out;
  append_u64(out, static_cast<std::uint64_t>(n));
  return out;
}

wire::Value entry_of(const AuditEvent& event, const AuditHead& head, std::int64_t now_ms) {
  wire::Object out{
      {"ams", "ks-log/1"},
      {"n", head.size},
      {"ts", now_ms},
      {"addr", event.addr},
      {"op", event.op},
      {"detail", event.detail},
      {"outcome", event.outcome},
      {"id", to_base64url(event.id)},
      {"prev", to_base64url(head.hash)},
  };
  if (event.device) out.emplace("device", to_base64url(*event.device));
  if (event.kid) out.emplace("kid", to_uuid_text(*event.kid));
  return out;
}

/// n and prev of an entry are what the chain demands at this place.
bool follows(const wire::Value& entry, const AuditHead& head) {
  const wire::Value* n = entry.find("n");
  const wire::Value* prev = entry.find("prev");
  if (n == nullptr || !n->is_integer() || prev == nullptr || !prev->is_string()) return false;
  if (mutant("keystore.skip_audit_chain")) return true;
  return n->as_integer() == head.size && prev->as_string() == to_base64url(head.hash);
}

}  // namespace

Hash entry_hash(const wire::Value& entry) {
  Bytes text = to_bytes("AMS-KS-LOG/1\0"sv);
  wire::append_encoded(text, entry);
  return crypto::sha256(text);
}

Result<AuditHead> follow_chain(const AuditHead& before, const std::vector<wire::Value>& entries) {
  AuditHead head = before;
  for (const wire::Value& entry : entries) {
    if (!follows(entry, head)) return fail(Code::audit_chain, "entry");
    head = {head.size + 1, entry_hash(entry)};
  }
  return head;
}

Result<> same_head(const AuditHead& reached, const AuditHead& said) {
  if (reached != said && !mutant("keystore.skip_audit_head"))
    return fail(Code::audit_chain, "head");
  return {};
}

Result<AuditHead> Audit::head() const {
  AMS_TRY(const std::optional<wire::Value> row, vault_->get_value(table_head, as_bytes("head")));
  if (!row) return AuditHead{};
  wire::ObjectReader in(*row, "head");
  AuditHead out;
  out.size = in.integer("size");
  out.hash = in.bytes<32>("hash");
  if (!in.finish()) return fail(Code::keystore_sealed, "head");
  return out;
}

Result<> Audit::append(storage::WriteBatch& out, const AuditEvent& event, std::int64_t now_ms,
                       crypto::Drbg& random) const {
  if (mutant("keystore.skip_audit")) return {};
  AMS_TRY(const AuditHead before, head());
  const wire::Value entry = entry_of(event, before, now_ms);
  vault_->put_value(out, table_audit, row_key(before.size), entry, random);
  vault_->put_value(
      out, table_head, to_bytes("head"sv),
      wire::Object{{"size", before.size + 1}, {"hash", to_base64url(entry_hash(entry))}}, random);
  return {};
}

Result<std::vector<wire::Value>> Audit::entries(std::int64_t from, std::int64_t count) const {
  std::vector<wire::Value> out;
  Result<> status;
  AMS_CHECK(vault_->scan(table_audit, row_key(from), [&](ByteView, ByteView plain) {
    auto entry = wire::decode(plain);
    if (!entry) status = fail(Code::keystore_sealed, "entry");
    if (entry) out.push_back(std::move(*entry));
    return entry && static_cast<std::int64_t>(out.size()) < count;
  }));
  AMS_CHECK(status);
  return out;
}

Result<AuditHead> Audit::verify(const std::optional<AuditHead>& remembered) const {
  AMS_TRY(const AuditHead last, head());
  AuditHead at;
  bool met = !remembered || *remembered == at;
  while (true) {
    AMS_TRY(const std::vector<wire::Value> page, entries(at.size, audit_page_size));
    for (const wire::Value& entry : page) {
      AMS_TRY(at, follow_chain(at, {entry}));
      met = met || *remembered == at;
    }
    if (page.size() < static_cast<std::size_t>(audit_page_size)) break;
  }
  if (at != last) return fail(Code::audit_chain, "head");
  if (!met) return fail(Code::audit_chain, "the head seen before is not in it");
  return at;
}

}  // namespace ams::keystore
