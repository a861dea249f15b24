// What the suite needs of an implementation under test, whichever way it is reached.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace ams::conform {

using Millis = std::chrono::milliseconds;

/// One connection, TLS already up. Bytes come in while someone waits.
class Channel {
 public:
  virtual ~Channel() = default;
  virtual void send(ByteView bytes) = 0;  // ignored once closed
  /// Returns when bytes came or the peer closed, or after `at_most`; false: neither.
  virtual bool wait(Millis at_most) = 0;
  virtual Bytes take() = 0;
  virtual bool closed() const = 0;
  virtual const Hash& exporter() const = 0;  // SES-4
  virtual int fd() const { return -1; }      // to poll; -1: nothing to wait for but time
};

/// An address of the target and its unused enrolment token.
struct AccountGrant {
  std::string addr;
  Hash token{};
};

/// What only the simulator can do to a server.
struct Faults {
  bool hold_commits = false;      // nothing becomes durable
  bool fail_next_commit = false;  // one commit fails
  bool peer_down = false;         // the suite's own domain cannot be reached
};
struct TargetOptions {  // limits of a simulated server; 0: its own default
  std::int64_t queue_max = 0;
  std::int64_t mailbox_bytes_max = 0;
  std::int64_t connections_max = 0;
  std::int64_t corporate =
      0;                    // 1: the target's domain is corporate; its shared key is Target::shared
  std::int64_t groups = 0;  // 1: of groups; that key is its group team's, with f1 and f2 in it
  std::int64_t directory = 0;  // 1: a full directory peer without mail or accounts
  std::int64_t directory_quota = 0;
  std::int64_t directory_rate = 0;  // requests a second
  std::int64_t directory_work = 0;  // bits (DIR-23)
  std::int64_t lookup_burst = 0;    // look-ups of another domain at once, and as many a day
};

/// A client under test (role client): driven through its adapter (adapter/client.schema.json).
class ClientPort {
 public:
  virtual ~ClientPort() = default;
  /// A request, one line of JSON. The one before was answered.
  virtual void command(const std::string& line) = 0;
  /// Its answer; empty: none yet. Throws StepFailed (CRASH) when the adapter is gone.
  virtual std::optional<std::string> answer() = 0;
  /// Returns when bytes on one of the channels, a connection or an answer came, or after `at_most`.
  virtual void wait(const std::vector<Channel*>& channels, Millis at_most) = 0;
  /// A folder for the state of another client, which nobody has used.
  virtual std::string fresh_state() = 0;

  std::string listening;  // where the suite's domains are: host, port and pin as in a hosts line
};

class Target {
 public:
  virtual ~Target() = default;
  virtual std::string name() const = 0;
  /// Null: refused.
  virtual std::unique_ptr<Channel> connect() = 0;
  /// A connection of the target to the suite's own domain; null: none within `at_most`.
  virtual std::unique_ptr<Channel> accept(Millis at_most) = 0;
  virtual std::int64_t unix_ms() = 0;  // what objects are dated with
  virtual Millis clock() = 0;          // what deadlines are counted on
  virtual bool simulated() const { return false; }
  virtual void advance(Millis) {}
  virtual void set_faults(const Faults&) {}
  virtual void restart() {}
  virtual ClientPort* client() { return nullptr; }  // null: it is no client

  std::string domain;    // of the target
  std::string root_kid;  // may be empty: the chain is then judged without discovery
  std::string root_fp;   // hexadecimal
  std::string shared;    // record of the domain's shared encryption key, or empty
  std::vector<AccountGrant> grants;
  Millis patience{5'000};  // how long an answer may take
  bool has_peer = false;   // accept() can be used
  bool full = false;       // a full directory peer, and conform.test one of its peers if has_peer
};

}  // namespace ams::conform
