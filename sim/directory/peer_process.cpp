#include "sim_directory/peer_process.h"

#include <algorithm>
#include <limits>

#include "directory/objects.h"
#include "sim_rand/rand_hook.h"
#include "sim_world/host.h"
#include "sim_world/internet.h"
#include "verifiable/checkpoint.h"

namespace ams::sim {
namespace {

constexpr Duration tick_min = std::chrono::milliseconds{10};

std::string code_of(const wire::Value& answer) {
  const wire::Value* results = answer.find("results");
  const wire::Value* code = results->as_array().at(0).find("code");
  return code != nullptr ? code->as_string() : "";
}

bool is_personal(ByteView value) { return as_text(value).find(personal) != std::string_view::npos; }
bool is_card(ByteView value) {
  return as_text(value).find(R"("ams":"card/1")") != std::string_view::npos;
}

bool is_revocation(const wire::Value& object) {
  const wire::Value* tag = object.find("ams");
  return tag != nullptr && *tag == wire::Value("rev/1");
}
/// A request or an answer as one reads it who will not know of revocations.
void leave_out_revocations(wire::Value& message) {
  if (!message.is_object()) return;
  auto& members = message.as_object();
  if (const auto records = members.find("records"); records != members.end())
    std::erase_if(records->second.as_array(), is_revocation);
  if (const auto entries = members.find("entries"); entries != members.end())
    for (wire::Value& entry : entries->second.as_array())
      std::erase_if(entry.as_array(), is_revocation);
}

}  // namespace

PeerProcess::PeerProcess(std::shared_ptr<const DirectoryWorld> world, LpId self)
    : world_(std::move(world)),
      self_(self),
      calls_(world_->net, world_->scenario.seed, self),
      rand_(stream(world_->scenario.seed, self, PeerDraw::rand_method)) {
  faces_.push_back(std::make_unique<Face>());
  for (const storage::WriteBatch& batch : world_->at_start[world_->side_of(self)])
    AMS_ASSERT(faces_[0]->disk.apply(batch).has_value());
  AMS_ASSERT(faces_[0]->disk.commit().has_value());
}

/// Peers start one after the other within an interval: nothing sets their clocks to each other's.
void PeerProcess::plan(Engine& engine) {
  const DirectoryScenario& s = world_->scenario;
  const Duration phase = stream(s.seed, self_, PeerDraw::phase)
                             .uniform(0, Duration{0}, std::chrono::seconds{s.interval_s});
  engine.schedule(self_, world_start + phase, message(kind_restart));
  const auto& crashes = world_->crashes[self_];
  for (std::size_t i = 0; i < crashes.size(); ++i)
    engine.schedule(self_, crashes[i].at, message(kind_crash, i));
  for (const TwinSpec& twin : s.twins)
    if (static_cast<LpId>(twin.peer) == self_)
      engine.schedule(self_, world_start + std::chrono::seconds{twin.at_s}, message(kind_split));
  for (std::size_t i = 0; i < world_->publications.size(); ++i)
    if (world_->publications[i].peer == self_)
      engine.schedule(self_, world_->publications[i].at, message(kind_publish, i));
  for (std::size_t i = 0; i < world_->flood.size(); ++i)
    if (world_->flood[i].peer == self_)
      engine.schedule(self_, world_->flood[i].at, message(kind_flood, i));
}

void PeerProcess::handle(const Event& event, Context& context) {
  const RandScope scope(rand_);
  if (Calls::owns(event)) {
    calls_.handle(event, context);
    return pump(context);
  }
  switch (event.kind) {
    case kind_crash:
      return crash(world_->crashes[self_][event.a].down, context);
    case kind_restart:
      return restart(context);
    case kind_split:
      return split(context);
    case kind_disk:
      if (faces_[event.a]->epoch == event.b) commit(event.a, context);
      return;
    case kind_timer: {
      Face& face = *faces_[event.a];
      if (!face.peer || face.timer != event.b) return;
      face.armed.reset();
      face.peer->handle_timeout(context.now());
      return pump(context);
    }
    case kind_publish:
      return publish_own(event.a, context);
    case kind_flood:
      return publish_flood(event.a, context);
    default:
      AMS_ASSERT(false && "an event kind that this process never schedules");
  }
}

// --- its life -----------------------------------------------------------------------------------

/// A twin for half of the peers: each face knows one half. One for clients: it talks to no peer.
std::vector<std::string> PeerProcess::peers_of(std::size_t face) const {
  std::vector<std::string> out;
  if (!split_) {
    for (const LpId lp : world_->told[self_]) out.push_back(world_->names[lp]);
    return out;
  }
  for (LpId lp = 0; lp < world_->peer_count(); ++lp)  // a liar knows everybody
    if (lp != self_ && face_of(lp) == face) out.push_back(world_->names[lp]);
  return out;
}

std::size_t PeerProcess::face_of(LpId asker) const {
  if (!split_) return 0;
  const bool client = asker >= world_->peer_count();
  for (const TwinSpec& twin : world_->scenario.twins)
    if (static_cast<LpId>(twin.peer) == self_)
      return twin.shown_to == "half" ? (client ? 0 : (asker + (asker > self_)) % 2)
                                     : (client ? 1 : 0);
  return 0;
}

void PeerProcess::start(std::size_t number, Instant now) {
  Face& face = *faces_[number];
  directory::PeerOptions options;
  options.domain = world_->names[self_];
  options.full = true;
  options.peers = peers_of(number);
  options.exchange = world_->scenario.exchange && !split_;
  stream(world_->scenario.seed, self_, PeerDraw::trials).fill(0, options.exchange_secret);
  options.quota = world_->scenario.passes_floods(self_) ? std::numeric_limits<std::int32_t>::max()
                                                        : world_->scenario.quota;
  options.interval = std::chrono::seconds{world_->scenario.interval_s};
  face.peer = std::make_unique<directory::Peer>(std::move(options), &world_->ops[self_].signing,
                                                face.disk, now);
}

/// Both go on from what was durable, and from there each on its own: a key is published that only
/// one of them takes in at first, so that the next epochs of the two logs differ.
void PeerProcess::split(Context& context) {
  if (!faces_[0]->peer) return;
  Face& first = *faces_[0];
  AMS_ASSERT(first.disk.commit().has_value());
  split_ = true;
  for (const TwinSpec& twin : world_->scenario.twins)
    sizes_apart_ = sizes_apart_ || (static_cast<LpId>(twin.peer) == self_ && twin.sizes == "apart");
  faces_.push_back(std::make_unique<Face>());
  faces_[1]->disk = first.disk;
  keep_refusals(*first.peer);
  first.waiting.clear();
  first.commit_scheduled = false;
  ++first.epoch;
  asked_.clear();
  for (std::size_t face = 0; face < 2; ++face) start(face, context.now());
  for (std::size_t face = 0; face < 2; ++face) {
    const keys::KeyPair own = modern_pair(
        stream(world_->scenario.seed, (std::uint64_t{face} << 32) + self_, PeerDraw::flood),
        key_times());
    auto published =
        faces_[face]->peer->publish(wire::Object{{"records", wire::Array{own.record.value()}}},
                                    world_->names[self_], context.now());
    AMS_ASSERT(published.has_value());
    apply(*faces_[face], published->writes, {}, context);
  }
  pump(context);
}

void PeerProcess::crash(Duration down, Context& context) {
  Face& face = *faces_[0];
  if (!face.peer || split_) return;
  keep_refusals(*face.peer);
  face.peer.reset();
  face.disk.crash();
  face.waiting.clear();
  face.commit_scheduled = false;
  face.armed.reset();
  ++face.epoch;
  ++face.timer;
  asked_.clear();
  calls_.crash(context);
  ledger_.life.emplace_back(context.now(), false);
  context.schedule(down, message(kind_restart));
}

void PeerProcess::restart(Context& context) {
  if (faces_[0]->peer) return;
  if (!calls_.up()) calls_.restart();
  look_at_disk(context.now());
  ledger_.life.emplace_back(context.now(), true);
  start(0, context.now());
  pump(context);
}

// --- asked and asking ---------------------------------------------------------------------------

void PeerProcess::serve(Calls::Served served, Context& context) {
  const bool client = served.from >= world_->peer_count();
  Face& face = *faces_[face_of(served.from)];
  if (!face.peer) return;
  const auto failing = static_cast<std::uint32_t>(world_->scenario.failing_permille * 1'000);
  if (!client &&
      stream(world_->scenario.seed, self_, PeerDraw::failing).bernoulli_ppm(judged_++, failing)) {
    ++ledger_.failed_on_purpose;
    return calls_.reset(served.conn, context);
  }
  const std::string from =
      client ? "client" + std::to_string(served.from) + ".example" : world_->names[served.from];
  if (world_->scenario.withholds(self_)) leave_out_revocations(served.request.args);
  const wire::Request& request = served.request;
  const auto refuse = [&](const Error& error) {
    calls_.answer(served.conn, request.id, tl::unexpected<Error>(error), context);
  };
  if (const auto admitted = face.peer->admit(from, context.now()); !admitted)
    return refuse(admitted.error());
  if (request.op == "directory.peers")
    return calls_.answer(served.conn, request.id,
                         world_->scenario.crowd_of(static_cast<std::int64_t>(self_)) != nullptr
                             ? Result<wire::Value>(crowd_names())
                             : face.peer->peers(request.args, context.now()),
                         context);
  if (request.op == "directory.compare")
    return calls_.answer(served.conn, request.id,
                         face.peer->compare(request.args, from, context.now()), context);
  if (request.op != "directory.publish" && request.op != "directory.gossip") {
    auto answer = read(*face.peer, request);
    if (answer && request.op == "directory.consistency") hide_size(face_of(served.from), *answer);
    return calls_.answer(served.conn, request.id, std::move(answer), context);
  }
  const crypto::VerifyKey* const op = client ? nullptr : &world_->ops[served.from].record.signing();
  auto answered = request.op == "directory.publish"
                      ? face.peer->publish(request.args, from, context.now(), op)
                      : face.peer->gossip(request.args, from, op, context.now());
  if (!answered) return refuse(answered.error());
  if (request.op == "directory.gossip") {
    hide_size(face_of(served.from), answered->answer);
    note_shown(face_of(served.from), answered->answer, context.now());
  }
  apply(face, answered->writes,
        {{}, std::pair(served.conn, request.id), {}, std::move(answered->answer)}, context);
}

/// A liar whose faces never sign one size: it keeps back what would.
void PeerProcess::hide_size(std::size_t face, wire::Value& message) const {
  const wire::Value* note = message.find("checkpoint");
  if (!sizes_apart_ || note == nullptr) return;
  const auto said = verifiable::read_unverified(note->as_string());
  if (!said || said->size % 2 == face) return;
  wire::Object& members = message.as_object();
  members.erase("checkpoint");
  if (members.erase("first") > 0) members.erase("proof");  // of its own gossip; answers keep theirs
}

void PeerProcess::note_shown(std::size_t face, const wire::Value& message, Instant now) {
  if (split_ && message.find("checkpoint") != nullptr) ledger_.shown.push_back({now, face});
}

Result<wire::Value> PeerProcess::read(directory::Peer& peer, const wire::Request& request) const {
  const std::string& op = request.op;
  if (op == "directory.get") return peer.get(request.args);
  if (op == "directory.card") return peer.card(request.args);
  if (op == "directory.entries") return peer.entries(request.args);
  if (op == "directory.reconcile") return peer.reconcile(request.args);
  if (op == "directory.consistency") return peer.consistency(request.args);
  if (op == "directory.proof") return peer.proof(request.args);
  if (op == "directory.head") return peer.head();
  return fail(Code::unsupported, "op");
}

void PeerProcess::take_outcome(Calls::Outcome outcome, Context& context) {
  auto asked = asked_.extract(outcome.token);
  if (asked.empty()) return;
  const auto [face, cookie] = asked.mapped();
  if (world_->scenario.withholds(self_) && outcome.value) leave_out_revocations(*outcome.value);
  ledger_.unanswered += !outcome.value && outcome.value.error().code == Code::peer_unreachable;
  if (!faces_[face]->peer) return;
  const bool reached = outcome.value || outcome.value.error().code != Code::peer_unreachable;
  if (reached)
    faces_[face]->peer->handle_reached(world_->names[outcome.peer],
                                       world_->address_of(outcome.peer));
  faces_[face]->peer->handle_reply(cookie, outcome.value,
                                   &world_->ops[outcome.peer].record.signing(), context.now());
}

/// As one of the domain's own users: what is due is asked for when the peer is up.
void PeerProcess::publish_own(std::size_t number, Context& context) {
  if (!faces_[0]->peer)
    return context.schedule(std::chrono::seconds{1}, message(kind_publish, number));
  const Publication& one = world_->publications[number];
  auto published = faces_[0]->peer->publish(wire::Object{{"records", wire::Array{one.object}}},
                                            world_->names[self_], context.now());
  ledger_.publications.push_back({number, {}, {}});
  PublicationEnd& end = ledger_.publications.back();
  if (!published) {
    end.refused = std::string(code_info(published.error().code).name);
    return;
  }
  end.refused = code_of(published->answer);
  Waiting waiting;
  if (end.refused.empty()) waiting.publication = ledger_.publications.size() - 1;
  apply(*faces_[0], published->writes, std::move(waiting), context);
  pump(context);
}

/// A liar's own peer believes whatever key it is told to be the granting domain's.
Result<directory::Peer::Answered> PeerProcess::flood(directory::Peer& peer, const FloodItem& item,
                                                     Instant now) const {
  wire::Object args{{"records", wire::Array{item.object}}};
  if (item.granted_by.empty()) return peer.publish(wire::Value(std::move(args)), flood_domain, now);
  const keys::KeyPair& op = world_->ops[self_];
  const auto granted = directory::make_grant(
      item.granted_by, std::vector<Hash>{directory::fp_of_record(item.object)}, op.signing);
  AMS_ASSERT(granted.has_value());
  args.emplace("grants", wire::Array{granted->grant});
  args.emplace("vouchers", wire::Array{directory::voucher_text({0, granted->places.front()})});
  return peer.publish(wire::Value(std::move(args)), item.granted_by, now, &op.record.signing());
}

void PeerProcess::publish_flood(std::size_t number, Context& context) {
  Face& face = *faces_[0];
  if (!face.peer) return;
  const auto answered = [&]() -> std::string {
    const auto admitted = face.peer->admit(flood_domain, context.now());
    if (!admitted) return std::string(code_info(admitted.error().code).name);
    auto published = flood(*face.peer, world_->flood[number], context.now());
    if (!published) return std::string(code_info(published.error().code).name);
    apply(face, published->writes, {}, context);
    const std::string code = code_of(published->answer);
    return code.empty() ? "taken" : code;
  };
  ++ledger_.flood_answers[answered()];
  pump(context);
}

// --- effects ------------------------------------------------------------------------------------

void PeerProcess::apply(Face& face, const storage::WriteBatch& batch, Waiting waiting,
                        Context& context) {
  AMS_ASSERT(face.disk.apply(batch).has_value());
  watch(face, batch, context.now());
  face.waiting.push_back(std::move(waiting));
  if (face.commit_scheduled) return;
  face.commit_scheduled = true;
  const std::size_t number = &face == faces_[0].get() ? 0 : 1;
  context.schedule(std::chrono::milliseconds{world_->scenario.commit_ms},
                   message(kind_disk, number, face.epoch));
}

void PeerProcess::commit(std::size_t number, Context& context) {
  Face& face = *faces_[number];
  face.commit_scheduled = false;
  AMS_ASSERT(face.disk.commit().has_value());
  for (Waiting& done : std::exchange(face.waiting, {})) {
    if (done.ticket) face.peer->handle_written(*done.ticket, {});
    if (done.asked)
      calls_.answer(done.asked->first, done.asked->second, std::move(done.answer), context);
    if (done.publication) ledger_.publications[*done.publication].acknowledged = context.now();
  }
  pump(context);
}

void PeerProcess::pump(Context& context) {
  for (bool moved = true; moved;) {
    moved = false;
    while (auto served = calls_.poll_served()) serve(std::move(*served), context);
    while (auto outcome = calls_.poll_outcome()) take_outcome(std::move(*outcome), context);
    for (std::size_t number = 0; number < faces_.size(); ++number) {
      Face& face = *faces_[number];
      if (!face.peer) continue;
      while (auto write = face.peer->poll_write()) {
        moved = true;
        apply(face, write->batch, {write->ticket, {}, {}, {}}, context);
      }
      while (auto ask = face.peer->poll_ask()) {
        moved = true;
        ++ledger_.asked_by_op[ask->op];
        if (ask->op == "directory.gossip") {
          hide_size(number, ask->args);
          note_shown(number, ask->args, context.now());
        }
        const auto peer = world_->by_name.find(ask->domain);
        if (peer == world_->by_name.end()) {  // nobody has such a name
          face.peer->handle_reply(ask->cookie, fail(Code::peer_unreachable, "sim"), nullptr,
                                  context.now());
          continue;
        }
        const std::uint64_t token = next_token_++;
        asked_.emplace(token, std::pair(number, ask->cookie));
        calls_.ask(peer->second, token, ask->op, ask->args, context);
      }
    }
  }
  for (std::size_t number = 0; number < faces_.size(); ++number)
    if (faces_[number]->peer) arm(number, context);
}

void PeerProcess::arm(std::size_t number, Context& context) {
  Face& face = *faces_[number];
  auto due = face.peer->timeout();
  if (due && *due <= context.now()) due = context.now() + tick_min;  // never twice in one instant
  if (due == face.armed) return;
  face.armed = due;
  ++face.timer;
  if (due) context.schedule(*due - context.now(), message(kind_timer, number, face.timer));
}

// --- what is watched ----------------------------------------------------------------------------

void PeerProcess::watch(const Face& face, const storage::WriteBatch& batch, Instant now) {
  const std::size_t number = &face == faces_[0].get() ? 0 : 1;
  for (const storage::Put& put : batch.puts) {
    if (put.table == directory::table_epochs && split_)
      ledger_.faces.push_back({now, number, read_u64(put.key), put.value});
    if (number != 0) continue;
    if (put.table == directory::table_values) {
      const Id16 kid = *to_array<16>(put.key);
      const Hash value = *to_array<32>(put.value);
      held_[kid] = value;
      ledger_.changes.push_back({now, kid, value});
    } else if (put.table == directory::table_evicted) {
      const std::string_view text = as_text(put.value);
      ledger_.evictions.push_back(
          {now, to_string(put.key), std::string(text.substr(text.find('\n') + 1))});
    } else if (put.table == directory::table_lineage) {
      watch_card(put.key, put.value, now);
    } else if (put.table == directory::table_learned) {
      watch_learned(to_string(put.key), true, now);
    }
  }
  if (number != 0) return;
  for (const storage::Erase& erase : batch.erases)
    if (erase.table == directory::table_learned) watch_learned(to_string(erase.key), false, now);
}

void PeerProcess::watch_learned(const std::string& domain, bool in, Instant now) {
  const bool change = in ? learned_.insert(domain).second : learned_.erase(domain) > 0;
  if (change) ledger_.learned.push_back({now, domain, in});
}

/// What one of a crowd says when it is asked whom it knows: the others of its hand, by turns.
wire::Value PeerProcess::crowd_names() {
  const CrowdSpec* crowd = world_->scenario.crowd_of(static_cast<std::int64_t>(self_));
  const auto number = static_cast<std::size_t>(crowd - world_->scenario.crowds.data());
  const auto& members = world_->crowds[number];
  wire::Array out;
  for (std::size_t i = 0; i < std::min(directory::peers_told_max, members.size()); ++i)
    out.push_back(wire::Object{{"domain", world_->names[members[next_named_++ % members.size()]]}});
  return wire::Object{{"peers", std::move(out)}};
}

/// Who holds an erasure must not take the card again that it erased.
void PeerProcess::watch_card(ByteView key, ByteView value, Instant now) {
  if (!is_card(value)) return;
  const Id16 kid = *to_array<16>(key.first(16));
  if (!is_personal(value)) {
    erased_.insert(kid);
  } else if (erased_.contains(kid)) {
    ledger_.resurrections.push_back({now, kid});
  }
}

/// After a crash: what was not durable is not held any more.
void PeerProcess::look_at_disk(Instant now) {
  std::map<Id16, Hash> found;
  std::set<Id16> erased;
  const store::MemoryStorage& disk = faces_[0]->disk;
  const auto value = [&](ByteView kid, ByteView hash) {
    found.emplace(*to_array<16>(kid), *to_array<32>(hash));
    return true;
  };
  const auto lineage = [&](ByteView key, ByteView object) {
    if (is_card(object) && !is_personal(object)) erased.insert(*to_array<16>(key.first(16)));
    return true;
  };
  AMS_ASSERT(disk.scan(directory::table_values, {}, {}, value).has_value());
  AMS_ASSERT(disk.scan(directory::table_lineage, {}, {}, lineage).has_value());
  for (const auto& [kid, hash] : held_)
    if (!found.contains(kid)) ledger_.changes.push_back({now, kid, std::nullopt});
  for (const auto& [kid, hash] : found)
    if (const auto at = held_.find(kid); at == held_.end() || at->second != hash)
      ledger_.changes.push_back({now, kid, hash});
  std::set<std::string> learned;
  const auto peer = [&](ByteView domain, ByteView) {
    learned.insert(to_string(domain));
    return true;
  };
  AMS_ASSERT(disk.scan(directory::table_learned, {}, {}, peer).has_value());
  for (const std::string& domain : std::set<std::string>(learned_))
    if (!learned.contains(domain)) watch_learned(domain, false, now);
  for (const std::string& domain : learned) watch_learned(domain, true, now);
  held_ = std::move(found);
  erased_ = std::move(erased);
}

void PeerProcess::keep_refusals(const directory::Peer& peer) {
  const directory::Stats stats = peer.stats();
  for (const auto& [code, count] : stats.refused)
    ledger_.refused[std::string(code_info(code).name)] += count;
}

void PeerProcess::look_at_collisions() {
  const std::size_t first = static_cast<std::size_t>(world_->scenario.keys) +
                            2 * static_cast<std::size_t>(world_->scenario.apart);
  for (std::size_t i = 0; i < world_->scenario.collisions.size(); ++i) {
    const Id16 kid = world_->owners[first + 2 * i].record.id().kid;
    const auto got = faces_[0]->peer->get(wire::Object{{"kid", to_uuid_text(kid)}});
    ledger_.colliding[kid] = got ? "given out" : std::string(code_info(got.error().code).name);
    const auto entries = faces_[0]->peer->entries(
        wire::Object{{"kids", wire::Array{wire::Value(to_uuid_text(kid))}}});
    AMS_ASSERT(entries.has_value());
    ledger_.fps[kid] = entries->find("entries")->as_array().at(0).as_array().size();
  }
}

const PeerLedger& PeerProcess::finish() {
  if (faces_[0]->peer) {
    keep_refusals(*faces_[0]->peer);
    const directory::Stats stats = faces_[0]->peer->stats();
    ledger_.keys = stats.keys;
    ledger_.root = stats.root;
    look_at_collisions();
  }
  const auto lineage = [&](ByteView key, ByteView object) {
    if (erased_.contains(*to_array<16>(key.first(16))) && is_personal(object))
      ledger_.mentions_personal_data = true;
    return true;
  };
  AMS_ASSERT(faces_[0]->disk.scan(directory::table_lineage, {}, {}, lineage).has_value());
  ledger_.net = calls_.stats();
  return ledger_;
}

}  // namespace ams::sim
