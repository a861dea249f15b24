#include "server/world_test.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ams::server::testing {
namespace {

Hash exporter_of(machine::ConnId id) {
  Bytes seed = to_bytes(std::string_view("exporter"));
  append_u64(seed, id);
  return crypto::sha256(seed);
}

}  // namespace

// --- Node
// --------------------------------------------------------------------------------------------

Node::Node(World& w, std::string name)
    : world(w),
      domain(std::move(name)),
      root(make_key(domain + " root")),
      op(make_key(domain + " op")) {
  const keys::DomainRecord record{domain,
                                  root.record.id(),
                                  op.record.id(),
                                  keys::isp_policy(),
                                  1,
                                  binding_log_keys(Bytes(32, 1))};
  options.domain = domain;
  options.chain =
      keys::chain_value(*keys::make_domain_record(record, root.signing), root.record, op.record);
  options.index_key = Bytes(32, 1);
  options.row_key = Bytes(32, 2);
}

void Node::start() {
  ++starts;
  Bytes seed = to_bytes(as_bytes(domain));
  append_u64(seed, starts);
  server = std::make_unique<Server>(options, op.signing, storage, crypto::sha256(seed), world.now);
  drain();
}

void Node::crash() {
  crash_at = 0;
  storage.crash();
  server.reset();
  undurable.clear();
  const auto mine = conns;
  for (const machine::ConnId id : mine) world.close_conn(id);
  conns.clear();
}

void Node::perform(machine::Effect effect) {
  std::visit(Overload{
                 [&](machine::Send& e) { world.deliver(e.conn, std::move(e.bytes)); },
                 [&](machine::CloseConn& e) { world.close_conn(e.conn); },
                 [&](machine::Connect& e) {
                   world.post([this, e] {
                     if (!server) return;
                     const auto to = world.nodes.find(e.domain);
                     if (to == world.nodes.end() || !to->second->reachable || !to->second->server) {
                       server->handle_connect_failed(e.token, world.now);
                       return drain();
                     }
                     const machine::ConnId near = world.next_conn++, far = world.next_conn++;
                     world.ends[near] = {this, nullptr, far};
                     world.ends[far] = {to->second.get(), nullptr, near};
                     conns.insert(near);
                     to->second->conns.insert(far);
                     to->second->server->handle_accepted(far, exporter_of(far), world.now);
                     to->second->drain();
                     if (!server) return;
                     server->handle_connected(e.token, near, exporter_of(far), world.now);
                     drain();
                   });
                 },
                 [&](machine::Resolve& e) {
                   resolves.emplace_back(e.domain, e.doubted);
                   world.post([this, name = e.domain] {
                     if (!server) return;
                     const auto to = world.nodes.find(name);
                     std::optional<keys::Discovery> found;
                     if (to != world.nodes.end() && to->second->discoverable)
                       found = keys::Discovery{name, 1, to->second->root.record.id(), {}};
                     if (found && to->second->dns_root) found->root = *to->second->dns_root;
                     if (found) found->unproven = to->second->by_dns;
                     server->handle_resolved(name, found, world.now);
                     drain();
                   });
                 },
                 [&](machine::Commit& e) {
                   if (storage.apply(e.writes)) {
                     undurable.push_back(e.batch);
                     return;
                   }
                   server->handle_durable(e.batch, fail(Code::storage, "apply"), world.now);
                 },
                 [&](machine::Log&) {},
             },
             effect);
}

void Node::drain() {
  for (;;) {
    while (server) {
      auto effect = server->poll();
      if (!effect) break;
      if (++effects == crash_at) {
        crash();
        world.post([this] { start(); });
        return;
      }
      perform(std::move(*effect));
    }
    if (!server || undurable.empty() || hold_commits) return;
    settle_commits();
  }
}

void Node::settle_commits() {
  const auto batches = std::exchange(undurable, {});
  if (batches.empty()) return;
  const Result<> outcome = storage.commit();
  for (const machine::BatchId batch : batches) server->handle_durable(batch, outcome, world.now);
}

// --- World
// -------------------------------------------------------------------------------------------

Node& World::add(const std::string& domain) {
  auto& node = nodes[domain];
  node = std::make_unique<Node>(*this, domain);
  node->start();
  return *node;
}

void World::run() {
  for (std::size_t steps = 0; !queue.empty(); ++steps) {
    ASSERT_LT(steps, 1'000'000u) << "the world does not come to rest";
    const auto piece = std::move(queue.front());
    queue.pop_front();
    piece();
  }
}

void World::advance(Duration by) {
  const Instant end = now + by;
  run();
  for (;;) {
    Instant next = end;
    for (auto& [name, node] : nodes)
      if (node->server)
        if (const auto due = node->server->timeout()) next = std::min(next, std::max(*due, now));
    now = next;
    for (auto& [name, node] : nodes) {
      if (!node->server) continue;
      node->server->handle_timeout(now);
      node->drain();
    }
    run();
    if (now >= end) return;
  }
}

void World::deliver(machine::ConnId from, Bytes bytes) {
  bytes_moved += bytes.size();
  const auto at = ends.find(from);
  if (at == ends.end()) return;
  const machine::ConnId to = at->second.peer;
  post([this, to, bytes = std::move(bytes)] {
    const auto end = ends.find(to);
    if (end == ends.end()) return;
    if (end->second.device) {
      if (end->second.device->session) end->second.device->session->handle_bytes(bytes, now);
      return end->second.device->pump();
    }
    if (!end->second.node->server) return;
    end->second.node->server->handle_bytes(to, bytes, now);
    end->second.node->drain();
  });
}

/// One end is done; the other hears of it after the bytes that are still under way.
void World::close_conn(machine::ConnId mine) {
  const auto at = ends.find(mine);
  if (at == ends.end()) return;
  const machine::ConnId peer = at->second.peer;
  if (at->second.node) at->second.node->conns.erase(mine);
  ends.erase(at);
  post([this, peer] {
    const auto end = ends.find(peer);
    if (end == ends.end()) return;
    const End gone = end->second;
    ends.erase(end);
    if (gone.device) {
      gone.device->session.reset();
      return;
    }
    gone.node->conns.erase(peer);
    if (!gone.node->server) return;
    gone.node->server->handle_closed(peer, now);
    gone.node->drain();
  });
}

// --- Device
// ------------------------------------------------------------------------------------------

Device::Device(World& w, std::string address, std::string_view device)
    : world(w),
      addr(std::move(address)),
      key(crypto::SigningKey::ed25519_from_seed(
          crypto::sha256(as_bytes(addr + std::string(device))))) {}

Device::~Device() {
  if (conn != 0) world.close_conn(conn);
}

void Device::connect(const std::string& domain) {
  session::HelloInfo hello;
  hello.domain = domain;
  hello.addr = addr;
  hello.device = key.public_raw();
  dial(domain, std::move(hello), key);
}

void Device::connect_as(const Node& server, const std::string& domain) {
  session::HelloInfo hello;
  hello.kind = session::PeerKind::server;
  hello.domain = server.domain;
  hello.chain = server.options.chain;
  dial(domain, std::move(hello), server.op.signing);
}

void Device::dial(const std::string& domain, session::HelloInfo hello,
                  const crypto::SigningKey& proof) {
  if (conn != 0) world.close_conn(conn);
  world.run();
  Node& node = world.node(domain);
  answers.clear();
  closed.reset();
  session.reset();
  if (!node.server) return;
  conn = world.next_conn++;
  const machine::ConnId far = world.next_conn++;
  world.ends[conn] = {nullptr, this, far};
  world.ends[far] = {&node, nullptr, conn};
  node.conns.insert(far);
  session::ConnectorOptions options;
  options.hello = std::move(hello);
  options.peer_domain = domain;
  options.peer_root = node.root.record.id();
  session = std::make_unique<session::Session>(options, proof, exporter_of(far), world.now);
  node.server->handle_accepted(far, exporter_of(far), world.now);
  node.drain();
  pump();
  world.run();
}

void Device::pump() {
  while (session) {
    auto effect = session->poll();
    if (!effect) return;
    if (auto* bytes = std::get_if<session::SendBytes>(&*effect))
      world.deliver(conn, std::move(bytes->bytes));
    if (auto* answer = std::get_if<session::AnswerIn>(&*effect))
      answers.emplace(answer->id, answer->outcome);
    if (auto* request = std::get_if<session::RequestIn>(&*effect)) {
      const auto hash =
          to_array<32>(from_base64url(request->args.find("hash")->as_string()).value()).value();
      const auto blob = serving.find(hash);
      ++served;
      if (blob == serving.end())
        session->fail(request->id, Error{Code::not_found, "blob"});
      else
        session->answer_blob(request->id, request->args, blob->second);
    }
    if (auto* event = std::get_if<session::EventIn>(&*effect)) events.push_back(*event);
    if (auto* got = std::get_if<session::BlobGot>(&*effect)) blobs.emplace(got->id, got->outcome);
    if (auto* close = std::get_if<session::Close>(&*effect)) {
      closed = *close;
      session.reset();
      world.close_conn(conn);
    }
  }
}

std::int64_t Device::send(std::string op, wire::Value args) {
  const std::int64_t id = session->request(std::move(op), std::move(args));
  pump();
  return id;
}

Result<wire::Value> Device::call(std::string op, wire::Value args) {
  if (!open()) return fail(Code::peer_unreachable, "device");
  const std::int64_t id = send(std::move(op), std::move(args));
  world.run();
  const auto answer = answers.find(id);
  return answer == answers.end() ? fail(Code::peer_unreachable, "answer") : answer->second;
}

Result<wire::Value> Device::put(ByteView bytes) {
  if (!open()) return fail(Code::peer_unreachable, "device");
  const std::int64_t id = session->put_blob(crypto::sha256(bytes), bytes);
  pump();
  world.run();
  const auto answer = answers.find(id);
  return answer == answers.end() ? fail(Code::peer_unreachable, "answer") : answer->second;
}

Result<Bytes> Device::get(const Hash& hash) {
  const std::int64_t id = session->get_blob(hash, 1 << 20);
  pump();
  world.run();
  const auto got = blobs.find(id);
  return got == blobs.end() ? fail(Code::peer_unreachable, "blob") : got->second;
}

// --- accounts and mail
// -------------------------------------------------------------------------------

Account::Account(World& w, const std::string& address, std::string_view device_name)
    : world(w),
      addr(address),
      domain(address.substr(address.find('@') + 1)),
      pair(make_key(address)),
      token(crypto::sha256(as_bytes(address + " token"))),
      device(w, address, device_name) {}

Result<wire::Value> Account::enrol() {
  return device.call("account.enrol", wire::Object{{"token", to_base64url(token)}});
}

Result<wire::Value> Account::associate(std::int64_t version) {
  return device.call("keys.associate",
                     wire::Object{{"record", pair.record.value()}, {"version", version}});
}

void Account::create() {
  Node& node = world.node(domain);
  NewAccount fresh{addr, *to_array<16>(ByteView(crypto::sha256(as_bytes(addr))).first(16)), token,
                   start_ms};
  const auto rows = account_rows(node.options, node.storage, fresh);
  ASSERT_TRUE(rows);
  ASSERT_TRUE(node.storage.apply(*rows));
  ASSERT_TRUE(node.storage.commit());
  connect();
  const auto enrolled = enrol();
  ASSERT_TRUE(enrolled) << code_info(enrolled.error().code).name;
  const auto answer = associate();
  ASSERT_TRUE(answer) << code_info(answer.error().code).name;
  binding = *answer->find("binding");
}

Letter write_letter(Account& from, const std::vector<const Account*>& to, std::string_view subject,
                    const LetterOptions& options) {
  mail::Draft draft;
  draft.from = from.addr;
  draft.date = to_unix_ms(from.world.now);
  draft.subject = std::string(subject);
  draft.parts = {{"text/plain", "hello"}};
  for (const Bytes& data : options.attachments)
    draft.attachments.push_back({"a.bin", "application/octet-stream", data});
  std::vector<const keys::KeyRecord*> records;
  wire::Array rcpts;
  for (const Account* account : to) {
    draft.deliver_to.push_back(account->addr);
    draft.to.push_back(account->addr);
    rcpts.push_back(wire::Object{{"addr", account->addr},
                                 {"stanza", static_cast<std::int64_t>(records.size())}});
    records.push_back(&account->pair.record);
  }
  records.push_back(&from.pair.record);
  crypto::Drbg drbg(crypto::sha256(as_bytes(from.addr + std::string(subject))));
  mail::SealOptions seal;
  seal.ts = to_unix_ms(from.world.now) + options.ts_offset_ms;
  seal.life_ms = options.life_ms;
  seal.mid = drbg.array<16>();
  seal.proof = options.proof;
  auto sealed = mail::seal(draft, from.pair, from.binding, records, seal, drbg);
  AMS_ASSERT(sealed.has_value());
  Letter letter{std::move(*sealed), {}, {}};
  wire::Array stanzas;
  for (const mail::Stanza& stanza : letter.sealed.stanzas)
    stanzas.push_back(mail::to_value(stanza));
  letter.ehash = mail::ehash(letter.sealed.header);
  letter.args = {{"env", letter.sealed.header},
                 {"asig", to_base64url(letter.sealed.asig)},
                 {"stanzas", stanzas},
                 {"head", to_base64url(letter.sealed.head)},
                 {"rcpts", rcpts}};
  if (options.sent_copy) letter.args.emplace("sent", static_cast<std::int64_t>(to.size()));
  return letter;
}

Result<wire::Value> put_blobs(Account& from, const Letter& letter) {
  auto put = from.device.put(letter.sealed.body);
  for (const Bytes& blob : letter.sealed.blobs)
    if (put) put = from.device.put(blob);
  return put;
}

Result<wire::Value> submit(Account& from, const Letter& letter) {
  AMS_CHECK(put_blobs(from, letter));
  return from.device.call("mail.submit", letter.args);
}

std::vector<wire::Value> sync_all(Account& account, std::int64_t since) {
  std::vector<wire::Value> out;
  for (;;) {
    const auto answer = account.device.call("mail.sync", wire::Object{{"since", since}});
    EXPECT_TRUE(answer);
    if (!answer) return out;
    for (const wire::Value& change : answer->find("changes")->as_array()) out.push_back(change);
    since = answer->find("state")->as_integer();
    if (!answer->find("more")->as_bool()) return out;
  }
}

std::vector<wire::Value> folder(Account& account, std::string_view name) {
  std::vector<wire::Value> out;
  for (const wire::Value& change : sync_all(account))
    if (const wire::Value* in = change.find("folder"); in && in->as_string() == name)
      out.push_back(*change.find("message"));
  return out;
}

Code code_of(const Result<wire::Value>& outcome) {
  EXPECT_FALSE(outcome) << "an answer where a refusal was due";
  return outcome ? Code::bom : outcome.error().code;
}

}  // namespace ams::server::testing
