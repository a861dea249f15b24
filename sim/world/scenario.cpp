#include "sim_world/scenario.h"

#include <algorithm>
#include <optional>

#include "sim_world/scenario_file.h"

namespace ams::sim {
namespace {

void read_scenario(TableReader& in, Scenario& out) {
  std::int64_t seed = static_cast<std::int64_t>(out.seed);
  in.text("name", out.name);
  in.integer("seed", seed, 0, std::int64_t{1} << 53);
  in.integer("domains", out.domains, 1, 100'000);
  in.integer("users", out.users, 1, 10'000'000);
  in.integer("directory_peers", out.directory_peers, 1, 1'000);
  in.integer("reconcile_minutes", out.reconcile_minutes, 1, 60);
  in.integer("lying_domains", out.lying_domains, 0, 100'000);
  in.integer("log_domains", out.log_domains, 0, 1 << 20);
  in.integer("log_witnesses", out.log_witnesses, 0, 16);
  in.integer("days", out.days, 1, 3'650);
  in.integer("drain_hours", out.drain_hours, 0, 1'000);
  in.integer("messages", out.messages, 0, 100'000'000);
  in.integer("rsa_users_permille", out.rsa_users_permille, 0, 1'000);
  in.text("corpus", out.corpus);
  out.seed = static_cast<std::uint64_t>(seed);
}

void read_span(TableReader& in, DomainSpan& out, bool with_hours) {
  in.integer("from_hour", out.from_hour, 0, 100'000);
  if (with_hours) in.integer("hours", out.hours, 1, 10'000);
  in.integer("first_domain", out.first_domain, 0, 100'000);
  in.integer("domains", out.domains, 1, 100'000);
}

void read_dns_fault(TableReader& in, DnsFault& out) {
  constexpr std::string_view kinds[] = {"silent", "missing", "stale", "wrong_root", "wrong_host"};
  std::string kind(kinds[0]);
  in.one_of("kind", kind, {kinds[0], kinds[1], kinds[2], kinds[3], kinds[4]});
  out.kind = static_cast<DnsFault::Kind>(std::find(kinds, std::end(kinds), kind) - kinds);
  in.integer("from_hour", out.from_hour, 0, 100'000);
  in.integer("hours", out.hours, 1, 10'000);
  in.integer("domains", out.domains, 1, 100'000);
}

/// A day of notice lies between two policies of one domain, so that each takes effect.
std::optional<std::string> judge_policies(const Scenario& s) {
  const auto within = [&](const DomainSpan& span) {
    return span.first_domain + span.domains <= s.domains;
  };
  for (const PolicySpec& policy : s.policies)
    if (!within(policy.at))
      return "policy.domains: expected first_domain + domains to be at most scenario.domains";
  for (const auto* spans : {&s.flips, &s.store_down, &s.wrong_keys, &s.forked_logs})
    for (const DomainSpan& span : *spans)
      if (!within(span))
        return std::string(spans == &s.flips        ? "flip"
                           : spans == &s.store_down ? "store_down"
                           : spans == &s.wrong_keys ? "wrong_key"
                                                    : "forked_log") +
               ".domains: expected first_domain + domains to be at most scenario.domains";
  for (const DomainSpan& flip : s.flips)
    for (const PolicySpec& policy : s.policies)
      if (flip.first_domain < policy.at.first_domain + policy.at.domains &&
          policy.at.first_domain < flip.first_domain + flip.domains)
        return "flip.first_domain: expected a domain of which no [[policy]] speaks";
  for (std::size_t i = 0; i < s.policies.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      const DomainSpan &a = s.policies[j].at, &b = s.policies[i].at;
      const bool apart = a.first_domain + a.domains <= b.first_domain ||
                         b.first_domain + b.domains <= a.first_domain;
      if (!apart && b.from_hour < a.from_hour + 24)
        return "policy.from_hour: expected at least 24 hours after the one before of this domain";
    }
  return std::nullopt;
}

std::optional<FileError> judge(const std::string& path, const Scenario& s) {
  const auto wrong = [&](const std::string& what) { return FileError{path + ": " + what}; };
  if (s.name.empty()) return wrong("scenario.name: expected a string; it is missing");
  if (s.corpus.empty())
    return wrong("scenario.corpus: expected the path of a JSON lines file; it is missing");
  if (s.users < s.domains) return wrong("scenario.users: expected at least one for each domain");
  if (s.directory_peers > s.domains)
    return wrong("scenario.directory_peers: expected at most scenario.domains");
  if (s.lying_domains > s.domains)
    return wrong("scenario.lying_domains: expected at most scenario.domains");
  if (!s.dns_faults.empty() && s.dns_ttl_s == 0)
    return wrong("dns.ttl_s: expected an integer from 1 where there are [[dns_fault]]");
  for (const PartitionSpec& p : s.partitions)
    if (p.domains >= s.domains)
      return wrong("partition.domains: expected fewer than scenario.domains");
  if (const auto what = judge_policies(s)) return wrong(*what);
  return std::nullopt;
}

}  // namespace

tl::expected<Scenario, FileError> load_scenario(const std::string& path) {
  auto file = ScenarioFile::load(path);
  if (!file) return tl::unexpected(file.error());
  Scenario out;
  file->table("scenario", [&](TableReader& in) { read_scenario(in, out); });
  file->table("network", [&](TableReader& in) { read(in, out.network); });
  file->table("disk", [&](TableReader& in) { in.integer("commit_ms", out.commit_ms, 0, 60'000); });
  file->table("crashes", [&](TableReader& in) {
    in.integer("count", out.crashes, 0, 1'000'000);
    in.integer("down_minutes", out.down_minutes, 1, 10'000);
  });
  file->table("shift", [&](TableReader& in) {
    in.integer("adopt_hours", out.adopt_hours, 0, 1'000);
    in.integer("reread_hour", out.reread_hour, 0, 100'000);
  });
  file->table("dns", [&](TableReader& in) { in.integer("ttl_s", out.dns_ttl_s, 1, 86'400); });
  file->each("partition", [&](TableReader& in) {
    PartitionSpec& spec = out.partitions.emplace_back();
    in.integer("from_hour", spec.from_hour, 0, 100'000);
    in.integer("hours", spec.hours, 1, 10'000);
    in.integer("domains", spec.domains, 1, 100'000);
  });
  file->each("dns_fault",
             [&](TableReader& in) { read_dns_fault(in, out.dns_faults.emplace_back()); });
  file->each("policy", [&](TableReader& in) {
    PolicySpec& spec = out.policies.emplace_back();
    read_span(in, spec.at, false);
    in.one_of("mode", spec.mode, {"isp", "corporate", "groups"});
  });
  const auto spans = [&](std::string_view name, std::vector<DomainSpan>& to) {
    file->each(name, [&](TableReader& in) { read_span(in, to.emplace_back(), true); });
  };
  spans("flip", out.flips);
  spans("store_down", out.store_down);
  spans("wrong_key", out.wrong_keys);
  spans("forked_log", out.forked_logs);
  std::optional<FileError> error = file->finish();
  if (!error) error = judge(path, out);
  if (error) return tl::unexpected(*error);
  return out;
}

}  // namespace ams::sim
