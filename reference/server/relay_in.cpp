// relay.deliver: the steps, and relay.status (REL).
#include <algorithm>

#include "policy/mutant.h"
#include "server/deliver_job.h"
#include "wire/address.h"

namespace ams::server {

Result<> Core::op_deliver(const Asked& to, Conn& conn, const wire::Value& args) {
  if (conn.deliveries.size() >= deliver_waiting_max || deliver_jobs_ >= deliver_jobs_max)
    return fail(Code::too_many_requests, "relay.deliver");
  if (!conn.session.peer_chain()) return fail(Code::wrong_role, "relay.deliver");
  auto job = std::make_shared<DeliverJob>();
  job->to = to;
  job->sdom = conn.domain;
  job->sender = conn.session.peer_chain();
  AMS_TRY(job->deliveries, read_deliveries(args, options_.limits.batch));
  ++deliver_jobs_;
  conn.deliveries.push_back(job);
  if (conn.deliveries.size() == 1) job_start(job);
  return {};
}

void Core::job_start(const std::shared_ptr<DeliverJob>& job) {
  judge(*job);
  job_keys(job);
}

void Core::job_keys(const std::shared_ptr<DeliverJob>& job) {
  job->waiting = 1;
  for (std::size_t i = 0; i < job->deliveries.size(); ++i) {
    auto& delivery = job->deliveries[i];
    if (!delivery.open()) continue;
    if (delivery.key) {
      judge_record(*job, i, *delivery.key);
      continue;
    }
    if (const auto record = record_of(delivery.header.sender)) {
      judge_record(*job, i, record->value());
      continue;
    }
    ++job->waiting;
    fetch_record(delivery.header.sender.kid, [this, job, i](const Outcome& outcome) {
      if (job->over) return;
      const wire::Value* record = outcome.value ? outcome.value->find("record") : nullptr;
      judge_record(*job, i, record ? Result<wire::Value>(*record) : outcome.value);
      if (--job->waiting > 0) return;
      job_plan(*job);
      job_pull(job);
    });
  }
  if (--job->waiting > 0) return;
  job_plan(*job);
  job_pull(job);
}

/// Keeps blob.get requests under way until all that is needed was answered (REL-2).
void Core::job_pull(const std::shared_ptr<DeliverJob>& job) {
  while (!job->over && job->next_need < job->needs.size() && job->pulled_bytes < flush_bytes) {
    const DeliverJob::Need need = job->needs[job->next_need];
    const bool room =
        job->waiting < pulls_max && job->pulling_bytes + need.len_max <= pull_bytes_max;
    if (job->waiting > 0 && !room) break;
    ++job->next_need;
    ++job->waiting;
    job->pulling_bytes += need.len_max;
    pull(job->to.conn, need.hash, need.len_max, [this, job, need](Result<Bytes> got) {
      if (job->over) return;
      --job->waiting;
      job->pulling_bytes -= need.len_max;
      if (got) {
        job->pulled_bytes += got->size();
        job->pulled.emplace(need.hash, std::move(*got));
      } else {
        const bool wrong =
            got.error().code == Code::blob_hash || got.error().code == Code::transfer;
        job->missing.emplace(need.hash, wrong ? Code::blob_hash : Code::missing_blob);
      }
      later([this, job] { job_pull(job); });
    });
  }
  if (job->over || job->waiting > 0) return;
  if (job->next_need < job->needs.size()) return job_flush(job);
  job_accept(job);
}

/// Stores what was pulled so far, so that a large batch does not stand in memory.
void Core::job_flush(const std::shared_ptr<DeliverJob>& job) {
  Txn txn(reader_);
  const Bytes owner = owner_pulled(job->sdom);
  for (const auto& [hash, bytes] : job->pulled) {
    store_blob(txn, hash, bytes);
    own_blob(txn, hash, owner);
    expire_at(txn, now_ms() + loose_blob_life_ms, table_blob_owner, key_of({hash, owner}));
    job->flushed.insert(hash);
  }
  job->pulled.clear();
  job->pulled_bytes = 0;
  ++job->waiting;
  commit(txn, [this, job](const Result<>& outcome) {
    if (job->over) return;
    --job->waiting;
    if (!outcome) return job_end(job, outcome);
    job_pull(job);
  });
}

void Core::job_accept(const std::shared_ptr<DeliverJob>& job) {
  Txn txn(reader_);
  for (const auto& [hash, bytes] : job->pulled) store_blob(txn, hash, bytes);
  Changed changed;
  for (auto& delivery : job->deliveries) {
    for (const Hash& blob : blobs_of(delivery.header)) {
      const auto gone = job->missing.find(blob);
      if (gone != job->missing.end() && !mutant("server.skip_missing_blob"))
        delivery.refuse_open(gone->second);
    }
    const bool whole =
        !delivery.open() || mutant("server.skip_missing_blob") ||
        txn.get_u64(table_blob_len, delivery.header.body.hash) == delivery.header.body.len;
    if (!whole) delivery.refuse_open(Code::blob_hash);
    const std::string asig = to_base64url(delivery.asig), head = to_base64url(delivery.head);
    std::vector<DeliverJob::Rcpt*> in_order;
    for (auto& rcpt : delivery.rcpts) in_order.push_back(&rcpt);
    std::stable_partition(in_order.begin(), in_order.end(), [&](const DeliverJob::Rcpt* rcpt) {
      return before_groups(txn, rcpt->addr);
    });
    for (DeliverJob::Rcpt* each : in_order) {
      DeliverJob::Rcpt& rcpt = *each;
      if (!rcpt.open()) continue;
      Parcel parcel{&delivery.env,
                    &delivery.header,
                    delivery.ehash,
                    asig,
                    head,
                    delivery.stanzas[rcpt.stanza],
                    {}};
      parcel.vouch = delivery.vouches[rcpt.vouch];
      rcpt.refusal = accept_mail(txn, parcel, rcpt.addr, changed);
    }
  }
  for (const Hash& hash : job->flushed) disown_blob(txn, hash, owner_pulled(job->sdom));
  for (const auto& [hash, bytes] : job->pulled) disown_blob(txn, hash, owner_pulled(job->sdom));
  if (mutant("server.ack_before_durable")) ok(job->to, receipts_of(*job));
  commit(txn, [this, job, changed](const Result<>& outcome) {
    if (outcome) push_changed(changed);
    job_end(job, outcome);
  });
}

/// Answers and makes room for the connection's next request. A connection that is gone gets no
/// answer, what was accepted stays accepted.
void Core::job_end(const std::shared_ptr<DeliverJob>& job, const Result<>& outcome) {
  if (job->over) return;
  job->over = true;
  --deliver_jobs_;
  Conn* conn = find_conn(job->to.conn);
  if (!conn) return;
  if (outcome) {
    for (const auto& delivery : job->deliveries)
      for (const auto& rcpt : delivery.rcpts)
        ++(rcpt.refusal ? stats_.refused_in : stats_.delivered_in);
    ok(job->to, receipts_of(*job));
  } else {
    refuse(job->to, outcome.error(), 60);  // STO-2
  }
  if (!conn->deliveries.empty() && conn->deliveries.front() == job) conn->deliveries.pop_front();
  if (!conn->deliveries.empty())
    later([this, next = conn->deliveries.front()] {
      if (!next->over) job_start(next);
    });
}

Result<> Core::op_status(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "relay.status", wire::ObjectReader::Unknown::ignore_x);
  const Hash ehash = in.bytes<32>("ehash");
  const std::string addr = in.string("addr", 320);
  AMS_CHECK(in.finish());
  AMS_CHECK(wire::parse_address(addr));
  Txn txn(reader_);
  const auto row = txn.get(table_delivered, key_of({ehash, crypto::sha256(as_bytes(addr))}));
  AMS_CHECK(txn.status());
  bool accepted = row && row->size() >= 8;
  if (mutant("server.status_to_nobody")) accepted = false;
  if (accepted && !mutant("server.status_to_anyone"))
    accepted = as_text(ByteView(*row).subspan(8)) == conn.domain;  // REL-13
  answer_stable(to, wire::Object{{"verdict", accepted ? "accepted" : "unknown"}});
  return {};
}

}  // namespace ams::server
