// ams-client: the reference's client behind the client adapter's JSON lines, over sockets; the same
// machine and account folder as `ams` has.
// Exit codes: 0 at the end of input, 2 for a wrong command line.
#include <iostream>
#include <memory>
#include <thread>

#include "ams_cli/home.h"
#include "client/heard.h"
#include "client_adapter/desk.h"
#include "net/driver.h"
#include "net/entropy.h"
#include "net/hosts.h"

namespace ams::client_adapter {
namespace {

constexpr const char* usage =
    "usage: ams-client\n"
    "Reads one JSON request a line from stdin and answers each with one line on stdout, as\n"
    "conformance/adapter/client.schema.json says. For instance:\n"
    "  echo '{\"id\":1,\"op\":\"hello\",\"args\":{}}' | ams-client\n";

struct Unusable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The machine as its driver sees it, and the desk that hears it.
class Account {
 public:
  Account(net::Loop& loop, net::Log& log, cli::Home home, net::Hosts hosts, net::TlsContext tls,
          const Json& id, const std::optional<Hash>& token)
      : loop_(loop),
        home_(std::move(home)),
        hosts_(std::move(hosts)),
        client_(options(home_), home_.device(), home_.storage(), net::entropy_seed().view(),
                loop.now()),
        desk_(client_, id),
        heard_(
            client_, [this](client::Report report) { desk_.hear(std::move(report)); }, {},
            [this] { look(); }),
        driver_(loop, heard_, home_.storage(), log, driver_options(std::move(tls))) {
    if (token && !client_.ready()) client_.enrol(*token, std::nullopt, loop.now());
    driver_.drain();
  }
  ~Account() { driver_.shut_down(); }

  void ask(const Json& id, const std::string& op, const Json& args) {
    desk_.ask(id, op, args, loop_.now());
    if (desk_.due()) timer_ = loop_.call_at(*desk_.due(), [this] { look(); });
    driver_.drain();
  }

 private:
  void look() {
    desk_.look(loop_.now());
    if (const auto answer = desk_.poll()) std::cout << answer->dump() << std::endl;
  }
  static client::Options options(const cli::Home& home) {
    client::Options out;
    out.addr = home.settings().addr;
    return out;
  }
  net::DriverOptions driver_options(net::TlsContext tls) {
    const auto discover = [this](const std::string& domain) -> std::optional<keys::Discovery> {
      const net::HostEntry* entry = hosts_.find(domain);
      if (!entry) return std::nullopt;
      return entry->found;
    };
    return net::DriverOptions{std::move(tls), {}, discover};
  }

  net::Loop& loop_;
  cli::Home home_;
  net::Hosts hosts_;
  client::Client client_;
  Desk desk_;
  client::Heard heard_;
  net::Driver driver_;
  net::Timer timer_;
};

template <class T>
T must(tl::expected<T, std::string> got) {
  if (!got) throw Unusable(got.error());
  return std::move(*got);
}

class Program {
 public:
  Program() : log_(must(net::Log::open(net::LogLevel::off))) {}

  void run() {
    std::thread input([this] {
      for (std::string line; std::getline(std::cin, line);)
        loop_.post([this, line] { take(line); });
      loop_.post([this] { loop_.stop(); });
    });
    loop_.run();
    account_.reset();
    input.join();
  }

 private:
  static void say(const Json& answer) { std::cout << answer.dump() << std::endl; }

  void take(const std::string& line) {
    Json id;
    try {
      const Json request = Json::parse(line);
      id = request.at("id");
      perform(id, request.at("op").get<std::string>(), request.at("args"));
    } catch (const std::exception& error) {
      say(fault(id, error.what()));
    }
  }

  void perform(const Json& id, const std::string& op, const Json& args) {
    if (op == "hello") return say({{"id", id}, {"ok", hello()}});
    if (op == "client.open") return open(id, args);
    if (!knows(op)) return say(refusal(id, Error{Code::unsupported, "op"}));
    if (!account_) throw Unusable("no client is open");
    if (op == "client.close") {
      account_.reset();
      return say({{"id", id}, {"ok", Json::object()}});
    }
    account_->ask(id, op, args);
  }

  void open(const Json& id, const Json& args) {
    account_.reset();
    std::string lines;
    for (const std::string line : args.at("hosts")) lines += line + "\n";
    net::Hosts hosts = must(net::Hosts::parse(lines, "client.open.hosts"));
    std::optional<Hash> token;
    if (args.contains("token")) {
      const auto bytes = from_base64url(args.at("token").get<std::string>());
      token = bytes ? to_array<32>(*bytes) : std::nullopt;
      if (!token) throw Unusable("token: expected 32 bytes in base64url");
    }
    cli::Settings settings;
    settings.addr = args.at("addr").get<std::string>();
    cli::Home home = must(cli::Home::create(args.at("state").get<std::string>(), settings));
    account_ = std::make_unique<Account>(loop_, log_, std::move(home), std::move(hosts),
                                         must(net::TlsContext::client("")), id, token);
  }

  net::Loop loop_;
  net::Log log_;
  std::unique_ptr<Account> account_;
};

int serve() {
  Program program;
  program.run();
  return 0;
}

}  // namespace
}  // namespace ams::client_adapter

int main(int argc, char** argv) {
  using ams::client_adapter::serve;
  if (argc == 2 && std::string(argv[1]) == "--help") {
    std::cout << ams::client_adapter::usage;
    return 0;
  }
  if (argc == 1) return serve();
  std::cerr << ams::client_adapter::usage;
  return 2;
}
