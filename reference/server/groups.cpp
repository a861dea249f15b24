// Mail to a group's own address (GRP): who the members are, which key it is sealed to, and a copy
// for each.
#include <algorithm>

#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {
namespace {

Bytes member_key(std::string_view group, std::string_view addr) {
  return key_of({as_bytes(group), key_zero, as_bytes(addr)});
}

Bytes members_prefix(std::string_view group) { return member_key(group, {}); }

Bytes copy_key(const Hash& ehash, const Id16& acct) {
  return key_of({ehash, crypto::sha256(acct)});
}

const keys::SharedKey* find_group(const keys::PolicyTerms& terms, std::string_view group) {
  const auto at = std::find_if(terms.keys.begin(), terms.keys.end(),
                               [&](const keys::SharedKey& key) { return key.group == group; });
  return group.empty() || at == terms.keys.end() ? nullptr : &*at;
}

bool names_group(const keys::DomainPolicy& policy, std::string_view group) {
  return find_group(policy.terms, group) != nullptr ||
         (policy.prior && find_group(*policy.prior, group) != nullptr);
}

}  // namespace

bool names_group(const Options& options, std::string_view local_part) {
  const wire::Value* record = options.chain.find("record");
  const wire::Value* policy = record ? record->find("policy") : nullptr;
  const wire::Value* seq = record ? record->find("seq") : nullptr;
  if (!policy || !seq || !seq->is_integer()) return false;
  const auto parsed = keys::parse_policy(*policy, seq->as_integer());
  return parsed && names_group(*parsed, local_part);
}

Result<storage::WriteBatch> member_rows(const Options& options, const storage::Reader& reader,
                                        const GroupChange& change) {
  if (!keys::is_group(change.group)) return fail(Code::schema, "group");
  AMS_TRY(const wire::Address address, wire::parse_address(change.addr));
  if (address.domain != options.domain) return fail(Code::not_local, "group.member");
  storage::WriteBatch out;
  if (!change.member) {
    out.erases.push_back({table_group, member_key(change.group, change.addr)});
    return out;
  }
  Txn txn(reader);
  const bool exists = txn.get(table_account, as_bytes(change.addr)).has_value();
  AMS_CHECK(txn.status());
  if (!exists) return fail(Code::no_such_address, "group.member");
  AMS_TRY(const std::vector<std::string> members, group_members(reader, change.group));
  if (members.size() >= group_members_max) return fail(Code::too_many_members, "group");
  out.puts.push_back({table_group, member_key(change.group, change.addr), {}});
  return out;
}

Result<std::vector<std::string>> group_members(const storage::Reader& reader,
                                               std::string_view group) {
  std::vector<std::string> out;
  const Bytes prefix = members_prefix(group);
  AMS_CHECK(reader.scan(table_group, prefix, prefix, [&](ByteView key, ByteView) {
    out.emplace_back(as_text(key.subspan(prefix.size())));
    return true;
  }));
  return out;
}

/// The group that an address without an account stands for; empty: none.
std::string Core::group_of(const std::string& addr) const {
  const auto address = wire::parse_address(addr);
  if (!address || !this->local(address->domain)) return {};
  return names_group(chain_->record.policy, address->local) ? address->local : "";
}

const keys::SharedKey* Core::group_in_force(const std::string& addr) const {
  const auto address = wire::parse_address(addr);
  if (!address || !this->local(address->domain)) return nullptr;
  return find_group(keys::policy_at(chain_->record, now_), address->local);
}

Result<std::vector<std::string>> Core::members_of(const std::string& addr) const {
  const std::string group = group_of(addr);
  if (group.empty()) return std::vector<std::string>();
  return group_members(reader_, group);
}

Result<bool> Core::takes_mail(Txn& txn, const std::string& addr) {
  bool takes = account(txn, addr).has_value();
  if (const std::string group = takes ? "" : group_of(addr); !group.empty())
    takes = txn.any(table_group, members_prefix(group));
  AMS_CHECK(txn.status());
  return takes;
}

/// GRP-2: nobody signs as a group, so its key stands where an account's own would.
Result<Core::Held> Core::bind_group(Txn& txn, const std::string& addr,
                                    const keys::SharedKey& group) {
  if (!record_of(group.key)) return fail(Code::not_found, "group's key");
  keys::Binding bound{addr, group.key, 1, chain_->record.op.kid, keys::Custody::corporate};
  bound.enc = group.key;
  AMS_TRY(const wire::Value binding, keys::make_binding(bound, op_));
  AMS_CHECK(put_binding(txn, addr, bound.version, binding, group.group));
  return Held{group.key, bound.version, binding, group.key, group.group, {}};
}

/// GRP-4: a copy for each member that has none yet. What is full is asked for again, the others
/// have theirs. An address that has neither account nor members is nobody's.
std::optional<Code> Core::accept_for_group(Txn& txn, const Parcel& parcel, const std::string& addr,
                                           Changed& changed) {
  const auto members = members_of(addr);
  if (!members) return Code::storage;  // not no_such_address: that is for ever
  if (members->empty())
    return mutant("server.wrong_code_no_such_address") ? Code::not_local : Code::no_such_address;
  const std::int64_t until = parcel.header->exp + day_ms;
  const Stored mail = to_store(txn, parcel, addr, "mail");
  bool full = false;
  for (const std::string& member : *members) {
    const auto to = account(txn, member);
    if (!to) continue;
    const Bytes copy = copy_key(parcel.ehash, to->acct);
    const bool has_one =
        txn.get(table_group_copy, copy) ||
        txn.get(table_delivered, key_of({parcel.ehash, crypto::sha256(as_bytes(member))}));
    if (has_one && !mutant("server.group_copy_again")) continue;
    if (!put_mail(txn, mail, member, *to, "inbox", changed)) {
      full = true;
      continue;
    }
    txn.put(table_group_copy, copy, {});
    expire_at(txn, until, table_group_copy, copy);
    if (mutant("server.group_first_member")) break;
  }
  if (full && !mutant("server.group_ignores_full")) return Code::mailbox_full;
  return std::nullopt;
}

bool Core::has_group_copy(Txn& txn, const Hash& ehash, const Id16& acct) {
  return txn.get(table_group_copy, copy_key(ehash, acct)).has_value();
}

bool Core::group_has_room(Txn& txn, const Hash& ehash, const std::string& addr,
                          std::uint64_t size) {
  const auto members = members_of(addr);
  // Who cannot be read now is asked for again where the mail is accepted.
  return !members || members->empty() ||
         std::any_of(members->begin(), members->end(), [&](const std::string& member) {
           const auto to = account(txn, member);
           return to && (has_group_copy(txn, ehash, to->acct) || room_for(txn, to->acct, size));
         });
}

}  // namespace ams::server
