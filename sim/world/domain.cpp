#include "sim_world/domain.h"

#include <algorithm>
#include <cstring>

#include "base/overload.h"
#include "sim_rand/rand_hook.h"
#include "sim_world/names.h"

namespace ams::sim {
namespace {

constexpr Duration sample_interval = std::chrono::hours{1};

Hash draw_hash(RandomStream from, std::uint64_t decision) {
  Hash out{};
  from.fill(decision, out);
  return out;
}

Hash enrolment_token(const Scenario& s, std::int64_t user) {
  return draw_hash(stream(s.seed, static_cast<std::uint64_t>(user), Draw::user_seed), 2);
}

server::Options server_options(const Internet& world, const DomainInfo& info, Instant now) {
  server::Options options;
  options.domain = info.name;
  options.chain = world.published_at(info, now).chain;
  options.index_key = index_key_of(info.name);
  options.row_key = to_bytes(ByteView(crypto::sha256(to_bytes("row " + info.name))));
  options.full_directory = info.full_directory;
  options.directory_peers = world.directory_domains;
  options.directory_interval = std::chrono::minutes{world.scenario.reconcile_minutes};
  return options;
}

}  // namespace

DomainProcess::DomainProcess(std::shared_ptr<const Internet> internet, LpId self)
    : internet_(std::move(internet)),
      info_(internet_->domains[self]),
      self_(self),
      net_(internet_->net, internet_->scenario.seed, self),
      pipes_({}, internet_->scenario.seed, self),
      rand_(stream(internet_->scenario.seed, self, Draw::rand_method)),
      hosts_(1 + static_cast<std::size_t>(info_.users)) {
  const Scenario& s = internet_->scenario;
  for (std::int64_t i = 0; i < info_.users; ++i) {
    const std::int64_t number = static_cast<std::int64_t>(self) + i * s.domains;
    User user{number, {}, device_key(s, number), {}, {}, {}, {}};
    user.addr = internet_->address(user.number);
    users_.push_back(std::move(user));
  }
  const auto held = [&](const std::vector<DomainSpan>& spans) {
    return std::any_of(spans.begin(), spans.end(),
                       [&](const DomainSpan& span) { return span.holds(self); });
  };
  if (info_.lies || held(s.wrong_keys) || held(s.forked_logs))
    liar_key_ = std::make_unique<const keys::KeyPair>(
        modern_pair(stream(s.seed, self, Draw::liar_key), key_times()));
  if (info_.vault) open_vault();
}

void DomainProcess::plan(Engine& engine) {
  const Scenario& s = internet_->scenario;
  engine.schedule(self_, world_start, message(kind_restart));
  for (std::size_t i = 0; i < users_.size(); ++i) {
    const RandomStream draws =
        stream(s.seed, static_cast<std::uint64_t>(users_[i].number), Draw::enrol_at);
    const Instant at =
        world_start + std::chrono::seconds{1} + draws.uniform(0, Duration{0}, enrolment_time);
    engine.schedule(self_, at, message(kind_enrol, i));
  }
  const auto& mails = internet_->mails[self_];
  for (std::size_t i = 0; i < mails.size(); ++i)
    engine.schedule(self_, mails[i].at, message(kind_mail, i));
  for (const Instant at : internet_->crashes[self_])
    engine.schedule(self_, at, message(kind_crash));
  plan_shifts(engine);
  for (Instant at = world_start; at < world_start + s.total_time(); at += sample_interval)
    engine.schedule(self_, at, message(kind_sample));
}

void DomainProcess::handle(const Event& event, Context& context) {
  const RandScope scope(rand_);
  if (NetStack::owns(event)) {
    if (auto happened = net_.handle(event, context)) handle_net(*happened, context);
  } else if (LocalPipes::owns(event)) {
    if (auto happened = pipes_.handle(event, context)) handle_pipe(*happened, context);
  } else {
    handle_kind(event, context);
  }
}

void DomainProcess::handle_kind(const Event& event, Context& context) {
  const auto host_is = [&](std::uint64_t epoch) {
    return hosts_[event.a].up() && hosts_[event.a].epoch == epoch;
  };
  switch (event.kind) {
    case kind_crash:
      return crash_server(context);
    case kind_restart:
      return start_server(context);
    case kind_disk:
      if (host_is(event.b)) commit(event.a, context);
      return;
    case kind_timer:
      if (!hosts_[event.a].up() || hosts_[event.a].timer != event.b) return;
      hosts_[event.a].armed.reset();
      hosts_[event.a].machine->handle_timeout(context.now());
      return perform(event.a, context);
    case kind_resolved:
      if (host_is(event.b)) resolved(event.a, to_string(event.bytes()), context);
      return;
    case kind_dns_answer:
      if (host_is(event.b)) dns_answered(event.a, event.c, event.bytes(), context);
      return;
    case kind_dns_told:
      if (host_is(event.b)) dns_told(event.a, context);
      return;
    case kind_connect_failed:
      if (!host_is(event.c)) return;
      hosts_[event.a].machine->handle_connect_failed(event.b, context.now());
      return perform(event.a, context);
    case kind_enrol:
      return enrol(event.a, context);
    case kind_mail:
      return write_mail(internet_->mails[self_][event.a], context);
    case kind_sample:
      return sample_queue(context.now());
    case kind_policy:
      return change_policy(context);
    case kind_adopt:
      client(event.a).rotate(std::nullopt, context.now());
      return perform(1 + event.a, context);
    case kind_reread:
      return reread(event.a, context);
    case kind_ask:
      return answer_ask(event, context);
    case kind_answer: {
      if (!host_is(event.c)) return;
      const Result<Bytes> answer = event.bytes().empty() ? fail(Code::keystore_unreachable, "down")
                                                         : Result<Bytes>(to_bytes(event.bytes()));
      client(event.a - 1).handle_key_store(event.b, answer, context.now());
      return perform(event.a, context);
    }
    default:
      AMS_ASSERT(false && "an event kind that this process never schedules");
  }
}

/// What waits: in the clients' outboxes (no key could be looked up, no server reached) and in the
/// server's queue.
void DomainProcess::sample_queue(Instant now) {
  std::uint64_t depth = server_stats().queue_depth;
  for (std::size_t i = 0; i < users_.size(); ++i)
    if (hosts_[1 + i].up()) depth += client(i).unsent();
  ledger_.queue.push_back({now, depth});
}

// --- server life ------------------------------------------------------------------------

void DomainProcess::start_server(Context& context) {
  Host& host = hosts_[server_host];
  if (host.up()) return;
  const server::Options options = server_options(*internet_, info_, context.now());
  if (server_starts_ == 0) {
    for (const User& user : users_) {
      server::NewAccount account;
      account.addr = user.addr;
      account.token = enrolment_token(internet_->scenario, user.number);
      const RandomStream draws = stream(internet_->scenario.seed,
                                        static_cast<std::uint64_t>(user.number), Draw::user_seed);
      draws.fill(3, account.acct);
      account.created = to_unix_ms(context.now());
      const auto rows = server::account_rows(options, host.disk, account);
      AMS_ASSERT(rows && host.disk.apply(*rows));
    }
    AMS_ASSERT(host.disk.commit());
  } else {
    net_.restart();
    ledger_.happenings.push_back({context.now(), "restart", info_.name});
  }
  const Hash seed =
      draw_hash(stream(internet_->scenario.seed, self_, Draw::server_seed), server_starts_++);
  host.machine =
      std::make_unique<server::Server>(options, info_.op->signing, host.disk, seed, context.now());
  perform(server_host, context);
}

void DomainProcess::crash_server(Context& context) {
  if (!hosts_[server_host].up()) return;
  ++ledger_.crashes;
  ledger_.happenings.push_back({context.now(), "crash", info_.name});
  net_.crash(CrashKind::process, context);
  net_tokens_.clear();
  pipes_.crash_listener(context);
  hosts_[server_host].crash();
  context.schedule(std::chrono::minutes{internet_->scenario.down_minutes}, message(kind_restart));
}

// --- users ------------------------------------------------------------------------------

client::Client& DomainProcess::client(std::size_t user) {
  return static_cast<client::Client&>(*hosts_[1 + user].machine);
}

void DomainProcess::boot_client(std::size_t index, Context& context) {
  User& user = users_[index];
  Host& host = hosts_[1 + index];
  client::Options options;
  options.addr = user.addr;
  options.ping_interval =
      std::chrono::hours{24};  // a pipe that breaks is reported: pings would add nothing
  options.key_store = vault_ != nullptr;
  options.log_witnesses = internet_->scenario.log_witnesses;
  options.hold_unendorsed = false;  // who is told writes on
  // Decision 1 was the first start's; 2 and 3 are others'.
  const std::uint64_t decision = user.starts == 0 ? 1 : 3 + user.starts;
  ++user.starts;
  const Hash seed = draw_hash(
      stream(internet_->scenario.seed, static_cast<std::uint64_t>(user.number), Draw::user_seed),
      decision);
  host.machine =
      std::make_unique<client::Client>(options, user.device, host.disk, seed, context.now());
}

void DomainProcess::enrol(std::size_t index, Context& context) {
  const Scenario& s = internet_->scenario;
  const User& user = users_[index];
  const auto entity = static_cast<std::uint64_t>(user.number);
  boot_client(index, context);
  const RandomStream profile = stream(s.seed, entity, Draw::user_profile);
  std::optional<keys::KeyPair> pair;
  if (profile.bernoulli_ppm(0, static_cast<std::uint32_t>(s.rsa_users_permille * 1'000))) {
    Id16 nonce{};
    profile.fill(1, nonce);
    pair = rsa_pair(profile.u64(2), nonce, key_times());
  }
  client(index).enrol(enrolment_token(s, user.number), std::move(pair), context.now());
  perform(1 + index, context);
}

mail::Draft DomainProcess::make_draft(const PlannedMail& plan) const {
  const CorpusMail& real =
      internet_->corpus[static_cast<std::size_t>(plan.number) % internet_->corpus.size()];
  mail::Draft draft;
  draft.from = internet_->address(plan.from);
  for (const std::int64_t user : plan.to) draft.to.push_back(internet_->address(user));
  draft.deliver_to = draft.to;
  draft.date = to_unix_ms(plan.at);
  draft.subject = real.subject;
  draft.parts = real.parts;
  draft.attachments = real.attachments;
  return draft;
}

void DomainProcess::write_mail(const PlannedMail& plan, Context& context) {
  const auto index = static_cast<std::size_t>(plan.from / internet_->scenario.domains);
  mail::Draft draft = make_draft(plan);
  Written written;
  written.number = plan.number;
  written.from = plan.from;
  written.to = plan.to;
  written.at = context.now();
  written.digest = mail::content_digest(draft);
  const std::uint64_t ticket = client(index).submit(std::move(draft), context.now());
  users_[index].tickets.emplace(ticket, ledger_.written.size());
  ledger_.written.push_back(std::move(written));
  perform(1 + index, context);
}

void DomainProcess::take_reports(std::size_t user, Context& context) {
  while (auto report = client(user).poll_report()) take_report(user, *report, context);
}

void DomainProcess::take_report(std::size_t index, client::Report& report, Context& context) {
  User& user = users_[index];
  const Instant now = context.now();
  const auto stands_for_key = [&] {
    if (const auto key = client(index).sealed_to()) ledger_.keys[user.addr].insert(*key);
    user.secrets.clear();  // there may be new ones
  };
  const auto trace = [&](const Hash& hash) { context.trace(read_u64(hash)); };
  std::visit(
      Overload{
          [&](client::AccountReady&) { stands_for_key(); },
          [&](client::Submitted& done) {
            Written& written = ledger_.written[user.tickets.at(done.ticket)];
            if (!written.acknowledged) written.acknowledged = now;
            written.ehashes.insert(done.ehash);
            trace(done.ehash);
          },
          [&](client::SubmitFailed& failed) {
            ledger_.written[user.tickets.at(failed.ticket)].refused = failed.why;
          },
          [&](client::Received& got) {
            const Hash digest = mail::content_digest(got.letter, got.attachments);
            if (got.folder != "sent")
              (user.uids.insert(got.uid).second ? ledger_.read : ledger_.reread)
                  .push_back({user.number, got.uid, got.ehash, digest, now});
            trace(digest);
          },
          [&](client::Unreadable& bad) {
            ledger_.unreadable.push_back({user.number, bad.uid, bad.ehash, {}, now});
            ledger_.unreadable_why.emplace_back(code_info(bad.why.code).name);
          },
          [&](client::NoticeReceived& got) {
            ledger_.notices.push_back({got.notice.ehash, got.notice.addr, got.notice.failed, now});
            trace(got.notice.ehash);
          },
          [](client::SyncDone&) {},
          [](client::MailRewrapped&) {},
          [&](client::KeyRotated&) { stands_for_key(); },
          [](client::Redirected&) {},
          [](client::Published&) {},
          [](client::LookedUp&) {},
          [](client::KeyChanged&) {},
          [&](client::Alarm& alarm) { note_alarm(alarm, now); },
          [&](client::CommandFailed& failed) {
            ++ledger_.command_failures[failed.what + ": " +
                                       std::string(code_info(failed.why.code).name)];
          },
      },
      report);
}

// --- effects ----------------------------------------------------------------------------

void DomainProcess::perform(std::size_t host, Context& context) {
  while (hosts_[host].up()) {
    auto effect = hosts_[host].machine->poll();
    if (!effect) break;
    perform_effect(host, std::move(*effect), context);
  }
  if (!hosts_[host].up()) return;
  if (host != server_host) ask_vault(host, context);
  if (host != server_host) take_reports(host - 1, context);
  arm(host, context);
}

void DomainProcess::perform_effect(std::size_t host, machine::Effect effect, Context& context) {
  Host& self = hosts_[host];
  std::visit(Overload{
                 [&](machine::Send& e) { send(host, std::move(e), context); },
                 [&](machine::CloseConn& e) { close(host, e.conn, context); },
                 [&](machine::Connect& e) { connect(host, e, context); },
                 [&](machine::Resolve& e) { resolve(host, e, context); },
                 [&](machine::Commit& e) {
                   if (auto applied = self.disk.apply(e.writes); !applied)
                     return self.machine->handle_durable(e.batch, applied, context.now());
                   self.waiting.push_back(e.batch);
                   if (self.commit_scheduled) return;
                   self.commit_scheduled = true;
                   context.schedule(std::chrono::milliseconds{internet_->scenario.commit_ms},
                                    message(kind_disk, host, self.epoch));
                 },
                 [](machine::Log&) {},
             },
             effect);
}

void DomainProcess::commit(std::size_t host, Context& context) {
  Host& self = hosts_[host];
  self.commit_scheduled = false;
  const Result<> outcome = self.disk.commit();
  const std::vector<machine::BatchId> done = std::move(self.waiting);
  self.waiting.clear();
  for (const machine::BatchId batch : done)
    self.machine->handle_durable(batch, outcome, context.now());
  perform(host, context);
}

void DomainProcess::arm(std::size_t index, Context& context) {
  Host& host = hosts_[index];
  const auto due = host.machine->timeout();
  if (due == host.armed) return;
  host.armed = due;
  ++host.timer;
  if (due)
    context.schedule(std::max(*due - context.now(), Duration{0}),
                     message(kind_timer, index, host.timer));
}

void DomainProcess::connect(std::size_t host, const machine::Connect& effect, Context& context) {
  if (by_dns(host, effect.domain)) {
    resolver(host).find({effect.domain, effect.token}, context.now());
    return ask_dns(host, context);
  }
  const auto at = internet_->by_name.find(effect.domain);
  const bool to_own = at != internet_->by_name.end() && at->second == self_;
  const bool possible = host == server_host ? at != internet_->by_name.end() && !to_own
                                            : to_own && hosts_[server_host].up();
  if (!possible) {
    context.schedule(refused_latency,
                     message(kind_connect_failed, host, effect.token, hosts_[host].epoch));
  } else if (host == server_host) {
    net_tokens_.emplace(net_.connect(at->second, 0, context), effect.token);
  } else {
    pipe_tokens_.emplace(pipes_.open(host, context), effect.token);
  }
}

void DomainProcess::send(std::size_t host, machine::Send effect, Context& context) {
  if (host != server_host) {
    watch_client_bytes(host - 1, effect.bytes, context.now());
    if (info_.flip_shared)
      effect.bytes = without_begged(host - 1, std::move(effect.bytes), context.now());
    pipes_.send(effect.conn, PipeEnd::opener, std::move(effect.bytes), context);
  } else if (effect.conn & pipe_bit) {
    const bool flipping = flips(context.now());
    if (info_.lies || flipping)
      effect.bytes = tell_lies(std::move(effect.bytes), flipping, context.now());
    if (flipping) beg(effect.conn & ~pipe_bit, effect.bytes);
    pipes_.send(effect.conn & ~pipe_bit, PipeEnd::listener, std::move(effect.bytes), context);
  } else {
    const bool flipping = flips(context.now());
    if (flipping || lies_to_others(context.now()))
      effect.bytes = tell_lies(std::move(effect.bytes), flipping, context.now());
    net_.send(effect.conn, std::move(effect.bytes), context);
  }
}

void DomainProcess::close(std::size_t host, machine::ConnId conn, Context& context) {
  if (host != server_host) return pipes_.close(conn, PipeEnd::opener, context);
  if (conn & pipe_bit) return pipes_.close(conn & ~pipe_bit, PipeEnd::listener, context);
  net_.close(conn, context);
}

// --- what arrives -----------------------------------------------------------------------

void DomainProcess::handle_net(const NetEvent& event, Context& context) {
  Host& server = hosts_[server_host];
  if (!server.up()) return;
  machine::Machine& machine = *server.machine;
  std::visit(
      Overload{
          [&](const NetConnected& e) {
            auto token = net_tokens_.extract(e.conn);
            machine.handle_connected(token.mapped(), e.conn, e.exporter, context.now());
          },
          [&](const NetAccepted& e) { machine.handle_accepted(e.conn, e.exporter, context.now()); },
          [&](const NetData& e) { machine.handle_bytes(e.conn, e.bytes.view(), context.now()); },
          [&](const NetClosed& e) {
            if (auto token = net_tokens_.extract(e.conn); !token.empty())
              machine.handle_connect_failed(token.mapped(), context.now());
            else
              machine.handle_closed(e.conn, context.now());
          },
      },
      event);
  perform(server_host, context);
}

void DomainProcess::handle_pipe(const PipeEvent& event, Context& context) {
  const std::size_t host =
      event.at == PipeEnd::listener ? server_host : static_cast<std::size_t>(event.tag);
  if (!hosts_[host].up()) {
    if (event.type == PipeEventType::opened) pipes_.cut(event.pipe, event.at, context);
    return;
  }
  machine::Machine& machine = *hosts_[host].machine;
  const machine::ConnId conn = host == server_host ? event.pipe | pipe_bit : event.pipe;
  const Instant now = context.now();
  switch (event.type) {
    case PipeEventType::opened:
      if (host == server_host) {
        machine.handle_accepted(conn, pipes_.exporter(event.pipe), now);
      } else {
        auto token = pipe_tokens_.extract(event.pipe);
        users_[host - 1].pipe = event.pipe;
        machine.handle_connected(token.mapped(), conn, pipes_.exporter(event.pipe), now);
      }
      break;
    case PipeEventType::data:
      machine.handle_bytes(conn, event.bytes.view(), now);
      break;
    case PipeEventType::closed:
    case PipeEventType::broken:
      if (const auto token = pipe_tokens_.find(event.pipe);
          host != server_host && token != pipe_tokens_.end()) {
        machine.handle_connect_failed(token->second, now);
        pipe_tokens_.erase(token);
      } else {
        machine.handle_closed(conn, now);
      }
      break;
  }
  perform(host, context);
}

const Ledger& DomainProcess::ledger() {
  ledger_.net = net_.stats();
  if (info_.full_directory && hosts_[server_host].up()) {
    const directory::Stats held = server_stats().directory;
    ledger_.directory =
        DirectoryEnd{held.keys, held.epochs, held.cosignatures, held.peers_evicted, held.root};
  }
  return ledger_;
}

server::Stats DomainProcess::server_stats() const {
  const Host& host = hosts_[server_host];
  return host.up() ? static_cast<const server::Server&>(*host.machine).stats() : server::Stats{};
}

}  // namespace ams::sim
