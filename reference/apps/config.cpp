#include "apps/config.h"

#include <filesystem>

#include "net/dns.h"
#include "net/http.h"
#include "settings/reader.h"
#include "wire/address.h"

namespace ams::apps {
namespace {

const settings::Rule name_server_rule{net::is_name_server,
                                      "an IP address with or without a port (\"192.0.2.1:53\")"};
const settings::Rule loopback_rule{net::is_loopback,
                                   "a loopback address (\"127.0.0.1\"): the page is for this "
                                   "machine; use a tunnel from elsewhere"};
const settings::Rule domain_rule{wire::is_domain, "a domain name in lower case (\"a.example\")"};

/// Paths in the file count from the folder where the file is, wherever the program was started.
std::string beside(const std::string& config_path, const std::string& path) {
  if (path.empty()) return path;
  return (std::filesystem::path(config_path).parent_path() / path).lexically_normal().string();
}

void read_limits(settings::Section limits, server::Options& out) {
  constexpr std::int64_t many = std::int64_t{1} << 40;
  out.connections_max = limits.integer("connections", {1, 1'000'000}, out.connections_max);
  out.queue_max = limits.integer("queue", {1, many}, out.queue_max);
  out.mailbox_bytes_max = limits.integer("mailbox_bytes", {1 << 20, many}, out.mailbox_bytes_max);
  out.limits.in_flight = limits.integer("in_flight", {1, 65'536}, out.limits.in_flight);
  out.limits.blob = limits.integer("blob_bytes", {1, std::int64_t{1} << 32}, out.limits.blob);
  out.limits.transfers = limits.integer("transfers", {1, 1024}, out.limits.transfers);
  out.limits.batch = limits.integer("batch", {1, 1024}, out.limits.batch);
}

tl::expected<ServerConfig, std::string> read_config(settings::Reader reader,
                                                    const std::string& path) {
  ServerConfig out;
  const auto file = [&](settings::Section section, std::string_view name,
                        std::optional<std::string> otherwise = std::nullopt) {
    return beside(path, section.text(name, settings::not_empty(), std::move(otherwise)));
  };
  settings::Section root = reader.root();
  out.server.domain = root.text("domain", domain_rule);
  out.data_dir = file(root, "data_dir");
  settings::Section discovery = root.section("discovery");
  out.use_dns = discovery.text("resolver", settings::one_of({"hosts", "dns"}), "hosts") == "dns";
  out.name_servers = discovery.texts("name_servers", name_server_rule);
  if (!out.use_dns && !out.name_servers.empty())
    discovery.refuse("name_servers", "none, or resolver = \"dns\"");
  out.hosts_file = out.use_dns ? file(root, "hosts_file", "") : file(root, "hosts_file");

  settings::Section listen = root.section("listen");
  out.listen_host = listen.text("host", settings::not_empty(), "0.0.0.0");
  out.listen_port = static_cast<std::uint16_t>(listen.integer("port", {0, 65'535}, default_port));

  settings::Section tls = root.section("tls");
  out.certificate_file = file(tls, "certificate");
  out.key_file = file(tls, "key");
  out.ca_file = file(tls, "ca", "");

  settings::Section admin = root.section("admin");
  out.admin_host = admin.text("host", loopback_rule, "127.0.0.1");
  if (admin.has("port"))
    out.admin_port = static_cast<std::uint16_t>(admin.integer("port", {0, 65'535}));

  settings::Section directory = root.section("directory");
  out.server.directory_peers = directory.texts("peers", domain_rule);
  out.server.full_directory = directory.boolean("full", out.server.full_directory);
  out.server.directory_exchange = directory.boolean("exchange", out.server.directory_exchange);
  if (out.server.directory_exchange && !out.server.full_directory)
    directory.refuse("exchange", "false, or full = true: a light peer learns no peers");
  out.server.directory_interval = std::chrono::seconds{directory.integer(
      "interval_s", {1, 3'600}, out.server.directory_interval / std::chrono::seconds{1})};  // DIR-7
  out.server.directory_quota =
      directory.integer("quota", {1, 1'000'000'000}, out.server.directory_quota);
  out.server.directory_work_bits = static_cast<int>(directory.integer(
      "work_bits", {0, directory::work_bits_max}, out.server.directory_work_bits));
  out.server.directory_rate =
      directory.integer("requests_per_s", {1, 10'000'000}, out.server.directory_rate);
  read_limits(root.section("limits"), out.server);
  constexpr std::int64_t page = 4096;
  const auto bytes = root.section("store").integer("bytes", {0, page << 31}, 0);
  out.store_pages_max = static_cast<std::uint32_t>((bytes + page - 1) / page);

  settings::Section log = root.section("log");
  const auto levels = settings::one_of({"debug", "info", "warn", "error", "off"});
  out.log_level = net::find_log_level(log.text("level", levels, "info")).value_or(out.log_level);
  out.log_file = file(log, "file", "");
  if (auto read = reader.finish(); !read) return tl::unexpected(read.error());
  return out;
}

}  // namespace

tl::expected<ServerConfig, std::string> load_server_config(const std::string& path) {
  auto reader = settings::Reader::load(path);
  if (!reader) return tl::unexpected(reader.error());
  return read_config(std::move(*reader), path);
}

tl::expected<ServerConfig, std::string> parse_server_config(std::string_view text,
                                                            const std::string& path) {
  auto reader = settings::Reader::parse(text, path);
  if (!reader) return tl::unexpected(reader.error());
  return read_config(std::move(*reader), path);
}

}  // namespace ams::apps
