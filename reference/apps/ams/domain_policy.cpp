#include "ams_cli/domain_policy.h"

#include <fmt/format.h>

#include <cstdio>
#include <optional>

#include "ams_cli/home.h"
#include "ams_cli/terminal.h"
#include "client/tables.h"

namespace ams::cli {
namespace {

struct Known {
  std::int64_t seq = 0;
  keys::DomainPolicy policy;
  std::int64_t at = 0;  // when it was verified, Unix ms
};

/// What the client accepted of a domain when it last judged an address of it (POL-9): for our own
/// domain, whose chain it has from each session anew and does not keep.
std::optional<Known> accepted_policy(const storage::Reader& storage, const std::string& domain) {
  const auto bytes = storage.get(client::table_policies, as_bytes(domain));
  if (!bytes || !*bytes) return std::nullopt;
  const auto row = client::parse_policy_row(**bytes);
  if (!row) return std::nullopt;
  auto policy = keys::parse_policy(row->policy, row->seq);
  if (!policy) return std::nullopt;
  return Known{row->seq, std::move(*policy), row->at};
}

/// From the chain that the account's client keeps; nothing where it does not verify any more.
std::optional<Known> known_record(const storage::Reader& storage, const std::string& domain) {
  auto kept = client::read_chain(storage, domain);
  if (!kept) return std::nullopt;
  if (!*kept) return accepted_policy(storage, domain);
  keys::DomainRecord& record = (*kept)->chain.record;
  return Known{record.seq, std::move(record.policy), (*kept)->at};
}

std::string terms_text(const keys::PolicyTerms& terms) {
  std::string out(keys::name(terms.mode));
  switch (terms.mode) {
    case keys::Policy::isp:
      out += ": each address has keys of its own; only its user can read";
      break;
    case keys::Policy::corporate:
      out += ": the domain shares one key; whoever it lets use it can read";
      break;
    case keys::Policy::groups:
      out += ": each group shares a key; its members can read";
      break;
  }
  for (const keys::SharedKey& shared : terms.keys)
    out += fmt::format("\n             {}{}  {}", shared.group, shared.group.empty() ? "" : ":",
                       to_uuid_text(shared.key.kid));
  return out;
}

wire::Value terms_value(const keys::PolicyTerms& terms) {
  wire::Array shared;
  for (const keys::SharedKey& key : terms.keys) {
    wire::Object one{{"kid", to_uuid_text(key.key.kid)}, {"fp", to_base64url(key.key.fp)}};
    if (!key.group.empty()) one.emplace("group", key.group);
    shared.emplace_back(std::move(one));
  }
  return wire::Object{{"mode", keys::name(terms.mode)},
                      {"effective", terms.effective},
                      {"keys", std::move(shared)}};
}

}  // namespace

int domain_policy_show(const Common& common, const std::string& domain, bool json) {
  auto home = Home::open(common.home);
  if (!home) return say(exit_bad_input, home.error());
  const auto at = domain.find('@');
  const std::string name = at == std::string::npos ? domain : domain.substr(at + 1);
  const auto known = known_record(home->storage(), name);
  if (!known)
    return say(exit_refused, name + ": nothing verified is known here; `ams keys lookup someone@" +
                                 name + "` asks for it");
  const keys::PolicyTerms& in_force = keys::policy_at(known->policy, from_unix_ms(now_ms()));
  const bool coming = &in_force != &known->policy.terms;
  if (json) {
    wire::Object out{{"domain", name},
                     {"seq", known->seq},
                     {"verified", known->at},
                     {"in_force", terms_value(in_force)}};
    if (coming) out.emplace("coming", terms_value(known->policy.terms));
    std::puts(to_string(wire::encode(out)).c_str());
    return exit_ok;
  }
  std::fputs(fmt::format("{:<13}{}, record {}, verified {}\n{:<13}{}\n", "Domain:", name,
                         known->seq, date_of(known->at), "In force:", terms_text(in_force))
                 .c_str(),
             stdout);
  if (coming)
    std::fputs(fmt::format("{:<13}{}, {}\n", "To come:", date_of(known->policy.terms.effective),
                           terms_text(known->policy.terms))
                   .c_str(),
               stdout);
  return exit_ok;
}

}  // namespace ams::cli
