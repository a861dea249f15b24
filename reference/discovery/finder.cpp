#include "discovery/finder.h"

#include <algorithm>
#include <utility>

#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::discovery {
namespace {

/// RFC 2181: a TTL with the top bit set counts as zero.
Duration life(std::uint32_t ttl_s, Duration most) {
  const Duration ttl = std::chrono::seconds(ttl_s > 0x7fff'ffff ? 0 : ttl_s);
  return std::min(ttl, most);
}

}  // namespace

Finder::Finder(FinderOptions options, ByteView seed32) : options_(options), drbg_(seed32) {}

void Finder::find(const std::string& domain, Instant now) {
  if (asking_.contains(domain)) return;
  if (const auto at = known_.find(domain); at != known_.end()) {
    if (now < at->second.until || mutant("discovery.ignore_ttl")) return tell(domain, at->second);
    known_.erase(at);
  }
  const auto refuse = [&](std::string_view why) {
    effects_.push_back(Outcome{domain, std::nullopt, why});
  };
  if (!wire::is_domain(domain) || service_name(domain).size() > wire::domain_size_max)
    return refuse("no name that DNS could have");
  if (asking_.size() >= options_.asking_max) return refuse("too many domains asked for");
  Asking asking;
  asking.service_id = next_id_++;
  asking.text_id = next_id_++;
  asking.until = now + options_.patience;
  questions_.emplace(asking.service_id, domain);
  questions_.emplace(asking.text_id, domain);
  effects_.push_back(Ask{asking.service_id, Kind::service, service_name(domain)});
  effects_.push_back(Ask{asking.text_id, Kind::text, text_name(domain)});
  asking_.emplace(domain, std::move(asking));
}

void Finder::doubt(const std::string& domain, Instant now) {
  const auto at = known_.find(domain);
  if (at != known_.end() && now - at->second.since >= options_.doubt_after) known_.erase(at);
}

void Finder::handle_answer(std::uint64_t id, Answer answer, Instant now) {
  const auto question = questions_.find(id);
  if (question == questions_.end()) return;
  const std::string domain = std::move(question->second);
  questions_.erase(question);
  Asking& asking = asking_.at(domain);
  (id == asking.service_id ? asking.services : asking.texts) = std::move(answer);
  if (asking.services && asking.texts) settle(domain, now);
}

void Finder::handle_timeout(Instant now) {
  std::vector<std::string> late;
  for (const auto& [domain, asking] : asking_)
    if (now >= asking.until) late.push_back(domain);
  for (const std::string& domain : late) settle(domain, now);
}

void Finder::settle(const std::string& domain, Instant now) {
  const auto at = asking_.find(domain);
  const Asking asked = std::move(at->second);
  asking_.erase(at);
  questions_.erase(asked.service_id);
  questions_.erase(asked.text_id);
  Known known = judge(asked, now);
  tell(domain, known);
  if (known.until > now) keep(domain, std::move(known));
}

Finder::Known Finder::judge(const Asking& asked, Instant now) const {
  const auto no = [&](std::string_view why, Duration until) {
    return Known{{}, {}, why, now, now + until};
  };
  for (const auto* answer : {&asked.services, &asked.texts}) {
    if (!*answer) return no("DNS did not answer in time", options_.failed_max);
    if ((*answer)->status == Answer::Status::failed) return no("DNS failed", options_.failed_max);
  }
  const std::uint32_t ttl_s = std::min(asked.services->ttl_s, asked.texts->ttl_s);
  const Duration absence = life(ttl_s, options_.absent_max);
  if (asked.services->status == Answer::Status::absent) return no("no SRV record", absence);
  if (asked.texts->status == Answer::Status::absent) return no("no TXT record", absence);
  const auto root = parse_records(asked.texts->texts);
  if (!root) return no(root.error().where, absence);
  crypto::Drbg any(Hash{});  // the order is drawn at each use; here only whether there is one
  std::vector<Service> usable = in_order(asked.services->services, any);
  if (usable.empty()) return no("SRV names no server", absence);
  return Known{std::move(usable), *root, {}, now, now + life(ttl_s, options_.known_max)};
}

/// Bounded: what runs out first makes room.
void Finder::keep(const std::string& domain, Known known) {
  if (known_.size() >= options_.known_domains_max) {
    known_.erase(std::min_element(known_.begin(), known_.end(), [](const auto& a, const auto& b) {
      return a.second.until < b.second.until;
    }));
  }
  known_.insert_or_assign(domain, std::move(known));
}

void Finder::tell(const std::string& domain, const Known& known) {
  if (known.services.empty()) return effects_.push_back(Outcome{domain, std::nullopt, known.why});
  Site site;
  site.root = known.root;
  for (Service& service : in_order(known.services, drbg_)) {
    // The host's own name would prove nothing: it comes from the same answer as the root.
    std::string name = mutant("discovery.certificate_of_host") ? service.target : domain;
    site.servers.push_back({std::move(service.target), service.port, std::move(name)});
  }
  effects_.push_back(Outcome{domain, std::move(site), {}});
}

std::optional<Effect> Finder::poll() {
  if (effects_.empty()) return std::nullopt;
  Effect effect = std::move(effects_.front());
  effects_.pop_front();
  return effect;
}

std::optional<Instant> Finder::timeout() const {
  std::optional<Instant> due;
  for (const auto& [domain, asking] : asking_)
    due = due ? std::min(*due, asking.until) : asking.until;
  return due;
}

}  // namespace ams::discovery
