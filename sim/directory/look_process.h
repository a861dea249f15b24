// LookProcess: a light client that looks one key up at three peers again and again, and believes
// only what verifies down to a checkpoint that two witnesses cosigned (spec DIR-22).
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "sim_directory/calls.h"
#include "sim_directory/ledger.h"
#include "sim_directory/world.h"
#include "sim_engine/engine.h"
#include "verifiable/checkpoint.h"

namespace ams::sim {

class LookProcess final : public Process {
 public:
  /// `number`: of the scenario's [[look]].
  LookProcess(std::shared_ptr<const DirectoryWorld> world, LpId self, std::size_t number);
  void plan(Engine& engine);
  void handle(const Event& event, Context& context) override;
  /// After the run.
  const LookLedger& finish();

 private:
  static constexpr std::uint32_t kind_look = 0x410;  // a: number
  struct Asked {                                     // of one peer
    std::optional<Result<wire::Value>> got, proof;
  };
  void ask(std::size_t look, Context& context);
  void judge(std::size_t look, Instant now);
  LpId peer(std::size_t index) const {
    return static_cast<LpId>(static_cast<std::size_t>(spec_.first_peer) + index);
  }

  std::shared_ptr<const DirectoryWorld> world_;
  const LookSpec& spec_;
  Id16 kid_;
  LpId self_;
  Calls calls_;
  std::vector<verifiable::NoteKey> witnesses_;  // honest peers
  std::map<std::size_t, std::array<Asked, look_peers>> open_;
  LookLedger ledger_;
};

}  // namespace ams::sim
