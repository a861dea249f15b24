// PeerProcess: one logical process = one directory peer: the reference's peer on a simulated disk,
// asked and asking over simulated connections. It performs what the peer gives out, watches the
// rows that it writes, and decides nothing of the protocol.
//
// A peer with a twin runs two of them under one key from some time on, each an honest peer of its
// own: the split view of a directory that shows its look-ups, or half of the peers, another world.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "directory/peer.h"
#include "sim_directory/calls.h"
#include "sim_directory/ledger.h"
#include "sim_directory/world.h"
#include "sim_engine/engine.h"
#include "store/memory.h"

namespace ams::sim {

class PeerProcess final : public Process {
 public:
  PeerProcess(std::shared_ptr<const DirectoryWorld> world, LpId self);
  void plan(Engine& engine);
  void handle(const Event& event, Context& context) override;
  /// After the run.
  const PeerLedger& finish();

 private:
  enum Kind : std::uint32_t {
    kind_crash = 0x10,  // a: number of the crash
    kind_restart = 0x11,
    kind_split = 0x12,
    kind_disk = 0x400,   // a: face, b: epoch
    kind_timer = 0x401,  // a: face, b: generation
    kind_publish = 0x402,
    kind_flood = 0x403,
  };
  struct Waiting {                                         // for its writes to be durable
    std::optional<std::uint64_t> ticket;                   // of the peer itself
    std::optional<std::pair<ConnId, std::int64_t>> asked;  // of who asked
    std::optional<std::size_t> publication;
    wire::Value answer;
  };
  struct Face {
    store::MemoryStorage disk;
    std::unique_ptr<directory::Peer> peer;
    std::vector<Waiting> waiting;
    bool commit_scheduled = false;
    std::uint64_t epoch = 0, timer = 0;
    std::optional<Instant> armed;
  };

  std::vector<std::string> peers_of(std::size_t face) const;
  std::size_t face_of(LpId asker) const;
  void start(std::size_t face, Instant now);
  void split(Context& context);
  void crash(Duration down, Context& context);
  void restart(Context& context);
  void serve(Calls::Served served, Context& context);
  Result<wire::Value> read(directory::Peer& peer, const wire::Request& request) const;
  void take_outcome(Calls::Outcome outcome, Context& context);
  void publish_own(std::size_t number, Context& context);
  void publish_flood(std::size_t number, Context& context);
  Result<directory::Peer::Answered> flood(directory::Peer& peer, const FloodItem& item,
                                          Instant now) const;
  void apply(Face& face, const storage::WriteBatch& batch, Waiting waiting, Context& context);
  void commit(std::size_t face, Context& context);
  void hide_size(std::size_t face, wire::Value& message) const;
  void note_shown(std::size_t face, const wire::Value& message, Instant now);
  void pump(Context& context);
  void arm(std::size_t face, Context& context);
  void watch(const Face& face, const storage::WriteBatch& batch, Instant now);
  void watch_learned(const std::string& domain, bool in, Instant now);
  wire::Value crowd_names();
  void watch_card(ByteView key, ByteView value, Instant now);
  void look_at_collisions();
  void look_at_disk(Instant now);
  void keep_refusals(const directory::Peer& peer);

  std::shared_ptr<const DirectoryWorld> world_;
  LpId self_;
  Calls calls_;
  RandomSequence rand_;
  std::vector<std::unique_ptr<Face>> faces_;
  bool split_ = false;
  bool sizes_apart_ = false;  // of the two faces' checkpoints that are shown
  std::uint64_t next_token_ = 1;
  std::map<std::uint64_t, std::pair<std::size_t, std::uint64_t>> asked_;  // token -> face, cookie
  std::uint64_t judged_ = 0;  // requests so far, for the draw of those that fail
  std::map<Id16, Hash> held_;
  std::set<Id16> erased_;
  std::set<std::string> learned_;
  std::size_t next_named_ = 0;  // of its crowd
  PeerLedger ledger_;
};

}  // namespace ams::sim
