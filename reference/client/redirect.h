// Redirector: our own address led to others, and back to our key (BLG-33). What the domain's log
// shows last is asked for first and compared last, so that a lost answer, a second device or asking
// twice does no harm. Nothing of it is kept here: after a crash the owner asks again.
//
//   idle --request--> checking --another binding is last--> asking --answered--> checking
//                              | the wanted one is: idle
#pragma once

#include <string>
#include <vector>

#include "client/bind_watch.h"
#include "client/connection.h"
#include "client/core.h"
#include "client/enrol.h"

namespace ams::client {

class Redirector {
 public:
  Redirector(Core& core, Link& link, Account& account, BindWatch& watch)
      : core_(core), link_(link), account_(account), watch_(watch), retry_at_(core.now) {}

  /// `to` empty: back to the account's key. Report: Redirected, or CommandFailed("redirect").
  void request(bindlog::Type type, std::vector<std::string> to);
  void run();
  bool has_work() const { return stage_ != Stage::idle; }
  std::optional<Instant> due() const;

 private:
  enum class Stage : std::uint8_t { idle, checking, asking };

  void checked(const Result<bindlog::Checked>& shown);
  bool is_wanted(const bindlog::Entry& entry) const;
  bindlog::Entry next(const bindlog::Checked& shown) const;
  void ask(const bindlog::Checked& shown);
  void answered(const Result<wire::Value>& answer);
  void keep(const wire::Value& binding);
  void failed(const Error& why);

  Core& core_;
  Link& link_;
  Account& account_;
  BindWatch& watch_;
  Stage stage_ = Stage::idle;
  bool asked_ = false;  // an answer or a commit is awaited
  bindlog::Type type_ = bindlog::Type::key;
  std::vector<std::string> to_;
  int asked_times_ = 0;
  int attempt_ = 0;
  Instant retry_at_;
};

}  // namespace ams::client
