// Rotation: another key for the account in place of the one in use (KEY-9 to KEY-11). The new pair
// is durable before the server hears of it, and the old one is kept: what was sealed to it opens
// with it alone. A server takes submissions of the associated key only (SUB-5), so what is sealed
// goes out before the association changes, and nothing is sealed while it does.
//
//   idle --rotate--> saving --durable--> draining --nothing sealed is unsent--> associating --ok-->
//   keeping --durable--> idle
//                                                    | refused for good: idle, the old key goes on
#pragma once

#include <optional>

#include "client/connection.h"
#include "client/core.h"
#include "client/enrol.h"
#include "client/lookup.h"
#include "client/outbox.h"
#include "client/publish.h"

namespace ams::client {

inline constexpr Duration history_patience = std::chrono::seconds{20};

class Rotation {
 public:
  /// Goes on with a rotation that a restart interrupted.
  Rotation(Core& core, Link& link, Account& account, Lookup& lookup, Outbox& outbox,
           Publisher& publisher);

  /// `pair` empty: a new `modern` one.
  void rotate(std::optional<keys::KeyPair> pair);
  void run();
  std::optional<Instant> due() const;
  bool has_work() const { return stage_ != Stage::idle; }

 private:
  enum class Stage : std::uint8_t { idle, saving, draining, associating, keeping };

  const keys::KeyPair* next() const;
  void save(keys::KeyPair pair);
  bool awaits_history() const;
  void ask_associate();
  void ask_own_binding();
  void accept(const wire::Value& binding, const keys::Binding& parsed);
  void failed(const Error& why);
  void end();

  Core& core_;
  Link& link_;
  Account& account_;
  Lookup& lookup_;
  Outbox& outbox_;
  Publisher& publisher_;
  Stage stage_ = Stage::idle;
  bool asked_ = false;  // an answer or a commit is awaited
  std::int64_t version_ = 0;
  int attempt_ = 0;
  Instant retry_at_;
  Instant endorse_by_;
};

}  // namespace ams::client
