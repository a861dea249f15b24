// Link: the client's connection to its own domain: discovers, connects, authenticates, keeps alive
// and comes back. Requests made on it are answered exactly once, with peer_unreachable when it is
// lost.
//
//   idle --want--> resolving --found--> connecting --connected--> greeting --Opened--> up
//     ^ not wanted, nothing asked            any failure --> waiting --back-off--> resolving
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "client/core.h"
#include "session/session.h"

namespace ams::client {

inline constexpr Duration connect_timeout = std::chrono::seconds{60};
inline constexpr Duration stall_timeout = std::chrono::minutes{2};  // asked, and nothing heard

class Link {
 public:
  using Answered = std::function<void(const Result<wire::Value>&)>;
  using Got = std::function<void(const Result<Bytes>&)>;

  Link(Core& core, const crypto::SigningKey& device);

  void want(bool on) { wanted_ = on; }
  bool up() const { return session_ && session_->open() && stage_ == Stage::up; }
  /// Counts the sessions that opened: who sees it change has missed events in between.
  std::uint64_t epoch() const { return epoch_; }
  /// Our domain's chain as the session verified it. Precondition: epoch() > 0.
  const keys::Chain& chain() const { return *chain_; }

  /// Never calls back from inside, always later from run() or handle_bytes().
  void request(std::string op, wire::Value args, Answered then);
  void put_blob(const Hash& hash, ByteView bytes, Answered then);
  void get_blob(const Hash& hash, std::uint64_t len_max, Got then);

  void handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found);
  void handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter);
  void handle_connect_failed(machine::Token token);
  void handle_bytes(machine::ConnId conn, ByteView bytes);
  void handle_closed(machine::ConnId conn);
  void run();
  std::optional<Instant> due() const;

  std::function<void(const std::string& event, const wire::Value& data)> on_event;

 private:
  enum class Stage : std::uint8_t { idle, waiting, resolving, connecting, greeting, up };
  struct Queued {
    std::string op;
    wire::Value args;
    Answered then;
  };

  void start();
  void drain();
  void handle(session::Effect effect);
  void opened();
  void flush();
  void drop(const Error& why);
  void call_lost();
  void check_clock();
  std::size_t in_flight_max() const;

  Core& core_;
  const crypto::SigningKey& device_;
  std::string domain_;
  bool wanted_ = false;
  Stage stage_ = Stage::idle;
  Instant deadline_;  // of waiting, resolving, connecting
  Instant heard_;     // last bytes received
  Instant asked_;     // last request sent
  int failures_ = 0;
  bool told_ = false;  // the owner knows that we cannot connect
  machine::Token token_ = 0;
  std::optional<machine::ConnId> conn_;
  std::optional<keys::Discovery> found_;
  std::optional<session::Session> session_;
  std::optional<keys::Chain> chain_;
  std::uint64_t epoch_ = 0;
  std::map<std::int64_t, Answered> answers_;  // asked, unanswered
  std::map<std::int64_t, Got> gets_;
  std::deque<Queued> queue_;                // beyond what the server takes at once
  std::deque<std::function<void()>> lost_;  // asked on a connection that is gone
  std::optional<Error> closing_;            // the session ended while we drained it
};

}  // namespace ams::client
