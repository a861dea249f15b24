// What is asked (spec KST-6 … KST-12, KST-20 … KST-24). Everything here is judged against the rows
// as they are now: nobody keeps a right that the access list has lost.
#include <algorithm>

#include "base/overload.h"
#include "crypto/external.h"
#include "keystore/asker.h"
#include "keystore/forms.h"
#include "keystore/store.h"
#include "policy/mutant.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

/// HPKE info of a stanza (MSG-15).
Bytes wrap_info(const Hash& h0, const keys::KeyId& to) {
  Bytes out = to_bytes("AMS1"sv);
  append(out, h0);
  append(out, to.kid);
  append(out, to.fp);
  return out;
}

/// KST-21: the one signature form, over the objects that an account signs.
bool is_sign_form(ByteView text) {
  if (mutant("keystore.sign_anything")) return true;
  for (const std::string_view tag : {"env/1"sv, "seal/1"sv}) {
    Bytes head = to_bytes("AMS-SIG/1\0"sv);
    append(head, tag);
    head.push_back(0);
    if (text.size() == head.size() + 32 && std::equal(head.begin(), head.end(), text.begin()))
      return true;
  }
  return false;
}

}  // namespace

Result<Ok> Store::perform(const Args& args, const Asker& asker, Turn& turn) {
  return std::visit(Overload{
                        [&](const DecapArgs& a) { return decap(a, asker, turn); },
                        [&](const SignArgs& a) { return sign(a, asker, turn); },
                        [&](const ExportArgs& a) { return export_key(a, asker, turn); },
                        [&](const CreateArgs& a) { return create(a, asker, turn); },
                        [&](const RotateArgs& a) { return rotate(a, asker, turn); },
                        [&](const RewrapArgs& a) { return rewrap(a, asker, turn); },
                        [&](const ListArgs& a) { return list(a, asker, turn); },
                        [&](const AuditArgs& a) { return audit_page(a, asker, turn); },
                        [&](const GrantArgs& a) { return grant(a, asker, turn); },
                        [&](const RevokeArgs& a) { return revoke(a, asker, turn); },
                    },
                    args);
}

// --- use of keys ---------------------------------------------------------------------------------
Result<Ok> Store::decap(const DecapArgs& args, const Asker& asker, Turn& turn) {
  AMS_TRY(const KeyRow row, usable_key(args.kid, Purpose::decap, asker, turn.now));
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(row.record));
  AMS_TRY(const crypto::Secret handle, handle_of(args.kid));
  AMS_TRY(crypto::Secret shared, ring_->decap(record, handle.view(), args.enc));
  return Shared{args.kid, std::move(shared)};
}

Result<Ok> Store::sign(const SignArgs& args, const Asker& asker, Turn& turn) {
  AMS_TRY(const KeyRow row, usable_key(args.kid, Purpose::sign, asker, turn.now));
  if (!is_sign_form(args.text)) return fail(Code::sign_form, "text");
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(row.record));
  AMS_TRY(const crypto::Secret handle, handle_of(args.kid));
  AMS_TRY(Bytes sig, ring_->sign(record, handle.view(), args.text));
  return Signed{args.kid, std::move(sig)};
}

Result<Ok> Store::export_key(const ExportArgs& args, const Asker& asker, Turn& turn) {
  AMS_TRY(const KeyRow row, usable_key(args.kid, Purpose::export_key, asker, turn.now));
  if (!row.exportable && !mutant("keystore.export_anything"))
    return fail(Code::not_exportable, "key");
  if (!asker.ek) return fail(Code::not_exportable, "device");
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(row.record));
  AMS_TRY(const crypto::Secret handle, handle_of(args.kid));
  AMS_TRY(const crypto::Secret half, ring_->export_private(record, handle.view()));
  AMS_TRY(const crypto::EncryptionKey to,
          crypto::EncryptionKey::from_raw(crypto::Kem::x25519, *asker.ek));
  const auto ephemeral = crypto::Ephemeral::from_seed(turn.random.bytes(32));
  AMS_TRY(crypto::Wrapped wrapped,
          crypto::hpke_seal(to, crypto::Aead::a256gcm, export_info(record.id(), asker.device),
                            half.view(), &ephemeral));
  return Exported{std::move(wrapped.enc), args.kid, std::move(wrapped.ciphertext)};
}

// --- administration ------------------------------------------------------------------------------
namespace {

/// KST-24.
Result<> check_admin(const Member* member) {
  if (member == nullptr || member->admin || mutant("keystore.skip_admin")) return {};
  return fail(Code::not_member, "not an administrator");
}

}  // namespace

Result<Ok> Store::create(const CreateArgs& args, const Asker& asker, Turn& turn) {
  AMS_CHECK(check_admin(asker.member));
  if (args.scope.addr && !is_local(*args.scope.addr)) return fail(Code::not_local, "addr");
  AMS_TRY(const std::optional<Id16> current, current_key(args.scope));
  if (current) return fail(Code::version_conflict, "there is a key: rotate it");
  return make_key(args.scope, {args.profile, args.nbf, args.exp}, args.exportable, turn);
}

Result<Ok> Store::rotate(const RotateArgs& args, const Asker& asker, Turn& turn) {
  AMS_CHECK(check_admin(asker.member));
  AMS_TRY(KeyRow row, key_row(args.kid));
  if (row.retired) return fail(Code::key_rotated, "key");
  AMS_TRY(Ok made, make_key(row.scope, {row.profile, args.nbf, args.exp}, row.exportable, turn));
  row.retired = true;
  put_key(args.kid, row, turn);
  return made;
}

Result<Ok> Store::rewrap(const RewrapArgs& args, const Asker& asker, Turn& turn) {
  const bool admin = asker.member == nullptr || asker.member->admin;
  AMS_TRY(const KeyRow from,
          admin ? key_row(args.kid) : usable_key(args.kid, Purpose::decap, asker, turn.now));
  AMS_TRY(const KeyRow to, key_row(args.to));
  // Only from a key to its successors: anything else would be a way to read another group's mail.
  if (from.scope != to.scope && !mutant("keystore.rewrap_anywhere"))
    return fail(Code::key_purpose, "to");
  if (to.retired) return fail(Code::key_rotated, "to");
  AMS_TRY(const keys::KeyRecord old_record, keys::KeyRecord::parse(from.record));
  AMS_TRY(const keys::KeyRecord new_record, keys::KeyRecord::parse(to.record));
  AMS_TRY(const crypto::Secret handle, handle_of(args.kid));
  Rewrapped out;
  for (const RewrapItem& item : args.items) {
    auto one = rewrap_one(item, old_record, new_record, handle.view(), turn);
    if (one) out.items.emplace_back(std::move(*one));
    if (!one) out.items.emplace_back(std::string(code_info(one.error().code).name));
  }
  return out;
}

Result<Rewrapped::Stanza> Store::rewrap_one(const RewrapItem& item, const keys::KeyRecord& from,
                                            const keys::KeyRecord& to, ByteView handle,
                                            Turn& turn) {
  AMS_TRY(const crypto::Secret shared, ring_->decap(from, handle, item.enc));
  AMS_TRY(const crypto::Secret content_key,
          crypto::hpke_open_shared(from.encryption().kem(), item.aead, shared.view(),
                                   wrap_info(item.h0, from.id()), item.wk));
  const auto ephemeral = crypto::Ephemeral::from_seed(turn.random.bytes(32));
  AMS_TRY(crypto::Wrapped wrapped,
          crypto::hpke_seal(to.encryption(), item.aead, wrap_info(item.h0, to.id()),
                            content_key.view(), &ephemeral));
  return Rewrapped::Stanza{std::move(wrapped.enc), std::move(wrapped.ciphertext)};
}

Result<Ok> Store::list(const ListArgs& args, const Asker& asker, Turn& turn) {
  Listed out;
  Result<> status;
  const bool admin = asker.member == nullptr || asker.member->admin;
  const Bytes from = args.after ? to_bytes(ByteView(*args.after)) : Bytes{};
  AMS_CHECK(vault_.scan(table_keys, from, [&](ByteView key, ByteView plain) {
    if (args.after && std::equal(key.begin(), key.end(), from.begin(), from.end())) return true;
    const auto value = wire::decode(plain);
    auto row = value ? parse_key_row(*value) : fail(Code::keystore_sealed, "key");
    const auto kid = to_array<16>(key);
    if (!row || !kid) {
      status = fail(Code::keystore_sealed, "key");
      return false;
    }
    if (!admin && !in_scope(row->scope, asker)) return true;
    out.more = out.keys.size() >= list_max;
    if (!out.more) out.keys.push_back(listed(*kid, std::move(*row), asker, turn));
    return !out.more;
  }));
  AMS_CHECK(status);
  return out;
}

/// A key as its asker sees it, with a capability for each use that the access list allows now.
ListedKey Store::listed(const Id16& kid, KeyRow row, const Asker& asker, const Turn& turn) const {
  ListedKey out{{}, row.retired, row.record, row.scope};
  for (const Purpose purpose : {Purpose::decap, Purpose::export_key, Purpose::sign}) {
    if (asker.member == nullptr || !allowed(row, purpose, asker)) continue;
    Capability capability{asker.member->addr, asker.device, kid, row.scope.group, purpose, 0, {}};
    capability.exp = std::min(asker.member->exp, turn.now_ms() + options_.capability_life_ms);
    capability.mac = capability_mac(vault_.capability_key(), capability);
    out.capabilities.push_back(std::move(capability));
  }
  return out;
}

Result<Ok> Store::audit_page(const AuditArgs& args, const Asker& asker, Turn&) {
  AMS_CHECK(check_admin(asker.member));
  AMS_TRY(const AuditHead head, audit().head());
  AMS_TRY(std::vector<wire::Value> entries, audit().entries(args.from, args.count));
  return AuditPage{std::move(entries), head.hash, head.size};
}

Result<Ok> Store::grant(const GrantArgs& args, const Asker& asker, Turn& turn) {
  AMS_CHECK(check_admin(asker.member));
  if (!is_local(args.member.addr)) return fail(Code::not_local, "addr");
  if (args.member.exp <= turn.now_ms()) return fail(Code::expired, "exp");
  AMS_TRY(const std::optional<MemberRow> known, find_member(args.member.addr));
  if (!known) {
    AMS_TRY(const std::int64_t held, count(table_members));
    if (held >= options_.members_max) return fail(Code::keystore_full, "members");
  }
  put_member({args.member, false}, turn);
  return Granted{args.member.addr};
}

Result<Ok> Store::revoke(const RevokeArgs& args, const Asker& asker, Turn& turn) {
  AMS_CHECK(check_admin(asker.member));
  AMS_TRY(std::optional<MemberRow> row, find_member(args.addr));
  if (!row) return fail(Code::not_found, "member");
  Revoked out{args.addr, {}};
  std::vector<Scope> scopes{Scope{}};
  for (const std::string& group : row->member.groups) scopes.push_back(Scope{{}, group});
  for (const Scope& scope : scopes) {
    AMS_TRY(const std::optional<Id16> kid, current_key(scope));
    if (kid) out.kids.push_back(*kid);
  }
  row->revoked = true;
  put_member(*row, turn);
  return out;
}

}  // namespace ams::keystore
