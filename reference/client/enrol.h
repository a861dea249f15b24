// Account: the account's keys, made here and never given away, and the binding that the domain
// signs for them (ACC, BND, POL). Private halves and record are durable before the server hears of
// the key.
//
//   none --enrol--> saving --durable--> enrolling --ok--> associating --ok--> keeping --durable-->
//   ready
//                                          | refused: was it used by us? associate anyway ^ |
//                                          failed
#pragma once

#include <deque>
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
  /// The pair in use; where stored() is, the one before it.
  const keys::KeyPair* pair() const { return pair_ ? &*pair_ : nullptr; }
  /// The keys in use, when the domain's key store has them; else null.
  const StoredKeys* stored() const { return stored_ ? &*stored_ : nullptr; }
  /// The record of the key that signs for us. Precondition: there is one (pair()).
  const keys::KeyRecord& record() const { return stored_ ? stored_->record : pair_->record; }
  /// Enrolled in a domain whose keys are the key store's, and without one (Adoption).
  bool needs_store_keys() const { return stage_ == Stage::associating; }
  /// The pair of this id, be it in use, given up or about to come into use; null: not ours.
  const keys::KeyPair* pair_of(const keys::KeyId& id) const;
  /// Pairs given up, and the one of a rotation under way.
  const std::deque<OtherPair>& others() const { return others_; }
  /// Precondition: ready().
  const wire::Value& binding() const { return binding_; }
  /// The answer's binding, verified for our address through our domain's chain. Precondition: the
  /// link is up.
  Result<keys::Binding> own_binding(const wire::Value& answer) const;

  // For Rotation, which decides when; what it calls here is durable already.
  Result<keys::KeyPair> make_pair();
  void add_next(keys::KeyPair pair);
  /// The pair that add_next() brought comes into use; the one in use is kept as given up.
  void adopt_next(const wire::Value& binding);
  void give_up_next();
  /// For Redirector: the same key under a later version; durable already.
  void rebind(const wire::Value& binding) { binding_ = binding; }
  /// For Adoption: durable already.
  void adopt_stored(StoredKeys stored, const wire::Value& binding);

 private:
  enum class Stage : std::uint8_t { none, saving, enrolling, associating, keeping, ready };

  void load();
  void save();
  void ask_enrol();
  void ask_associate();
  void ask_own_binding();
  void accept(const wire::Value& binding, const keys::Binding& parsed);
  void failed(std::string what, const Error& why);

  Core& core_;
  Link& link_;
  Stage stage_ = Stage::none;
  bool asked_ = false;  // an answer or a commit is awaited
  bool by_client() const;
  std::optional<keys::KeyPair> pair_;
  std::optional<StoredKeys> stored_;
  std::deque<OtherPair> others_;
  std::optional<Hash> token_;
  std::optional<Error> enrol_refused_;
  std::int64_t version_ = 1;  // to associate
  wire::Value binding_;
  int attempt_ = 0;
  Instant retry_at_;
};

}  // namespace ams::client
