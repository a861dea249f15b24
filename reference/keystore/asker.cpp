// Judging what a key store answers (spec KST-33 … KST-36).
#include "keystore/asker.h"

#include "policy/mutant.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

/// KST-33: what is no answer is temporary, whatever is wrong with it.
Code malformed() {
  return mutant("keystore.wrong_code_answer") ? Code::schema : Code::keystore_answer;
}

/// KST-34: an answer that names a key names the one that was asked for.
Result<> same_key(const Id16& asked, const Id16& answered) {
  if (asked != answered && !mutant("keystore.skip_answer_kid"))
    return fail(Code::kid_mismatch, "answer");
  return {};
}

/// KST-35.
Result<> judge_made(const Made& made, const CreateArgs* created) {
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(made.record));
  if (record.custody() != keys::Custody::corporate && !mutant("keystore.skip_made_custody"))
    return fail(Code::key_origin, "record");
  if (created != nullptr && !mutant("keystore.skip_made_material") &&
      (record.signing().alg() != sig_alg(created->profile) ||
       record.encryption().kem() != kem(created->profile)))
    return fail(Code::key_material, "record");
  return {};
}

Result<> judge_signed(const Signed& answer, const SignArgs& asked, const keys::KeyRecord* record) {
  AMS_CHECK(same_key(asked.kid, answer.kid));
  if (record == nullptr) return fail(Code::not_found, "record of the key that signs");
  AMS_CHECK(same_key(asked.kid, record->id().kid));
  if (mutant("keystore.skip_answer_signature")) return {};
  return record->signing().verify(asked.text, answer.sig);
}

Result<> judge(const Ok& ok, const Args& args, const keys::KeyRecord* record) {
  if (const auto* asked = std::get_if<DecapArgs>(&args))
    return same_key(asked->kid, std::get<Shared>(ok).kid);
  if (const auto* asked = std::get_if<SignArgs>(&args))
    return judge_signed(std::get<Signed>(ok), *asked, record);
  if (const auto* asked = std::get_if<ExportArgs>(&args))
    return same_key(asked->kid, std::get<Exported>(ok).kid);
  if (const auto* asked = std::get_if<CreateArgs>(&args))
    return judge_made(std::get<Made>(ok), asked);
  if (std::holds_alternative<RotateArgs>(args)) return judge_made(std::get<Made>(ok), nullptr);
  if (const auto* asked = std::get_if<RewrapArgs>(&args)) {
    if (std::get<Rewrapped>(ok).items.size() != asked->items.size())
      return fail(malformed(), "items");
  }
  return {};
}

}  // namespace

crypto::DecryptionKey device_encryption_key(const crypto::SigningKey& device) {
  const crypto::Secret seed =
      crypto::hkdf({}, device.private_raw().view(), as_bytes("AMS-KS-DEVICE"), 32);
  return crypto::DecryptionKey::x25519_from_seed(seed.view());
}

Device device_of(const crypto::SigningKey& device) {
  AMS_ASSERT(device.alg() == crypto::SigAlg::ed25519);
  return {*to_array<32>(device.public_raw()),
          *to_array<32>(device_encryption_key(device).public_raw())};
}

Result<Ok> judge_answer(const Request& asked, ByteView bytes, const keys::KeyRecord* record) {
  auto answer = parse_answer(bytes, asked.args);
  if (!answer) return fail(malformed(), answer.error().where);
  if (answer->id != asked.id && !mutant("keystore.skip_answer_id"))
    return fail(Code::keystore_answer, "id");
  if (const auto* refusal = std::get_if<std::string>(&answer->outcome)) {
    const CodeInfo* info = find_code(*refusal);
    if (info == nullptr || mutant("keystore.wrong_code_refusal"))
      return fail(malformed(), "key store");
    return fail(info->code, "key store");
  }
  Ok ok = std::move(std::get<Ok>(answer->outcome));
  AMS_CHECK(judge(ok, asked.args, record));
  return ok;
}

Bytes export_info(const keys::KeyId& key, const Hash& device) {
  Bytes out = to_bytes("AMS-KS-EXPORT\0"sv);
  append(out, key.kid);
  append(out, key.fp);
  append(out, device);
  return out;
}

Result<crypto::DecryptionKey> open_export(const Exported& exported, const keys::KeyRecord& record,
                                          const crypto::SigningKey& device) {
  const Device own = device_of(device);
  AMS_TRY(const crypto::Secret raw,
          crypto::hpke_open(device_encryption_key(device), crypto::Aead::a256gcm, exported.enc,
                            export_info(record.id(), own.sk), exported.sealed));
  AMS_TRY(crypto::DecryptionKey key,
          crypto::DecryptionKey::from_private(record.encryption().kem(), raw.view()));
  if (key.public_raw() != record.encryption().raw()) return fail(Code::key_material, "export");
  return key;
}

}  // namespace ams::keystore
