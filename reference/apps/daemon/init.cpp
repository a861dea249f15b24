#include "daemon/init.h"

#include <charconv>
#include <filesystem>

#include "daemon/domain_keys.h"
#include "daemon/files.h"
#include "discovery/records.h"
#include "net/devcert.h"
#include "net/dns.h"
#include "net/entropy.h"
#include "net/hosts.h"
#include "net/loop.h"
#include "wire/address.h"

namespace ams::daemon {
namespace {

namespace fs = std::filesystem;

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

tl::unexpected<Failure> misuse(const std::string& text) {
  return tl::unexpected(Failure{exit_bad_config, text});
}
tl::unexpected<Failure> failure(const std::string& text) {
  return tl::unexpected(Failure{exit_failure, text});
}

tl::expected<Address, Failure> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  Address out;
  if (colon != std::string::npos) {
    out.host = text.substr(0, colon);
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, out.port);
    if (error != std::errc{} || rest != end) out.host.clear();
    if (out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']') {
      out.host = out.host.substr(1, out.host.size() - 2);
    }
  }
  if (out.host.empty()) {
    return misuse("--listen: expected HOST:PORT as in 127.0.0.1:7747, found \"" + text + "\"");
  }
  return out;
}

bool is_any_address(const std::string& host) { return host == "0.0.0.0" || host == "::"; }

std::string host_for_others(const std::string& given, const std::string& listen_host,
                            const std::string& domain) {
  if (!given.empty()) return given;
  return is_any_address(listen_host) ? domain : listen_host;
}

/// A TOML basic string; what is written here holds no control characters.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + quoted(text);
  return '[' + out + ']';
}

std::string config_text(const Program& program, const InitOptions& options,
                        const Address& address) {
  const bool made = options.certificate_file.empty();
  const auto absolute = [](const std::string& path) { return fs::absolute(path).string(); };
  const std::string hosts = options.hosts_file.empty() ? "hosts" : absolute(options.hosts_file);
  std::string out;
  const auto line = [&out](const std::string& text) { out += text + '\n'; };
  line("# " + program.name + ": paths are relative to this file. Check it with");
  line("#   " + program.name + " check-config " + program.name + ".toml");
  line("domain = " + quoted(options.domain));
  line("data_dir = \"data\"            # keys and the store; back it up, show it to nobody");
  if (!options.dns) {
    line("hosts_file = " + quoted(hosts) +
         "  # where other domains are; read again when it changes");
  }
  line("");
  line("[discovery]");
  line("resolver = " + quoted(options.dns ? "dns" : "hosts") +
       "           # dns: ask it for domains that no hosts file lists");
  if (options.name_servers.empty()) {
    line("# name_servers = [\"192.0.2.1:53\"]  # absent: the system's");
  } else {
    line("name_servers = " + quoted_list(options.name_servers));
  }
  line("");
  line("[listen]");
  line("host = " + quoted(address.host));
  line("port = " + std::to_string(address.port));
  line("");
  line("[tls]");
  if (made) {
    line("# Made by `init`, under an authority whose key was not kept. Others know it by the pin");
    line("# in the hosts line; clients may also take ca.pem.");
    line("certificate = \"server.pem\"");
    line("key = \"server.key\"");
  } else {
    line("certificate = " + quoted(absolute(options.certificate_file)));
    line("key = " + quoted(absolute(options.key_file)));
  }
  line("# ca = \"ca.pem\"             # whom to believe about other servers; absent: the system's");
  line("");
  line("[admin]");
  line("# port = 7750               # status page and Prometheus metrics, for this machine only");
  line("");
  line("[directory]");
  line("peers = " + quoted_list(options.directory_peers) +
       "  # domains whose directory peers exchange key records with this one");
  line(std::string("full = ") + (program.mail ? "false" : "true") +
       "                # true: hold all keys, not only those looked up");
  line("# exchange = true           # a full peer learns others from those, at most 16 (DIR-65)");
  line("# interval_s = 60           # a full peer compares with one of its peers so often");
  line("# quota = 100000            # new objects a day from one domain, whoever passes them on");
  line("# work_bits = 22            # leading zero bits of that work; 0: none is taken");
  line("# requests_per_s = 200      # of the directory, from one asking domain");
  line("");
  line("[limits]");
  line("# connections = 10000");
  line("# queue = 100000            # entries waiting for one domain");
  line("# mailbox_bytes = 1073741824");
  line("");
  line("[log]");
  line("level = \"info\"              # debug, info, warn, error, off");
  line("# file = \"" + program.name + ".log\"       # absent: standard error");
  return out;
}

tl::expected<void, std::string> make_certificates(const InitOptions& options,
                                                  const Address& address) {
  const Instant now = net::Loop().now();
  const Instant from = now - std::chrono::hours(24);
  constexpr Duration life = std::chrono::hours(24 * 398);
  std::vector<std::string> names{host_for_others(options.host, address.host, options.domain)};
  for (const std::string& name : {options.domain, std::string("localhost")}) {
    if (name != names.front()) names.push_back(name);
  }
  if (!is_any_address(address.host) && address.host != names.front() &&
      address.host != "localhost") {
    names.push_back(address.host);
  }
  auto authority = net::make_authority({{"ca." + options.domain}, from, life});
  if (!authority) return tl::unexpected(authority.error());
  auto server = net::make_signed_by(*authority, {names, from, life});
  if (!server) return tl::unexpected(server.error());
  const std::string folder = options.folder + "/";
  if (auto wrote = write_new_file(folder + "ca.pem", authority->certificate, 0644); !wrote) {
    return wrote;
  }
  return net::write_certificate(*server, folder + "server.pem", folder + "server.key");
}

tl::expected<void, Failure> check(const Program& program, const InitOptions& options) {
  if (!wire::is_domain(options.domain)) {
    return misuse("--domain: expected a domain name in lower case (\"a.example\"), found \"" +
                  options.domain + "\"");
  }
  if (options.certificate_file.empty() != options.key_file.empty()) {
    return misuse("--cert and --key: expected both or none");
  }
  if (options.dns && !options.hosts_file.empty()) return misuse("--dns and --hosts: expected one");
  if (!options.dns && !options.name_servers.empty()) return misuse("--name-server: expected --dns");
  for (const std::string& server : options.name_servers) {
    if (net::is_name_server(server)) continue;
    return misuse("--name-server: expected an IP address with or without a port, found \"" +
                  server + "\"");
  }
  const std::string config = options.folder + "/" + program.name + ".toml";
  if (fs::exists(config)) {
    return misuse(config + ": exists already; expected a folder without one");
  }
  return {};
}

}  // namespace

tl::expected<std::string, Failure> hosts_line(const apps::ServerConfig& config,
                                              const std::string& host) {
  auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return misuse(keys.error());
  auto pem = read_file(config.certificate_file);
  if (!pem) return misuse(pem.error());
  auto pin = net::certificate_pin(*pem);
  if (!pin) return misuse(config.certificate_file + ": expected a certificate in PEM form");
  return net::to_line({config.server.domain,
                       {host_for_others(host, config.listen_host, config.server.domain),
                        config.listen_port, keys->chain.root.id(), *pin}});
}

tl::expected<std::string, Failure> dns_records(const apps::ServerConfig& config,
                                               const std::string& host) {
  auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return misuse(keys.error());
  const std::string& domain = config.server.domain;
  const std::string target = host.empty() ? domain : host;
  if (!wire::is_domain(target))
    return misuse("--host: expected a domain name in lower case, found \"" + target + "\"");
  const std::string life = ". 3600 IN ";
  return discovery::service_name(domain) + life + "SRV 0 0 " + std::to_string(config.listen_port) +
         ' ' + target + ".\n" + discovery::text_name(domain) + life + "TXT \"" +
         discovery::to_record(keys->chain.root.id()) + '"';
}

tl::expected<std::string, Failure> init(const Program& program, const InitOptions& options) {
  if (auto usable = check(program, options); !usable) return tl::unexpected(usable.error());
  auto address = parse_listen(options.listen);
  if (!address) return tl::unexpected(address.error());
  const auto first = parse_change(options.policy);
  if (!first) return tl::unexpected(first.error());
  const std::string data = options.folder + "/data";
  std::error_code error;
  fs::create_directories(data, error);
  if (!error) fs::permissions(data, fs::perms::owner_all, error);
  if (error) return failure(data + ": cannot be created: " + error.message());
  const Instant now = net::Loop().now();
  if (auto made = create_domain_keys(data, options.domain, net::entropy_seed().view(), *first, now);
      !made) {
    return failure(made.error());
  }
  if (options.certificate_file.empty()) {
    if (auto made = make_certificates(options, *address); !made) return failure(made.error());
  }
  const std::string path = options.folder + "/" + program.name + ".toml";
  if (auto wrote = write_new_file(path, config_text(program, options, *address), 0644); !wrote) {
    return failure(wrote.error());
  }
  auto config = apps::load_server_config(path);
  if (!config) return misuse(config.error());
  if (options.dns) return dns_records(*config, options.host);
  auto line = hosts_line(*config, options.host);
  if (line && !fs::exists(config->hosts_file)) {
    const std::string text = "# domain host port root_kid root_fp pin; a line for each domain\n";
    if (auto wrote = write_new_file(config->hosts_file, text + *line + '\n', 0644); !wrote) {
      return failure(wrote.error());
    }
  }
  return line;
}

}  // namespace ams::daemon
