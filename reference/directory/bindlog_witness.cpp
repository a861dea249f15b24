#include "directory/bindlog_witness.h"

#include <algorithm>
#include <array>

#include "bindlog/lie.h"
#include "directory/history.h"
#include "policy/mutant.h"
#include "wire/frame.h"

namespace ams::directory {
namespace {

using Unknown = wire::ObjectReader::Unknown;

constexpr std::size_t notes_kept_max = 16;
constexpr std::size_t leaf_size = 16 + 32;
constexpr std::array<std::uint8_t, 1> zero{0};

Bytes leaf_prefix(std::string_view domain) {
  Bytes out = to_bytes(domain);
  append(out, zero);
  return out;
}

Result<std::vector<bindlog::Leaf>> parse_added(ByteView added) {
  if (added.size() % leaf_size != 0) return fail(Code::proof_form, "directory.bindlog.added");
  std::vector<bindlog::Leaf> out;
  for (std::size_t at = 0; at < added.size(); at += leaf_size) {
    const bindlog::Leaf leaf{*to_array<16>(added.subspan(at, 16)),
                             *to_array<32>(added.subspan(at + 16, 32))};
    const bool ascending = out.empty() || out.back().kid < leaf.kid;
    if (!ascending && !mutant("directory.bindlog_any_order"))
      return fail(Code::proof_form, "directory.bindlog.added");
    out.push_back(leaf);
  }
  return out;
}

/// The note with the signature of one key alone: others' say nothing of the log.
std::string note_of(std::string_view note, const verifiable::NoteKey& key) {
  auto parsed = verifiable::parse_note(note);
  if (!parsed) return {};
  std::erase_if(parsed->signatures, [&](const verifiable::NoteSignature& signature) {
    return signature.name != key.name() || signature.key_id != key.id();
  });
  return verifiable::format(*parsed);
}

}  // namespace

BindlogWitness::BindlogWitness(std::string_view domain, const crypto::SigningKey* key,
                               const storage::Reader& reader, BindlogLimits limits)
    : domain_(domain),
      key_(key),
      reader_(&reader),
      limits_(limits),
      budget_(std::max<std::int64_t>(limits.per_day, 1),
              std::max<std::int64_t>(limits.per_day, 1)) {
  const bool fit = key_ != nullptr && key_->alg() == crypto::SigAlg::ed25519 &&
                   verifiable::is_note_name(log_origin(domain));
  if (!fit) key_ = nullptr;
}

Result<BindlogWitness::Request> BindlogWitness::parse(const wire::Value& args) {
  wire::ObjectReader in(args, "directory.bindlog", Unknown::ignore_x);
  Request out;
  out.from = static_cast<std::uint64_t>(in.integer("from"));
  const wire::Value& epochs = in.any("epochs");
  out.checkpoint = in.string("checkpoint", bindlog::note_size_max);
  in.require(epochs.is_array() || !in.ok(), Code::schema, "directory.bindlog.epochs");
  AMS_CHECK(in.finish());
  if (epochs.as_array().size() > shown_epochs_max && !mutant("directory.bindlog_many_epochs"))
    return fail(Code::batch_too_large, "directory.bindlog.epochs");
  for (const wire::Value& item : epochs.as_array()) {
    wire::ObjectReader one(item, "directory.bindlog.epochs", Unknown::ignore_x);
    Request::Epoch epoch;
    epoch.bytes = one.binary("epoch", verifiable::epoch_size, verifiable::epoch_size);
    const Bytes added = one.binary("added", 0, wire::json_payload_size_max);
    AMS_CHECK(one.finish());
    out.added += added.size() / leaf_size;
    if (out.added > shown_added_max && !mutant("directory.bindlog_many_versions"))
      return fail(Code::batch_too_large, "directory.bindlog.added");
    AMS_TRY(epoch.added, parse_added(added));
    out.epochs.push_back(std::move(epoch));
  }
  return out;
}

// --- what is kept -------------------------------------------------------------------------------

storage::Put BindlogWitness::put(const std::string& domain, const Row& row) {
  wire::Array notes;
  for (const std::string& note : row.notes) notes.emplace_back(note);
  wire::Object out{{"checkpoint", row.checkpoint},
                   {"frontier", to_base64url(row.frontier.encode())},
                   {"key", row.key},
                   {"notes", std::move(notes)},
                   {"time", static_cast<std::int64_t>(row.time_s)}};
  if (!row.lie.empty()) out.emplace("lie", row.lie);
  return {table_bindlog, to_bytes(std::string_view(domain)),
          wire::encode(wire::Value(std::move(out)))};
}

Result<std::optional<BindlogWitness::Row>> BindlogWitness::read(std::string_view domain) const {
  AMS_TRY(const auto bytes, reader_->get(table_bindlog, as_bytes(domain)));
  if (!bytes) return std::optional<Row>();
  const auto value = wire::decode(*bytes);
  if (!value) return fail(Code::storage, "bindlog row");
  wire::ObjectReader in(*value, "bindlog row");
  Row out;
  out.checkpoint = in.string("checkpoint", bindlog::note_size_max);
  const auto frontier = verifiable::Frontier::decode(in.binary("frontier", 8, 8 + 64 * 32));
  out.key = in.string("key");
  for (const wire::Value& note : in.array("notes", notes_kept_max))
    if (note.is_string()) out.notes.push_back(note.as_string());
  out.time_s = static_cast<std::uint64_t>(in.integer("time"));
  out.lie = in.optional_string("lie").value_or("");
  if (!in.finish() || !frontier) return fail(Code::storage, "bindlog row");
  out.frontier = *frontier;
  return std::optional(std::move(out));
}

/// Others are dropped when memory is full of them: they are read again when they are shown.
void BindlogWitness::make_room(const std::string& except) {
  std::size_t versions = 0;
  for (const auto& [domain, kept] : logs_) versions += 64 + kept.witness.versions();
  if (versions > limits_.loaded_max)
    std::erase_if(logs_, [&](const auto& one) { return one.first != except; });
}

/// The log as it is kept, empty when it was never shown.
Result<BindlogWitness::Kept*> BindlogWitness::load(const std::string& domain,
                                                   const verifiable::NoteKey& log) {
  const auto at = logs_.find(domain);
  if (at != logs_.end() && at->second.witness.size() > 0) return &at->second;
  if (at != logs_.end()) logs_.erase(at);  // nothing of it was ever taken
  Kept fresh{{}, bindlog::Witness(log)};
  AMS_TRY(auto row, read(domain));
  if (row) {
    const Bytes prefix = leaf_prefix(domain);
    std::vector<verifiable::Entry> leaves;
    AMS_CHECK(reader_->scan(table_bindlog_leaf, prefix, prefix, [&](ByteView key, ByteView value) {
      const auto label = to_array<16>(key.subspan(prefix.size()));
      const auto hash = to_array<32>(value);
      if (label && hash) leaves.push_back({*label, *hash});
      return true;
    }));
    fresh.witness.restore(verifiable::Map::of(std::move(leaves)), row->frontier, row->time_s);
    fresh.row = std::move(*row);
  }
  Kept* out = &logs_.emplace(domain, std::move(fresh)).first->second;
  make_room(domain);
  return out;
}

// --- judging ------------------------------------------------------------------------------------

/// Two signed notes of one size: what convicts the domain to everyone (BLG-20). The signatures of
/// those that are kept were verified when they were.
bool BindlogWitness::contradicts(Kept& kept, const std::string& domain,
                                 const verifiable::NoteKey& log,
                                 const verifiable::Checkpoint& shown, std::string_view note,
                                 storage::WriteBatch& writes) {
  if (mutant("directory.bindlog_two_faces")) return false;
  if (!kept.row.lie.empty()) return true;
  for (const std::string& held : kept.row.notes) {
    const auto read = verifiable::read_unverified(held);
    if (!read || read->size != shown.size || read->root == shown.root) continue;
    auto evidence = verifiable::make_equivocation(held, note, log);
    if (!evidence) continue;
    kept.row.lie = std::move(*evidence);
    writes.puts.push_back(put(domain, kept.row));
    return true;
  }
  return false;
}

Result<BindlogWitness::Shown> BindlogWitness::show(const wire::Value& args,
                                                   const keys::DomainRecord& record, Instant now,
                                                   storage::WriteBatch& writes) {
  AMS_TRY(Request request, parse(args));
  if (!record.log || key_ == nullptr)
    return fail(mutant("directory.wrong_code_bindlog") ? Code::schema : Code::not_found,
                "directory.bindlog");
  AMS_TRY(const bindlog::Identity log, bindlog::identity_of(record));
  AMS_TRY(Kept* const kept, load(record.domain, log.log));
  const bool same_key = kept->row.key.empty() || kept->row.key == log.log.format();
  if (!same_key && !mutant("directory.bindlog_other_key"))
    return fail(Code::log_replaced, "directory.bindlog: log_key");
  AMS_TRY(const auto opened, verifiable::open_checkpoint(request.checkpoint, log.log));
  const verifiable::Checkpoint& shown = request.opened = opened.checkpoint;
  const bool whole = shown.size == request.from + request.epochs.size() && shown.size > 0;
  if (!whole && !mutant("directory.bindlog_any_size"))
    return fail(Code::proof, "directory.bindlog.checkpoint");
  if (contradicts(*kept, record.domain, log.log, shown, request.checkpoint, writes))
    return fail(Code::log_rewritten, "directory.bindlog.checkpoint");
  if (request.from != kept->witness.size() && !mutant("directory.bindlog_any_from"))
    return Shown{kept->witness.size(), {}};
  kept->row.key = log.log.format();
  return take(*kept, record.domain, request, now, writes);
}

/// BLG-37: paid for before anything is computed.
Result<> BindlogWitness::feed(Kept& kept, const std::string& domain, const Request& request,
                              Instant now, storage::WriteBatch& writes) {
  if (request.epochs.empty()) return {};
  const auto cost = static_cast<double>(request.epochs.size() + request.added);
  bool room = kept.witness.versions() + request.added <= limits_.versions_max &&
              budget_.take(domain, now, cost);
  if (room && kept.witness.size() == 0) {
    std::size_t logs = 0;
    AMS_CHECK(reader_->scan(table_bindlog, {}, {},
                            [&](ByteView, ByteView) { return ++logs < limits_.logs_max; }));
    room = logs < limits_.logs_max;
  }
  if (!room && !mutant("directory.bindlog_no_budget"))
    return fail(Code::witness_budget, "directory.bindlog");
  bindlog::Witness next = kept.witness;
  for (const Request::Epoch& epoch : request.epochs)
    AMS_CHECK(next.feed(epoch.bytes, epoch.added, now));
  AMS_CHECK(next.judge(request.opened));
  const Bytes prefix = leaf_prefix(domain);
  for (const Request::Epoch& epoch : request.epochs)
    for (const bindlog::Leaf& leaf : epoch.added) {
      Bytes key = prefix;
      append(key, leaf.kid);
      writes.puts.push_back({table_bindlog_leaf, std::move(key), to_bytes(ByteView(leaf.value))});
    }
  kept.witness = std::move(next);
  kept.row.frontier = kept.witness.frontier();
  kept.row.time_s = kept.witness.time_s();
  return {};
}

Result<BindlogWitness::Shown> BindlogWitness::take(Kept& kept, const std::string& domain,
                                                   const Request& request, Instant now,
                                                   storage::WriteBatch& writes) {
  AMS_CHECK(feed(kept, domain, request, now, writes));
  AMS_CHECK(kept.witness.judge(request.opened));
  AMS_TRY(const verifiable::Note shown, verifiable::parse_note(request.checkpoint));
  const auto time_s =
      static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 0)) / 1'000;
  AMS_TRY(auto signature, verifiable::cosign(shown.text, log_origin(domain_), *key_, time_s));
  const std::string note = note_of(request.checkpoint, kept.witness.log_key());
  AMS_TRY(verifiable::Note cosigned, verifiable::parse_note(note));
  cosigned.signatures.push_back(signature);
  kept.row.checkpoint = verifiable::format(cosigned);
  if (!request.epochs.empty()) {
    kept.row.notes.push_back(note);
    if (kept.row.notes.size() > notes_kept_max) kept.row.notes.pop_front();
  }
  writes.puts.push_back(put(domain, kept.row));
  ++cosigned_;
  return Shown{kept.witness.size(), verifiable::format({shown.text, {std::move(signature)}})};
}

Result<wire::Object> BindlogWitness::known(std::string_view domain) const {
  wire::Object out;
  if (key_ == nullptr) return out;
  AMS_TRY(const auto row, read(domain));
  if (!row) return out;
  if (!row->checkpoint.empty()) out.emplace("checkpoint", row->checkpoint);
  if (!row->lie.empty())
    out.emplace("lie",
                bindlog::to_value(bindlog::Lie{std::string(domain), bindlog::Fork{row->lie}}));
  return out;
}

}  // namespace ams::directory
