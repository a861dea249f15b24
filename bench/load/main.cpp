// ams-load: how many letters a second does a server acknowledge, durably and over TLS, and how long
// does each wait? Several accounts, each on a connection of its own, keep a window of letters
// unacknowledged. Exit codes: 0 done; 1 a letter failed or nothing moved; 2 wrong arguments.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "client/heard.h"
#include "net/driver.h"
#include "net/entropy.h"
#include "net/hosts.h"
#include "store/memory.h"

namespace {

using namespace ams;

struct Arguments {
  std::string hosts_file, ca_file, to;
  std::vector<std::string> accounts, tokens;
  int letters = 1000, window = 16, size = 2000;
};

class Load;

/// One account: a client machine with its connection, over storage in memory.
class Sender {
 public:
  Sender(Load& load, std::string addr, net::Loop& loop, net::Log& log, net::DriverOptions options);

  void enrol(const Hash& token) {
    client_.enrol(token, std::nullopt, loop_.now());
    driver_.drain();
  }
  /// Submits until the window is full or no letter is left.
  void fill();
  void end() { driver_.shut_down(); }

 private:
  void hear(const client::Report& report);

  Load& load_;
  std::string addr_;
  net::Loop& loop_;
  store::MemoryStorage storage_;
  crypto::SigningKey device_;
  client::Client client_;
  client::Heard heard_;
  net::Driver driver_;
  std::map<std::uint64_t, Instant> waiting_;  // by ticket: when it was handed over
};

class Load {
 public:
  Load(const Arguments& given, net::Hosts hosts, net::TlsContext tls, net::Log log)
      : given_(given), hosts_(std::move(hosts)), tls_(std::move(tls)), log_(std::move(log)) {}
  int run();

  bool take_letter() { return handed_ < given_.letters && (++handed_, true); }
  void is_ready();
  void acknowledged(Duration after);
  void fail(const std::string& why);
  const Arguments& given() const { return given_; }

 private:
  void report() const;

  const Arguments& given_;
  net::Hosts hosts_;
  net::TlsContext tls_;
  net::Log log_;
  net::Loop loop_;
  std::vector<std::unique_ptr<Sender>> senders_;
  std::size_t ready_ = 0;
  int handed_ = 0;
  std::vector<Duration> waits_;
  Instant start_{}, end_{};
  net::Timer watchdog_;
  bool failed_ = false;
};

Sender::Sender(Load& load, std::string addr, net::Loop& loop, net::Log& log,
               net::DriverOptions options)
    : load_(load),
      addr_(std::move(addr)),
      loop_(loop),
      device_(crypto::SigningKey::ed25519_from_seed(net::entropy_seed().view())),
      client_({.addr = addr_}, device_, storage_, net::entropy_seed().view(), loop.now()),
      heard_(client_, [this](const client::Report& report) { hear(report); }),
      driver_(loop, heard_, storage_, log, std::move(options)) {}

void Sender::hear(const client::Report& heard) {
  if (std::holds_alternative<client::AccountReady>(heard)) return load_.is_ready();
  if (const auto* failed = std::get_if<client::CommandFailed>(&heard)) {
    return load_.fail(failed->what + ": " + std::string(code_info(failed->why.code).name));
  }
  if (const auto* failed = std::get_if<client::SubmitFailed>(&heard)) {
    return load_.fail("submit: " + std::string(code_info(failed->why.code).name));
  }
  const auto* done = std::get_if<client::Submitted>(&heard);
  if (done == nullptr) return;
  const auto at = waiting_.find(done->ticket);
  if (at == waiting_.end()) return;
  load_.acknowledged(loop_.now() - at->second);
  waiting_.erase(at);
  loop_.post([this] { fill(); });
}

void Sender::fill() {
  const Arguments& given = load_.given();
  while (waiting_.size() < static_cast<std::size_t>(given.window) && load_.take_letter()) {
    mail::Draft draft;
    draft.from = addr_;
    draft.to = draft.deliver_to = {given.to};
    draft.date = to_unix_ms(loop_.now());
    draft.subject = "load";
    draft.parts.push_back({"text/plain", std::string(static_cast<std::size_t>(given.size), 'x')});
    const Instant now = loop_.now();
    waiting_[client_.submit(std::move(draft), now)] = now;
  }
  driver_.drain();
}

void Load::is_ready() {
  if (++ready_ < senders_.size()) return;
  loop_.post([this] {
    start_ = loop_.now();
    for (auto& sender : senders_) sender->fill();
  });
}

void Load::acknowledged(Duration after) {
  waits_.push_back(after);
  watchdog_ =
      loop_.call_after(std::chrono::seconds(30), [this] { fail("nothing moved for 30 s"); });
  if (waits_.size() < static_cast<std::size_t>(given_.letters)) return;
  end_ = loop_.now();
  loop_.stop();
}

void Load::fail(const std::string& why) {
  fmt::print(stderr, "ams-load: {}\n", why);
  failed_ = true;
  loop_.stop();
}

int Load::run() {
  for (const std::string& account : given_.accounts) {
    net::DriverOptions options{tls_, {}, [this](const std::string& domain) {
                                 const net::HostEntry* entry = hosts_.find(domain);
                                 return entry == nullptr ? std::optional<keys::Discovery>()
                                                         : entry->found;
                               }};
    senders_.push_back(std::make_unique<Sender>(*this, account, loop_, log_, std::move(options)));
  }
  for (std::size_t i = 0; i < senders_.size(); ++i) {
    const auto token = from_hex(given_.tokens[i]);
    const auto hash = token ? to_array<32>(*token) : std::nullopt;
    if (!hash) {
      fmt::print(stderr, "ams-load: --token: expected 64 hexadecimal digits\n");
      return 2;
    }
    loop_.post([this, i, hash] { senders_[i]->enrol(*hash); });
  }
  watchdog_ = loop_.call_after(std::chrono::seconds(30), [this] { fail("nobody got ready"); });
  loop_.run();
  for (auto& sender : senders_) sender->end();
  if (failed_) return 1;
  report();
  return 0;
}

void Load::report() const {
  std::vector<Duration> sorted = waits_;
  std::sort(sorted.begin(), sorted.end());
  const auto ms = [&](std::size_t percent) {
    const Duration wait = sorted[(sorted.size() - 1) * percent / 100];
    return std::chrono::duration<double, std::milli>(wait).count();
  };
  const double seconds = std::chrono::duration<double>(end_ - start_).count();
  fmt::print(
      "{{\"letters\":{},\"accounts\":{},\"window\":{},\"seconds\":{:.3f},"
      "\"letters_per_s\":{:.0f},\"p50_ms\":{:.2f},\"p99_ms\":{:.2f}}}\n",
      waits_.size(), senders_.size(), given_.window, seconds,
      static_cast<double>(waits_.size()) / seconds, ms(50), ms(99));
}

}  // namespace

int main(int argc, char** argv) {
  Arguments given;
  CLI::App app("ams-load: letters a second that a server acknowledges over TLS");
  app.add_option("--hosts", given.hosts_file, "discovery file")->required();
  app.add_option("--ca", given.ca_file, "authorities of certificates (PEM), where there is no pin");
  app.add_option("--account", given.accounts, "a sender; may be repeated")->required();
  app.add_option("--token", given.tokens, "its enrolment token")->required();
  app.add_option("--to", given.to, "the recipient")->required();
  app.add_option("--letters", given.letters, "how many")->check(CLI::PositiveNumber);
  app.add_option("--window", given.window, "unacknowledged of each sender")
      ->check(CLI::PositiveNumber);
  app.add_option("--size", given.size, "bytes of text")->check(CLI::NonNegativeNumber);
  app.footer("Example: bench/load/measure.py makes a server and runs this against it.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  auto hosts = net::Hosts::load(given.hosts_file);
  auto tls = net::TlsContext::client(given.ca_file);
  auto log = net::Log::open(net::LogLevel::error);
  if (!hosts || !tls || !log || given.tokens.size() != given.accounts.size()) {
    fmt::print(stderr, "ams-load: {}\n",
               !hosts ? hosts.error()
               : !tls ? tls.error()
                      : "expected as many tokens as accounts, and a log");
    return 2;
  }
  return Load(given, std::move(*hosts), std::move(*tls), std::move(*log)).run();
}
