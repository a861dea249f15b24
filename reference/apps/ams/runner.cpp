#include "ams_cli/runner.h"

#include <unistd.h>

#include <cstdio>

#include "ams_cli/alarms.h"
#include "ams_cli/letters.h"
#include "ams_cli/terminal.h"
#include "client/heard.h"
#include "keystore_net/place.h"
#include "net/entropy.h"

namespace ams::cli {
namespace {

client::Options client_options(const Settings& settings, bool key_store) {
  client::Options options;
  options.addr = settings.addr;
  options.stay_connected = false;
  options.key_store = key_store;
  options.log_witnesses = settings.log_witnesses;
  options.witness_domains = settings.witnesses;
  return options;
}

/// The key store that `ams keystore use` named, if it did.
tl::expected<std::optional<keystore_net::Place>, std::string> key_store_of(Home& home) {
  const auto row = home.storage().get(table_settings, as_bytes("keystore"));
  if (!row) return tl::unexpected<std::string>(home.folder() + ": cannot be read");
  if (!*row) return std::optional<keystore_net::Place>();
  auto place = keystore_net::decode_place(**row);
  if (!place)
    return tl::unexpected<std::string>(home.folder() +
                                       ": its key store's place is damaged; `ams keystore use` "
                                       "sets it anew");
  return std::optional<keystore_net::Place>(std::move(*place));
}

}  // namespace

struct Runner::Impl {
  Impl(Home& h, RunnerOptions o, net::Log l, net::Hosts known, const net::TlsContext& tls,
       const std::optional<keystore_net::Place>& place)
      : home(h),
        options(o),
        log(std::move(l)),
        hosts(std::move(known)),
        dns(open_dns()),
        key_store(open_key_store(place)),
        client(client_options(h.settings(), key_store != nullptr), h.device(), h.storage(),
               net::entropy_seed().view(), loop.now()),
        heard(
            client, [this](client::Report report) { hear(std::move(report)); },
            [this](client::KeyStoreAsk asked) { ask_key_store(std::move(asked)); }),
        driver(loop, heard, h.storage(), log, driver_options(tls)) {}

  /// A hosts file alone is enough; without one, or with name servers, DNS is asked (DOM-15).
  std::shared_ptr<net::SiteFinder> open_dns() {
    const Settings& settings = home.settings();
    if (!settings.hosts_file.empty() && settings.name_servers.empty()) return nullptr;
    auto opened = net::Dns::open(loop, settings.name_servers);
    if (!opened) {
      dns_error = opened.error();
      return nullptr;
    }
    return std::make_shared<net::SiteFinder>(loop, std::move(*opened));
  }
  std::unique_ptr<keystore_net::Link> open_key_store(
      const std::optional<keystore_net::Place>& place) {
    if (!place) return nullptr;
    auto opened = keystore_net::open_place(loop, *place);
    if (opened) return std::move(*opened);
    key_store_error = opened.error();
    return nullptr;
  }
  void ask_key_store(client::KeyStoreAsk asked) {
    if (!key_store) return;
    key_store->ask(std::move(asked.request), [this, ticket = asked.ticket](Result<Bytes> answer) {
      client.handle_key_store(ticket, answer, loop.now());
      if (answer) crypto::wipe(answer->data(), answer->size());
      driver.drain();
    });
  }
  net::DriverOptions driver_options(const net::TlsContext& tls) {
    net::ConnectionOptions connection;
    connection.write_queue_max = std::size_t{64} << 20;  // a blob goes out in one piece
    const auto discover = [this](const std::string& domain) -> std::optional<keys::Discovery> {
      const net::HostEntry* entry = hosts.find(domain);
      if (!entry) return std::nullopt;
      return entry->found;
    };
    return net::DriverOptions{tls, connection, discover, dns};
  }

  void hear(client::Report report) {
    arm();
    const storage::WriteBatch rows = letter_rows(report);
    // Not durable yet: it becomes so together with the client's own note that we were told.
    if (!rows.empty() && !home.storage().apply(rows))
      ended = "the folder " + home.folder() + " cannot be written";
    if (const auto* change = std::get_if<client::KeyChanged>(&report)) tell(text_of(*change));
    if (const auto* alarm = std::get_if<client::Alarm>(&report)) tell(warn_of(home, *alarm));
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && failed->what == "connect") ended = "cannot connect: " + explain(failed->why);
    if (done(report)) finished = true;
    if (finished || ended) loop.post([this] { loop.stop(); });
  }
  static void tell(const std::string& what) {
    end_progress();
    say(exit_ok, what);
  }
  void arm() {
    timer = loop.call_after(options.patience, [this] {
      ended = "nothing happened for a while";
      loop.stop();
    });
  }

  Home& home;
  RunnerOptions options;
  net::Log log;
  net::Hosts hosts;
  net::Loop loop;
  std::optional<std::string> dns_error;
  std::shared_ptr<net::SiteFinder> dns;  // null: by the hosts file alone
  std::optional<std::string> key_store_error;
  std::unique_ptr<keystore_net::Link> key_store;  // null: the account has none
  client::Client client;
  client::Heard heard;
  net::Driver driver;
  net::Timer timer;
  std::function<bool(const client::Report&)> done;
  std::optional<std::string> ended;
  bool finished = false;
};

Runner::Runner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runner::~Runner() = default;
client::Client& Runner::client() { return impl_->client; }
Instant Runner::now() { return impl_->loop.now(); }

tl::expected<std::unique_ptr<Runner>, std::string> Runner::make(Home& home, RunnerOptions options) {
  net::Hosts hosts;
  if (!home.settings().hosts_file.empty()) {
    auto loaded = net::Hosts::load(home.settings().hosts_file);
    if (!loaded) return tl::unexpected<std::string>(loaded.error());
    hosts = std::move(*loaded);
  }
  auto tls = net::TlsContext::client(home.settings().ca_file);
  if (!tls) return tl::unexpected<std::string>(tls.error());
  const auto place = key_store_of(home);
  if (!place) return tl::unexpected<std::string>(place.error());
  auto log = net::Log::open(options.verbose ? net::LogLevel::debug : net::LogLevel::off);
  if (!log) return tl::unexpected<std::string>(log.error());
  auto impl =
      std::make_unique<Impl>(home, options, std::move(*log), std::move(hosts), *tls, *place);
  if (impl->key_store_error) return tl::unexpected<std::string>(*impl->key_store_error);
  if (impl->dns_error) return tl::unexpected<std::string>(*impl->dns_error);
  return std::unique_ptr<Runner>(new Runner(std::move(impl)));
}

std::optional<std::string> Runner::run(const std::function<bool(const client::Report&)>& done) {
  Impl& impl = *impl_;
  impl.done = done;
  impl.finished = false;
  impl.ended.reset();
  impl.arm();
  impl.loop.post([&impl] { impl.driver.drain(); });
  impl.loop.run();
  impl.timer = {};
  impl.driver.drain();
  impl.driver.shut_down();
  if (impl.finished) return std::nullopt;
  return impl.ended;
}

std::string explain(const Error& why) {
  const std::string name(code_info(why.code).name);
  return why.where.empty() ? name : name + " (" + printable(why.where, false) + ")";
}

}  // namespace ams::cli
