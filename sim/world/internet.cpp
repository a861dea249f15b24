#include "sim_world/internet.h"

#include <algorithm>
#include <array>

#include "crypto/crypto.h"
#include "crypto/test_keys.h"
#include "server/server.h"

namespace ams::sim {
namespace {

constexpr std::int32_t map_width = 8'000, map_height = 4'000;  // km
constexpr std::size_t contacts_max = 12;

Bytes draw_bytes(RandomStream from, std::uint64_t decision, std::size_t size) {
  Bytes out(size);
  from.fill(decision, out);
  return out;
}

/// The first domains have binding logs. One that flips its policy keeps none,
/// or it had to commit to its flip for its users to see.
std::optional<keys::LogKeys> log_keys(const Scenario& s, std::int64_t index,
                                      const std::string& name) {
  for (const DomainSpan& flip : s.flips)
    if (flip.holds(index)) return std::nullopt;
  if (index >= s.log_domains) return std::nullopt;
  return server::binding_log_keys(index_key_of(name));
}

DomainInfo make_domain(const Scenario& s, std::int64_t index) {
  const auto entity = static_cast<std::uint64_t>(index);
  DomainInfo out;
  out.name = "d" + std::to_string(index) + ".example";
  const RandomStream place = stream(s.seed, entity, Draw::place);
  out.x = static_cast<std::int32_t>(place.below(0, map_width));
  out.y = static_cast<std::int32_t>(place.below(1, map_height));
  const RandomStream entropy = stream(s.seed, entity, Draw::domain_key);
  const auto pair = [&](std::uint64_t which) {
    return std::move(*keys::make_modern(draw_bytes(entropy, which, 80), key_times()));
  };
  const keys::KeyPair root = pair(0);
  out.op = std::make_shared<const keys::KeyPair>(pair(1));
  const keys::DomainRecord record{out.name,
                                  root.record.id(),
                                  out.op->record.id(),
                                  keys::isp_policy(),
                                  1,
                                  log_keys(s, index, out.name)};
  out.log = record.log;
  out.chain = keys::chain_value(*keys::make_domain_record(record, root.signing), root.record,
                                out.op->record);
  plan_policies(s, index, root, out);
  out.discovery.host = out.name;
  out.discovery.port = 4'590;
  out.discovery.root = root.record.id();
  out.full_directory = index < s.directory_peers;
  out.lies = index >= s.domains - s.lying_domains;
  return out;
}

std::shared_ptr<const NetModel> make_net(const Internet& world) {
  const Scenario& s = world.scenario;
  auto net = std::make_shared<NetModel>(net_options(s.network));
  for (const DomainInfo& domain : world.domains)
    net->add_node({domain.x, domain.y, static_cast<std::uint64_t>(s.network.uplink_bytes_per_s)});
  for (const PartitionSpec& spec : s.partitions) {
    std::vector<LpId> cut;
    for (std::int64_t i = 0; i < spec.domains; ++i) cut.push_back(static_cast<LpId>(i));
    const Instant from = world_start + std::chrono::hours{spec.from_hour};
    net->partition(from, from + std::chrono::hours{spec.hours}, cut);
  }
  return net;
}

/// A user writes to a few people again and again, as people do.
std::vector<std::int64_t> contacts_of(const Scenario& s, std::int64_t user) {
  const RandomStream draws = stream(s.seed, static_cast<std::uint64_t>(user), Draw::contacts);
  std::vector<std::int64_t> out;
  for (std::uint64_t i = 0; i < contacts_max * 2 && out.size() < contacts_max; ++i) {
    const auto other =
        static_cast<std::int64_t>(draws.below(i, static_cast<std::uint64_t>(s.users)));
    if (other != user && std::find(out.begin(), out.end(), other) == out.end())
      out.push_back(other);
  }
  return out;
}

void plan_mails(Internet& world) {
  const Scenario& s = world.scenario;
  world.mails.resize(world.domains.size());
  const Duration span = s.writing_time() - enrolment_time - std::chrono::hours{1};
  for (std::int64_t number = 0; number < s.messages; ++number) {
    const auto entity = static_cast<std::uint64_t>(number);
    const RandomStream draws = stream(s.seed, entity, Draw::message);
    PlannedMail mail;
    mail.number = number;
    mail.at = world_start + enrolment_time + std::chrono::minutes{30} +
              draws.uniform(0, Duration{0}, span);
    mail.from = static_cast<std::int64_t>(draws.below(1, static_cast<std::uint64_t>(s.users)));
    const auto contacts = contacts_of(s, mail.from);
    if (contacts.empty()) continue;
    const RandomStream picks = stream(s.seed, entity, Draw::recipients);
    const std::uint64_t wanted = 1 + (picks.bernoulli_ppm(0, 200'000) ? 1 + picks.below(1, 2) : 0);
    for (std::uint64_t i = 0; mail.to.size() < wanted && i < wanted * 4; ++i) {
      const std::int64_t pick = contacts[picks.below(2 + i, contacts.size())];
      if (std::find(mail.to.begin(), mail.to.end(), pick) == mail.to.end()) mail.to.push_back(pick);
    }
    world.mails[world.domain_of(mail.from)].push_back(std::move(mail));
  }
  for (auto& mails : world.mails)
    std::sort(mails.begin(), mails.end(), [](const PlannedMail& a, const PlannedMail& b) {
      return a.at != b.at ? a.at < b.at : a.number < b.number;
    });
}

void plan_crashes(Internet& world) {
  const Scenario& s = world.scenario;
  world.crashes.resize(world.domains.size());
  const Duration span = s.writing_time() - 2 * enrolment_time;
  for (std::int64_t i = 0; i < s.crashes; ++i) {
    const RandomStream draws = stream(s.seed, static_cast<std::uint64_t>(i), Draw::crash);
    const std::uint64_t domain = draws.below(0, world.domains.size());
    world.crashes[domain].push_back(world_start + enrolment_time +
                                    draws.uniform(1, Duration{0}, span));
  }
  for (auto& crashes : world.crashes) std::sort(crashes.begin(), crashes.end());
}

}  // namespace

const Published& Internet::published_at(const DomainInfo& domain, Instant at) const {
  const Published* out = &domain.published.front();
  for (const Published& each : domain.published)
    if (each.at <= at) out = &each;
  return *out;
}

Bytes index_key_of(const std::string& domain) {
  return to_bytes(ByteView(crypto::sha256(to_bytes("index " + domain))));
}

LpId Internet::domain_of(std::int64_t user) const {
  return static_cast<LpId>(user % static_cast<std::int64_t>(domains.size()));
}

std::string Internet::address(std::int64_t user) const {
  return "u" + std::to_string(user) + "@" + domains[domain_of(user)].name;
}

std::shared_ptr<const Internet> make_internet(Scenario scenario, std::vector<CorpusMail> corpus) {
  auto world = std::make_shared<Internet>();
  world->scenario = std::move(scenario);
  world->corpus = std::move(corpus);
  const Scenario& s = world->scenario;
  for (std::int64_t i = 0; i < s.domains; ++i) {
    world->domains.push_back(make_domain(s, i));
    DomainInfo& domain = world->domains.back();
    world->by_name.emplace(domain.name, static_cast<LpId>(i));
    domain.users = s.users / s.domains + (i < s.users % s.domains ? 1 : 0);
    if (domain.full_directory) world->directory_domains.push_back(domain.name);
  }
  world->net = make_net(*world);
  plan_mails(*world);
  plan_crashes(*world);
  return world;
}

keys::KeyPair rsa_pair(std::uint64_t draw, const Id16& nonce, const keys::KeyPairOptions& options) {
  constexpr std::size_t pool_size = std::size(crypto::test_keys::rsa2048);
  const auto key = [&](std::uint64_t which) {
    return *from_base64url(crypto::test_keys::rsa2048[which % pool_size]);
  };
  auto signing = crypto::SigningKey::from_private(crypto::SigAlg::rsa2048pss, key(draw));
  auto decryption = crypto::DecryptionKey::from_private(crypto::Kem::rsa2048kem, key(draw + 1));
  AMS_ASSERT(signing && decryption);
  return std::move(*keys::make_pair(std::move(*signing), std::move(*decryption), nonce, options));
}

keys::KeyPair modern_pair(RandomStream entropy, const keys::KeyPairOptions& options) {
  return std::move(*keys::make_modern(draw_bytes(entropy, 0, 80), options));
}

}  // namespace ams::sim
