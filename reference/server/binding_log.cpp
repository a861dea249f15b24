#include "server/binding_log.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::server {
namespace {

constexpr std::size_t nonce_size = 12;
constexpr std::size_t epoch_index_size = 8, label_size = 16;
constexpr std::size_t vrf_row_size = 8 + crypto::vrf_proof_size;
constexpr std::ptrdiff_t vrf_kept_max = 64;   // of one address
constexpr std::size_t recalled_max = 65'536;  // addresses

}  // namespace

bindlog::Prover::Secrets binding_log_secrets(ByteView index_key) {
  const auto derived = [&](std::string_view label) {
    return crypto::hkdf({}, index_key, as_bytes(label), 32);
  };
  return {crypto::VrfKey::from_seed(derived("AMS-BINDLOG-VRF").view()),
          crypto::SigningKey::ed25519_from_seed(derived("AMS-BINDLOG-NOTE").view()),
          derived("AMS-BINDLOG-COMMIT")};
}

keys::LogKeys binding_log_keys(ByteView index_key) {
  const bindlog::Prover::Secrets secrets = binding_log_secrets(index_key);
  keys::LogKeys out;
  out.vrf = *to_array<33>(secrets.vrf.public_raw());
  out.note = *to_array<32>(secrets.log.public_raw());
  return out;
}

std::unique_ptr<BindingLog> BindingLog::open(const Options& options,
                                             const keys::DomainRecord& record,
                                             const storage::Reader& reader) {
  if (!record.log || record.log != binding_log_keys(options.index_key)) return nullptr;
  return std::unique_ptr<BindingLog>(new BindingLog(options, reader));
}

Result<> BindingLog::load() {
  if (prover_) return {};
  std::vector<bindlog::Leaf> leaves;
  std::vector<Bytes> epochs;
  bool whole = true;
  showable_ = true;
  AMS_CHECK(reader_.scan(table_log_leaf, {}, {}, [&](ByteView key, ByteView value) {
    const auto label = to_array<16>(key.last(std::min(key.size(), label_size)));
    showable_ = showable_ && key.size() == epoch_index_size + label_size;
    const auto hash = to_array<32>(value);
    whole = whole && label && hash;
    if (whole) leaves.push_back({*label, *hash});
    return whole;
  }));
  AMS_CHECK(reader_.scan(table_log_epoch, {}, {}, [&](ByteView, ByteView value) {
    epochs.push_back(to_bytes(value));
    return true;
  }));
  AMS_TRY(const auto note, reader_.get(table_meta, as_bytes(log_note_row)));
  auto prover = bindlog::Prover::make(options_.domain, binding_log_secrets(options_.index_key));
  AMS_ASSERT(prover.has_value());
  if (mutant("server.begin_log_anew")) {
    leaves.clear();
    epochs.clear();
  }
  AMS_CHECK(prover->restore(std::move(leaves), epochs, note ? to_string(*note) : ""));
  if (!whole) return fail(Code::storage, "binding log leaf");
  epoch_s_ = epochs.empty()
                 ? 0
                 : static_cast<std::int64_t>(verifiable::decode_epoch(epochs.back())->time_s);
  prover_ = std::move(*prover);
  recalled_.clear();
  evaluations_ = 0;
  return {};
}

void BindingLog::seal(Txn& txn, std::int64_t now_ms) {
  const std::uint64_t index = prover_->size();
  const bindlog::Sealed sealed =
      prover_->seal(static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms, 0) / 1000));
  epoch_s_ = static_cast<std::int64_t>(verifiable::decode_epoch(sealed.epoch)->time_s);
  txn.put(table_log_epoch, to_bytes(be64(index)), sealed.epoch);
  txn.put(table_meta, to_bytes(log_note_row), to_bytes(sealed.checkpoint));
}

Bytes BindingLog::entry_key(std::string_view addr, std::int64_t version) const {
  return key_of({crypto::hmac_sha256(options_.index_key, as_bytes(addr)), be64(version)});
}

Bytes BindingLog::entry_aad(ByteView key) const {
  return key_of({as_bytes(options_.domain), key_zero, key, as_bytes("log entry")});
}

Result<std::optional<Bytes>> BindingLog::open_row(Txn& txn, Table table, ByteView key) const {
  const auto row = txn.get(table, key);
  AMS_CHECK(txn.status());
  if (!row) return std::optional<Bytes>();
  if (row->size() < nonce_size) return fail(Code::storage, "binding log row");
  const ByteView view(*row);
  auto plain = crypto::aead_open(crypto::Aead::a256gcm, options_.row_key, view.first(nonce_size),
                                 entry_aad(key), view.subspan(nonce_size));
  if (!plain) return fail(Code::storage, "binding log row");
  return std::optional(std::move(*plain));
}

Result<> BindingLog::put_row(Txn& txn, Table table, const Bytes& key, ByteView plain,
                             ByteView nonce12) const {
  AMS_TRY(const Bytes sealed, crypto::aead_seal(crypto::Aead::a256gcm, options_.row_key, nonce12,
                                                entry_aad(key), plain));
  txn.put(table, key, key_of({nonce12, sealed}));
  return {};
}

Result<bindlog::Entry> BindingLog::entry(Txn& txn, std::string_view addr,
                                         std::int64_t version) const {
  AMS_TRY(const auto plain, open_row(txn, table_log_entry, entry_key(addr, version)));
  if (!plain) return fail(Code::storage, "binding log entry");
  AMS_TRY(const wire::Value value, unpad_row(*plain));
  return bindlog::parse_entry(value);
}

Result<> BindingLog::recall(Txn& txn, std::string_view addr) {
  if (recalled_.size() >= recalled_max) recalled_.clear();
  if (!recalled_.insert(std::string(addr)).second) return {};
  AMS_TRY(const auto plain, open_row(txn, table_log_vrf, entry_key(addr, 0)));
  if (!plain) return {};
  if (plain->size() % vrf_row_size != 0) return fail(Code::storage, "binding log vrf");
  for (std::size_t at = 0; at < plain->size(); at += vrf_row_size) {
    const ByteView one = ByteView(*plain).subspan(at, vrf_row_size);
    prover_->learn(addr, static_cast<std::int64_t>(read_u64(one)), to_bytes(one.subspan(8)));
  }
  return {};
}

Result<bool> BindingLog::keep_proofs(Txn& txn, std::string_view addr, ByteView nonce12) {
  if (!prover_ || prover_->evaluations() == evaluations_) return false;
  evaluations_ = prover_->evaluations();
  auto proofs = prover_->vrf_proofs(addr);
  if (std::ssize(proofs) > vrf_kept_max)  // the newest versions are those that are asked for
    proofs.erase(proofs.begin(), proofs.end() - vrf_kept_max);
  Bytes plain;
  for (const auto& [version, vrf] : proofs) {
    append_u64(plain, static_cast<std::uint64_t>(version));
    append(plain, vrf);
  }
  AMS_CHECK(put_row(txn, table_log_vrf, entry_key(addr, 0), plain, nonce12));
  return true;
}

Result<> BindingLog::judge_endorsed(Txn& txn, const bindlog::Entry& made, std::int64_t held_version,
                                    const keys::KeyRecord& record) {
  AMS_CHECK(load());
  AMS_TRY(const bindlog::Entry before, entry(txn, made.addr, held_version));
  if (mutant("server.skip_endorsement")) return {};
  return bindlog::verify_endorsement(made, before, prover_->value(before), record);
}

Result<> BindingLog::add(Txn& txn, const keys::Binding& binding, keys::Policy mode,
                         std::int64_t now_ms, ByteView nonce12) {
  AMS_CHECK(load());
  bindlog::Entry made;
  made.addr = binding.addr;
  made.version = binding.version;
  made.at = now_ms;
  made.key = binding.key;
  made.custody = binding.custody;
  made.policy = mode;
  made.enc = binding.enc;
  if (made.version > 1) {
    AMS_TRY(const bindlog::Entry before, entry(txn, made.addr, made.version - 1));
    made.prev = prover_->value(before);
  }
  return add_entry(txn, made, now_ms, nonce12);
}

Result<> BindingLog::add_entry(Txn& txn, const bindlog::Entry& made, std::int64_t now_ms,
                               ByteView nonce12) {
  AMS_CHECK(load());
  AMS_CHECK(recall(txn, made.addr));
  const auto leaf = prover_->add(made);
  if (!leaf) return fail(Code::storage, "binding log");
  AMS_CHECK(put_row(txn, table_log_entry, entry_key(made.addr, made.version),
                    pad_row(bindlog::to_value(made)), nonce12));
  txn.put(table_log_leaf, key_of({be64(prover_->size()), leaf->kid}),
          to_bytes(ByteView(leaf->value)));
  seal(txn, now_ms);
  return {};
}

Result<bool> BindingLog::refresh(Txn& txn, std::int64_t now_ms, std::int64_t age_s) {
  AMS_CHECK(load());
  prover_->drop_vouched_before(
      static_cast<std::uint64_t>(std::max<std::int64_t>(now_ms / 1000 - log_epoch_s_max, 0)));
  const bool fresh = prover_->size() > 0 && now_ms / 1000 - epoch_s_ <= age_s;
  if (fresh || mutant("server.stale_log_epoch")) return false;
  seal(txn, now_ms);
  return true;
}

Result<wire::Value> BindingLog::proof(Txn& txn, std::string_view addr, std::int64_t version) {
  AMS_CHECK(load());
  AMS_CHECK(recall(txn, addr));
  AMS_TRY(const bindlog::Entry latest, entry(txn, addr, version));
  return bindlog::to_value(prover_->prove(latest));
}

Result<> BindingLog::may_show(std::int64_t from, std::int64_t last, std::uint64_t known_size) {
  AMS_CHECK(load());
  const bool there = from <= last && known_size <= prover_->size();
  if (!there && !mutant("server.clamp_history")) return fail(Code::not_found, "keys.history");
  return {};
}

Result<wire::Value> BindingLog::history(Txn& txn, std::string_view addr, std::int64_t from,
                                        std::int64_t last, std::uint64_t known_size) {
  AMS_CHECK(load());
  AMS_CHECK(recall(txn, addr));
  if (mutant("server.clamp_history")) {
    from = std::clamp<std::int64_t>(from, 1, last);
    known_size = std::min<std::uint64_t>(known_size, prover_->size());
  }
  AMS_ASSERT(from <= last && known_size <= prover_->size());
  if (mutant("server.history_first_only")) last = from;
  const std::int64_t end = std::min(last, from + static_cast<std::int64_t>(bindlog::items_max) - 1);
  std::vector<bindlog::Entry> entries;
  for (std::int64_t version = from; version <= end; ++version) {
    AMS_TRY(bindlog::Entry each, entry(txn, addr, version));
    entries.push_back(std::move(each));
  }
  const bool complete = end == last && !mutant("server.history_without_above");
  return bindlog::to_value(prover_->history(entries, complete, known_size));
}

}  // namespace ams::server
