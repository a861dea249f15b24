// Targets: a restart with 10^6 keys in 5 s; 1,000 differences among 10^6 keys repaired with at most
// 8 messages and 0.5 MB; proofs of at most 660 bytes in the mean at 10^6 keys.
#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "directory_bench/tables.h"
#include "directory_bench/world.h"
#include "paired/stats.h"
#include "store/memory.h"
#include "store/sqlite.h"

namespace ams::directory_bench {
namespace {

using paired::Contestant;
using paired::Operation;
using paired::Row;
using paired::Table;

std::string file_of(const std::string& folder, std::int64_t size) {
  const std::string path = folder + "/held" + std::to_string(size) + ".db";
  if (!std::filesystem::exists(path)) {
    auto store = store::SqliteStorage::open(path);
    must(store.has_value(), "SQLite");
    hold_values(**store, size);
  }
  return path;
}

directory::PeerOptions peer_options(const char* domain, std::vector<std::string> peers) {
  return {.domain = domain, .full = true, .peers = std::move(peers)};
}

/// From opening the file to the first answer with a root.
void restart(const std::string& path) {
  auto store = store::SqliteStorage::open(path);
  must(store.has_value(), "SQLite");
  const directory::Peer peer(peer_options("a.example", {}), nullptr, **store, Instant{});
  must(peer.head().has_value(), "head");
}

Table restart_table(const std::string& folder) {
  Table out{"restart",
            "Coming back",
            "From opening the file (SQLite) to the first answer with a root. By the wall clock.",
            "keys held",
            "",
            {},
            {{target_size, "ams", "", 0.2, "restart with 10⁶ keys: at least 0.2/s (5 s)"}}};
  for (const std::int64_t size : sizes) {
    Row row;
    row.x = size;
    row.clock = paired::Clock::wall;
    row.rounds_max = 3;
    row.contestants = [=] {
      return std::vector<Contestant>{
          {"ams", [=] { return [path = file_of(folder, size)] { restart(path); }; }}};
    };
    out.rows.push_back(std::move(row));
  }
  return out;
}

struct Traffic {
  std::size_t messages = 0, bytes = 0;
};

/// Two peers of `size` keys, one of which lacks 1,000.
struct Apart {
  store::MemoryStorage ours, theirs;
  std::unique_ptr<directory::Peer> other;
  explicit Apart(std::int64_t size) {
    hold_values(ours, size);
    hold_values(theirs, size, size / 1'000);
    other = std::make_unique<directory::Peer>(peer_options("b.example", {}), nullptr, theirs,
                                              Instant{});
    must(other->head().has_value(), "head");
  }
};

/// One whole comparison; what is missing there is pushed, and none of the cost.
Traffic compare(const Apart& apart, directory::Peer& peer) {
  Traffic out;
  while (auto ask = peer.poll_ask()) {
    if (ask->op == "directory.publish") {
      peer.handle_reply(ask->cookie, fail(Code::peer_unreachable), nullptr, Instant{});
      continue;
    }
    Result<wire::Value> answer = wire::Value(wire::Object{{"root", to_base64url(Hash{})}});
    if (ask->op == "directory.reconcile") answer = apart.other->reconcile(ask->args);
    must(answer.has_value(), "reconcile");
    ++out.messages;
    out.bytes += wire::encode(ask->args).size() + wire::encode(*answer).size();
    peer.handle_reply(ask->cookie, answer, nullptr, Instant{});
  }
  return out;
}

Operation repairing(std::int64_t size) {
  auto apart = std::make_shared<Apart>(size);
  auto peer = std::make_shared<directory::Peer>(peer_options("a.example", {"b.example"}), nullptr,
                                                apart->ours, Instant{});
  must(peer->head().has_value(), "head");
  return [=, now = Instant{}]() mutable {
    now += directory::reconcile_interval;
    peer->handle_timeout(now);
    compare(*apart, *peer);
  };
}

Table repair_table() {
  Table out{"repair",
            "Comparing with a peer that lacks 1,000 keys",
            "Both machines' work until every difference is found, with their messages as text.",
            "keys held",
            "",
            {},
            {}};
  for (const std::int64_t size : sizes) {
    Row row;
    row.x = size;
    row.contestants = [=] {
      return std::vector<Contestant>{{"ams", [=] { return repairing(size); }}};
    };
    out.rows.push_back(std::move(row));
  }
  return out;
}

Traffic repair_traffic(std::int64_t size) {
  const Apart apart(size);
  directory::Peer peer(peer_options("a.example", {"b.example"}), nullptr, apart.ours, Instant{});
  peer.handle_timeout(Instant{} + directory::reconcile_interval);
  return compare(apart, peer);
}

/// Of a process of its own, so that nothing of what this one has freed is used again.
std::int64_t resident_of_peer(const std::string& path) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  FILE* out = popen(("'" + self + "' resident '" + path + "'").c_str(), "r");
  must(out != nullptr, "popen");
  long long bytes = -1;
  const int read = std::fscanf(out, "%lld", &bytes);
  must(pclose(out) == 0 && read == 1, "the peer that was started for its memory");
  return bytes;
}

/// Of 10,000 of the keys.
double mean_proof(std::int64_t size) {
  store::MemoryStorage store;
  hold_values(store, size);
  const directory::Holdings held(store);
  const verifiable::Map& map = **held.map();
  const std::int64_t every = size / 10'000;
  std::int64_t at = 0, proofs = 0;
  std::size_t bytes = 0;
  const auto visit = [&](ByteView key, ByteView) {
    if (at++ % every != 0) return true;
    Id16 kid{};
    std::copy_n(key.begin(), kid.size(), kid.begin());
    bytes += map.prove(kid).size();
    ++proofs;
    return true;
  };
  must(store.scan(directory::table_values, {}, {}, visit).has_value(), "scan");
  return static_cast<double>(bytes) / static_cast<double>(proofs);
}

/// What 32 (log2 n + 0.33) + 5 gives: the fit of the design, to compare with.
double fitted_proof(std::int64_t size) {
  return 32 * (std::log2(static_cast<double>(size)) + 0.33) + 5;
}

}  // namespace

std::int64_t resident_bytes(const std::string& path) {
  const auto now = [] {
    std::int64_t pages = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    return resident * sysconf(_SC_PAGESIZE);
  };
  const std::int64_t before = now();
  auto store = store::SqliteStorage::open(path);
  must(store.has_value(), "SQLite");
  const directory::Peer peer(peer_options("a.example", {}), nullptr, **store, Instant{});
  must(peer.head().has_value(), "head");
  return now() - before;
}

std::vector<Table> state_tables(const std::string& folder) {
  return {restart_table(folder), repair_table()};
}

std::vector<std::pair<std::string, std::string>> counted(const std::string& folder) {
  std::vector<std::pair<std::string, std::string>> out;
  std::vector<double> x, grown;
  for (const std::int64_t size : sizes) {
    const auto bytes = static_cast<double>(resident_of_peer(file_of(folder, size)));
    const Traffic traffic = repair_traffic(size);
    x.push_back(static_cast<double>(size));
    grown.push_back(bytes);
    out.emplace_back(
        fmt::format("{} keys", size),
        fmt::format("a peer over SQLite grows by {:.0f} MB, {:.0f} bytes a key; a proof has {:.0f} "
                    "bytes in the mean ({:.0f} by 32 (log2 n + 0.33) + 5); 1,000 differences take "
                    "{} messages of {:.0f} kB together",
                    bytes / 1e6, bytes / x.back(), mean_proof(size), fitted_proof(size),
                    traffic.messages, static_cast<double>(traffic.bytes) / 1e3));
  }
  out.emplace_back("memory grows as",
                   fmt::format("keys^{:.2f}", paired::fitted_exponent(x, grown)));
  return out;
}

}  // namespace ams::directory_bench
