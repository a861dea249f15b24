// Adoption: the account's key is one that the domain's key store made and keeps (custody
// corporate), instead of a pair of its own: at enrolment in a domain under `corporate` or `groups`,
// when the own key has expired there (POL-2) or the owner asks for another, and again when the
// shared key was rotated. Nothing of our own pairs leaves: the store is asked what it has, the
// server is told the records.
//
//   idle --needed--> listing --own and shared key found--> draining --nothing sealed is unsent-->
//   associating --ok--> keeping --durable--> idle
#pragma once

#include <optional>

#include "client/enrol.h"
#include "client/key_store.h"
#include "client/lookup.h"
#include "client/outbox.h"

namespace ams::client {

class Adoption {
 public:
  Adoption(Core& core, Link& link, Account& account, KeyStoreLink& store, Lookup& lookup,
           Outbox& outbox)
      : core_(core),
        link_(link),
        account_(account),
        store_(store),
        lookup_(lookup),
        outbox_(outbox),
        retry_at_(core.now) {}

  /// Whether our domain's keys are the store's now. False before its chain is known.
  bool is_due_here() const;
  /// The owner wants another key than the pair in use.
  void request() { requested_ = true; }
  void run();
  std::optional<Instant> due() const;
  bool has_work() const { return stage_ != Stage::idle || requested_; }

 private:
  enum class Stage : std::uint8_t { idle, listing, draining, associating, keeping };

  bool needed() const;
  void begin();
  void choose();
  void ask_associate();
  void ask_own_binding();
  void accept(const wire::Value& binding, const keys::Binding& parsed);
  void failed(const Error& why);
  void end();

  Core& core_;
  Link& link_;
  Account& account_;
  KeyStoreLink& store_;
  Lookup& lookup_;
  Outbox& outbox_;
  Stage stage_ = Stage::idle;
  bool asked_ = false;
  bool requested_ = false;
  std::optional<StoredKeys> chosen_;
  std::int64_t version_ = 1;
  int attempt_ = 0;
  Instant retry_at_;
};

}  // namespace ams::client
