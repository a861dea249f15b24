// A look-up's verification step by step, for who wants to see it: what Lookup does at once, the key
// as three directory peers have it, each judged down to its checkpoint (spec BLG-34, DIR-22), and
// the log of its domain as they saw it (BLG-42).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/lookup.h"
#include "directory/light.h"

namespace ams::client {

inline constexpr std::size_t traced_peers_max = 3;

class Tracer {
 public:
  struct Traced {
    std::vector<LookupStep> steps;
    Result<> usable;                 // whether the peers know of something said against it (DIR-56)
    std::optional<keys::Card> card;  // the newest that they have
  };
  using Then = std::function<void(Traced)>;
  Tracer(Core& core, Link& link, Lookup& lookup) : core_(core), link_(link), lookup_(lookup) {}

  /// `answer`: of keys.lookup for addr; `chain`: of its domain. Calls `then` once.
  void run(const std::string& addr, const BindingRow& answer, const keys::Chain& chain, Then then);

 private:
  struct Work {
    keys::KeyId key;
    std::vector<LookupStep> steps;
    std::vector<std::string> peers;  // still to be asked, the last one next
    Then then;
    std::string addr;
    keys::Chain chain;  // of its domain
    std::string note;   // the checkpoint that was judged; empty: there is no log
    std::vector<directory::Looked> verified = {};
    std::vector<keys::Entry> unproven = {};
  };
  using WorkPtr = std::shared_ptr<Work>;

  void ask_peers(WorkPtr work);
  void ask_next(WorkPtr work);
  void ask_peer(WorkPtr work, const std::string& peer, const keys::Chain& chain);
  void begin(WorkPtr work, const BindingRow& answer);
  void ask_domain(WorkPtr work, const std::string& peer);
  static void finish(Work& work);
  void judge_peer(Work& work, const std::string& peer, const keys::Chain& chain,
                  const wire::Value& answer) const;

  Core& core_;
  Link& link_;
  Lookup& lookup_;
};

}  // namespace ams::client
