// The ops of the binding log (spec BLG).
#include "adapter/ops.h"
#include "bindlog/lie.h"

namespace ams::adapter {
namespace {

struct BindingLog {
  bindlog::Identity identity;
  std::vector<verifiable::NoteKey> keys;
  std::size_t quorum = 0;
  verifiable::WitnessPolicy witnesses() const { return {keys, quorum}; }
};
Result<BindingLog> log_of(const Args& args) {
  AMS_TRY(
      bindlog::Identity identity,
      bindlog::make_identity(args.text("domain"), args.bytes("vrf_b64"), args.bytes("log_b64")));
  BindingLog out{std::move(identity), {}, 0};
  if (!args.has("witnesses")) return out;
  for (const Args& one : args.objects("witnesses")) {
    AMS_TRY(crypto::VerifyKey key,
            crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, one.bytes("key_b64")));
    AMS_TRY(verifiable::NoteKey witness,
            verifiable::NoteKey::make(one.text("name"), verifiable::NoteKeyType::cosignature_v1,
                                      std::move(key)));
    out.keys.push_back(std::move(witness));
  }
  out.quorum = static_cast<std::size_t>(args.number("quorum"));
  return out;
}

Answer bindentry_verify(const Args& args) {
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const bindlog::Entry entry, bindlog::parse_entry(value));
  if (args.has("before_b64")) {
    AMS_TRY(const wire::Value before_value, args.value("before_b64"));
    AMS_TRY(const bindlog::Entry before, bindlog::parse_entry(before_value));
    AMS_TRY(const wire::Value record_value, args.value("record_b64"));
    AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse(record_value));
    AMS_CHECK(bindlog::verify_endorsement(
        entry, before, bindlog::value_of(before, args.fixed<32>("before_r_b64")), record));
  }
  Json out{{"type", bindlog::name(entry.type)}, {"version", entry.version}};
  if (args.has("r_b64"))
    out["value_b64"] = to_base64url(bindlog::value_of(entry, args.fixed<32>("r_b64")));
  return out;
}

Answer bindproof_verify(const Args& args) {
  AMS_TRY(const BindingLog log, log_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const bindlog::Proven proven,
          bindlog::verify_proof(value, args.text("addr"), log.identity, log.witnesses()));
  AMS_CHECK(bindlog::holds_at(proven.head.epoch, to_unix_ms(args.instant("now"))));
  if (!proven.entry) return Json{{"bound", false}};
  return Json{{"bound", true},
              {"type", bindlog::name(proven.entry->type)},
              {"version", proven.entry->version},
              {"kid", to_uuid_text(proven.entry->key.kid)},
              {"fp", to_base64url(proven.entry->key.fp)}};
}

Answer bindhistory_verify(const Args& args) {
  AMS_TRY(const BindingLog log, log_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  bindlog::Seen seen;
  if (args.has("seen_size"))
    seen = {args.number("seen_size"), args.fixed<32>("seen_root_b64"),
            static_cast<std::int64_t>(args.number("seen_version")),
            args.fixed<32>("seen_value_b64")};
  AMS_TRY(const bindlog::Checked checked,
          bindlog::verify_history(value, args.text("addr"), log.identity, seen, log.witnesses()));
  return Json{{"versions", checked.entries.size()},
              {"last", checked.seen.version},
              {"complete", checked.complete},
              {"size", checked.head.size}};
}

Answer bindlie_verify(const Args& args) {
  AMS_TRY(const BindingLog log, log_of(args));
  AMS_TRY(const wire::Value value, args.value("raw_b64"));
  AMS_TRY(const bindlog::Lie lie, bindlog::parse_lie(value));
  std::optional<keys::Chain> chain;
  if (args.has("chain_b64")) {
    AMS_TRY(chain, chain_of(args));
  }
  AMS_CHECK(bindlog::verify_lie(lie, log.identity, chain ? &*chain : nullptr));
  return Json{{"kind", bindlog::kind_of(lie)}};
}

}  // namespace

std::vector<Op> bindlog_ops() {
  return {{"bindentry.verify", bindentry_verify},
          {"bindhistory.verify", bindhistory_verify},
          {"bindlie.verify", bindlie_verify},
          {"bindproof.verify", bindproof_verify}};
}

}  // namespace ams::adapter
