#include "daemon/peer_line.h"

#include <deque>
#include <map>

#include "base/overload.h"
#include "daemon/hosts_file.h"
#include "net/connection.h"
#include "net/loop.h"
#include "session/session.h"

namespace ams::daemon {
namespace {

constexpr Duration answer_wait = std::chrono::seconds{20};

Failure unreachable(const std::string& domain, const std::string& why) {
  return {exit_unreachable, domain + ": " + why};
}

std::string place_of(const keys::Discovery& found) {
  return found.host + ":" + std::to_string(found.port);
}

class Line final : public PeerLine {
 public:
  Line(std::string domain, DomainKeys keys, net::TlsContext tls)
      : domain_(std::move(domain)), keys_(std::move(keys)), tls_(std::move(tls)) {}
  ~Line() override {
    if (connection_) connection_->close();
  }

  tl::expected<void, Failure> connect(const std::string& own, const PeerSite& site) {
    std::optional<tl::expected<net::ConnectionPtr, std::string>> dialled;
    const net::Endpoint to{site.found.host, site.found.port, site.found.certificate_pin};
    net::connect(loop_, tls_, to, {}, [&](auto outcome) {
      dialled = std::move(outcome);
      loop_.stop();
    });
    if (!wait([&] { return dialled.has_value(); }))
      return tl::unexpected(unreachable(domain_, "no connection in time"));
    if (!*dialled) return tl::unexpected(unreachable(domain_, dialled->error()));
    connection_ = std::move(**dialled);
    session::ConnectorOptions options{
        {session::PeerKind::server, own, {}, {}, keys_.chain.value}, domain_, site.found.root, {}};
    session_.emplace(std::move(options), keys_.op, connection_->exporter(), loop_.now());
    connection_->start(
        [this](ByteView bytes) {
          session_->handle_bytes(bytes, loop_.now());
          pump();
        },
        [this](std::string_view reason) { end(std::string(reason)); });
    pump();
    if (!wait([&] { return session_->open() || ended_; }) || !session_->open())
      return tl::unexpected(unreachable(domain_, why_.empty() ? "no session in time" : why_));
    return {};
  }

  tl::expected<Result<wire::Value>, Failure> ask(std::string op, wire::Value args) override {
    if (ended_) return tl::unexpected(unreachable(domain_, why_));
    const std::int64_t id = session_->request(op, std::move(args));
    pump();
    if (!wait([&] { return answers_.contains(id) || ended_; }) || !answers_.contains(id))
      return tl::unexpected(unreachable(domain_, why_.empty() ? op + ": no answer in time" : why_));
    auto node = answers_.extract(id);
    return std::move(node.mapped());
  }

  const keys::Chain& chain() const override { return *session_->peer_chain(); }

 private:
  /// Runs the loop until `done` or until the wait is over.
  template <class Done>
  bool wait(Done done) {
    bool late = false;
    const net::Timer timer = loop_.call_after(answer_wait, [&] {
      late = true;
      loop_.stop();
    });
    while (!done() && !late) loop_.run();
    return done();
  }

  void end(std::string why) {
    ended_ = true;
    if (why_.empty()) why_ = std::move(why);
    connection_.reset();
    loop_.stop();
  }

  void pump() {
    while (auto effect = session_->poll()) {
      std::visit(Overload{
                     [&](session::SendBytes& e) {
                       if (connection_) connection_->send(std::move(e.bytes));
                     },
                     [&](session::Close& e) {
                       why_ = e.why ? std::string(code_info(*e.why).name) : "it closed";
                       if (connection_) connection_->close();
                       end(why_);
                     },
                     [&](session::AnswerIn& e) { answers_.emplace(e.id, std::move(e.outcome)); },
                     [&](session::RequestIn& e) {  // we offer nothing to it
                       session_->fail(e.id, Error{Code::unsupported, "op"});
                     },
                     [](auto&) {},
                 },
                 *effect);
    }
    loop_.stop();  // whoever waits looks again
  }

  net::Loop loop_;
  std::string domain_;
  DomainKeys keys_;
  net::TlsContext tls_;
  net::ConnectionPtr connection_;
  std::optional<session::Session> session_;
  std::map<std::int64_t, Result<wire::Value>> answers_;
  bool ended_ = false;
  std::string why_;
};

}  // namespace

tl::expected<PeerSite, Failure> find_peer(const apps::ServerConfig& config, const std::string& peer,
                                          const std::string& hosts_file) {
  const std::string& path = hosts_file.empty() ? config.hosts_file : hosts_file;
  if (path.empty())
    return tl::unexpected(Failure{exit_bad_config, "--hosts: expected a hosts file"});
  const auto hosts = net::Hosts::load(path);
  if (!hosts) return tl::unexpected(Failure{exit_bad_config, hosts.error()});
  for (const auto& [domain, entry] : hosts->entries())
    if (domain == peer || place_of(entry.found) == peer) return PeerSite{domain, entry.found};
  return tl::unexpected(Failure{exit_bad_config, "--peer " + peer +
                                                     ": expected a domain or HOST:PORT that stands "
                                                     "in " +
                                                     path});
}

tl::expected<std::unique_ptr<PeerLine>, Failure> PeerLine::open(const apps::ServerConfig& config,
                                                                const PeerSite& site) {
  auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return tl::unexpected(Failure{exit_bad_config, keys.error()});
  auto tls = net::TlsContext::client(config.ca_file);
  if (!tls) return tl::unexpected(Failure{exit_bad_config, tls.error()});
  auto line = std::make_unique<Line>(site.domain, std::move(*keys), std::move(*tls));
  if (auto ready = line->connect(config.server.domain, site); !ready)
    return tl::unexpected(ready.error());
  return line;
}

}  // namespace ams::daemon
