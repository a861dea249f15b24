#include "sim_checks/invariants.h"

#include <algorithm>
#include <map>
#include <set>

#include "bindlog/lie.h"
#include "sim_world/names.h"

namespace ams::sim {
namespace {

using Mailbox = std::pair<std::int64_t, Hash>;  // user, ehash

struct Merged {
  std::map<Hash, const Written*> by_ehash;
  std::map<Mailbox, std::vector<const Read*>> read;
  std::map<std::pair<std::string, Hash>, std::vector<const Noticed*>> notices;
  std::map<std::string, std::set<keys::KeyId>> keys;
  std::set<std::pair<std::string, Hash>>
      taken;  // address, ehash: sealed to a flipping domain's key
};

/// Sealed to the key of a domain that flipped its policy to read along.
bool is_taken(const Internet& world, const SealedTo& sealed) {
  const auto at = world.by_name.find(sealed.addr.substr(sealed.addr.find('@') + 1));
  if (at == world.by_name.end()) return false;
  const DomainInfo& info = world.domains[at->second];
  return info.flip_shared && sealed.key == info.flip_shared->record.id();
}

bool hands_out_wrong_keys(const Internet& world, std::size_t lp) {
  const auto held = [&](const std::vector<DomainSpan>& spans) {
    return std::any_of(spans.begin(), spans.end(), [&](const DomainSpan& span) {
      return span.holds(static_cast<std::int64_t>(lp));
    });
  };
  return held(world.scenario.wrong_keys) || held(world.scenario.forked_logs);
}

/// Whether anyone who has the domain's keys may believe it (BLG-19).
bool convicts(const Internet& world, std::size_t lp, const wire::Value& value) {
  const DomainInfo& info = world.domains[lp];
  const auto chain = keys::verify_chain(info.chain, info.name, info.discovery.root);
  const auto lie = bindlog::parse_lie(value);
  if (!chain || !chain->record.log || !lie) return false;
  const auto log = bindlog::identity_of(chain->record);
  return log && bindlog::verify_lie(*lie, *log, &*chain).has_value();
}

/// Sealed to a key that addresses share, as their domain's policy says.
bool is_shared(const Internet& world, const SealedTo& sealed) {
  const auto at = world.by_name.find(sealed.addr.substr(sealed.addr.find('@') + 1));
  if (at == world.by_name.end() || !world.domains[at->second].vault) return false;
  const VaultInfo& vault = *world.domains[at->second].vault;
  const auto is = [&](const keys::SharedKey& shared) { return shared.key == sealed.key; };
  return std::any_of(vault.corporate.begin(), vault.corporate.end(), is) ||
         std::any_of(vault.groups.begin(), vault.groups.end(), is);
}

Merged merge(const Internet& world, const std::vector<const Ledger*>& ledgers) {
  Merged out;
  for (const Ledger* ledger : ledgers) {
    for (const SealedTo& sealed : ledger->sealed)
      if (is_taken(world, sealed)) out.taken.emplace(sealed.addr, sealed.ehash);
    for (const Written& written : ledger->written)
      for (const Hash& ehash : written.ehashes) out.by_ehash[ehash] = &written;
    for (const Read& read : ledger->read) out.read[{read.user, read.ehash}].push_back(&read);
    for (const Noticed& notice : ledger->notices)
      out.notices[{notice.addr, notice.ehash}].push_back(&notice);
    for (const auto& [addr, keys] : ledger->keys) out.keys[addr].insert(keys.begin(), keys.end());
  }
  return out;
}

std::string name_of(const Internet& world, const Written& written, std::int64_t to) {
  return "message " + std::to_string(written.number) + " from " + world.address(written.from) +
         " to " + world.address(to);
}

class Judge {
 public:
  Judge(const Internet& world, const std::vector<const Ledger*>& ledgers)
      : world_(world), ledgers_(ledgers), merged_(merge(world, ledgers)) {}

  Judgement run() {
    for (const Ledger* ledger : ledgers_)
      for (const Written& written : ledger->written) judge_written(written);
    for (const auto& [box, reads] : merged_.read) judge_origin(box, *reads.front());
    for (const Ledger* ledger : ledgers_) judge_watched(*ledger);
    judge_directory();
    judge_alarms();
    std::sort(out_.totals.delays_ms.begin(), out_.totals.delays_ms.end());
    for (Invariant* one : {&never_lost_, &never_doubled_, &content_, &never_failed_for_delivered_,
                           &one_notice_, &origin_, &private_key_, &verified_key_, &readable_,
                           &decided_, &old_mail_, &confirmed_, &directory_, &convicted_})
      out_.invariants.push_back(one->take());
    return std::move(out_);
  }

 private:
  void judge_written(const Written& written) {
    Totals& totals = out_.totals;
    ++totals.written;
    if (written.acknowledged) ++totals.acknowledged;
    if (written.refused) {
      ++totals.refused;
      ++totals.refusals[std::string(code_info(written.refused->code).name)];
    }
    const bool decided = written.acknowledged || written.refused;
    if (!decided) ++totals.undecided;
    decided_.test(decided, written.at,
                  name_of(world_, written, written.to.front()) +
                      " was neither acknowledged nor refused by the end");
    for (const Hash& ehash : written.ehashes)
      for (const std::int64_t to : written.to) judge_delivery(written, ehash, to);
  }

  void judge_delivery(const Written& written, const Hash& ehash, std::int64_t to) {
    Totals& totals = out_.totals;
    if (merged_.taken.contains(
            {world_.address(to), ehash})) {  // judge_sealed says whether it may be
      ++totals.taken;
      return;
    }
    ++totals.due;
    const auto read = merged_.read.find({to, ehash});
    const auto notices = merged_.notices.find({world_.address(to), ehash});
    const std::size_t copies = read == merged_.read.end() ? 0 : read->second.size();
    const std::size_t notes = notices == merged_.notices.end() ? 0 : notices->second.size();
    const std::string name = name_of(world_, written, to);
    never_lost_.test(
        copies + notes > 0, *written.acknowledged,
        name + " was acknowledged, and is neither in the mailbox nor answered by a notice");
    one_notice_.test(notes <= 1, written.at,
                     name + " was answered by " + std::to_string(notes) + " notices");
    if (notes > 0) ++(notices->second.front()->failed ? totals.failed : totals.undetermined);
    if (copies == 0) return;
    const Read& first = *read->second.front();
    never_doubled_.test(copies == 1, read->second.back()->at,
                        name + " is in the mailbox " + std::to_string(copies) + " times");
    content_.test(first.digest == written.digest, first.at,
                  name + " was read with other contents than written");
    never_failed_for_delivered_.test(notes == 0 || !notices->second.front()->failed, first.at,
                                     name + " was delivered and reported as failed");
    judge_sender(written, to, first.at);
    ++totals.delivered;
    totals.delays_ms.push_back((first.at - written.at) / std::chrono::milliseconds{1});
    ++out_.flows[{world_.domain_of(written.from), world_.domain_of(to)}];
  }

  /// Nothing is in a mailbox that nobody wrote to it. A message that was accepted though its sender
  /// never learned so has no acknowledgement: the same sealed bytes are found by the number of its
  /// writer's try.
  void judge_origin(const Mailbox& box, const Read& read) {
    const auto written = merged_.by_ehash.find(box.second);
    if (written == merged_.by_ehash.end()) {
      origin_.test(false, read.at,
                   world_.address(box.first) + " read a message that nobody is known to have sent");
      return;
    }
    const auto& to = written->second->to;
    origin_.test(std::find(to.begin(), to.end(), box.first) != to.end(), read.at,
                 world_.address(box.first) + " read a message that was not written to it");
  }

  /// Through DNS: what it never confirmed is not used by others, neither to seal to nor to admit.
  void judge_confirmed(const Ledger& ledger, const SealedTo& sealed) {
    if (world_.scenario.dns_ttl_s == 0) return;
    const auto to = world_.by_name.find(sealed.addr.substr(sealed.addr.find('@') + 1));
    if (to == world_.by_name.end() || ledgers_[to->second] == &ledger) return;
    confirmed_.test(!never_confirmed(world_, to->second, sealed.at), sealed.at,
                    "mail for " + sealed.addr + " was sealed before DNS said who that domain is");
  }

  void judge_sender(const Written& written, std::int64_t to, Instant read_at) {
    const LpId from = world_.domain_of(written.from);
    if (world_.scenario.dns_ttl_s == 0 || from == world_.domain_of(to)) return;
    confirmed_.test(
        !never_confirmed(world_, from, read_at), read_at,
        name_of(world_, written, to) + " was taken before DNS said who the sender's domain is");
  }

  void judge_watched(const Ledger& ledger) {
    private_key_.count(ledger.bytes_scanned);
    out_.totals.store_asks += ledger.store_asks;
    out_.totals.store_silent += ledger.store_silent;
    out_.totals.begged += ledger.begged;
    for (const SealedTo& sealed : ledger.sealed) out_.totals.shared += is_shared(world_, sealed);
    for (const Violation& violation : ledger.violations) private_key_.add(violation);
    judge_sealed(ledger);
    judge_reread(ledger);
    for (const SealedTo& sealed : ledger.sealed) judge_confirmed(ledger, sealed);
    readable_.count(ledger.read.size());
    for (std::size_t i = 0; i < ledger.unreadable.size(); ++i)
      if (!merged_.taken.contains(
              {world_.address(ledger.unreadable[i].user), ledger.unreadable[i].ehash}))
        readable_.test(false, ledger.unreadable[i].at,
                       world_.address(ledger.unreadable[i].user) +
                           " cannot open a message: " + ledger.unreadable_why[i]);
  }

  /// A key is good when the address's own client stands for it, be it the client's or one that its
  /// domain shares by a policy that was announced. A flip without notice (POL-9) fools nobody who
  /// sealed to the domain for the first time in the hours before it; of others no promise is made:
  /// they know the domain by what it says now.
  void judge_sealed(const Ledger& ledger) {
    std::map<std::pair<std::string, std::string>, Instant> first;  // sender, domain
    for (const SealedTo& sealed : ledger.sealed) {
      const std::string domain = sealed.addr.substr(sealed.addr.find('@') + 1);
      const auto keys = merged_.keys.find(sealed.addr);
      const bool good = keys != merged_.keys.end() && keys->second.contains(sealed.key);
      const bool flipped = is_taken(world_, sealed);
      if (!flipped) first.emplace(std::pair(sealed.from, domain), sealed.at);
      const auto met = first.find({sealed.from, domain});
      const bool forewarned = met != first.end() && sealed.at < met->second + forewarned_time;
      if (flipped && !forewarned) continue;
      verified_key_.test(good, sealed.at,
                         "mail for " + sealed.addr +
                             " was sealed to a key that is not the one its client stands for");
    }
  }

  /// Whatever the policy became, and wherever the keys are now.
  void judge_reread(const Ledger& ledger) {
    std::map<std::pair<std::int64_t, std::int64_t>, Hash> again;
    for (const Read& read : ledger.reread) again[{read.user, read.uid}] = read.digest;
    for (const Read& read : ledger.read) {
      const auto anew = ledger.reread_at.find(read.user);
      if (anew == ledger.reread_at.end() || read.at >= anew->second) continue;
      const auto found = again.find({read.user, read.uid});
      old_mail_.test(found != again.end() && found->second == read.digest, anew->second,
                     world_.address(read.user) + " cannot open again what it read before");
    }
  }

  static constexpr Duration forewarned_time = std::chrono::hours{22};

  /// Whatever was lost, cut off or crashed: in the end all full peers hold one set, and none that
  /// is honest was taken for a liar.
  void judge_directory() {
    const DirectoryEnd* first = nullptr;
    for (std::size_t lp = 0; lp < ledgers_.size(); ++lp) {
      if (!ledgers_[lp]->directory) continue;
      const DirectoryEnd& held = *ledgers_[lp]->directory;
      if (first == nullptr) first = &held;
      const std::string who = world_.domains[lp].name;
      directory_.test(held.root == first->root, world_end(), who + " holds another set of keys");
      directory_.test(held.keys > 0 || merged_.keys.empty(), world_end(), who + " holds no keys");
      directory_.test(held.evicted == 0, world_end(), who + " has evicted an honest peer");
    }
  }
  /// Who hands out a wrong key is convicted by it; who does not is accused of nothing.
  void judge_alarms() {
    std::map<std::string, Conviction> found;
    for (const Ledger* ledger : ledgers_)
      for (const Alarmed& alarm : ledger->alarms) {
        const std::string domain = alarm.addr.substr(alarm.addr.find('@') + 1);
        const auto at = world_.by_name.find(domain);
        convicted_.test(at != world_.by_name.end() && hands_out_wrong_keys(world_, at->second),
                        alarm.at, domain + " is accused of what it did not do: " + alarm.code);
        if (at == world_.by_name.end() || !alarm.lie || !convicts(world_, at->second, *alarm.lie))
          continue;
        const auto known = found.find(domain);
        if (known == found.end() || alarm.at < known->second.at)
          found.insert_or_assign(domain, Conviction{domain, alarm.addr, alarm.at, *alarm.lie});
      }
    for (std::size_t lp = 0; lp < ledgers_.size(); ++lp) {
      const std::string& name = world_.domains[lp].name;
      if (!hands_out_wrong_keys(world_, lp) || ledgers_[lp]->lies == 0) continue;
      const auto conviction = found.find(name);
      convicted_.test(conviction != found.end(), world_end(),
                      name + " handed out wrong keys, and nobody can show it");
      if (conviction != found.end()) out_.convictions.push_back(conviction->second);
    }
  }

  Instant world_end() const { return world_start + world_.scenario.total_time(); }

  const Internet& world_;
  const std::vector<const Ledger*>& ledgers_;
  Merged merged_;
  Judgement out_;
  Invariant never_lost_{"an acknowledged message is never lost"};
  Invariant never_doubled_{"a message is never twice in a mailbox"};
  Invariant content_{"contents are equal to what was written"};
  Invariant never_failed_for_delivered_{"failed is never said of a delivered message"};
  Invariant one_notice_{"a recipient is answered for by one notice at most"};
  Invariant origin_{"nothing is read that nobody wrote"};
  Invariant private_key_{"no private key leaves its client"};
  Invariant verified_key_{"no unverified key is used"};
  Invariant readable_{"what is in a mailbox opens and verifies"};
  Invariant old_mail_{"old mail stays readable whatever the policy becomes"};
  Invariant confirmed_{"nothing passes for a domain that discovery did not confirm"};
  Invariant decided_{"every message is acknowledged or refused in the end"};
  Invariant convicted_{"a wrong key is shown to be one, and nobody else is accused"};
  Invariant directory_{"all directory peers hold the same keys in the end"};
};

}  // namespace

bool all_hold(const std::vector<InvariantResult>& invariants) {
  return std::all_of(invariants.begin(), invariants.end(),
                     [](const InvariantResult& one) { return one.violated == 0; });
}

Judgement judge(const Internet& world, const std::vector<const Ledger*>& ledgers) {
  return Judge(world, ledgers).run();
}

}  // namespace ams::sim
