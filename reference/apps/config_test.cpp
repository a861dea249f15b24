// Goal: amsd's configuration is read as its header shows it, and a wrong one says what to mend.
// Method: the header's own example, the least file that works, and files with mistakes.
#include "apps/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace ams::apps {
namespace {

/// The example in config.h: what the comment promises is what the program reads.
std::string example() {
  std::ifstream in(AMS_SOURCE_DIR "/reference/apps/config.h");
  std::string text;
  for (std::string line; std::getline(in, line) && line.starts_with("//");) {
    if (line.starts_with("//   ")) text += line.substr(5) + '\n';
  }
  return text;
}

TEST(ServerConfig, reads_the_example_of_its_header) {
  const auto config = parse_server_config(example(), "/etc/ams/amsd.toml");
  ASSERT_TRUE(config) << config.error();
  EXPECT_EQ(config->server.domain, "a.example");
  EXPECT_EQ(config->data_dir, "/etc/ams/data");
  EXPECT_EQ(config->hosts_file, "/etc/ams/hosts");
  EXPECT_TRUE(config->use_dns);
  EXPECT_EQ(config->name_servers, std::vector<std::string>{"192.0.2.1:53"});
  EXPECT_EQ(config->listen_host, "0.0.0.0");
  EXPECT_EQ(config->listen_port, 7747);
  EXPECT_EQ(config->certificate_file, "/etc/ams/server.pem");
  EXPECT_EQ(config->key_file, "/etc/ams/server.key");
  EXPECT_EQ(config->ca_file, "/etc/ams/ca.pem");
  EXPECT_EQ(config->server.directory_peers, std::vector<std::string>{"b.example"});
  EXPECT_FALSE(config->server.full_directory);
  EXPECT_EQ(config->server.connections_max, 10'000);
  EXPECT_EQ(config->admin_port, 7750);
  EXPECT_EQ(config->admin_host, "127.0.0.1");
  EXPECT_EQ(config->log_level, net::LogLevel::info);
  EXPECT_EQ(config->log_file, "/etc/ams/amsd.log");
}

constexpr std::string_view least = R"(domain = "a.example"
data_dir = "/var/lib/ams"
hosts_file = "hosts"
[tls]
certificate = "c.pem"
key = "c.key"
)";

TEST(ServerConfig, the_least_file_takes_the_defaults) {
  const auto config = parse_server_config(least, "amsd.toml");
  ASSERT_TRUE(config) << config.error();
  const server::Options defaults;
  EXPECT_EQ(config->data_dir, "/var/lib/ams");
  EXPECT_EQ(config->hosts_file, "hosts");
  EXPECT_EQ(config->listen_port, default_port);
  EXPECT_EQ(config->ca_file, "");
  EXPECT_EQ(config->admin_port, std::nullopt);
  EXPECT_EQ(config->log_file, "");
  EXPECT_EQ(config->server.queue_max, defaults.queue_max);
  EXPECT_EQ(config->server.limits.batch, defaults.limits.batch);
}

TEST(ServerConfig, the_directorys_budget_for_one_domain_can_be_set) {
  const auto with = [](std::string_view rate) {
    return parse_server_config(
        std::string(least) + "[directory]\nrequests_per_s = " + std::string(rate) + "\n",
        "amsd.toml");
  };
  EXPECT_EQ(with("7")->server.directory_rate, 7);
  const auto none = with("0");
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().find("requests_per_s"), std::string::npos) << none.error();
}

TEST(ServerConfig, discovery_is_by_file_by_dns_or_by_both) {
  const auto with = [](std::string_view hosts, std::string_view discovery) {
    return parse_server_config("domain = \"a.example\"\ndata_dir = \"d\"\n" + std::string(hosts) +
                                   "[tls]\ncertificate = \"c\"\nkey = \"k\"\n" +
                                   std::string(discovery),
                               "amsd.toml");
  };
  const auto error_of = [&](std::string_view hosts, std::string_view discovery) {
    const auto config = with(hosts, discovery);
    return config ? "good" : config.error();
  };
  const auto dns = with("", "[discovery]\nresolver = \"dns\"\n");
  ASSERT_TRUE(dns) << dns.error();
  EXPECT_TRUE(dns->use_dns);
  EXPECT_EQ(dns->hosts_file, "");
  EXPECT_FALSE(with("hosts_file = \"hosts\"\n", "")->use_dns);
  EXPECT_EQ(error_of("", ""), "amsd.toml: hosts_file: is missing; expected a text");
  EXPECT_EQ(error_of("", "[discovery]\nresolver = \"bind\"\n"),
            "amsd.toml: hosts_file: is missing; expected a text\n"
            "amsd.toml:7: discovery.resolver: expected one of hosts, dns, found \"bind\"");
  EXPECT_EQ(error_of("hosts_file = \"hosts\"\n", "[discovery]\nname_servers = [\"9.9.9.9\"]\n"),
            "amsd.toml:8: discovery.name_servers: expected none, or resolver = \"dns\", found an "
            "array");
  EXPECT_EQ(error_of("", "[discovery]\nresolver = \"dns\"\nname_servers = [\"ns.example\"]\n"),
            "amsd.toml:8: discovery.name_servers: expected a list, each item an IP address with or "
            "without a port "
            "(\"192.0.2.1:53\"), found \"ns.example\"");
}

/// A light peer learns no peers: whoever asks for it is told, not left to wonder.
TEST(ServerConfig, exchange_is_for_full_peers) {
  const auto with = [](std::string_view directory) {
    return parse_server_config(
        "domain = \"a.example\"\ndata_dir = \"d\"\nhosts_file = \"h\"\n[tls]\n"
        "certificate = \"c\"\nkey = \"k\"\n[directory]\n" +
            std::string(directory),
        "amsd.toml");
  };
  EXPECT_FALSE(with("full = true\n")->server.directory_exchange);
  EXPECT_TRUE(with("full = true\nexchange = true\n")->server.directory_exchange);
  EXPECT_EQ(with("exchange = true\n").error(),
            "amsd.toml:8: directory.exchange: expected false, or full = true: a light peer learns "
            "no peers, found true");
}

TEST(ServerConfig, says_all_that_is_wrong) {
  const auto config = parse_server_config(R"(domain = "A.example"
data_dri = "data"
hosts_file = "hosts"
[listen]
port = "7747"
[tls]
certificate = "c.pem"
key = "c.key"
[log]
level = "loud"
[admin]
host = "0.0.0.0"
)",
                                          "amsd.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error(),
            R"(amsd.toml: data_dir: is missing; expected a text
amsd.toml:1: domain: expected a domain name in lower case ("a.example"), found "A.example"
amsd.toml:2: data_dri: expected no such field
amsd.toml:5: listen.port: expected an integer from 0 to 65535, found "7747"
amsd.toml:10: log.level: expected one of debug, info, warn, error, off, found "loud"
amsd.toml:12: admin.host: expected a loopback address ("127.0.0.1"): the page is for this )"
            R"(machine; use a tunnel from elsewhere, found "0.0.0.0")");
  EXPECT_EQ(load_server_config("no/such.toml").error(), "no/such.toml: cannot be read");
}

}  // namespace
}  // namespace ams::apps
