// The store's rows as values, and who may use which key (spec KST-18).
#include <algorithm>

#include "keystore/forms.h"
#include "keystore/store.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::keystore {
namespace {

Bytes key_of(const Id16& kid) { return to_bytes(ByteView(kid)); }

std::string scope_text(const Scope& scope) {
  if (scope.addr) return "addr " + *scope.addr;
  return scope.group ? "group " + *scope.group : "all";
}

Result<MemberRow> parse_member_row(const wire::Value& value) {
  wire::ObjectReader in(value, "row");
  MemberRow out;
  auto member = parse_member(in.any("member"));
  out.revoked = in.boolean("revoked");
  if (!in.finish() || !member) return fail(Code::keystore_sealed, "member");
  out.member = std::move(*member);
  return out;
}

bool holds(const std::vector<std::string>& sorted, const std::string& text) {
  return std::binary_search(sorted.begin(), sorted.end(), text);
}

}  // namespace

bool Store::is_local(std::string_view addr) const {
  const auto parsed = wire::parse_address(addr);
  return parsed && parsed->domain == options_.domain;
}

Result<std::optional<MemberRow>> Store::find_member(std::string_view addr) const {
  AMS_TRY(const auto value, vault_.get_value(table_members, vault_.index("member", addr)));
  if (!value) return std::optional<MemberRow>();
  AMS_TRY(MemberRow row, parse_member_row(*value));
  return std::optional<MemberRow>(std::move(row));
}

void Store::put_member(const MemberRow& row, Turn& turn) const {
  vault_.put_value(turn.writes, table_members, vault_.index("member", row.member.addr),
                   wire::Object{{"member", to_object(row.member)}, {"revoked", row.revoked}},
                   turn.random);
}

Result<std::vector<MemberRow>> Store::members() const {
  std::vector<MemberRow> out;
  Result<> status;
  AMS_CHECK(vault_.scan(table_members, {}, [&](ByteView, ByteView plain) {
    auto value = wire::decode(plain);
    auto row = value ? parse_member_row(*value) : fail(Code::keystore_sealed, "member");
    if (!row) status = fail(row.error().code, row.error().where);
    if (row) out.push_back(std::move(*row));
    return status.has_value();
  }));
  AMS_CHECK(status);
  std::sort(out.begin(), out.end(),
            [](const MemberRow& a, const MemberRow& b) { return a.member.addr < b.member.addr; });
  return out;
}

Result<Store::KeyRow> Store::parse_key_row(const wire::Value& value) {
  wire::ObjectReader in(value, "row");
  KeyRow out;
  out.record = in.any("record");
  out.scope = read_scope(in);
  out.profile = find_profile(in.string("profile")).value_or(Profile::modern);
  out.retired = in.boolean("retired");
  out.exportable = in.boolean("exportable");
  if (!in.finish()) return fail(Code::keystore_sealed, "key");
  return out;
}

Result<Store::KeyRow> Store::key_row(const Id16& kid) const {
  AMS_TRY(const auto value, vault_.get_value(table_keys, kid));
  if (!value) return fail(Code::not_found, "kid");
  return parse_key_row(*value);
}

void Store::put_key(const Id16& kid, const KeyRow& row, Turn& turn) const {
  wire::Object value{{"record", row.record},
                     {"profile", name(row.profile)},
                     {"retired", row.retired},
                     {"exportable", row.exportable}};
  write_scope(value, row.scope);
  vault_.put_value(turn.writes, table_keys, key_of(kid), value, turn.random);
}

Result<crypto::Secret> Store::handle_of(const Id16& kid) const {
  AMS_TRY(std::optional<crypto::Secret> handle, vault_.get(table_private, kid));
  if (!handle) return fail(Code::keystore_sealed, "handle");
  return std::move(*handle);
}

Result<std::optional<Id16>> Store::current_key(const Scope& scope) const {
  AMS_TRY(const auto row, vault_.get(table_current, vault_.index("scope", scope_text(scope))));
  if (!row) return std::optional<Id16>();
  const auto kid = to_array<16>(row->view());
  if (!kid) return fail(Code::keystore_sealed, "current");
  return kid;
}

Result<Ok> Store::make_key(const Scope& scope, const RingOptions& options, bool exportable,
                           Turn& turn) {
  AMS_TRY(const std::int64_t held, count(table_keys));
  if (held >= options_.keys_max) return fail(Code::keystore_full, "keys");
  AMS_TRY(RingKey made, ring_->create(options, turn.random.bytes(80)));
  const Id16 kid = made.record.id().kid;
  put_key(kid, {made.record.value(), scope, options.profile, false, exportable}, turn);
  vault_.put(turn.writes, table_private, key_of(kid), made.handle.view(), turn.random);
  vault_.put(turn.writes, table_current, vault_.index("scope", scope_text(scope)), kid,
             turn.random);
  return Made{made.record.value()};
}

/// KST-18: an address's key is its own; a group's its members'; the domain's everybody's.
bool Store::in_scope(const Scope& scope, const Asker& asker) const {
  if (asker.member == nullptr) return false;
  if (scope.addr) return *scope.addr == asker.member->addr || mutant("keystore.any_address_key");
  return !scope.group || holds(asker.member->groups, *scope.group) || mutant("keystore.skip_group");
}

bool Store::allowed(const KeyRow& row, Purpose purpose, const Asker& asker) const {
  if (!in_scope(row.scope, asker)) return false;
  const auto& purposes = asker.member->purposes;
  if (std::find(purposes.begin(), purposes.end(), purpose) == purposes.end()) return false;
  if (purpose == Purpose::sign) return !row.scope.shared() && !row.retired;
  return purpose != Purpose::export_key || (row.exportable && asker.ek.has_value());
}

/// KST-18, KST-20, KST-23: the access list in force, then the key's own rules.
Result<Store::KeyRow> Store::usable_key(const Id16& kid, Purpose purpose, const Asker& asker,
                                        Instant now) const {
  AMS_TRY(KeyRow row, key_row(kid));
  if (!in_scope(row.scope, asker)) return fail(Code::not_member, "key");
  const auto& purposes = asker.member->purposes;
  if (std::find(purposes.begin(), purposes.end(), purpose) == purposes.end() &&
      !mutant("keystore.skip_member_purpose"))
    return fail(Code::not_member, "purpose");
  if (purpose != Purpose::sign) return row;
  if (row.scope.shared() && !mutant("keystore.sign_with_shared"))
    return fail(Code::key_purpose, "a shared key does not sign");
  if (row.retired && !mutant("keystore.sign_with_retired")) return fail(Code::key_rotated, "key");
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(row.record));
  AMS_CHECK(record.valid_at(now));
  return row;
}

Result<std::int64_t> Store::count(storage::Table table) const {
  std::int64_t out = 0;
  AMS_CHECK(vault_.scan_keys(table, {}, [&](ByteView) {
    ++out;
    return true;
  }));
  return out;
}

}  // namespace ams::keystore
