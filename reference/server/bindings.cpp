// The association of address and key, kept encrypted (ACC-4, BND).
#include "policy/mutant.h"
#include "server/core.h"

namespace ams::server {
namespace {

constexpr std::size_t row_block = 512;  // BND-2

Bytes row_aad(const std::string& domain, const Hash& row_key, std::int64_t version) {
  return key_of({as_bytes(domain), key_zero, row_key, be64(version)});
}

}  // namespace

Bytes pad_row(const wire::Value& row) {
  const Bytes text = wire::encode(row);
  Bytes out;
  append_u32(out, static_cast<std::uint32_t>(text.size()));
  append(out, text);
  out.resize((out.size() + row_block - 1) / row_block * row_block);
  return out;
}

Result<wire::Value> unpad_row(ByteView row) {
  if (row.size() < 4 || read_u32(row) > row.size() - 4) return fail(Code::storage, "binding row");
  return wire::decode(row.subspan(4, read_u32(row)));
}

Result<std::optional<Core::Held>> Core::held_binding(Txn& txn, std::string_view addr) {
  const Hash key = crypto::hmac_sha256(options_.index_key, as_bytes(addr));
  const auto row = txn.get(table_binding, key);
  AMS_CHECK(txn.status());
  if (!row) return std::optional<Held>();
  if (row->size() < 20) return fail(Code::storage, "binding row");
  const ByteView view(*row);
  Held held;
  held.version = static_cast<std::int64_t>(read_u64(view));
  Bytes plain = to_bytes(view.subspan(20));
  if (!mutant("server.plain_rows")) {
    auto opened = crypto::aead_open(crypto::Aead::a256gcm, options_.row_key, view.subspan(8, 12),
                                    row_aad(options_.domain, key, held.version), plain);
    if (!opened) return fail(Code::storage, "binding row");
    plain = std::move(*opened);
  }
  AMS_TRY(const wire::Value row_value, unpad_row(plain));
  wire::ObjectReader in(row_value, "binding row");
  held.binding = in.any("binding");
  held.group = in.string("group");
  if (const wire::Value* entry = in.optional("entry")) held.entry = *entry;
  if (!in.finish()) return fail(Code::storage, "binding row");
  AMS_TRY(const keys::Binding binding, keys::parse_binding(held.binding));
  held.key = binding.key;
  held.enc = binding.enc;
  return std::optional<Held>(std::move(held));
}

Result<> Core::put_binding(Txn& txn, std::string_view addr, std::int64_t version,
                           const wire::Value& binding, const std::string& group,
                           const std::optional<wire::Value>& entry) {
  const Hash key = crypto::hmac_sha256(options_.index_key, as_bytes(addr));
  const Bytes nonce = drbg_.bytes(12);
  wire::Object row{{"binding", binding}, {"group", group}};
  if (entry) row.emplace("entry", *entry);
  Bytes sealed = pad_row(row);
  if (!mutant("server.plain_rows")) {
    AMS_TRY(sealed, crypto::aead_seal(crypto::Aead::a256gcm, options_.row_key, nonce,
                                      row_aad(options_.domain, key, version), sealed));
  }
  txn.put(table_binding, to_bytes(ByteView(key)), key_of({be64(version), nonce, sealed}));
  return {};
}

void Core::hold_record(const keys::KeyRecord& record) {
  if (records_.size() >= records_held_max) records_.clear();
  records_.emplace(record.id(), record);
}

/// The verified record of a key published here.
Result<keys::KeyRecord> Core::record_of(const keys::KeyId& key) {
  if (const auto at = records_.find(key); at != records_.end()) return at->second;
  AMS_TRY(const wire::Value found, peer_.get(wire::Object{{"kid", to_uuid_text(key.kid)}}));
  const wire::Value* value = found.find("record");
  if (!value) return fail(Code::not_found, "record");
  AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse_as(*value, key));
  hold_record(record);
  return record;
}

/// BND-10: the shared key that goes with a record.
Result<std::optional<keys::SharedKey>> Core::judge_shared(const keys::KeyRecord& record,
                                                          const wire::Value* enc) const {
  const bool corporate = record.custody() == keys::Custody::corporate;
  if ((enc != nullptr) != corporate && !mutant("server.skip_enc_shape"))
    return fail(Code::schema, "keys.associate.enc");
  if (!enc) return std::optional<keys::SharedKey>();
  AMS_TRY(const keys::KeyRecord key, keys::KeyRecord::parse(*enc));
  AMS_CHECK(key.valid_at(now_));
  if (key.custody() != keys::Custody::corporate && !mutant("server.skip_enc_custody"))
    return fail(Code::key_origin, "enc.custody");
  for (const keys::SharedKey& listed : keys::policy_at(chain_->record, now_).keys)
    if (listed.key == key.id()) return std::optional(listed);
  if (mutant("server.skip_enc_listed")) return std::optional(keys::SharedKey{"", key.id()});
  return fail(Code::enc_unlisted, "keys.associate.enc");
}

Result<> Core::not_ended(const keys::KeyId& key) const {
  if (mutant("server.accept_ended_key")) return {};
  return peer_.usable(key);
}

Result<> Core::op_associate(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "keys.associate", wire::ObjectReader::Unknown::ignore_x);
  const wire::Value record_value = in.any("record");
  const std::int64_t version = in.integer("version", 1);
  const wire::Value* enc = in.optional("enc");
  const wire::Value* entry = in.optional("entry");
  AMS_CHECK(in.finish());
  Txn txn(reader_);
  const bool exists = account(txn, conn.addr).has_value();
  AMS_CHECK(txn.status());
  if (!exists) return fail(Code::no_such_address, "keys.associate");
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(record_value));
  AMS_CHECK(record.valid_at(now_));
  AMS_CHECK(not_ended(record.id()));
  const bool isp = keys::policy_at(chain_->record, now_).mode == keys::Policy::isp;
  const bool by_client = record.custody() == keys::Custody::client;
  if (isp && !by_client && !mutant("server.skip_custody"))
    return fail(Code::key_origin, "record.custody");  // POL-2
  if (!isp && by_client && !mutant("server.skip_corporate_custody"))
    return fail(Code::key_origin, "record.custody");
  AMS_TRY(const std::optional<keys::SharedKey> shared, judge_shared(record, enc));
  AMS_TRY(const std::optional<Held> held, held_binding(txn, conn.addr));
  const std::int64_t next = held ? held->version + 1 : 1;
  if (version != next && !mutant("server.skip_version"))
    return fail(Code::version_conflict, "keys.associate.version");  // BND-3
  keys::Binding bound{conn.addr, record.id(), version, chain_->record.op.kid, record.custody()};
  wire::Array records{record_value};
  if (shared) {
    bound.enc = shared->key;
    records.push_back(*enc);
  }
  AMS_TRY(const std::optional<bindlog::Entry> made, judge_entry(txn, entry, bound, held));
  AMS_TRY(const wire::Value binding, keys::make_binding(bound, op_));
  AMS_TRY(directory::Peer::Published published,
          peer_.publish(wire::Object{{"records", std::move(records)}}, options_.domain, now_));
  const wire::Value* results = published.answer.find("results");
  if (results && results->is_array())
    for (const wire::Value& result : results->as_array())
      if (const wire::Value* code = result.find("code")) {
        const CodeInfo* info = find_code(code->as_string());
        return fail(info ? info->code : Code::schema, "keys.associate.record");
      }
  txn.add(std::move(published.writes));
  if (!held || !mutant("server.lookup_stale"))
    AMS_CHECK(put_binding(txn, conn.addr, version, binding, shared ? shared->group : ""));
  AMS_CHECK(log_binding(txn, bound, made));
  commit(txn, [this, to, binding](const Result<>& outcome) {
    if (!outcome) {
      peer_.handle_write_failure();
      return refuse(to, outcome.error(), 60);  // STO-2
    }
    ok(to, wire::Object{{"binding", binding}});
  });
  later([this] { pump_peer(); });
  return {};
}

/// BND-11: a shared key that the policy has replaced is replaced in the binding too, by the one of
/// the same group. True when `held` is new and in `txn`.
bool Core::follow_policy(Txn& txn, const std::string& addr, Held& held) {
  const keys::PolicyTerms& terms = keys::policy_at(chain_->record, now_);
  if (held.entry || !held.enc || terms.shares(*held.enc) || mutant("server.keep_old_shared_key"))
    return false;
  for (const keys::SharedKey& listed : terms.keys) {
    if (listed.group != held.group || !record_of(listed.key)) continue;
    auto binding = keys::parse_binding(held.binding);
    if (!binding) return false;
    const bool of_group = held.enc == held.key;  // GRP-2: its own key follows too
    if (of_group) binding->key = listed.key;
    binding->enc = listed.key;
    binding->version = held.version + 1;
    binding->dkid = chain_->record.op.kid;
    const auto made = keys::make_binding(*binding, op_);
    if (!made || !put_binding(txn, addr, binding->version, *made, held.group)) return false;
    held = Held{binding->key, binding->version, *made, listed.key, held.group, {}};
    return true;
  }
  return false;
}

Result<std::optional<bindlog::Entry>> Core::judge_entry(Txn& txn, const wire::Value* value,
                                                        const keys::Binding& bound,
                                                        const std::optional<Held>& held) {
  constexpr std::string_view where = "keys.associate.entry";
  if (!value) return std::optional<bindlog::Entry>();
  if (!binding_log_) return fail(Code::schema, where);
  AMS_TRY(bindlog::Entry made, bindlog::parse_entry(*value));
  const bool same = made.addr == bound.addr && bindlog::agrees(made, bound) &&
                    made.policy == keys::policy_at(chain_->record, now_).mode;
  if (!same && !mutant("server.skip_entry_match")) return fail(Code::binding_contradiction, where);
  AMS_CHECK(judge_made(txn, made, held, where));
  return std::optional(std::move(made));
}

Result<> Core::judge_made(Txn& txn, const bindlog::Entry& made, const std::optional<Held>& held,
                          std::string_view where) {
  const bool of_now = made.at >= now_ms() - entry_clock_ms && made.at <= now_ms() + entry_clock_ms;
  if (!of_now && !mutant("server.skip_entry_time")) return fail(Code::binding_stale, where);
  if (!held) return {};
  AMS_TRY(const keys::KeyRecord record, record_of(held->key));
  return binding_log_->judge_endorsed(txn, made, held->version, record);
}

Result<> Core::log_binding(Txn& txn, const keys::Binding& bound,
                           const std::optional<bindlog::Entry>& made) {
  if (!binding_log_ || mutant("server.skip_log")) return {};
  const Bytes nonce = drbg_.bytes(12);
  auto added = made && !mutant("server.drop_entry")
                   ? binding_log_->add_entry(txn, *made, now_ms(), nonce)
                   : binding_log_->add(txn, bound, keys::policy_at(chain_->record, now_).mode,
                                       now_ms(), nonce);
  return keep_logged(txn, bound.addr, std::move(added));
}

Result<> Core::keep_logged(Txn& txn, const std::string& addr, Result<> added) {
  if (added) {
    if (auto kept = binding_log_->keep_proofs(txn, addr, drbg_.bytes(12)); !kept)
      added = tl::unexpected(kept.error());
  }
  if (!added) binding_log_->forget();
  return added;
}

void Core::answer_kept(const Asked& to, Txn& txn, bool kept, wire::Value answer) {
  if (!kept) return answer_stable(to, std::move(answer));
  commit(txn, [this, to, answer = std::move(answer)](const Result<>& outcome) {
    if (!outcome) return refuse(to, outcome.error(), 60);  // STO-2
    ok(to, answer);
  });
}

Result<> Core::op_redirect(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "keys.redirect", wire::ObjectReader::Unknown::ignore_x);
  const wire::Value value = in.any("entry");
  AMS_CHECK(in.finish());
  AMS_TRY(const bindlog::Entry made, bindlog::parse_entry(value));
  Txn txn(reader_);
  AMS_TRY(const std::optional<Held> held, held_binding(txn, conn.addr));
  if (!held || !binding_log_) return fail(Code::not_found, "keys.redirect");
  if (made.version != held->version + 1 && !mutant("server.redirect_any_version"))
    return fail(Code::version_conflict, "keys.redirect.entry");
  const bool own = made.addr == conn.addr && made.type != bindlog::Type::key &&
                   made.key == held->key &&
                   made.policy == keys::policy_at(chain_->record, now_).mode;
  if (!own && !mutant("server.redirect_anyone"))
    return fail(Code::binding_contradiction, "keys.redirect.entry");
  AMS_CHECK(judge_made(txn, made, held, "keys.redirect.entry"));
  AMS_CHECK(put_binding(txn, conn.addr, made.version, held->binding, held->group, value));
  AMS_CHECK(
      keep_logged(txn, conn.addr, binding_log_->add_entry(txn, made, now_ms(), drbg_.bytes(12))));
  answer_kept(to, txn, true, wire::Object{{"version", made.version}});
  return {};
}

}  // namespace ams::server
