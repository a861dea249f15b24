// Other domains' verified chains: kept for our clients (DOM-6, DOM-7).
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {

const keys::Chain* Core::verified_before(const std::string& domain, const wire::Value& value,
                                         const keys::KeyId& root) const {
  const auto at = verified_.find(domain);
  if (at == verified_.end() || !(at->second.value == value) || at->second.root.id() != root)
    return nullptr;
  return &at->second;
}

bool Core::keep_chain(const keys::Chain& chain) {
  Txn txn(reader_);
  const Bytes key = to_bytes(as_bytes(chain.record.domain));
  if (const auto held = txn.get_value(table_chain, key)) {
    const wire::Value* value = held->find("chain");
    const wire::Value* record = value ? value->find("record") : nullptr;
    const wire::Value* seq = record ? record->find("seq") : nullptr;
    const wire::Value* seen = held->find("seen");
    if (seq && seq->is_integer() && seq->as_integer() > chain.record.seq) return false;  // DOM-6
    const bool fresh =
        seen && seen->is_integer() && now_ms() - seen->as_integer() < chain_fresh_ms / 2;
    if (fresh && value && *value == chain.value && verified_.contains(chain.record.domain))
      return true;
  }
  if (verified_.size() >= verified_chains_max) verified_.clear();
  verified_.insert_or_assign(chain.record.domain, chain);
  txn.put_value(table_chain, key, wire::Object{{"chain", chain.value}, {"seen", now_ms()}});
  commit(txn, [](const Result<>&) {});  // nothing is said of it: losing it costs a connection later
  return true;
}

Result<> Core::op_domain_get(const Asked& to, Conn&, const wire::Value& args) {
  wire::ObjectReader in(args, "domain.get", wire::ObjectReader::Unknown::ignore_x);
  const std::string domain = in.string("domain", wire::domain_size_max);
  AMS_CHECK(in.finish());
  if (!wire::is_domain(domain)) return fail(Code::address_syntax, "domain.get.domain");
  if (const keys::Chain* chain = chain_of(domain)) {
    ok(to, wire::Object{{"chain", chain->value}});
    return {};
  }
  Txn txn(reader_);
  const auto held = txn.get_value(table_chain, as_bytes(domain));
  AMS_CHECK(txn.status());
  const wire::Value* chain = held ? held->find("chain") : nullptr;
  const wire::Value* seen = held ? held->find("seen") : nullptr;
  if (chain && seen && seen->is_integer() && now_ms() - seen->as_integer() < chain_fresh_ms) {
    ok(to, wire::Object{{"chain", *chain}});
    return {};
  }
  // Any request makes the link, whose hello brings the chain; an old chain is better than none.
  std::optional<wire::Value> old;
  if (chain) old = *chain;
  ask(domain, "ping", wire::Object{}, [this, to, old](const Outcome& outcome) {
    if (outcome.chain) return ok(to, wire::Object{{"chain", outcome.chain->value}});
    if (old) return ok(to, wire::Object{{"chain", *old}});
    refuse(to, Error{Code::peer_unreachable, "domain.get"});
  });
  return {};
}

}  // namespace ams::server
