// Account: the account's keys, made here and never given away, and the binding that the domain
// signs for them (ACC, BND, POL). Private halves and record are durable before the server hears of
// the key.
//
//   none --enrol--> saving --durable--> enrolling --ok--> associating --ok--> keeping --durable-->
//   ready
//                                          | refused: was it used by us? associate anyway ^ |
//                                          failed
#pragma once

#include <optional>

#include "client/connection.h"
#include "client/core.h"
#include "keys/records.h"

namespace ams::client {

class Account {
 public:
  Account(Core& core, Link& link);

  void enrol(const Hash& token, std::optional<keys::KeyPair> pair);
  void run();
  std::optional<Instant> due() const;

  bool ready() const { return stage_ == Stage::ready; }
  bool has_work() const { return stage_ != Stage::none && stage_ != Stage::ready; }
  const keys::KeyPair* pair() const { return pair_ ? &*pair_ : nullptr; }
  /// Precondition: ready().
  const wire::Value& binding() const { return binding_; }

 private:
  enum class Stage : std::uint8_t { none, saving, enrolling, associating, keeping, ready };

  void load();
  Result<keys::KeyPair> make_pair();
  void save();
  void ask_enrol();
  void ask_associate();
  void ask_own_binding();
  void accept(const wire::Value& binding, const keys::Binding& parsed);
  Result<keys::Binding> own_binding(const wire::Value& answer) const;
  void failed(std::string what, const Error& why);

  Core& core_;
  Link& link_;
  Stage stage_ = Stage::none;
  bool asked_ = false;  // an answer or a commit is awaited
  std::optional<keys::KeyPair> pair_;
  std::optional<Hash> token_;
  std::optional<Error> enrol_refused_;
  std::int64_t version_ = 1;  // to associate
  wire::Value binding_;
  int attempt_ = 0;
  Instant retry_at_;
};

}  // namespace ams::client
