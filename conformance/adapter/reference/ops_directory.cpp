// The ops of who looks keys up in a directory, or judges what one said (spec DIR-22, DIR-23, EVD).
#include "adapter/ops.h"
#include "directory/evidence.h"
#include "directory/grant.h"
#include "directory/light.h"
#include "directory/work.h"

namespace ams::adapter {
namespace {

Answer work_verify(const Args& args) {
  AMS_TRY(const auto nonce, directory::read_work(args.text("work")));
  const std::uint64_t bits = args.number("bits");
  if (bits < 1 || bits > directory::work_bits_max) throw Fault("bits: 1 to 40");
  AMS_TRY(const std::int64_t day,
          directory::check_work(args.text("domain"), args.bytes("object_b64"), nonce,
                                static_cast<int>(bits), args.instant("now")));
  return Json{{"day", day}};
}

Answer grant_verify(const Args& args) {
  const auto alg = crypto::find_sig_alg(args.text("alg"));
  if (!alg) throw Fault("alg: no such algorithm");
  const auto op = crypto::VerifyKey::from_raw(*alg, args.bytes("public_b64"));
  if (!op) throw Fault("public_b64: no key");
  const std::string text = args.text("voucher");
  if (text.empty()) throw Fault("voucher: nothing to judge");
  AMS_TRY(const auto voucher, directory::read_voucher(text));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const directory::Grant grant, directory::parse_grant(value));
  AMS_CHECK(directory::verify_place(grant, args.fixed<32>("fp_b64"), voucher->place));
  AMS_CHECK(directory::verify_grant(grant, *op));
  return Json{
      {"domain", grant.domain}, {"count", grant.count}, {"index", voucher->place.index}};
}

void show(Json& out, const std::optional<keys::Entry>& entry, std::uint64_t time_s) {
  out["held"] = entry.has_value();
  out["time"] = std::to_string(time_s);
  if (!entry) return;
  out["state"] = keys::name(entry->state());
  out["value"] = to_base64url(entry->value());
}

Answer lookup_verify(const Args& args) {
  AMS_TRY(const auto log, note_key(args.text("log"), verifiable::NoteKeyType::ed25519));
  AMS_TRY(const auto witnesses, witnesses_of(args));
  wire::Array objects;
  for (const Bytes& raw : args.list("objects_b64")) {
    AMS_TRY(wire::Value object, wire::decode(raw));
    objects.push_back(std::move(object));
  }
  AMS_TRY(const wire::Value proof, args.value("proof_b64"));
  AMS_TRY(const directory::Looked looked,
          directory::verify_objects(args.kid("kid"), objects, proof,
                                    {&log, {witnesses, quorum_of(args)}, args.instant("now")}));
  Json out = Json::object();
  show(out, looked.entry, looked.time_s);
  return out;
}

Answer history_replay(const Args& args) {
  AMS_TRY(const auto log, note_key(args.text("log"), verifiable::NoteKeyType::ed25519));
  directory::Auditor auditor;
  for (const Bytes& raw : args.list("answers_b64")) {
    AMS_TRY(const wire::Value answer, wire::decode(raw));
    AMS_CHECK(auditor.take(answer));
  }
  AMS_CHECK(auditor.conclude(as_text(args.bytes("note_b64")), log));
  return Json{{"size", std::to_string(auditor.size())},
              {"root_b64", to_base64url(auditor.root_at(auditor.size()))},
              {"map_root_b64", to_base64url(auditor.map().root())},
              {"keys", std::to_string(auditor.map().size())}};
}

Answer evidence_judge(const Args& args) {
  AMS_TRY(const wire::Value evidence, directory::read_evidence(as_text(args.bytes("raw_b64"))));
  std::map<std::string, keys::KeyId, std::less<>> roots;
  for (const Args& one : args.objects("roots"))
    roots.insert_or_assign(one.text("domain"),
                           keys::KeyId{one.kid("root_kid"), one.fixed<32>("root_fp")});
  directory::EvidenceTrust trust;
  trust.root_of = [&](std::string_view domain, const keys::KeyId&) -> std::optional<keys::KeyId> {
    const auto root = roots.find(domain);
    return root == roots.end() ? std::nullopt : std::optional(root->second);
  };
  trust.quorum = quorum_of(args);
  if (args.has("now")) trust.now = args.instant("now");
  AMS_TRY(const directory::JudgedEvidence judged, directory::judge_evidence(evidence, trust));
  Json out{{"domain", judged.domain},
           {"two_faces", judged.two_faces},
           {"size", std::to_string(judged.size)}};
  if (judged.rewritten_from) out["first"] = std::to_string(*judged.rewritten_from);
  if (judged.two_faces) return out;
  show(out, judged.entry, judged.time_s);
  out["kid"] = to_uuid_text(judged.kid);
  out["cosigned"] = judged.cosigned;
  return out;
}

}  // namespace

std::vector<Op> directory_ops() {
  return {{"evidence.judge", evidence_judge},
          {"grant.verify", grant_verify},
          {"history.replay", history_replay},
          {"lookup.verify", lookup_verify},
          {"work.verify", work_verify}};
}

}  // namespace ams::adapter
