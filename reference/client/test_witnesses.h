// For tests: a sender whose server names full peers that may cosign the logs of both domains.
#pragma once

#include "client/test_bindings.h"
#include "directory/history.h"

namespace ams::client::testing {

struct WitnessedSender : LogSender {
  Domain one = Domain::make("one.example", drbg);
  Domain two = Domain::make("two.example", drbg);
  int listed = 0;         // how often the server was asked whom it knows
  wire::Value told = {};  // what both say of away; {}: what away's log is

  /// `chosen`: by the owner herself.
  explicit WitnessedSender(std::int64_t demanded, std::vector<std::string> chosen = {}) {
    for (const Domain* domain : {&one, &two}) {
      server.chains[domain->name] = domain->chain;
      discovered[domain->name] = domain->discovery();
    }
    server.hooks["directory.relay"] = [this](const wire::Value& args) -> FakeServer::Answer {
      return relay(args);
    };
    options.log_witnesses = demanded;
    options.witness_domains = std::move(chosen);
    boot();
    enrol();
    bind_first();
  }
  FakeServer::Answer relay(const wire::Value& args) {
    listed += args.find("peer") ? 0 : 1;
    if (!args.find("peer"))
      return wire::Value(wire::Object{{"peers", wire::Array{away.name, one.name}}});
    if (!args.find("domain")) return fail(Code::not_found, "fake");
    if (told.is_object() && !told.as_object().empty())
      return wire::Value(wire::Object{{"got", told}});
    return wire::Value(wire::Object{
        {"got", wire::Object{{"chain", away.chain}, {"checkpoint", away_log.checkpoint()}}}});
  }
  void cosign(bindlog::Prover& log, const Domain& by) {
    auto note = *verifiable::parse_note(log.checkpoint());
    note.signatures.push_back(
        *verifiable::cosign(note.text, directory::log_origin(by.name), by.op.signing, now_s()));
    ASSERT_TRUE(log.cosigned(verifiable::format(note)).has_value());
  }
  /// The head that is shown of bob is cosigned by one more.
  void cosign_bob(const Domain& by) {
    cosign(away_log, by);
    show_bob(entry_of(bob.addr, bob.pair.record.id()));
  }
  /// What came of a look-up of bob; bom: he was found.
  Code looked_up() {
    client->look_up(bob.addr, now);
    run_for(10s);
    const auto* looked = last<LookedUp>();
    if (looked == nullptr) return Code::unsupported;
    return looked->found ? Code::bom : looked->found.error().code;
  }
  std::vector<LookupStep> traced() {
    client->look_up(bob.addr, now, true);
    run_for(10s);
    return last<LookedUp>()->steps;
  }
};

inline bool has_step(const std::vector<LookupStep>& steps, std::string_view what, bool holds) {
  return std::any_of(steps.begin(), steps.end(), [&](const LookupStep& step) {
    return step.what.starts_with(what) && step.outcome.has_value() == holds;
  });
}

}  // namespace ams::client::testing
