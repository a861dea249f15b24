// The queue of mail for other domains (REL-9, REL-10, STO-3): rows in storage, times in memory.
// One request at a time for each domain; an entry that is neither in work nor done is always due
// some time.
#include <algorithm>

#include "policy/mutant.h"
#include "server/deliver_job.h"

namespace ams::server {
namespace {

constexpr std::int64_t retry_ms = 450'000;  // 7.5 min, REL-9
constexpr std::int64_t doublings_max = 6;

Bytes queue_key(const std::string& rdom, std::uint64_t seq) {
  return key_of({as_bytes(rdom), key_zero, be64(seq)});
}

wire::Value state_value(const QueueState& state) {
  wire::Array done, refused;
  for (const std::int64_t index : state.done) done.emplace_back(index);
  for (const auto& [index, receipt] : state.refused)
    refused.emplace_back(wire::Object{{"rcpt", index}, {"receipt", receipt}});
  return wire::Object{
      {"attempts", state.attempts}, {"done", std::move(done)},       {"exp", state.exp},
      {"next", state.next},         {"refused", std::move(refused)}, {"sent", state.sent}};
}

std::optional<QueueState> read_state(const wire::Value& row) {
  wire::ObjectReader in(row, "queue_state");
  QueueState out;
  out.attempts = in.integer("attempts");
  const wire::Array& done = in.array("done", 4'096);
  out.exp = in.integer("exp");
  out.next = in.integer("next");
  const wire::Array& refused = in.array("refused", 4'096);
  out.sent = in.boolean("sent");
  if (!in.finish()) return std::nullopt;
  for (const wire::Value& index : done) out.done.insert(index.as_integer());
  for (const wire::Value& entry : refused)
    out.refused.emplace(entry.find("rcpt")->as_integer(), *entry.find("receipt"));
  return out;
}

/// The delivery with the recipients that are still to be had.
wire::Value remaining(const wire::Value& delivery, const QueueState& state) {
  wire::Object out = delivery.as_object();
  const wire::Array& all = delivery.find("rcpts")->as_array();
  wire::Array left;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!state.done.contains(static_cast<std::int64_t>(i))) left.push_back(all[i]);
  out.insert_or_assign("rcpts", std::move(left));
  return out;
}

}  // namespace

std::optional<QueueState> Core::queue_state(Txn& txn, const std::string& rdom, std::uint64_t seq) {
  const auto row = txn.get_value(table_queue_state, queue_key(rdom, seq));
  return row ? read_state(*row) : std::nullopt;
}

std::uint64_t Core::queue_add(Txn& txn, const std::string& rdom, const wire::Value& delivery,
                              const std::string& from, const mail::Header& header) {
  const Bytes counter = to_bytes(std::string_view("queue_seq"));
  const std::uint64_t seq = txn.get_u64(table_meta, counter) + 1;
  txn.put(table_meta, counter, key_of({be64(seq)}));
  const Bytes key = queue_key(rdom, seq);
  txn.put_value(table_queue, key, wire::Object{{"delivery", delivery}, {"from", from}});
  QueueState state;
  state.exp = header.exp;
  state.next = now_ms();
  txn.put_value(table_queue_state, key, state_value(state));
  for (const Hash& blob : blobs_of(header)) own_blob(txn, blob, owner_queue(rdom, seq));
  return seq;
}

void Core::queue_erase(Txn& txn, const std::string& rdom, std::uint64_t seq,
                       const wire::Value& row) {
  txn.erase(table_queue, queue_key(rdom, seq));
  txn.erase(table_queue_state, queue_key(rdom, seq));
  const wire::Value* delivery = row.find("delivery");
  const wire::Value* env = delivery ? delivery->find("env") : nullptr;
  if (!env) return;
  if (const auto header = mail::parse_header(*env))
    for (const Hash& blob : blobs_of(*header)) disown_blob(txn, blob, owner_queue(rdom, seq));
}

/// The restart: what was durable goes on as if never stopped (STO-3).
void Core::load_queue() {
  const auto scanned = reader_.scan(table_queue_state, {}, {}, [&](ByteView key, ByteView value) {
    const auto row = wire::decode(value);
    const auto state = row ? read_state(*row) : std::nullopt;
    if (key.size() < 10 || !state) return true;
    const std::string rdom = to_string(key.first(key.size() - 9));
    queue_join(rdom, read_u64(key.last(8)), from_unix_ms(state->next), state->sent, state->sent);
    return true;
  });
  if (!scanned) log(machine::Log::Level::error, "the queue could not be read");
}

// --- the lanes in memory
// -----------------------------------------------------------------------------

void Core::queue_join(const std::string& rdom, std::uint64_t seq, Instant due, bool sent,
                      bool sent_row) {
  Lane& lane = lanes_[rdom];
  lane.entries.emplace(seq, QueueEntry{due, false, sent, sent_row});
  lane.due.emplace(due, seq);
  arm_lane(rdom);
}

void Core::queue_drop(const std::string& rdom, std::uint64_t seq) {
  const auto lane = lanes_.find(rdom);
  if (lane == lanes_.end()) return;
  if (const auto entry = lane->second.entries.find(seq); entry != lane->second.entries.end()) {
    lane->second.due.erase({entry->second.due, seq});
    lane->second.entries.erase(entry);
  }
  if (lane->second.entries.empty() && lane->second.joining == 0 && !lane->second.busy)
    lanes_.erase(lane);
}

/// Out of work: the entry is tried again at `due`.
void Core::queue_due(const std::string& rdom, std::uint64_t seq, Instant due) {
  Lane& lane = lanes_[rdom];
  const auto entry = lane.entries.find(seq);
  if (entry == lane.entries.end()) return;
  lane.due.erase({entry->second.due, seq});
  entry->second.due = due;
  entry->second.in_work = false;
  lane.due.emplace(due, seq);
  arm_lane(rdom);
}

void Core::arm_lane(const std::string& rdom) {
  const auto lane = lanes_.find(rdom);
  if (lane == lanes_.end()) return;
  std::optional<Instant> due;
  if (!lane->second.busy && !lane->second.due.empty() && !shutting_down_)
    due = lane->second.due.begin()->first;
  timers_.arm({TimerKind::lane, 0, rdom}, due);
}

// --- attempts
// ----------------------------------------------------------------------------------------

/// Takes what is due and starts the next request. What it takes leaves lane.due until queue_due or
/// queue_drop.
void Core::pump(const std::string& rdom) {
  const auto at = lanes_.find(rdom);
  if (at == lanes_.end() || at->second.busy || shutting_down_) return;
  Lane& lane = at->second;
  const std::size_t most = lane.singly > 0 ? 1 : static_cast<std::size_t>(options_.limits.batch);
  std::vector<std::uint64_t> batch, expired, unmarked;
  Txn txn(reader_);
  while (!lane.due.empty() && lane.due.begin()->first <= now_ && batch.size() < most) {
    const std::uint64_t seq = lane.due.begin()->second;
    lane.due.erase(lane.due.begin());
    QueueEntry& entry = lane.entries.at(seq);
    entry.in_work = true;
    auto state = queue_state(txn, rdom, seq);
    if (!state) {  // unreadable now: later
      later([this, rdom, seq] { queue_due(rdom, seq, now_ + std::chrono::minutes{1}); });
      continue;
    }
    if (state->exp <= now_ms()) {
      expired.push_back(seq);
      continue;
    }
    batch.push_back(seq);
    if ((entry.sent_row && state->refused.empty()) || local(rdom)) continue;
    // Storage says that it never left, or that its last word was a refusal. Sending ends that:
    // durably, first.
    state->sent = true;
    state->refused.clear();
    txn.put_value(table_queue_state, queue_key(rdom, seq), state_value(*state));
    unmarked.push_back(seq);
  }
  if (lane.singly > 0 && !batch.empty()) --lane.singly;
  for (const std::uint64_t seq : expired) later([this, rdom, seq] { settle_expired(rdom, seq); });
  if (local(rdom)) {
    for (const std::uint64_t seq : batch) later([this, rdom, seq] { settle_local(rdom, seq); });
    return arm_lane(rdom);
  }
  if (batch.empty()) return arm_lane(rdom);
  lane.busy = true;
  if (unmarked.empty()) return send_batch(rdom, std::move(batch));
  commit(txn, [this, rdom, batch, unmarked](const Result<>& outcome) {
    Lane& marked = lanes_[rdom];
    if (outcome) {
      for (const std::uint64_t seq : unmarked) marked.entries.at(seq).sent_row = true;
      return send_batch(rdom, batch);
    }
    marked.busy = false;
    for (const std::uint64_t seq : batch) queue_due(rdom, seq, now_ + std::chrono::minutes{1});
  });
}

void Core::send_batch(const std::string& rdom, std::vector<std::uint64_t> seqs) {
  Txn txn(reader_);
  wire::Array deliveries;
  std::vector<std::uint64_t> going;
  std::size_t size = 0, rcpts = 0;
  for (const std::uint64_t seq : seqs) {
    const auto row = txn.get_value(table_queue, queue_key(rdom, seq));
    const auto state = queue_state(txn, rdom, seq);
    const wire::Value* delivery = row ? row->find("delivery") : nullptr;
    if (!delivery || !state) {
      queue_due(rdom, seq, now_ + std::chrono::minutes{1});
      continue;
    }
    wire::Value rest = remaining(*delivery, *state);
    const std::size_t more = wire::encode(rest).size();
    rcpts += rest.find("rcpts")->as_array().size();
    if (!going.empty() && (size + more > request_bytes_max || rcpts > deliver_rcpts_max)) {
      queue_due(rdom, seq, now_);  // in the next request
      continue;
    }
    size += more + 1;
    deliveries.push_back(std::move(rest));
    going.push_back(seq);
  }
  Lane& lane = lanes_[rdom];
  lane.busy = !going.empty();
  if (going.empty()) return arm_lane(rdom);
  arm_lane(rdom);
  ask(rdom, "relay.deliver", wire::Object{{"deliveries", std::move(deliveries)}},
      [this, rdom, going](const Outcome& outcome) { batch_answered(rdom, going, outcome); });
}

void Core::batch_answered(const std::string& rdom, const std::vector<std::uint64_t>& seqs,
                          const Outcome& outcome) {
  Lane& lane = lanes_[rdom];
  lane.busy = false;
  for (const std::uint64_t seq : seqs)
    if (outcome.sent) lane.entries.at(seq).sent = true;
  const wire::Value* results = outcome.value ? outcome.value->find("results") : nullptr;
  const bool fits = results && results->is_array() && results->as_array().size() == seqs.size();
  if (fits && outcome.chain) {
    for (std::size_t i = 0; i < seqs.size(); ++i)
      settle(rdom, seqs[i], results->as_array()[i], *outcome.chain);
    return arm_lane(rdom);
  }
  // One bad delivery must not hold up the others: a request that was refused as a whole goes again
  // one by one.
  const bool refused = outcome.sent && outcome.chain &&
                       (outcome.value || !code_info(outcome.value.error().code).temporary);
  if (refused && seqs.size() > 1) {
    lane.singly = seqs.size();
    for (const std::uint64_t seq : seqs) queue_due(rdom, seq, now_);
    return;
  }
  Txn txn(reader_);
  for (const std::uint64_t seq : seqs) {
    auto state = queue_state(txn, rdom, seq);
    if (!state) {
      queue_due(rdom, seq, now_ + std::chrono::minutes{1});
      continue;
    }
    if (outcome.sent) state->refused.clear();  // the last answer is not the last word any more
    back_off(txn, rdom, seq, std::move(*state));
  }
  commit(txn,
         [](const Result<>&) {});  // a retry time that is lost makes an early retry, nothing worse
}

/// Next attempt by REL-9, or at exp to say what became of it.
void Core::back_off(Txn& txn, const std::string& rdom, std::uint64_t seq, QueueState state) {
  const auto entry = lanes_[rdom].entries.find(seq);
  if (entry == lanes_[rdom].entries.end()) return;
  const std::int64_t wait =
      (mutant("server.no_retry") ? 100 : 1) * (retry_ms << std::min(state.attempts, doublings_max));
  ++state.attempts;
  ++stats_.retries;
  state.next = std::min(now_ms() + wait, std::max(state.exp, now_ms() + 1));
  state.sent = entry->second.sent;
  entry->second.sent_row = state.sent;
  txn.put_value(table_queue_state, queue_key(rdom, seq), state_value(state));
  queue_due(rdom, seq, from_unix_ms(state.next));
}

}  // namespace ams::server
