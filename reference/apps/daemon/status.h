// What a running daemon says of itself: the `status` command, Prometheus text, and a page.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "daemon/program.h"
#include "net/driver.h"
#include "server/server.h"
#include "wire/value.h"

namespace ams::daemon {

struct Status {
  std::string program, domain;
  bool mail = true;  // false: a directory peer alone
  bool full = false;
  Instant now, started;
  server::Stats server;
  directory::Stats directory;
  net::DriverCounts driver;
};

/// Since when not all peers are known to agree with this one; empty: it has no peers, or never saw
/// all of them agree.
std::optional<Duration> gossip_lag(const Status& status);

// --- over the control socket ---------------------------------------------------------------------
inline constexpr std::string_view status_request = R"({"ams":"status/1"})";
/// An object of plain members; what the `status` command gets and `--json` prints.
wire::Value status_value(const Status& status);
/// The same for people: a line each.
tl::expected<std::string, std::string> status_text(const wire::Value& value);
/// The `status` command: asks the daemon that serves this configuration.
tl::expected<std::string, Failure> ask_status(const apps::ServerConfig& config, bool json);

// --- on the admin port ---------------------------------------------------------------------------
/// Prometheus text format 0.0.4.
std::string metrics_text(const Status& status);

inline constexpr Duration sample_interval = std::chrono::seconds(10);
inline constexpr std::size_t samples_max = 360;  // an hour
struct Sample {
  Instant at;
  std::uint64_t keys = 0, peers_agreeing = 0, queue = 0;
  std::optional<Duration> lag;
};
class History {
 public:
  void add(const Status& status);
  const std::deque<Sample>& samples() const { return samples_; }

 private:
  std::deque<Sample> samples_;
};
/// HTML with inline SVG; needs nothing else.
std::string status_page(const Status& status, const std::deque<Sample>& samples);

/// "3 d 4 h", "5 min 2 s": the two largest units.
std::string text_of(Duration time);

}  // namespace ams::daemon
