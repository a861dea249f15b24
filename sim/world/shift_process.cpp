// A domain whose policy changes while it runs: the restarts that publish it, the key store that its
// clients ask, clients that take or leave the store's keys, and what a domain does that flips its
// policy to read along.
#include "client/tables.h"
#include "sim_world/domain.h"
#include "sim_world/frames.h"
#include "wire/message.h"

namespace ams::sim {
namespace {

constexpr Duration vault_latency = std::chrono::milliseconds{5};
constexpr std::int64_t begging_id = 900'000'001;  // of a request that no honest server sends

Message shift_message(std::uint32_t kind, std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0,
                      Bytes payload = {}) {
  Message out;
  out.kind = kind;
  out.a = a;
  out.b = b;
  out.c = c;
  if (!payload.empty()) out.payload = Payload(std::move(payload));
  return out;
}

}  // namespace

void DomainProcess::plan_shifts(Engine& engine) {
  const Scenario& s = internet_->scenario;
  for (std::size_t i = 1; i < info_.published.size(); ++i) {
    const Published& record = info_.published[i];
    engine.schedule(self_, record.at, shift_message(kind_policy, i));
    const bool to_store = !record.flip && record.policy.terms.mode != keys::Policy::isp &&
                          record.policy.prior->mode == keys::Policy::isp;
    for (std::size_t user = 0; to_store && user < users_.size(); ++user) {
      const RandomStream draws =
          stream(s.seed, static_cast<std::uint64_t>(users_[user].number), Draw::adopt_at);
      const Instant effective = from_unix_ms(record.policy.terms.effective);
      engine.schedule(self_,
                      effective + std::chrono::seconds{1} +
                          draws.uniform(i, Duration{0}, std::chrono::hours{s.adopt_hours}),
                      shift_message(kind_adopt, user));
    }
  }
  for (std::size_t user = 0; s.reread_hour > 0 && user < users_.size(); ++user)
    engine.schedule(self_,
                    world_start + std::chrono::hours{s.reread_hour} +
                        std::chrono::seconds{static_cast<std::int64_t>(user)},
                    shift_message(kind_reread, user));
}

/// As an administrator does: the new record in its place, and a restart in good order.
void DomainProcess::change_policy(Context& context) {
  Host& host = hosts_[server_host];
  const keys::DomainPolicy& policy = internet_->published_at(info_, context.now()).policy;
  ledger_.happenings.push_back({context.now(), flips(context.now()) ? "flip" : "policy",
                                info_.name + " " + std::string(keys::name(policy.terms.mode))});
  if (!host.up()) return;  // crashed: presented when it is back
  AMS_ASSERT(host.disk.commit().has_value());
  net_.crash(CrashKind::process, context);
  net_tokens_.clear();
  pipes_.crash_listener(context);
  host.crash();
  start_server(context);
}

/// The account on a new computer: its keys are there, its mail is not.
void DomainProcess::reread(std::size_t index, Context& context) {
  Host& host = hosts_[1 + index];
  if (!host.up()) return;
  User& user = users_[index];
  if (user.pipe) pipes_.cut(*user.pipe, PipeEnd::opener, context);
  std::erase_if(pipe_tokens_, [&](const auto& open) { return open.first == user.pipe; });
  user.pipe.reset();
  storage::WriteBatch batch;
  const auto visit = [&](ByteView key, ByteView) {
    batch.erases.push_back(client::erase_row(client::table_mailbox, key));
    return true;
  };
  AMS_ASSERT(host.disk.commit().has_value());
  AMS_ASSERT(host.disk.scan(client::table_mailbox, {}, {}, visit).has_value());
  batch.erases.push_back(client::erase_row(client::table_account, client::row_state));
  AMS_ASSERT(host.disk.apply(batch).has_value() && host.disk.commit().has_value());
  host.crash();
  ledger_.reread_at[user.number] = context.now();
  boot_client(index, context);
  perform(1 + index, context);
}

// --- the key store
// --------------------------------------------------------------------------------

void DomainProcess::open_vault() {
  vault_ = std::make_unique<Vault>();
  for (const storage::WriteBatch& writes : info_.vault->writes)
    AMS_ASSERT(vault_->disk.apply(writes).has_value());
  AMS_ASSERT(vault_->disk.commit().has_value());
  vault_->store.emplace(keystore::StoreOptions{.domain = info_.name}, info_.vault->key,
                        vault_->disk, vault_->ring);
}

bool DomainProcess::vault_is_down(Instant now) const {
  for (const DomainSpan& span : internet_->scenario.store_down) {
    const Instant from = world_start + std::chrono::hours{span.from_hour};
    if (span.holds(self_) && now >= from && now < from + std::chrono::hours{span.hours})
      return true;
  }
  return false;
}

void DomainProcess::ask_vault(std::size_t host, Context& context) {
  while (auto ask = client(host - 1).poll_key_store()) {
    watch_secrets(host - 1, ask->request, "the key store of " + info_.name, context.now());
    context.schedule(vault_latency, shift_message(kind_ask, host, ask->ticket, hosts_[host].epoch,
                                                  std::move(ask->request)));
  }
}

void DomainProcess::answer_ask(const Event& event, Context& context) {
  if (vault_is_down(context.now())) {
    ++ledger_.store_silent;
    context.schedule(vault_latency, shift_message(kind_answer, event.a, event.b, event.c));
    return;
  }
  Bytes entropy(32);
  // The first draws made the store (shift.cpp).
  stream(internet_->scenario.seed, self_, Draw::vault)
      .fill((std::uint64_t{1} << 32) + ++vault_->draws, entropy);
  keystore::Outcome outcome = vault_->store->handle(event.bytes(), context.now(), entropy);
  AMS_ASSERT(vault_->disk.apply(outcome.writes).has_value());
  AMS_ASSERT(vault_->disk.commit().has_value());
  ++ledger_.store_asks;
  context.schedule(
      std::chrono::milliseconds{internet_->scenario.commit_ms} + vault_latency,
      shift_message(kind_answer, event.a, event.b, event.c, std::move(outcome.answer)));
}

// --- a flip
// ---------------------------------------------------------------------------------------

/// Binds an address of its own to keys that the domain holds. All of it is signed as it should be.
bool DomainProcess::flip_about(wire::Value& ok) const {
  const wire::Value* value = ok.find("binding");
  if (!value || !ok.find("key")) return false;
  auto binding = keys::parse_binding(*value);
  if (!binding || !binding->addr.ends_with("@" + info_.name)) return false;
  binding->key = info_.flip_signs->record.id();
  binding->custody = keys::Custody::corporate;
  binding->enc = info_.flip_shared->record.id();
  auto made = keys::make_binding(*binding, info_.op->signing);
  AMS_ASSERT(made.has_value());
  wire::Object& answer = ok.as_object();
  answer.insert_or_assign("binding", std::move(*made));
  answer.insert_or_assign("key", info_.flip_signs->record.value());
  answer.insert_or_assign("enc", info_.flip_shared->record.value());
  return true;
}

/// Once on each connection, behind something that only an open session says.
void DomainProcess::beg(PipeId pipe, Bytes& bytes) {
  const std::string_view text = as_text(bytes);
  const bool open = text.find("\"changes\"") != std::string_view::npos ||
                    text.find("\"ehash\"") != std::string_view::npos ||
                    text.find("mail.changed") != std::string_view::npos;
  if (!open || !begged_.insert(pipe).second) return;
  ++ledger_.begged;
  const wire::Request request{begging_id, "keys.private", wire::Object{{"addr", info_.name}}};
  AMS_ASSERT(wire::append_message(bytes, request).has_value());
}

/// The answer to that is for the flipping domain alone; its server would not know what it is.
Bytes DomainProcess::without_begged(std::size_t index, Bytes bytes, Instant now) {
  Bytes out;
  each_frame(bytes, [&](const wire::Frame& frame, ByteView whole) {
    if (frame.kind == wire::FrameKind::json) {
      const auto said = wire::decode_message(frame.payload);
      const auto* answer = said ? std::get_if<wire::Answer>(&*said) : nullptr;
      if (answer && answer->id == begging_id) {
        if (answer->is_ok())
          ledger_.violations.push_back(
              {"no private key leaves its client", now,
               users_[index].addr + " did as " + info_.name + " asked: keys.private"});
        return;
      }
    }
    append(out, whole);
  });
  return out;
}

}  // namespace ams::sim
