// The directory peer inside: its ops for others, its asks to others, its writes (DIR).
#include "policy/mutant.h"
#include "server/core.h"
#include "wire/address.h"

namespace ams::server {

void Core::pump_peer() {
  while (auto write = peer_.poll_write())
    commit(std::move(write->batch), [this, ticket = write->ticket](const Result<>& outcome) {
      peer_.handle_written(ticket, outcome);
    });
  while (auto fetched = peer_.poll_fetched()) {
    const auto at = fetches_.find(fetched->ticket);
    if (at == fetches_.end()) continue;
    const OnAnswer then = std::move(at->second);
    fetches_.erase(at);
    then(Outcome{std::move(fetched->outcome), true, nullptr});
  }
  while (auto asked = peer_.poll_ask()) {
    ask(asked->domain, asked->op, std::move(asked->args),
        [this, cookie = asked->cookie, domain = asked->domain](const Outcome& outcome) {
          const keys::Chain* chain = outcome.chain;
          // The link may be older than the peer's interest in it: mail goes over it, too.
          if (const auto link = links_.find(domain); link != links_.end() && chain)
            peer_.handle_reached(domain, link->second.address);
          peer_.handle_reply(cookie, outcome.value, chain ? &chain->op.signing() : nullptr, now_);
          later([this] { pump_peer(); });
        });
  }
  auto due = peer_.timeout();
  if (due && *due <= now_)
    due = now_ + std::chrono::milliseconds{10};  // never twice in one instant
  timers_.arm({TimerKind::directory, 0, {}}, due);
}

void Core::fetch_record(const Id16& kid, OnAnswer then) {
  const std::uint64_t ticket = next_fetch_++;
  fetches_.emplace(ticket, std::move(then));
  peer_.fetch(ticket, kid, now_);
  later([this] { pump_peer(); });
}

/// DIR-18: a user's requests are not counted against the domain's others.
const std::string& Core::asker(const Conn& conn) {
  return conn.addr.empty() ? conn.domain : conn.addr;
}

Result<> Core::op_publish(const Asked& to, Conn& conn, const wire::Value& args) {
  const std::string from = conn.addr.empty() ? conn.domain : options_.domain;
  const auto& chain = conn.session.peer_chain();
  const bool known = conn.addr.empty() && chain.has_value();
  AMS_CHECK(peer_.admit(asker(conn), now_));
  AMS_TRY(directory::Peer::Answered published,
          peer_.publish(args, from, now_, known ? &chain->op.signing() : nullptr));
  return answer_written(to, std::move(published));
}

Result<> Core::op_gossip(const Asked& to, Conn& conn, const wire::Value& args) {
  const auto& chain = conn.session.peer_chain();
  AMS_CHECK(peer_.admit(asker(conn), now_));
  AMS_TRY(directory::Peer::Answered answered,
          peer_.gossip(args, conn.domain, chain ? &chain->op.signing() : nullptr, now_));
  return answer_written(to, std::move(answered));
}

/// BLG-35: of the domain's own log, by the key that its verified chain names.
Result<> Core::op_bindlog(const Asked& to, Conn& conn, const wire::Value& args) {
  const auto& chain = conn.session.peer_chain();
  AMS_CHECK(peer_.admit(asker(conn), now_));
  if (!chain) return fail(Code::not_found, "directory.bindlog: no chain");
  auto answered = peer_.bindlog(args, chain->record, now_);
  if (answered) return answer_written(to, std::move(*answered));
  later([this] { pump_peer(); });
  if (answered.error().code != Code::witness_budget) return tl::unexpected<Error>(answered.error());
  refuse(to, answered.error(), 3'600);
  return {};
}

/// DIR-46: the chain that was verified for a domain, and what its binding log was seen to be.
Result<> Core::op_directory_domain(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "directory.domain", wire::ObjectReader::Unknown::ignore_x);
  const std::string domain = in.string("domain", wire::domain_size_max);
  AMS_CHECK(in.finish());
  AMS_CHECK(peer_.admit(asker(conn), now_));
  if (!wire::is_domain(domain)) return fail(Code::address_syntax, "directory.domain.domain");
  Txn txn(reader_);
  const auto held = txn.get_value(table_chain, as_bytes(domain));
  AMS_CHECK(txn.status());
  const wire::Value* chain = held ? held->find("chain") : nullptr;
  if (local(domain)) chain = &chain_->value;
  if (!chain || !options_.full_directory)
    return fail(mutant("server.wrong_code_domain") ? Code::schema : Code::not_found,
                "directory.domain.domain");
  AMS_TRY(wire::Object answer, peer_.domain_log(domain));
  if (mutant("server.domain_without_log")) answer.clear();
  answer.emplace("chain", *chain);
  answer_stable(to, wire::Value(std::move(answer)));
  return {};
}

Result<> Core::op_peers(const Asked& to, Conn& conn, const wire::Value& args) {
  AMS_CHECK(peer_.admit(asker(conn), now_));
  AMS_TRY(wire::Value answer, peer_.peers(args, now_));
  ok(to, std::move(answer));
  return {};
}

Result<> Core::op_compare(const Asked& to, Conn& conn, const wire::Value& args) {
  AMS_CHECK(peer_.admit(asker(conn), now_));
  AMS_TRY(wire::Value answer, peer_.compare(args, conn.domain, now_));
  ok(to, std::move(answer));
  later([this] { pump_peer(); });
  return {};
}

Result<> Core::answer_written(const Asked& to, directory::Peer::Answered answered) {
  if (mutant("server.ack_publication_early")) {
    ok(to, std::move(answered.answer));
    commit(std::move(answered.writes), [](const Result<>&) {});
    return {};
  }
  commit(std::move(answered.writes),
         [this, to, answer = std::move(answered.answer)](const Result<>& outcome) {
           if (!outcome) {
             peer_.handle_write_failure();
             return refuse(to, outcome.error(), 60);  // STO-2
           }
           ok(to, answer);
         });
  later([this] { pump_peer(); });
  return {};
}

Result<> Core::op_directory_get(const Asked& to, Conn& conn, const wire::Value& args) {
  AMS_CHECK(peer_.admit(asker(conn), now_));
  auto found = peer_.get(args);
  if (!found && found.error().code != Code::not_found) return tl::unexpected<Error>(found.error());
  const auto kid = from_uuid_text(args.find("kid")->as_string());  // get() has judged the args
  // A light peer asks full ones for its own users; other servers ask a full peer themselves.
  const bool others_know = !conn.addr.empty() && !options_.full_directory;
  if (!others_know || (found && !peer_.stale(*kid, now_))) {
    if (!found) return tl::unexpected<Error>(found.error());
    answer_stable(to, std::move(*found));
    return {};
  }
  fetch_record(*kid, [this, to](const Outcome& outcome) {
    if (!outcome.value) return refuse(to, outcome.value.error());
    ok(to, *outcome.value);
  });
  return {};
}

/// BLG-34, BLG-40: a full peer's own words, for a user who judges them herself.
Result<> Core::op_directory_relay(const Asked& to, Conn& conn, const wire::Value& args) {
  wire::ObjectReader in(args, "directory.relay", wire::ObjectReader::Unknown::ignore_x);
  const auto domain = in.optional_string("domain", wire::domain_size_max);
  std::string kid;
  if (!domain) kid = to_uuid_text(in.uuid("kid"));
  const auto peer = in.optional_string("peer");
  AMS_CHECK(in.finish());
  if (domain && !wire::is_domain(*domain)) return fail(Code::address_syntax, "directory.relay");
  AMS_CHECK(peer_.admit(asker(conn), now_));
  // Those that the operator named: whom a user asks is not for strangers to say (DIR-76).
  wire::Array peers;
  bool known = false;
  for (const std::string& each : options_.directory_peers) {
    if (each == options_.domain) continue;
    peers.emplace_back(each);
    known = known || each == peer;
  }
  if (!peer) {
    ok(to, wire::Object{{"peers", std::move(peers)}});
    return {};
  }
  if (!known) return fail(Code::not_found, "directory.relay.peer");
  const std::string op = domain ? "directory.domain" : "directory.get";
  wire::Object question = domain ? wire::Object{{"domain", *domain}} : wire::Object{{"kid", kid}};
  ask(*peer, op, std::move(question), [this, to, peer = *peer, kid](const Outcome& got) {
    const bool none = !got.value && got.value.error().code == Code::not_found;
    if (!got.value && !none) return refuse(to, got.value.error());
    wire::Object answer;
    if (got.value) answer.emplace("got", *got.value);
    if (kid.empty()) return ok(to, wire::Value(std::move(answer)));
    relay_proof(to, peer, kid, std::move(answer));
  });
  return {};
}

void Core::relay_proof(const Asked& to, const std::string& peer, const std::string& kid,
                       wire::Object answer) {
  ask(peer, "directory.proof", wire::Object{{"kid", kid}},
      [this, to, answer = std::move(answer)](const Outcome& proof) {
        if (!proof.value) return refuse(to, proof.value.error());
        wire::Object out = answer;
        out.emplace("proof", *proof.value);
        ok(to, std::move(out));
      });
}

Result<> Core::op_head(const Asked& to, Conn&, const wire::Value& args) {
  wire::ObjectReader in(args, "directory.head", wire::ObjectReader::Unknown::ignore_x);
  AMS_CHECK(in.finish());
  AMS_TRY(wire::Value head, peer_.head());
  ok(to, std::move(head));
  return {};
}

Result<> Core::op_directory_read(DirectoryRead read, const Asked& to, const Conn& conn,
                                 const wire::Value& args) {
  AMS_CHECK(peer_.admit(asker(conn), now_));
  AMS_TRY(wire::Value answer, (peer_.*read)(args));
  answer_stable(to, std::move(answer));
  return {};
}

}  // namespace ams::server
