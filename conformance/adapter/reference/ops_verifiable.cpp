// The ops of the map, the log, notes and checkpoints (spec MAP, LOG, CKP).
#include <charconv>

#include "adapter/ops.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"
#include "verifiable/map.h"
#include "verifiable/rewrite.h"

namespace ams::adapter {
namespace {

using verifiable::NoteKey;
using verifiable::NoteKeyType;

const Json verified{{"verified", true}};

// --- the map -------------------------------------------------------------------------------------
verifiable::Map map_of(const Args& args) {
  std::vector<verifiable::Entry> entries;
  for (const Bytes& leaf : args.list("leaves_b64")) {
    if (leaf.size() != 48) throw Fault("leaves_b64: a leaf is 48 bytes");
    const ByteView raw(leaf);
    entries.push_back({*to_array<16>(raw.first(16)), *to_array<32>(raw.subspan(16))});
  }
  const std::size_t count = entries.size();
  verifiable::Map map = verifiable::Map::of(std::move(entries));
  if (map.size() != count) throw Fault("leaves_b64: a kid twice");
  return map;
}

Answer map_root(const Args& args) { return Json{{"root_b64", to_base64url(map_of(args).root())}}; }

Answer map_prove(const Args& args) {
  return Json{{"proof_b64", to_base64url(map_of(args).prove(args.fixed<16>("kid_b64")))}};
}

Answer map_digest(const Args& args) {
  const std::uint64_t bits = args.number("bits");
  if (bits > 128) throw Fault("bits: more than a kid has");
  const Hash root =
      map_of(args).range_root(args.fixed<16>("prefix_b64"), static_cast<std::size_t>(bits));
  return Json{{"root_b64", to_base64url(root)}};
}

Answer map_present(const Args& args) {
  AMS_CHECK(verifiable::verify_present(args.fixed<32>("root_b64"), args.fixed<16>("kid_b64"),
                                       args.fixed<32>("value_b64"), args.bytes("proof_b64")));
  return verified;
}

Answer map_absent(const Args& args) {
  AMS_CHECK(verifiable::verify_absent(args.fixed<32>("root_b64"), args.fixed<16>("kid_b64"),
                                      args.bytes("proof_b64")));
  return verified;
}

// --- the log -------------------------------------------------------------------------------------
verifiable::Log log_of(const Args& args) {
  verifiable::Log log;
  for (const Bytes& entry : args.list("entries_b64")) log.append(verifiable::log_leaf_hash(entry));
  return log;
}

Json written(const verifiable::Frontier& writer, const Hash& root) {
  return {{"size", std::to_string(writer.size())},
          {"root_b64", to_base64url(root)},
          {"state_b64", to_base64url(writer.encode())}};
}

Answer log_root(const Args& args) {
  const verifiable::Log log = log_of(args);
  return written(log.frontier(), log.root());
}

Answer log_resume(const Args& args) {
  AMS_TRY(verifiable::Frontier writer, verifiable::Frontier::decode(args.bytes("state_b64")));
  for (const Bytes& entry : args.list("entries_b64"))
    writer.append(verifiable::log_leaf_hash(entry));
  return written(writer, writer.root());
}

Answer epoch_read(const Args& args) {
  AMS_TRY(const verifiable::Epoch epoch, verifiable::decode_epoch(args.bytes("epoch_b64")));
  return Json{{"root_b64", to_base64url(epoch.map_root)},
              {"keys", std::to_string(epoch.map_size)},
              {"time", std::to_string(epoch.time_s)}};
}

Answer inclusion_prove(const Args& args) {
  const verifiable::Log log = log_of(args);
  const std::uint64_t index = args.number("index");
  if (index >= log.size()) throw Fault("index: no entry");
  return Json{{"proof_b64", to_base64url(log.prove_inclusion(index, log.size()))}};
}

Answer inclusion_verify(const Args& args) {
  AMS_CHECK(verifiable::verify_inclusion(
      args.fixed<32>("root_b64"), args.number("size"), args.number("index"),
      verifiable::log_leaf_hash(args.bytes("entry_b64")), args.bytes("proof_b64")));
  return verified;
}

Answer consistency_prove(const Args& args) {
  const verifiable::Log log = log_of(args);
  const std::uint64_t first = args.number("first");
  if (first > log.size()) throw Fault("first: more than the log has");
  return Json{{"proof_b64", to_base64url(log.prove_consistency(first, log.size()))}};
}

Answer consistency_verify(const Args& args) {
  AMS_CHECK(verifiable::verify_consistency(args.number("first"), args.fixed<32>("first_root_b64"),
                                           args.number("second"), args.fixed<32>("second_root_b64"),
                                           args.bytes("proof_b64")));
  return verified;
}

// --- notes ---------------------------------------------------------------------------------------
std::string note_text(const Args& args, const char* name) {
  return std::string(as_text(args.bytes(name)));
}

std::uint64_t decimal(const Args& args, const char* name) {
  const std::string text = args.text(name);
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size())
    throw Fault(std::string(name) + ": no decimal");
  return out;
}

Answer notekey_read(const Args& args) {
  AMS_TRY(const NoteKey key, NoteKey::parse(args.text("key")));
  return Json{{"name", key.name()},
              {"id", to_hex(key.id())},
              {"type", static_cast<int>(key.type())},
              {"public_b64", to_base64url(key.key().raw())}};
}

Answer note_sign(const Args& args) {
  const auto private_key = crypto::SigningKey::ed25519_from_seed(args.fixed<32>("private_b64"));
  const std::string text = note_text(args, "text_b64");
  const bool cosigns = args.has("time");
  AMS_TRY(const auto signature,
          cosigns ? verifiable::cosign(text, args.text("name"), private_key, decimal(args, "time"))
                  : verifiable::sign_note(text, args.text("name"), private_key));
  AMS_TRY(auto public_key,
          crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, private_key.public_raw()));
  AMS_TRY(
      const NoteKey key,
      NoteKey::make(args.text("name"), cosigns ? NoteKeyType::cosignature_v1 : NoteKeyType::ed25519,
                    std::move(public_key)));
  const std::string line = verifiable::format({"", {signature}}).substr(1);
  return Json{{"key", key.format()}, {"line_b64", to_base64url(as_bytes(line))}};
}

Answer note_verify(const Args& args) {
  AMS_TRY(const NoteKey key, NoteKey::parse(args.text("key")));
  AMS_TRY(const verifiable::Note note, verifiable::parse_note(note_text(args, "note_b64")));
  AMS_TRY(const std::uint64_t time_s, verifiable::verify_note(note, key));
  return Json{{"time", std::to_string(time_s)},
              {"text_b64", to_base64url(as_bytes(note.text))},
              {"signatures", note.signatures.size()}};
}

Answer checkpoint_open(const Args& args) {
  AMS_TRY(const auto witnesses, witnesses_of(args));
  AMS_TRY(const NoteKey log, note_key(args.text("log"), NoteKeyType::ed25519));
  AMS_TRY(const auto opened, verifiable::open_checkpoint(note_text(args, "note_b64"), log,
                                                         {witnesses, quorum_of(args)}));
  return Json{{"origin", opened.checkpoint.origin},
              {"size", std::to_string(opened.checkpoint.size)},
              {"root_b64", to_base64url(opened.checkpoint.root)},
              {"witnesses", opened.times_s.size()}};
}

Answer equivocation_make(const Args& args) {
  AMS_TRY(const NoteKey log, note_key(args.text("log"), NoteKeyType::ed25519));
  AMS_TRY(const std::string made,
          verifiable::make_equivocation(note_text(args, "a_b64"), note_text(args, "b_b64"), log));
  return Json{{"evidence_b64", to_base64url(as_bytes(made))}};
}

Answer equivocation_verify(const Args& args) {
  AMS_TRY(const NoteKey log, note_key(args.text("log"), NoteKeyType::ed25519));
  AMS_TRY(const std::uint64_t size,
          verifiable::verify_equivocation(note_text(args, "evidence_b64"), log));
  return Json{{"size", std::to_string(size)}};
}

Answer rewrite_verify(const Args& args) {
  AMS_TRY(const NoteKey log, note_key(args.text("log"), NoteKeyType::ed25519));
  AMS_TRY(const verifiable::Rewrite judged,
          verifiable::verify_rewrite(note_text(args, "evidence_b64"), log));
  return Json{{"first", std::to_string(judged.first)}, {"second", std::to_string(judged.second)}};
}

}  // namespace

Result<NoteKey> note_key(const std::string& text, NoteKeyType type) {
  AMS_TRY(NoteKey key, NoteKey::parse(text));
  if (key.type() != type) throw Fault("a verifier key of another type");
  return key;
}

Result<std::vector<NoteKey>> witnesses_of(const Args& args) {
  std::vector<NoteKey> out;
  if (!args.has("witnesses")) return out;
  for (const std::string& text : args.texts("witnesses")) {
    AMS_TRY(NoteKey witness, note_key(text, NoteKeyType::cosignature_v1));
    out.push_back(std::move(witness));
  }
  return out;
}

std::size_t quorum_of(const Args& args) {
  return args.has("quorum") ? static_cast<std::size_t>(args.number("quorum")) : 0;
}

std::vector<Op> verifiable_ops() {
  return {{"checkpoint.open", checkpoint_open},
          {"consistency.prove", consistency_prove},
          {"consistency.verify", consistency_verify},
          {"epoch.read", epoch_read},
          {"equivocation.make", equivocation_make},
          {"equivocation.verify", equivocation_verify},
          {"rewrite.verify", rewrite_verify},
          {"inclusion.prove", inclusion_prove},
          {"inclusion.verify", inclusion_verify},
          {"log.resume", log_resume},
          {"log.root", log_root},
          {"map.absent", map_absent},
          {"map.digest", map_digest},
          {"map.present", map_present},
          {"map.prove", map_prove},
          {"map.root", map_root},
          {"note.sign", note_sign},
          {"note.verify", note_verify},
          {"notekey.read", notekey_read}};
}

}  // namespace ams::adapter
