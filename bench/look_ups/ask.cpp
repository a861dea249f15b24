// The side that asks: connections that are authenticated as in the daemon, then windows of requests
// that are written once and answers that are only counted (so that this side is not what is
// measured), or, in mode `verified`, judged as a client judges them.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/overload.h"
#include "daemon/peer_line.h"
#include "directory/light.h"
#include "look_ups.h"
#include "net/connection.h"
#include "session/session.h"

namespace ams::look_ups {
namespace {

constexpr std::int64_t first_id = 1'000;              // the session itself took the ids below
constexpr std::string_view good_answer = "{\"id\":";  // a refusal begins with "error" (ENC-3)

/// Processor time of a process in nanoseconds, from the scheduler's own account.
std::int64_t process_time_ns(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/schedstat");
  std::int64_t ns = 0;
  in >> ns;
  return ns;
}

/// What all lines draw from, and where they tell.
class Run {
 public:
  Run(const AskOptions& options, std::vector<std::string> kids)
      : options_(options), kids_(std::move(kids)) {}

  const AskOptions& options() const { return options_; }
  net::Loop& loop() { return loop_; }
  /// The kid of the next look-up; empty: all are asked for.
  const std::string* next() {
    if (asked_ == options_.count) return nullptr;
    // Not in the order of the map, nor of the store: kids are hashes, and the file is not sorted.
    return &kids_[static_cast<std::size_t>(asked_++) % kids_.size()];
  }
  /// A line is ready; when all are, `begin` is true once.
  bool line_ready() { return ++ready_ == options_.connections; }
  void start_clock() {
    cpu_begin_ns_ = process_time_ns(options_.server);
    begin_ = std::chrono::steady_clock::now();
  }
  void answered(std::chrono::steady_clock::duration after, std::size_t bytes) {
    waits_.push_back(after);
    bytes_ += bytes;
    if (static_cast<std::int64_t>(waits_.size()) < options_.count) return;
    end_ = std::chrono::steady_clock::now();
    cpu_end_ns_ = process_time_ns(options_.server);
    loop_.stop();
  }
  void failed(const std::string& why) {
    if (why_.empty()) why_ = why;
    loop_.stop();
  }
  /// Runs until all is answered, a line failed, or nothing moved for a while.
  int go(const std::function<void()>& begin);

 private:
  void watch(std::size_t before);
  void report();

  const AskOptions& options_;
  std::vector<std::string> kids_;
  net::Loop loop_;
  net::Timer watchdog_;
  std::int64_t asked_ = 0;
  int ready_ = 0;
  std::vector<std::chrono::steady_clock::duration> waits_;
  std::size_t bytes_ = 0;
  std::chrono::steady_clock::time_point begin_, end_;
  std::int64_t cpu_begin_ns_ = 0, cpu_end_ns_ = 0;
  std::string why_;
};

/// One connection.
class Line {
 public:
  Line(Run& run, const daemon::DomainKeys& keys, std::string own, const daemon::PeerSite& site)
      : run_(run), keys_(keys), own_(std::move(own)), site_(site) {}

  void connect(const net::TlsContext& tls, std::function<void()> ready);
  /// Asks until the window is full or nothing is left.
  void fill();

 private:
  using Clock = std::chrono::steady_clock;
  struct LookUp {
    Clock::time_point since;
    std::string kid;                         // mode verified alone, as the rest
    std::optional<Result<wire::Value>> got;  // what directory.get answered
    std::size_t bytes = 0;
  };

  void handle(ByteView bytes);
  void pump();
  void opened();
  void count_frames();
  void judge(const wire::Answer& answer, std::size_t bytes);
  void ask(std::string_view op, std::int64_t id, const std::string& kid, Bytes& out) const;

  Run& run_;
  const daemon::DomainKeys& keys_;
  std::string own_;
  const daemon::PeerSite& site_;
  net::ConnectionPtr connection_;
  std::optional<session::Session> session_;
  std::function<void()> ready_;
  bool open_ = false;
  wire::FrameReader frames_;
  std::optional<verifiable::NoteKey> log_key_;
  // Answers come in the order of the questions, unless some are verified in pairs.
  std::deque<LookUp> waiting_;
  std::unordered_map<std::int64_t, LookUp> pairs_;
  std::int64_t next_id_ = first_id;
};

void Line::connect(const net::TlsContext& tls, std::function<void()> ready) {
  ready_ = std::move(ready);
  const net::Endpoint to{site_.found.host, site_.found.port, site_.found.certificate_pin};
  net::connect(run_.loop(), tls, to, {}, [this](auto outcome) {
    if (!outcome) return run_.failed(outcome.error());
    connection_ = std::move(*outcome);
    connection_->start([this](ByteView bytes) { handle(bytes); },
                       [this](std::string_view why) { run_.failed(std::string(why)); });
    if (run_.options().mode == Mode::echo) return opened();
    session_.emplace(
        session::ConnectorOptions{{session::PeerKind::server, own_, {}, {}, keys_.chain.value},
                                  site_.domain,
                                  site_.found.root,
                                  {}},
        keys_.op, connection_->exporter(), run_.loop().now());
    pump();
  });
}

void Line::pump() {
  while (auto effect = session_->poll()) {
    std::visit(Overload{[&](session::SendBytes& e) { connection_->send(std::move(e.bytes)); },
                        [&](session::Close& e) {
                          run_.failed(e.why ? std::string(code_info(*e.why).name) : "it closed");
                        },
                        [&](session::Opened&) { opened(); }, [](auto&) {}},
               *effect);
  }
}

void Line::opened() {
  open_ = true;
  if (session_) {
    auto key = directory::log_key(site_.domain, session_->peer_chain()->op.signing(),
                                  verifiable::NoteKeyType::ed25519);
    if (!key) return run_.failed("the peer has no log");
    log_key_ = std::move(*key);
  }
  ready_();
}

void Line::handle(ByteView bytes) {
  if (!open_) {
    session_->handle_bytes(bytes, run_.loop().now());
    return pump();
  }
  frames_.push(bytes);
  count_frames();
  fill();
}

void Line::ask(std::string_view op, std::int64_t id, const std::string& kid, Bytes& out) const {
  wire::Request request{id, std::string(op), wire::Object{{"kid", kid}}};
  if (!wire::append_message(out, std::move(request))) run_.failed("a request too large");
}

void Line::fill() {
  const Mode mode = run_.options().mode;
  Bytes out;
  const auto window = static_cast<std::size_t>(run_.options().window);
  while (waiting_.size() + 2 * pairs_.size() < window) {
    const std::string* kid = run_.next();
    if (kid == nullptr) break;
    if (mode == Mode::verified) {
      ask("directory.get", next_id_, *kid, out);
      ask("directory.proof", next_id_ + 1, *kid, out);
      pairs_.emplace(next_id_, LookUp{Clock::now(), *kid, {}});
      next_id_ += 2;
    } else {
      ask(mode == Mode::get ? "directory.get" : "directory.proof", next_id_++, *kid, out);
      waiting_.push_back({Clock::now(), {}, {}});
    }
  }
  if (!out.empty()) connection_->send(std::move(out));
}

void Line::count_frames() {
  for (;;) {
    const auto frame = frames_.next();
    if (!frame) return run_.failed("it sends no frames");
    if (!*frame) return;
    const ByteView payload = (*frame)->payload;
    if (run_.options().mode == Mode::verified) {
      const auto message = wire::decode_message(payload);
      const auto* answer = message ? std::get_if<wire::Answer>(&*message) : nullptr;
      if (answer == nullptr) return run_.failed("what came is no answer");
      judge(*answer, payload.size());
      continue;
    }
    const bool good =
        run_.options().mode == Mode::echo || as_text(payload).starts_with(good_answer);
    if (!good) return run_.failed("refused: " + to_string(payload));
    if (waiting_.empty()) return run_.failed("an answer to nothing");
    run_.answered(Clock::now() - waiting_.front().since, payload.size());
    waiting_.pop_front();
  }
}

/// DIR-22 but for witnesses: the peer of a measurement has none.
void Line::judge(const wire::Answer& answer, std::size_t bytes) {
  if (!answer.is_ok()) return run_.failed("refused: " + answer.error().code);
  const bool proof = (answer.id - first_id) % 2 != 0;
  const auto at = pairs_.find(answer.id - (proof ? 1 : 0));
  if (at == pairs_.end()) return run_.failed("an answer to nothing");
  LookUp& look_up = at->second;
  look_up.bytes += bytes;
  if (!proof) {
    look_up.got = answer.ok();
    return;
  }
  const auto kid = from_uuid_text(look_up.kid);
  if (!kid || !look_up.got) return run_.failed("the answers are out of order");
  const auto looked = directory::verify_lookup(*kid, &**look_up.got, answer.ok(),
                                               {&*log_key_, {}, run_.loop().now()});
  if (!looked) return run_.failed("refuted: " + std::string(code_info(looked.error().code).name));
  run_.answered(Clock::now() - look_up.since, look_up.bytes);
  pairs_.erase(at);
}

void Run::watch(std::size_t before) {
  watchdog_ = loop_.call_after(std::chrono::seconds(20), [this, before] {
    if (waits_.size() == before) return failed("nothing moved for 20 s");
    watch(waits_.size());
  });
}

int Run::go(const std::function<void()>& begin) {
  waits_.reserve(static_cast<std::size_t>(options_.count));
  loop_.post(begin);
  watch(0);
  loop_.run();
  if (!why_.empty()) return complain(1, why_);
  report();
  return 0;
}

void Run::report() {
  static constexpr std::array<const char*, 4> names{"proof", "get", "verified", "echo"};
  std::sort(waits_.begin(), waits_.end());
  const auto percentile_us = [&](std::size_t percent) {
    const auto wait = waits_[(waits_.size() - 1) * percent / 100];
    return std::chrono::duration<double, std::micro>(wait).count();
  };
  const double seconds = std::chrono::duration<double>(end_ - begin_).count();
  const auto count = static_cast<double>(waits_.size());
  std::printf(
      "{\"mode\":\"%s\",\"connections\":%d,\"window\":%d,\"look_ups\":%zu,\"seconds\":%.3f,"
      "\"per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f,\"bytes_each\":%.0f",
      names[static_cast<std::size_t>(options_.mode)], options_.connections, options_.window,
      waits_.size(), seconds, count / seconds, percentile_us(50), percentile_us(99),
      static_cast<double>(bytes_) / count);
  const auto cpu_ns = static_cast<double>(cpu_end_ns_ - cpu_begin_ns_);
  if (cpu_ns > 0)
    std::printf(",\"server_us_each\":%.2f,\"per_s_of_a_core\":%.0f", cpu_ns / count / 1e3,
                count * 1e9 / cpu_ns);
  std::printf("}\n");
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

}  // namespace

int ask(const AskOptions& options) {
  const auto config = apps::load_server_config(options.config_file);
  if (!config) return complain(2, config.error());
  const auto site = daemon::find_peer(*config, options.peer, {});
  if (!site) return complain(site.error().exit_code, site.error().text);
  const auto keys = daemon::load_domain_keys(config->data_dir, config->server.domain);
  if (!keys) return complain(2, keys.error());
  const auto tls = net::TlsContext::client(config->ca_file);
  if (!tls) return complain(2, tls.error());
  std::vector<std::string> kids = read_lines(options.kids_file);
  if (kids.empty()) return complain(2, options.kids_file + ": expected kids, one a line");
  Run run(options, std::move(kids));
  std::vector<std::unique_ptr<Line>> lines;
  for (int i = 0; i < options.connections; ++i)
    lines.push_back(std::make_unique<Line>(run, *keys, config->server.domain, *site));
  const auto ready = [&] {
    if (!run.line_ready()) return;
    run.start_clock();
    for (const auto& line : lines) line->fill();
  };
  return run.go([&] {
    for (const auto& line : lines) line->connect(*tls, ready);
  });
}

}  // namespace ams::look_ups
