// What the world watches while bytes pass: private keys on their way to a server, keys that mail is
// sealed to; and what a lying server does to its own users' look-ups.
#include "bindlog/proof.h"
#include "server/binding_log.h"
#include "sim_world/domain.h"
#include "sim_world/frames.h"
#include "wire/message.h"

namespace ams::sim {
namespace {

bool contains(ByteView bytes, std::string_view pattern) {
  return as_text(bytes).find(pattern) != std::string_view::npos;
}

}  // namespace

void DomainProcess::watch_secrets(std::size_t index, ByteView bytes, const std::string& whom,
                                  Instant now) {
  User& user = users_[index];
  if (user.secrets.empty()) {
    for (const crypto::Secret& secret : client(index).private_bytes()) {
      user.secrets.emplace_back(as_text(secret.view()));
      user.secrets.push_back(to_base64url(secret.view()));
    }
  }
  ledger_.bytes_scanned += bytes.size();
  for (const std::string& secret : user.secrets) {
    if (!contains(bytes, secret)) continue;
    ledger_.violations.push_back({"no private key leaves its client", now,
                                  user.addr + " sent bytes of its private key to " + whom});
  }
}

void DomainProcess::watch_client_bytes(std::size_t index, ByteView bytes, Instant now) {
  watch_secrets(index, bytes, info_.name, now);
  each_frame(bytes, [&](const wire::Frame& frame, ByteView) {
    if (frame.kind == wire::FrameKind::json && contains(frame.payload, R"("op":"mail.submit")"))
      watch_submission(users_[index].addr, frame.payload, now);
  });
}

void DomainProcess::watch_submission(const std::string& from, ByteView payload, Instant now) {
  const auto message = wire::decode_message(payload);
  const auto* request = message ? std::get_if<wire::Request>(&*message) : nullptr;
  if (!request) return;
  const wire::Value* stanzas = request->args.find("stanzas");
  const wire::Value* rcpts = request->args.find("rcpts");
  const wire::Value* env = request->args.find("env");
  if (!env || !stanzas || !rcpts || !stanzas->is_array() || !rcpts->is_array()) return;
  const Hash ehash = mail::ehash(*env);
  for (const wire::Value& rcpt : rcpts->as_array()) {
    const wire::Value* addr = rcpt.find("addr");
    const wire::Value* index = rcpt.find("stanza");
    if (!addr || !index ||
        static_cast<std::size_t>(index->as_integer()) >= stanzas->as_array().size())
      continue;
    const auto stanza =
        mail::parse_stanza(stanzas->as_array()[static_cast<std::size_t>(index->as_integer())]);
    if (stanza) ledger_.sealed.push_back({from, addr->as_string(), stanza->to, now, ehash});
  }
}

/// Replaces the key in a look-up's answer by the liar's own; the binding's signature stays what it
/// was, since only the address's domain could make another.
bool DomainProcess::lie_about(wire::Value& ok) const {
  const wire::Value* binding = ok.find("binding");
  if (!binding || !ok.find("key") || !binding->find("addr")) return false;
  const std::string& addr = binding->find("addr")->as_string();
  if (addr.ends_with("@" + info_.name)) return false;
  wire::Object forged = binding->as_object();
  forged["kid"] = wire::Value(to_uuid_text(liar_key_->record.id().kid));
  forged["fp"] = wire::Value(to_base64url(liar_key_->record.id().fp));
  ok.as_object()["binding"] = wire::Value(std::move(forged));
  ok.as_object()["key"] = liar_key_->record.value();
  return true;
}

bool DomainProcess::in_span(const std::vector<DomainSpan>& spans, Instant now) const {
  return std::any_of(spans.begin(), spans.end(), [&](const DomainSpan& span) {
    const Instant from = world_start + std::chrono::hours{span.from_hour};
    return span.holds(self_) && now >= from && now < from + std::chrono::hours{span.hours};
  });
}

bool DomainProcess::lies_to_others(Instant now) const {
  const Scenario& s = internet_->scenario;
  return in_span(s.wrong_keys, now) || in_span(s.forked_logs, now);
}

/// A log of the size of the true one that proves the wrong key, signed by the same log key: made
/// for this asker, and nobody else will see it.
void DomainProcess::fork_log_in(wire::Value& ok, const keys::Binding& binding, Instant now) const {
  const wire::Value* shown = ok.find("proof");
  if (shown == nullptr) return;
  const auto honest = bindlog::parse_proof(*shown);
  auto fork =
      bindlog::Prover::make(info_.name, server::binding_log_secrets(index_key_of(info_.name)));
  if (!honest || !fork) return;
  const auto opened = bindlog::open_head(honest->head, fork->identity());
  bindlog::Entry entry;
  for (std::int64_t version = 1; version <= binding.version; ++version) {
    if (version > 1) entry.prev = fork->value(entry);
    entry.addr = binding.addr;
    entry.version = version;
    entry.at = to_unix_ms(now);
    entry.key = binding.key;
    if (!fork->add(entry)) return;
  }
  while (opened && fork->size() < opened->size)
    fork->seal(static_cast<std::uint64_t>(to_unix_ms(now) / 1'000));
  if (fork->size() == 0) return;
  ok.as_object()["proof"] = bindlog::to_value(fork->prove(entry));
  ok.as_object().erase("history");
}

/// Binds our own user to a key of ours, for who asks from elsewhere, with a signature that holds:
/// we have the op key. Our log says what it said to everyone.
bool DomainProcess::wrong_key_in(wire::Value& ok, Instant now) const {
  const wire::Value* value = ok.find("binding");
  if (!value || !ok.find("key")) return false;
  auto binding = keys::parse_binding(*value);
  if (!binding || !binding->addr.ends_with("@" + info_.name)) return false;
  binding->key = liar_key_->record.id();
  const auto signed_anew = keys::make_binding(*binding, info_.op->signing);
  if (!signed_anew) return false;
  ok.as_object()["binding"] = *signed_anew;
  ok.as_object()["key"] = liar_key_->record.value();
  if (in_span(internet_->scenario.forked_logs, now)) fork_log_in(ok, *binding, now);
  return true;
}

void DomainProcess::note_alarm(const client::Alarm& alarm, Instant now) {
  const std::string code(code_info(alarm.why.code).name);
  ledger_.alarms.push_back({alarm.addr, code, alarm.lie, now});
  ledger_.happenings.push_back({now, "alarm", alarm.addr + ": " + code});
}

Bytes DomainProcess::tell_lies(Bytes bytes, bool flipping, Instant now) {
  Bytes out;
  each_frame(bytes, [&](const wire::Frame& frame, ByteView whole) {
    if (frame.kind == wire::FrameKind::json) {
      auto message = wire::decode_message(frame.payload);
      auto* answer = message ? std::get_if<wire::Answer>(&*message) : nullptr;
      if (answer && answer->is_ok()) {
        wire::Value ok = answer->ok();
        if ((info_.lies && lie_about(ok)) || (flipping && flip_about(ok)) ||
            (!info_.lies && !flipping && wrong_key_in(ok, now))) {
          ++ledger_.lies;
          AMS_ASSERT(wire::append_message(out, wire::ok_answer(answer->id, std::move(ok))));
          return;
        }
      }
    }
    append(out, whole);
  });
  return out;
}

}  // namespace ams::sim
