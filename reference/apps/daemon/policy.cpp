#include "daemon/policy.h"

#include "daemon/utc.h"
#include "net/loop.h"

namespace ams::daemon {
namespace {

Instant clock_now() { return net::Loop().now(); }

void add_terms(std::string& out, const std::string& what, const keys::PolicyTerms& terms) {
  out += what + " " + std::string(keys::name(terms.mode));
  if (terms.effective > 0) out += " since " + utc_text(terms.effective / 1'000);
  out += "\n";
  for (const keys::SharedKey& shared : terms.keys)
    out += "  " + (shared.group.empty() ? "whole domain" : "group " + shared.group) + "  kid " +
           to_uuid_text(shared.key.kid) + "  fp " + to_base64url(shared.key.fp) + "\n";
}

std::string policy_text(const keys::DomainRecord& record, Instant now) {
  const keys::PolicyTerms& in_force = keys::policy_at(record, now);
  std::string out = record.domain + ", record " + std::to_string(record.seq) + "\n";
  add_terms(out, "in force:", in_force);
  if (&in_force != &record.policy.terms) {
    keys::PolicyTerms coming = record.policy.terms;
    const std::string from = utc_text(coming.effective / 1'000);
    coming.effective = 0;
    add_terms(out, "from " + from + ":", coming);
  }
  out.pop_back();
  return out;
}

}  // namespace

tl::expected<std::string, Failure> show_policy(const apps::ServerConfig& config) {
  const auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return tl::unexpected(Failure{exit_failure, keys.error()});
  return policy_text(keys->chain.record, clock_now());
}

tl::expected<PolicyChange, Failure> parse_change(const PolicyOptions& options) {
  PolicyChange change;
  const auto mode = keys::find_policy(options.mode);
  if (!mode)
    return tl::unexpected(Failure{exit_bad_config, "MODE: expected isp, corporate or groups"});
  change.mode = *mode;
  change.root_key_file = options.root_key_file;
  if (!options.shared.empty()) change.shared.emplace_back("", options.shared);
  for (const std::string& group : options.groups) {
    const auto equals = group.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == group.size())
      return tl::unexpected(
          Failure{exit_bad_config, "--group: expected NAME=FILE, got '" + group + "'"});
    change.shared.emplace_back(group.substr(0, equals), group.substr(equals + 1));
  }
  return change;
}

tl::expected<std::string, Failure> set_policy(const apps::ServerConfig& config,
                                              const PolicyOptions& options) {
  const auto change = parse_change(options);
  if (!change) return tl::unexpected(change.error());
  const Instant now = clock_now();
  const auto record = change_policy(config.data_dir, config.server.domain, *change, now);
  if (!record) return tl::unexpected(Failure{exit_bad_config, record.error()});
  return policy_text(*record, now) + "\nrestart the daemon to publish it";
}

}  // namespace ams::daemon
