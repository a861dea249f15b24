// BindWatch: the owner's check of the domain's binding log (BLG-18): on each connection and once a
// day, all versions of our address since the last check. What it finds is told as CommandFailed
// "bindings", again at each check until it is so no more; the answer that shows it is kept, for it
// may be what convicts the server.
//
//   idle --connected or a day--> asked --history, judged--> idle
#pragma once

#include <optional>

#include "bindlog/history.h"
#include "client/connection.h"
#include "client/core.h"
#include "client/enrol.h"

namespace ams::client {

inline constexpr Duration bind_check_interval = std::chrono::hours{24};

class BindWatch {
 public:
  BindWatch(Core& core, Link& link, Account& account)
      : core_(core), link_(link), account_(account), next_(core.now) {}

  void run();
  std::optional<Instant> due() const;

 private:
  bool watched() const;
  bindlog::Seen seen() const;
  void answered(const Result<wire::Value>& answer);
  Result<bindlog::Checked> judge(const wire::Value& history, const bindlog::Seen& before) const;
  /// The first entry that we did not make.
  const bindlog::Entry* foreign(const bindlog::Checked& checked, const bindlog::Seen& before) const;
  void keep(const bindlog::Seen& seen);
  void alarm(const Error& why, const wire::Value& shown);

  Core& core_;
  Link& link_;
  Account& account_;
  bool asked_ = false;
  std::uint64_t connection_ = 0;  // the last one on which the check was made
  Instant next_;
  int attempt_ = 0;
};

}  // namespace ams::client
