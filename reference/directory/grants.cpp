#include "directory/grants.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::directory {

// --- rows ---------------------------------------------------------------------------------------

void VouchedRows::put(const Id16& kid, const Vouched& vouched, std::set<Hash>& bodies,
                      storage::WriteBatch& writes) {
  const Hash& hash = vouched.grant->hash;
  Bytes row = to_bytes(ByteView(hash));
  row.push_back(vouched.place.index);
  append(row, vouched.place.path);
  if (bodies.insert(hash).second)
    writes.puts.push_back(
        {table_grants, to_bytes(ByteView(hash)), wire::encode(vouched.grant->value)});
  writes.puts.push_back({table_vouched, to_bytes(ByteView(kid)), std::move(row)});
  unsettled_.insert_or_assign(kid, vouched);
}

Result<std::optional<Vouched>> VouchedRows::of(const Id16& kid) const {
  if (const auto at = unsettled_.find(kid); at != unsettled_.end())
    return std::optional(at->second);
  AMS_TRY(const auto row, reader_->get(table_vouched, kid));
  if (!row || row->size() < 33) return std::optional<Vouched>();
  const ByteView view(*row);
  AMS_TRY(const auto body, reader_->get(table_grants, view.first(32)));
  if (!body) return fail(Code::storage, "directory: a grant is lost");
  const auto value = wire::decode(*body);
  if (!value) return fail(Code::storage, "directory: a grant is no AMS-CJ");
  AMS_TRY(Grant grant, parse_grant(*value));
  return std::optional(Vouched{std::make_shared<const Grant>(std::move(grant)),
                               {view[32], to_bytes(view.subspan(33))}});
}

std::size_t VouchersOut::add(const std::optional<Vouched>& vouched) {
  if (!vouched || mutant("directory.grants_kept_back")) {
    vouchers_.emplace_back("");
    return 0;
  }
  std::size_t size = 0;
  const auto [at, fresh] =
      known_.emplace(vouched->grant->hash, static_cast<std::uint8_t>(grants_.size()));
  if (fresh) {
    size += wire::encode(vouched->grant->value).size();
    grants_.push_back(vouched->grant->value);
  }
  std::string text = voucher_text({at->second, vouched->place});
  size += text.size();
  vouchers_.emplace_back(std::move(text));
  return size;
}

void VouchersOut::into(wire::Object& message, bool always) && {
  if (grants_.empty() && !always) return;
  message.emplace("grants", std::move(grants_));
  message.emplace("vouchers", std::move(vouchers_));
}

// --- who grants ---------------------------------------------------------------------------------

Grantors::Known& Grantors::of(std::string_view domain) {
  auto at = known_.find(domain);
  if (at == known_.end()) {
    if (known_.size() >= grantors_max)
      known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second.op.has_value(), a.second.used) <
               std::pair(b.second.op.has_value(), b.second.used);
      }));
    at = known_.emplace(std::string(domain), Known{}).first;
  }
  at->second.used = ++uses_;
  return at->second;
}

void Grantors::put(std::string_view domain, const crypto::VerifyKey& op, Instant now) {
  Known& known = of(domain);
  known.op = op;
  known.seen = now;
}

const crypto::VerifyKey* Grantors::find(std::string_view domain, Instant now) {
  const auto at = known_.find(domain);
  if (at == known_.end() || !at->second.op) return nullptr;
  if (now >= at->second.seen + grantor_life && !mutant("directory.grantor_for_ever"))
    return nullptr;
  at->second.used = ++uses_;
  return &*at->second.op;
}

bool Grantors::may_ask(std::string_view domain, Instant now) const {
  const auto at = known_.find(domain);
  return at == known_.end() || !at->second.ever_asked || now >= at->second.asked + grantor_retry;
}

void Grantors::asked(std::string_view domain, Instant now) {
  Known& known = of(domain);
  known.asked = now;
  known.ever_asked = true;
}

Result<> VerifiedGrants::verify(const Grant& grant, const crypto::VerifyKey& op) {
  if (hashes_.contains(grant.hash) || older_.contains(grant.hash)) return {};
  AMS_CHECK(verify_grant(grant, op));
  if (hashes_.size() >= verified_grants_max) older_ = std::exchange(hashes_, {});
  hashes_.insert(grant.hash);
  return {};
}

// --- set aside ----------------------------------------------------------------------------------

bool Aside::put(SetAside record) {
  const std::pair key{record.from, record.kid};
  if (known_.contains(key)) return true;
  const auto from = by_peer_.find(record.from);
  const bool full =
      known_.size() >= aside_max || (from != by_peer_.end() && from->second >= aside_peer_max);
  if (full && !mutant("directory.aside_without_end")) return false;
  ++by_peer_[record.from];
  known_.insert(key);
  const std::string domain = record.vouched.grant->domain;
  by_domain_[domain].push_back(std::move(record));
  return true;
}

std::vector<SetAside> Aside::take(const std::string& domain) {
  auto node = by_domain_.extract(domain);
  if (node.empty()) return {};
  for (const SetAside& one : node.mapped()) {
    known_.erase({one.from, one.kid});
    if (--by_peer_[one.from] == 0) by_peer_.erase(one.from);
  }
  return std::move(node.mapped());
}

}  // namespace ams::directory
