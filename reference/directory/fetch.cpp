// Look-ups at other peers: up to three are asked at once and what they say is joined, so that the
// freshest answer wins and one that withholds an event changes nothing (spec DIR-4, DIR-17).
#include <algorithm>

#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {

wire::Array objects_of(const wire::Value& got) {
  wire::Array out;
  if (const wire::Value* record = got.find("record")) out.push_back(*record);
  if (const wire::Value* events = got.find("events"); events != nullptr && events->is_array())
    for (const wire::Value& event : events->as_array()) out.push_back(event);
  for (const char* name : {"revocation", "card"})
    if (const wire::Value* object = got.find(name)) out.push_back(*object);
  return out;
}

Result<keys::Entry> entry_of(const Id16& kid, const wire::Array& objects) {
  if (objects.empty()) return fail(Code::schema, "entry");
  AMS_TRY(keys::KeyRecord record, mutant("directory.skip_gossip_verify")
                                      ? keys::KeyRecord::parse(objects.front())
                                      : keys::KeyRecord::parse_as(objects.front(), kid));
  keys::Entry out(std::move(record));
  for (std::size_t i = 1; i < objects.size(); ++i) AMS_CHECK(out.add(objects[i]));
  return out;
}

bool Peer::stale(const Id16& kid, Instant now) const {
  if (options_.full || in_order().empty()) return false;
  const auto row = reader_->get(table_fetched, kid);
  if (!row || !*row || (*row)->size() != 8) return false;
  const auto at = from_unix_ms(static_cast<std::int64_t>(read_u64(**row)));
  return now >= at + fetched_life && !mutant("directory.trust_stale");
}

void Peer::fetch(std::uint64_t ticket, const Id16& kid, Instant now) {
  begin();
  auto known = held(kid);
  const bool settled = known ? !stale(kid, now) : known.error().code != Code::not_found;
  if (settled) {
    fetched_.push_back({ticket, std::move(known)});
    return;
  }
  auto [at, fresh] = fetches_.try_emplace(kid);
  at->second.tickets.push_back(ticket);
  if (!fresh) return;
  if (auto entry = holdings_.entry(kid); entry && *entry) at->second.best = std::move(**entry);
  // Which peers are asked follows the kid: an even load without any draw. Those that the operator
  // named come first (DIR-76).
  std::vector<std::string> peers;
  for (const bool named : {true, false})
    for (std::size_t i = 0; i < in_order().size() && peers.size() < fetch_peers_max; ++i) {
      const std::string& domain = in_order()[(kid[15] + i) % in_order().size()];
      const bool turn = slots_.configured(domain) == named || mutant("directory.ask_learned_first");
      if (turn && !evicted(domain)) peers.push_back(domain);
    }
  if (peers.empty()) return settle_fetch(kid, now);
  at->second.asked = peers.size();
  for (const std::string& domain : peers) {
    Asked asked{Purpose::fetch, domain, kid, {}, {}, {}, {}};
    ask(std::move(asked), "directory.get", wire::Object{{"kid", to_uuid_text(kid)}});
  }
}

void Peer::handle_fetch(const Asked& asked, const Result<wire::Value>& outcome, Instant now) {
  const auto at = fetches_.find(asked.kid);
  if (at == fetches_.end()) return;
  Fetch& fetch = at->second;
  if (outcome) {
    auto entry = entry_of(asked.kid, objects_of(*outcome));
    if (!entry) {
      count(entry.error().code);
    } else if (fetch.best && !mutant("directory.first_answer_wins")) {
      fetch.best->merge(*entry);
    } else if (!fetch.best) {
      fetch.best = std::move(*entry);
    }
  } else if (outcome.error().code == Code::kid_quarantined) {
    fetch.refused = tl::unexpected<Error>(outcome.error());
  } else if (outcome.error().code != Code::not_found) {
    fetch.unreachable = true;
  }
  if (--fetch.asked == 0) settle_fetch(asked.kid, now);
}

/// What is given out is what is kept. One peer that alone knows an entry is believed, since every
/// object of it proves itself; one that alone says kid_quarantined is not.
void Peer::settle_fetch(const Id16& kid, Instant now) {
  auto node = fetches_.extract(kid);
  Fetch& fetch = node.mapped();
  Result<wire::Value> outcome =
      fail(fetch.unreachable ? Code::peer_unreachable : Code::not_found, "kid");
  if (!fetch.refused) outcome = tl::unexpected<Error>(fetch.refused.error());
  if (fetch.best) {
    storage::WriteBatch writes;
    Draft draft;
    draft.entries.emplace(kid, *fetch.best);
    draft.changed.insert(kid);
    const auto kept = keep(draft, writes);
    if (kept && !options_.full && !fetch.unreachable) {
      Bytes at;
      append_u64(at, static_cast<std::uint64_t>(std::max<std::int64_t>(to_unix_ms(now), 0)));
      writes.puts.push_back({table_fetched, to_bytes(ByteView(kid)), std::move(at)});
    }
    outcome = kept ? held(kid) : tl::unexpected<Error>(kept.error());
    write(std::move(writes));
  }
  for (const std::uint64_t ticket : fetch.tickets) fetched_.push_back({ticket, outcome});
}

void Peer::handle_reply(std::uint64_t cookie, const Result<wire::Value>& outcome,
                        const crypto::VerifyKey* op, Instant now) {
  begin();
  const auto at = asked_.find(cookie);
  if (at == asked_.end()) return;
  const Asked asked = std::move(at->second);
  asked_.erase(at);
  if (op != nullptr && is_peer(asked.domain)) grantors_.put(asked.domain, *op, now);
  switch (asked.purpose) {
    case Purpose::push:
      if (outcome) handle_pushed(asked, *outcome);
      break;
    case Purpose::gossip:
      gossiping_ = false;
      agreeing_.erase(asked.domain);
      if (outcome && is_peer(asked.domain)) handle_gossip(asked, *outcome, op, now);
      note_answer(asked.domain, outcome.has_value(), now);
      break;
    case Purpose::ranges:
    case Purpose::entries:
      if (!round_ || round_->domain != asked.domain) break;
      --round_->in_flight;
      if (!outcome) {
        if (!ask_again(asked, outcome.error().code))
          round_.reset();  // the next gossip starts another
        break;
      }
      if (asked.purpose == Purpose::ranges) {
        handle_ranges(asked, *outcome, now);
      } else {
        handle_entries(asked, *outcome, now);
      }
      pump_round();
      break;
    case Purpose::fetch:
      handle_fetch(asked, outcome, now);
      break;
    case Purpose::consistency:
      handle_consistency(asked, outcome, now);
      break;
    case Purpose::pursuit:
      handle_pursuit(asked, outcome);
      break;
    case Purpose::compare:
      if (outcome) hear(*outcome, now);
      break;
    case Purpose::cosigning:
      handle_cosigning(asked, outcome, op, now);
      break;
    case Purpose::grantor:
      handle_grantor(asked.domain, op, now);
      break;
    case Purpose::introduction:
      handle_introduction(asked, outcome, op, now);
      break;
    case Purpose::exchange:
      if (outcome) handle_exchange(asked, *outcome);
      break;
    case Purpose::trial:
      trying_ = false;
      handle_trial(asked, outcome, op, now);
      break;
  }
}

}  // namespace ams::directory
