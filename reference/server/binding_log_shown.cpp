// What the binding log shows to its witnesses, and their cosignatures (spec BLG-35, BLG-39).
#include "policy/mutant.h"
#include "server/binding_log.h"

namespace ams::server {
namespace {

constexpr std::size_t epochs_at_once = 64;           // BLG-35
constexpr std::size_t added_bytes_max = 48 * 4'096;  // BLG-35
constexpr std::size_t cosignatures_max = 24;         // of a head: its note is at most 8,192 bytes

/// The note's text signed by the log, the cosignatures it has and one more.
Result<std::string> with_cosignature(std::string_view own, const verifiable::NoteSignature& added) {
  AMS_TRY(verifiable::Note note, verifiable::parse_note(own));
  std::erase_if(note.signatures, [&](const verifiable::NoteSignature& one) {
    return one.name == added.name && one.key_id == added.key_id;
  });
  if (note.signatures.size() > cosignatures_max) return std::string(own);
  note.signatures.push_back(added);
  return verifiable::format(note);
}

}  // namespace

Result<std::uint64_t> BindingLog::offer() {
  AMS_CHECK(load());
  return prover_->offer();
}

Result<BindingLog::Shown> BindingLog::shown(std::uint64_t from, std::uint64_t size) {
  AMS_CHECK(load());
  if (!showable_) return fail(Code::storage, "binding log: leaves of no known epoch");
  if (size == 0 || size > prover_->size())  // a commit failed since it was offered
    return fail(Code::storage, "binding log: there is no such size");
  Shown out{from, {}};
  wire::Array epochs;
  std::size_t bytes = 0;
  while (out.to < size && epochs.size() < epochs_at_once) {
    AMS_TRY(const auto epoch, reader_.get(table_log_epoch, be64(out.to)));
    if (!epoch) return fail(Code::storage, "binding log epoch");
    Bytes added;
    AMS_CHECK(
        reader_.scan(table_log_leaf, be64(out.to), be64(out.to), [&](ByteView key, ByteView value) {
          append(added, key.subspan(8));
          append(added, value);
          return true;
        }));
    bytes += added.size();
    if (bytes > added_bytes_max && !epochs.empty()) break;
    epochs.push_back(wire::Object{{"added", to_base64url(added)}, {"epoch", to_base64url(*epoch)}});
    ++out.to;
  }
  out.args = wire::Object{{"checkpoint", prover_->checkpoint_at(out.to)},
                          {"epochs", std::move(epochs)},
                          {"from", static_cast<std::int64_t>(from)}};
  return out;
}

Result<> BindingLog::cosigned(Txn& txn, std::uint64_t size, std::string_view note,
                              const verifiable::NoteKey& witness) {
  AMS_CHECK(load());
  AMS_TRY(const verifiable::Note given, verifiable::parse_note(note));
  const std::string own = prover_->offered_at(size);
  if (own.empty()) return {};  // of a part of the log, on the way to what is offered
  AMS_TRY(const verifiable::Note ours, verifiable::parse_note(own));
  if (!mutant("server.believe_cosignature")) {
    if (given.text != ours.text) return fail(Code::proof, "cosignature: of another checkpoint");
    AMS_CHECK(verifiable::verify_note(given, witness));
  }
  for (const verifiable::NoteSignature& signature : given.signatures) {
    if (signature.name != witness.name() || signature.key_id != witness.id()) continue;
    AMS_TRY(const std::string with, with_cosignature(own, signature));
    AMS_CHECK(prover_->cosigned(with));
    break;
  }
  if (size == prover_->size())
    txn.put(table_meta, to_bytes(log_note_row), to_bytes(prover_->checkpoint()));
  return {};
}

}  // namespace ams::server
