// For tests: a bench whose two domains keep binding logs; the fake server answers look-ups and
// histories from them.
#pragma once

#include "bindlog/prover.h"
#include "client/test_bench.h"

namespace ams::client::testing {

struct LogBench : Bench {
  bindlog::Prover home_log = make_log(home);
  bindlog::Prover away_log = make_log(away);
  std::uint64_t bob_size = 0;        // of away's log when bob's first version was shown
  std::vector<bindlog::Entry> mine;  // what home's log has of alice

  LogBench() {
    for (Domain* domain : {&home, &away}) {
      const bindlog::Identity& log = (domain == &home ? home_log : away_log).identity();
      domain->log.emplace();
      domain->log->vrf = *to_array<33>(log.vrf_public);
      domain->log->note = *to_array<32>(log.log.key().raw());
      domain->remake();
      server.chains[domain->name] = domain->chain;
    }
    bind_bob(bob.pair.record);
    bob_size = away_log.size();
    server.hooks["keys.history"] = [this](const wire::Value& args) -> FakeServer::Answer {
      return history(args);
    };
    server.hooks["keys.lookup"] = [this](const wire::Value& args) -> FakeServer::Answer {
      if (args.find("addr")->as_string() != alice) return std::nullopt;
      return look_up_alice();
    };
  }

  static bindlog::Prover make_log(const Domain& domain) {
    crypto::Drbg random(crypto::sha256(as_bytes(domain.name)));
    return *bindlog::Prover::make(domain.name,
                                  {crypto::VrfKey::from_seed(random.bytes(32)),
                                   crypto::SigningKey::ed25519_from_seed(random.bytes(32)),
                                   crypto::Secret::copy_of(random.bytes(32))});
  }
  static bindlog::Entry entry_of(const std::string& addr, const keys::KeyId& key) {
    bindlog::Entry out;
    out.addr = addr;
    out.key = key;
    return out;
  }
  std::uint64_t now_s() const { return static_cast<std::uint64_t>(to_unix_ms(now) / 1000); }

  /// away's log says that bob has this key; look-ups say what they said.
  void bind_bob(const keys::KeyRecord& record) {
    const bindlog::Entry entry = entry_of(bob.addr, record.id());
    ASSERT_TRUE(away_log.add(entry).has_value());
    away_log.seal(now_s());
    show_bob(entry);
  }
  void show_bob(const bindlog::Entry& entry) {
    server.lookups[bob.addr].as_object().insert_or_assign("proof",
                                                          bindlog::to_value(away_log.prove(entry)));
  }
  /// The server hands out carol's key for bob; his domain's log has his.
  void lie_about_bob() {
    const keys::KeyRecord& wrong = carol.pair.record;
    wire::Object& answer = server.lookups[bob.addr].as_object();
    answer.insert_or_assign("binding", sign_binding(away, bob.addr, wrong.id()));
    answer.insert_or_assign("key", wrong.value());
  }
  /// Another log under the same keys, in which bob's first version is carol's key; or one epoch
  /// more after it.
  void begin_away_log_anew(bool longer = false) {
    away_log = make_log(away);
    const bindlog::Entry other = entry_of(bob.addr, carol.pair.record.id());
    ASSERT_TRUE(away_log.add(other).has_value());
    away_log.seal(now_s());
    if (longer) {
      const auto more = entry_of("zoe@away.example", carol.pair.record.id());
      ASSERT_TRUE(away_log.add(more).has_value());
      away_log.seal(now_s());
    }
    lie_about_bob();
    show_bob(other);
  }
  /// away's next record names another log (DOM-17).
  void replace_away_log() {
    const bindlog::Identity other = make_log(home).identity();
    away.log->note = *to_array<32>(other.log.key().raw());
    away.seq = 2;
    away.policy = keys::next_policy(keys::isp_policy(), keys::Policy::isp, {}, now);
    away.remake();
    server.chains[away.name] = away.chain;
  }
  /// An address of away that stands for others.
  void lead(const std::string& addr, std::vector<std::string> to,
            bindlog::Type type = bindlog::Type::forward) {
    bindlog::Entry entry = entry_of(addr, carol.pair.record.id());
    entry.type = type;
    entry.to = std::move(to);
    ASSERT_TRUE(away_log.add(entry).has_value());
    away_log.seal(now_s());
    server.lookups[addr] = wire::Object{{"proof", bindlog::to_value(away_log.prove(entry))}};
  }
  /// bob's domain binds him to another key: version 2, endorsed by his old key or not.
  void rebind_bob(const keys::KeyPair& next, bool endorsed) {
    const bindlog::Entry before = entry_of(bob.addr, bob.pair.record.id());
    bindlog::Entry entry = entry_of(bob.addr, next.record.id());
    entry.version = 2;
    entry.at = to_unix_ms(now);
    entry.prev = away_log.value(before);
    if (endorsed) entry = *bindlog::endorse(std::move(entry), bob.pair.signing);
    ASSERT_TRUE(away_log.add(entry).has_value());
    away_log.seal(now_s());
    server.lookups[bob.addr] = wire::Object{
        {"binding", sign_binding(away, bob.addr, next.record.id(), 2)},
        {"key", next.record.value()},
        {"proof", bindlog::to_value(away_log.prove(entry))},
        {"history",
         bindlog::to_value(away_log.history(std::array{before, entry}, true, bob_size))}};
  }
  /// The next version of alice in home's log.
  void bind_alice(const keys::KeyId& key) {
    bindlog::Entry entry = entry_of(alice, key);
    entry.version = static_cast<std::int64_t>(mine.size()) + 1;
    if (!mine.empty()) entry.prev = home_log.value(mine.back());
    ASSERT_TRUE(home_log.add(entry).has_value());
    home_log.seal(now_s());
    mine.push_back(std::move(entry));
  }
  void bind_first() {
    if (mine.empty())
      bind_alice(keys::parse_binding(*server.lookups[alice].find("binding")).value().key);
    home_log.seal(now_s());
  }
  FakeServer::Answer look_up_alice() {
    bind_first();
    wire::Object out = server.lookups[alice].as_object();
    out.insert_or_assign("proof", bindlog::to_value(home_log.prove(mine.back())));
    return wire::Value(std::move(out));
  }
  FakeServer::Answer history(const wire::Value& args) {
    bind_first();
    const auto from = static_cast<std::size_t>(args.find("from")->as_integer());
    const auto size = static_cast<std::uint64_t>(args.find("size")->as_integer());
    if (from > mine.size() || size > home_log.size()) return fail(Code::not_found, "fake");
    return wire::Value(wire::Object{
        {"history",
         bindlog::to_value(home_log.history(std::span(mine).subspan(from - 1), true, size))}});
  }
  int alarms() const { return count<Alarm>(); }
};

struct LogSender : LogBench {
  std::optional<Error> refused() {
    client->submit(draft({bob.addr}), now);
    run_for(10s);
    if (!server.submissions.empty()) return std::nullopt;
    const auto* failed = last<SubmitFailed>();
    return failed ? failed->why : Error{Code::bom, "waits"};
  }
};

struct LedSender : LogSender {
  /// Addresses of all submissions.
  std::vector<std::string> reached() const {
    std::vector<std::string> out;
    for (const auto& [ehash, args] : server.submissions)
      for (const wire::Value& rcpt : args.find("rcpts")->as_array())
        out.push_back(rcpt.find("addr")->as_string());
    return out;
  }
  std::vector<std::string> sent_to(const std::string& addr) {
    client->submit(draft({addr}), now);
    run_for(10s);
    return reached();
  }
  Code refused_to(const std::string& addr) {
    EXPECT_TRUE(sent_to(addr).empty());
    const auto* failed = last<SubmitFailed>();
    return failed ? failed->why.code : Code{};
  }
};

}  // namespace ams::client::testing
