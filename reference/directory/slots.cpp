#include "directory/slots.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include "crypto/crypto.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::directory {
namespace {

bool is_mapped(ByteView address) {
  constexpr std::uint8_t prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return address.size() == 16 && std::equal(std::begin(prefix), std::end(prefix), address.begin());
}

}  // namespace

std::string network_block(ByteView address) {
  if (is_mapped(address) && !mutant("directory.mapped_is_v6")) address = address.subspan(12);
  char out[32];
  if (address.size() == 4) {
    std::snprintf(out, sizeof out, "%d.%d.0.0/16", address[0], address[1]);
  } else if (address.size() == 16) {
    std::snprintf(out, sizeof out, "%x:%x::/32", address[0] << 8 | address[1],
                  address[2] << 8 | address[3]);
  } else {
    return std::string(block_unknown);
  }
  return out;
}

void put_in_order(std::string_view domain, std::vector<std::string>& peers) {
  if (mutant("directory.same_order")) return;
  std::map<Hash, std::string> order;
  for (std::string& peer : peers) {
    Bytes input = to_bytes(domain);
    input.push_back(0);
    append(input, peer);
    order.emplace(crypto::sha256(input), std::move(peer));
  }
  peers.clear();
  for (auto& [hash, peer] : order) peers.push_back(std::move(peer));
}

Slots::Slots(std::string domain, std::vector<std::string> configured, bool learns,
             const Hash& secret)
    : domain_(std::move(domain)), secret_(secret), in_use_(std::move(configured)) {
  std::erase(in_use_, domain_);
  put_in_order(domain_, in_use_);
  configured_.insert(in_use_.begin(), in_use_.end());
  const std::size_t taken = std::min(configured_.size(), slots_max);
  if (learns) room_ = std::min(learned_max, slots_max - taken);
  if (learns && mutant("directory.learn_without_end")) room_ = slots_max;
}

bool Slots::uses(std::string_view domain) const {
  return configured_.contains(domain) || learned_.contains(domain);
}

std::size_t Slots::waiting_of(std::string_view teller) const {
  return static_cast<std::size_t>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [&](const auto& one) { return one.second.teller == teller; }));
}

std::string Slots::block_of(std::string_view domain) const {
  if (const auto at = learned_.find(domain); at != learned_.end()) return at->second.block;
  const auto at = blocks_.find(domain);
  return at == blocks_.end() ? std::string() : at->second;
}

/// DIR-66.
bool Slots::fits(std::string_view block) const {
  const auto there = std::count_if(learned_.begin(), learned_.end(),
                                   [&](const auto& one) { return one.second.block == block; });
  return static_cast<std::size_t>(there) < learned_block_max ||
         mutant("directory.one_block_is_all");
}

// --- what is heard ------------------------------------------------------------------------------

void Slots::told(std::string_view by, const std::vector<std::string>& domains) {
  if (!uses(by) || barred_.contains(by)) return;
  for (const std::string& domain : domains) wait(domain, by, {});
}

void Slots::called(std::string_view domain) { wait(domain, {}, {}); }

void Slots::wait(std::string_view domain, std::string_view teller, Candidate candidate) {
  if (room_ == 0 || domain == domain_ || uses(domain) || !wire::is_domain(domain)) return;
  if (barred_.contains(domain) && !mutant("directory.evicted_come_back")) return;
  if (waiting_.contains(domain) || !make_room(teller)) return;
  candidate.teller = teller;
  const Hash key = mutant("directory.public_trials") ? Hash{} : secret_;
  candidate.place = crypto::hmac_sha256(key, as_bytes(domain));
  waiting_.emplace(domain, std::move(candidate));
}

/// For one more name of that teller (DIR-67). One whose block is full gives way: it could wait for
/// ever, and whoever has many addresses in one block would fill the share of all who tell of them.
bool Slots::make_room(std::string_view teller) {
  const auto give_way = [&](auto&& among) {
    const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& one) {
      return !one.second.block.empty() && !fits(one.second.block) && among(one.second);
    });
    if (at == waiting_.end()) return false;
    waiting_.erase(at);
    return true;
  };
  const auto own = [&](const Candidate& one) { return one.teller == teller; };
  if (waiting_of(teller) >= candidates_told_max && !mutant("directory.one_tells_all") &&
      !give_way(own))
    return false;
  return waiting_.size() < candidates_max || give_way([](const Candidate&) { return true; });
}

// --- what was found -----------------------------------------------------------------------------

void Slots::reached(std::string_view domain, std::string_view block) {
  if (configured_.contains(domain)) {
    blocks_.insert_or_assign(std::string(domain), std::string(block));
  } else if (const auto at = waiting_.find(domain); at != waiting_.end()) {
    at->second.block = block;
  } else if (const auto used = learned_.find(domain);
             used != learned_.end() && used->second.block != block) {
    // It moved: into a block that is full already it cannot.
    const bool stays = fits(block);
    used->second.block = block;
    if (!stays) leave(domain, true);
  }
}

bool Slots::answered(std::string_view domain, bool agrees) {
  if (const auto at = learned_.find(domain); at != learned_.end()) {
    at->second.failures = 0;
    return true;
  }
  const auto at = waiting_.find(domain);
  if (at == waiting_.end()) return configured_.contains(domain);
  Candidate& one = at->second;
  if (one.block.empty()) one.block = block_unknown;
  one.tried = true;
  one.agreed = agrees;
  one.failures = 0;
  if (!has_room() || !fits(one.block)) return false;
  learned_.emplace(domain, Learned{one.block, 0});
  waiting_.erase(at);
  order();
  return true;
}

void Slots::failed(std::string_view domain) {
  if (const auto used = learned_.find(domain); used != learned_.end()) {
    if (++used->second.failures >= tries_max && !mutant("directory.keep_the_dead"))
      leave(domain, true);
  } else if (const auto at = waiting_.find(domain);
             at != waiting_.end() && ++at->second.failures >= tries_max) {
    waiting_.erase(at);
  }
}

void Slots::bar(std::string_view domain) {
  if (!barred_.emplace(domain).second || mutant("directory.evicted_come_back")) return;
  std::erase_if(waiting_, [&](const auto& one) {
    return one.first == domain || one.second.teller == domain;
  });
  leave(domain, false);
}

/// A learned one is not in use any more. One that may come back is tried before others.
void Slots::leave(std::string_view domain, bool keep) {
  const auto used = learned_.find(domain);
  if (used == learned_.end()) return;
  Candidate one;
  one.block = used->second.block;
  one.tried = true;
  const std::string name = used->first;
  learned_.erase(used);
  order();
  if (keep) wait(name, {}, std::move(one));
}

bool Slots::restore(std::string_view domain, std::string_view block) {
  if (domain == domain_ || uses(domain) || barred_.contains(domain)) return false;
  if (!has_room() || !fits(block)) return false;
  waiting_.erase(std::string(domain));
  learned_.emplace(domain, Learned{std::string(block), 0});
  order();
  return true;
}

void Slots::order() {
  in_use_.assign(configured_.begin(), configured_.end());
  for (const auto& [domain, learned] : learned_) in_use_.push_back(domain);
  put_in_order(domain_, in_use_);
}

// --- whom to try --------------------------------------------------------------------------------

/// Those that answered before go first, then one of what each tells by turns; a failure puts it
/// behind all who have fewer (DIR-68).
std::optional<std::string> Slots::next_trial() {
  if (!has_room()) return std::nullopt;
  const auto eligible = [&](const Candidate& one) { return one.block.empty() || fits(one.block); };
  int fewest = tries_max;
  bool tried = false;
  for (const auto& [domain, one] : waiting_) {
    if (!eligible(one) || one.failures > fewest) continue;
    tried = one.tried || (one.failures == fewest && tried);
    fewest = one.failures;
  }
  const auto better = [](const Candidate& a, const Candidate& b) {
    return std::tuple(!a.agreed, a.place) < std::tuple(!b.agreed, b.place);
  };
  // The first at or after the teller whose turn it is, else the first of all.
  Waiting::const_iterator next = waiting_.end(), first = waiting_.end();
  const auto prefer = [&](Waiting::const_iterator& held, Waiting::const_iterator one) {
    const bool earlier =
        held == waiting_.end() || (!tried && one->second.teller < held->second.teller);
    const bool same =
        held != waiting_.end() && (tried || one->second.teller == held->second.teller);
    if (earlier || (same && better(one->second, held->second))) held = one;
  };
  for (auto at = waiting_.cbegin(); at != waiting_.cend(); ++at) {
    const Candidate& one = at->second;
    if (!eligible(one) || one.failures != fewest || one.tried != tried) continue;
    prefer(first, at);
    if (one.teller > last_teller_) prefer(next, at);
  }
  const auto chosen =
      tried || next == waiting_.cend() || mutant("directory.no_turns") ? first : next;
  if (chosen == waiting_.cend()) return std::nullopt;
  if (!tried) last_teller_ = chosen->second.teller;
  return chosen->first;
}

}  // namespace ams::directory
