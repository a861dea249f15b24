// Core: what the parts of a client share: options, storage, entropy, the time of the input being
// handled, and the effects and reports it gives. Commits come back here and go to who asked.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/instant.h"
#include "bindlog/labels.h"
#include "client/client.h"
#include "client/tables.h"
#include "crypto/crypto.h"
#include "machine/machine.h"
#include "storage/storage.h"

namespace ams::client {

inline constexpr Duration backoff_first = std::chrono::seconds{1};
inline constexpr Duration backoff_max = std::chrono::minutes{5};

struct OwnedReport {
  Report report;
  std::optional<std::int64_t> uid;  // of the mailbox row that is told with it
};

struct Core {
  using Durable = std::function<void(const Result<>&)>;

  Core(Options given, const storage::Reader& storage, ByteView seed32, Instant start)
      : options(std::move(given)), reader(storage), drbg(seed32), now(start) {}

  void emit(machine::Effect effect) { effects.push_back(std::move(effect)); }
  void tell(Report report, std::optional<std::int64_t> uid = {}) {
    reports.push_back(OwnedReport{std::move(report), uid});
  }
  void log(machine::Log::Level level, std::string what) {
    emit(machine::Log{level, std::move(what)});
  }

  /// `then` is called once, when the batch is durable or was undone.
  void commit(storage::WriteBatch batch, Durable then) {
    const machine::BatchId id = next_batch++;
    commits.emplace(id, std::move(then));
    emit(machine::Commit{id, std::move(batch)});
  }

  /// 1 s × 2^attempt up to 5 min, of which the upper half is chance: clients do not come in step.
  Duration backoff(int attempt) {
    const Duration full = std::min(backoff_max, backoff_first * (1 << std::min(attempt, 9)));
    const auto half = static_cast<std::uint64_t>(full.count() / 2);
    return full - Duration{static_cast<Duration::rep>(drbg.u64() % (half + 1))};
  }

  std::optional<Bytes> row(storage::Table table, ByteView key) const {
    auto found = reader.get(table, key);
    return found ? *found : std::nullopt;
  }
  std::optional<Bytes> row(storage::Table table, std::string_view key) const {
    return row(table, as_bytes(key));
  }

  Options options;
  const storage::Reader& reader;
  crypto::Drbg drbg;
  bindlog::Labels labels;  // of binding logs, verified
  Instant now;
  bool again = false;  // something changed that other parts may act on
  std::deque<machine::Effect> effects;
  std::deque<OwnedReport> reports;
  std::map<machine::BatchId, Durable> commits;
  machine::BatchId next_batch = 1;
};

/// The earlier of two times, where empty is never.
inline std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a) return b;
  if (!b) return a;
  return std::min(*a, *b);
}

inline bool is_temporary(const Error& why) { return code_info(why.code).temporary; }

}  // namespace ams::client
