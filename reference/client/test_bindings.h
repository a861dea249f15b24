// For tests: a bench whose two domains keep binding logs; the fake server answers look-ups and
// histories from them.
#pragma once

#include "bindlog/prover.h"
#include "client/test_bench.h"

namespace ams::client::testing {

struct LogBench : Bench {
  bindlog::Prover home_log = make_log(home);
  bindlog::Prover away_log = make_log(away);
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
    server.hooks["keys.history"] = [this](const wire::Value& args) -> FakeServer::Answer {
      return history(args);
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
  /// The next version of alice in home's log.
  void bind_alice(const keys::KeyId& key) {
    bindlog::Entry entry = entry_of(alice, key);
    entry.version = static_cast<std::int64_t>(mine.size()) + 1;
    if (!mine.empty()) entry.prev = home_log.value(mine.back());
    ASSERT_TRUE(home_log.add(entry).has_value());
    home_log.seal(now_s());
    mine.push_back(std::move(entry));
  }
  FakeServer::Answer history(const wire::Value& args) {
    if (mine.empty())
      bind_alice(keys::parse_binding(*server.lookups[alice].find("binding")).value().key);
    home_log.seal(now_s());
    const auto from = static_cast<std::size_t>(args.find("from")->as_integer());
    const auto size = static_cast<std::uint64_t>(args.find("size")->as_integer());
    if (from > mine.size() || size > home_log.size()) return fail(Code::not_found, "fake");
    return wire::Value(wire::Object{
        {"history",
         bindlog::to_value(home_log.history(std::span(mine).subspan(from - 1), true, size))}});
  }
  int alarms() const {
    int n = 0;
    for (const Report& report : reports)
      if (const auto* failed = std::get_if<CommandFailed>(&report))
        n += failed->what == "bindings" ? 1 : 0;
    return n;
  }
};

}  // namespace ams::client::testing
