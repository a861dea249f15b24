#include "daemon/serve.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/accounts.h"
#include "daemon/cards.h"
#include "daemon/domain_keys.h"
#include "daemon/groups.h"
#include "daemon/hosts_file.h"
#include "daemon/status.h"
#include "net/connection.h"
#include "net/control.h"
#include "net/driver.h"
#include "net/entropy.h"
#include "net/http.h"
#include "net/log.h"
#include "net/loop.h"
#include "store/sqlite.h"

namespace ams::daemon {
namespace {

constexpr Duration drain_time_max = std::chrono::seconds(5);
constexpr Duration drain_look = std::chrono::milliseconds(10);
constexpr std::size_t spare_connections = 64;  // accepted only to be told too_many_connections
constexpr std::int64_t key_warning_ms = 30LL * 86'400'000;

/// All that the configuration names, read.
struct Parts {
  DomainKeys keys;
  std::optional<HostsFile> hosts;
  net::TlsContext server_tls, client_tls;
};

tl::expected<Parts, std::string> load_parts(const apps::ServerConfig& config) {
  auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return tl::unexpected(keys.error());
  std::optional<HostsFile> hosts;
  if (!config.hosts_file.empty()) {
    auto loaded = HostsFile::load(config.hosts_file);
    if (!loaded) return tl::unexpected(loaded.error());
    hosts = std::move(*loaded);
  }
  auto server = net::TlsContext::server(config.certificate_file, config.key_file);
  if (!server) return tl::unexpected(server.error());
  auto client = net::TlsContext::client(config.ca_file);
  if (!client) return tl::unexpected(client.error());
  return Parts{std::move(*keys), std::move(hosts), std::move(*server), std::move(*client)};
}

/// As many descriptors as allowed; a write beyond a file size limit fails instead of killing.
void set_process_limits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  std::signal(SIGXFSZ, SIG_IGN);
  ::umask(0077);
}

/// `account add` may hold the store for a moment; another daemon holds it for good.
tl::expected<std::unique_ptr<store::SqliteStorage>, std::string> open_store(
    const apps::ServerConfig& config) {
  constexpr auto patience = std::chrono::seconds(2);
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    auto store = store::SqliteStorage::open(store_path(config), {config.store_pages_max, {}});
    if (store || !store.error().ends_with("is in use by another process") ||
        std::chrono::steady_clock::now() > give_up) {
      return store;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

class Daemon {
 public:
  Daemon(const Program& program, const apps::ServerConfig& config, Parts parts, net::Log log,
         std::unique_ptr<store::SqliteStorage> store, net::Loop& loop,
         std::shared_ptr<net::SiteFinder> dns)
      : program_(program),
        config_(config),
        loop_(loop),
        dns_(std::move(dns)),
        parts_(std::move(parts)),
        log_(std::move(log)),
        store_(std::move(store)),
        options_(server_options(program, config, parts_.keys)),
        server_(options_, parts_.keys.op, *store_, net::entropy_seed().view(), loop_.now()),
        driver_(loop_, server_, *store_, log_, driver_options()) {}

  tl::expected<void, Failure> run();

 private:
  /// Room for every blob that a peer may ask for at once; a peer that does not read times out.
  net::ConnectionOptions connection_options() const {
    net::ConnectionOptions out;
    out.write_queue_max +=
        static_cast<std::size_t>(options_.limits.transfers * options_.limits.blob);
    return out;
  }
  net::DriverOptions driver_options() {
    const auto discover = [this](const std::string& domain) {
      return parts_.hosts ? parts_.hosts->find(domain, log_) : std::nullopt;
    };
    return {parts_.client_tls, connection_options(), discover, dns_};
  }
  tl::expected<void, Failure> listen();
  tl::expected<void, Failure> listen_admin();
  Status status();
  void sample();
  net::Page page(std::string_view path);
  void handle_control(std::string_view line, const net::ControlReply& reply);
  void drop_card(std::string_view line, const net::ControlReply& reply);
  void accept(net::ConnectionPtr connection);
  void say_ready();
  void stop(int signal_number);
  void look_drained();
  /// For logs: tells apart, does not tell who.
  std::string hashed(std::string_view addr) const {
    return to_hex(ByteView(crypto::hmac_sha256(options_.index_key, as_bytes(addr))).first(6));
  }

  const Program& program_;
  const apps::ServerConfig& config_;
  net::Loop& loop_;
  std::shared_ptr<net::SiteFinder> dns_;  // null: by the hosts file alone
  Parts parts_;
  net::Log log_;
  std::unique_ptr<store::SqliteStorage> store_;
  server::Options options_;
  server::Server server_;
  net::Driver driver_;
  std::unique_ptr<net::Listener> listener_;
  std::unique_ptr<net::ControlSocket> control_;
  std::unique_ptr<net::HttpServer> admin_;
  Instant started_ = loop_.now();
  History history_;
  net::Timer sample_timer_;
  std::vector<std::weak_ptr<net::Connection>> accepted_;  // some of them ended
  std::size_t prune_at_ = 64;
  net::Timer drain_timer_;
  Instant drain_until_{};
};

tl::expected<void, Failure> Daemon::listen() {
  auto control = net::listen_control(
      loop_, control_path(config_),
      [this](std::string_view line, net::ControlReply reply) { handle_control(line, reply); });
  if (!control) return tl::unexpected(Failure{exit_failure, control.error()});
  net::ListenerOptions options;
  options.connection = connection_options();
  options.connections_max = static_cast<std::size_t>(options_.connections_max) + spare_connections;
  auto listener = net::listen(
      loop_, parts_.server_tls, config_.listen_host, config_.listen_port, options,
      [this](net::ConnectionPtr connection) { accept(std::move(connection)); },
      [this](std::string_view reason) {
        log_.debug("refused", {{"reason", reason}});
      });
  if (!listener) return tl::unexpected(Failure{exit_cannot_listen, listener.error()});
  control_ = std::move(*control);
  listener_ = std::move(*listener);
  return {};
}

void Daemon::accept(net::ConnectionPtr connection) {
  if (accepted_.size() >= prune_at_) {
    std::erase_if(accepted_, [](const auto& weak) { return weak.expired(); });
    prune_at_ = std::max<std::size_t>(64, accepted_.size() * 2);
  }
  accepted_.push_back(connection);
  driver_.accept(std::move(connection));
}

tl::expected<void, Failure> Daemon::listen_admin() {
  if (!config_.admin_port) return {};
  auto admin = net::listen_http(loop_, config_.admin_host, *config_.admin_port,
                                [this](std::string_view path) { return page(path); });
  if (!admin) return tl::unexpected(Failure{exit_cannot_listen, admin.error()});
  admin_ = std::move(*admin);
  log_.info("admin", {{"host", config_.admin_host}, {"port", std::uint64_t{admin_->port()}}});
  sample();
  return {};
}

Status Daemon::status() {
  server::Stats stats = server_.stats();
  directory::Stats directory = stats.directory;
  return {program_.name,           options_.domain,      program_.mail,
          options_.full_directory, loop_.now(),          started_,
          std::move(stats),        std::move(directory), driver_.counts()};
}

void Daemon::sample() {
  history_.add(status());
  sample_timer_ = loop_.call_after(sample_interval, [this] { sample(); });
}

net::Page Daemon::page(std::string_view path) {
  if (path == "/") {
    return {200, "text/html; charset=utf-8", status_page(status(), history_.samples())};
  }
  if (path == "/metrics") {
    return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(status())};
  }
  return {404, "text/plain; charset=utf-8", "there are / and /metrics\n"};
}

void Daemon::handle_control(std::string_view line, const net::ControlReply& reply) {
  if (line == status_request) return reply(to_string(wire::encode(status_value(status()))));
  if (is_card_request(line)) return drop_card(line, reply);
  auto request = is_group_request(line)
                     ? read_group_request(options_, *store_, line)
                     : read_account_request(options_, *store_, line, loop_.now());
  if (!request) return reply(request.error());
  const auto written = [this, reply, event = request->event,
                        addr = request->addr](const Result<>& outcome) {
    if (outcome) log_.info(event, {{"addr_hash", hashed(addr)}});
    reply(act_answer(outcome));
  };
  driver_.write(request->rows, written);
}

void Daemon::drop_card(std::string_view line, const net::ControlReply& reply) {
  const auto kid = read_card_request(line);
  if (!kid) return reply(kid.error());
  const auto rows = server_.drop_card(*kid);
  if (!rows) return reply(act_answer(fail(rows.error().code)));
  driver_.write(*rows, [this, reply, kid = *kid](const Result<>& outcome) {
    if (outcome) log_.info("card_dropped", {{"kid", to_uuid_text(kid)}});
    reply(act_answer(outcome));
  });
}

void Daemon::say_ready() {
  const std::int64_t left = parts_.keys.chain.op.exp() - to_unix_ms(loop_.now());
  if (left < key_warning_ms) {
    log_.warn("op_key_expires",
              {{"days", static_cast<std::uint64_t>(std::max<std::int64_t>(left, 0) / 86'400'000)}});
  }
  const bool v6 = config_.listen_host.find(':') != std::string::npos;
  const std::string address = (v6 ? '[' + config_.listen_host + ']' : config_.listen_host) + ':' +
                              std::to_string(listener_->port());
  log_.info("ready", {{"domain", options_.domain}, {"address", address}});
  std::printf("ready %s domain=%s address=%s pid=%d\n", program_.name.c_str(),
              options_.domain.c_str(), address.c_str(), static_cast<int>(::getpid()));
  std::fflush(stdout);
}

void Daemon::stop(int signal_number) {
  log_.info("stopping", {{"signal", static_cast<std::uint64_t>(signal_number)},
                         {"connections", driver_.connection_count()}});
  listener_.reset();
  control_.reset();
  admin_.reset();
  server_.shut_down(loop_.now());
  driver_.drain();
  drain_until_ = loop_.now() + drain_time_max;
  look_drained();
}

/// Busy sessions may finish what they asked for; then what is queued goes out.
void Daemon::look_drained() {
  const bool late = loop_.now() >= drain_until_;
  if (late || driver_.connection_count() == 0) driver_.shut_down();
  std::erase_if(accepted_, [](const auto& weak) { return weak.expired(); });
  if (late || (driver_.connection_count() == 0 && accepted_.empty())) return loop_.stop();
  drain_timer_ = loop_.call_after(drain_look, [this] { look_drained(); });
}

tl::expected<void, Failure> Daemon::run() {
  if (auto ready = listen(); !ready) return ready;
  if (auto ready = listen_admin(); !ready) return ready;
  driver_.drain();
  loop_.on_stop_signal([this](int number) { stop(number); });
  say_ready();
  loop_.run();
  const server::Stats stats = server_.stats();
  const net::DriverCounts& counts = driver_.counts();
  log_.info("stopped", {{"accepted", counts.accepted},
                        {"commits", counts.commits},
                        {"batches", counts.batches},
                        {"submitted", stats.submitted},
                        {"delivered_in", stats.delivered_in},
                        {"delivered_out", stats.delivered_out},
                        {"queue", stats.queue_depth}});
  return {};
}

}  // namespace

tl::expected<void, Failure> check_config(const apps::ServerConfig& config) {
  if (auto parts = load_parts(config); !parts) {
    return tl::unexpected(Failure{exit_bad_config, parts.error()});
  }
  return {};
}

tl::expected<void, Failure> serve(const Program& program, const apps::ServerConfig& config) {
  set_process_limits();
  auto parts = load_parts(config);
  if (!parts) return tl::unexpected(Failure{exit_bad_config, parts.error()});
  auto log = net::Log::open(config.log_level, config.log_file);
  if (!log) return tl::unexpected(Failure{exit_bad_config, log.error()});
  auto store = open_store(config);
  if (!store) return tl::unexpected(Failure{exit_failure, store.error()});
  net::Loop loop;
  std::shared_ptr<net::SiteFinder> dns;
  if (config.use_dns) {
    auto opened = net::Dns::open(loop, config.name_servers);
    if (!opened) return tl::unexpected(Failure{exit_failure, opened.error()});
    dns = std::make_shared<net::SiteFinder>(loop, std::move(*opened));
  }
  Daemon daemon(program, config, std::move(*parts), std::move(*log), std::move(*store), loop,
                std::move(dns));
  return daemon.run();
}

}  // namespace ams::daemon
