// For tests: a sender whose server relays questions to one real directory peer.
#pragma once

#include "client/test_witnesses.h"
#include "directory/peer.h"
#include "keys/lineage.h"

namespace ams::client::testing {

struct TracedSender : Bench {
  Domain one = Domain::make("one.example", drbg);
  Person dave = Person::make(away, "dave", drbg);
  store::MemoryStorage rows;
  directory::Peer peer{
      {.domain = "one.example", .full = true, .peers = {}}, &one.op.signing, rows, now};

  explicit TracedSender(std::int64_t demanded = 0) {
    options.log_witnesses = demanded;
    if (demanded > 0) boot();
    server.chains[one.name] = one.chain;
    discovered[one.name] = one.discovery();
    server.hooks["directory.relay"] = [this](const wire::Value& args) { return relay(args); };
    tell_peer(bob.pair.record.value());
    end_epoch();
    enrol();
  }
  FakeServer::Answer relay(const wire::Value& args) {
    if (!args.find("peer")) return wire::Value(wire::Object{{"peers", wire::Array{one.name}}});
    const wire::Value asked = wire::Object{{"kid", *args.find("kid")}};
    wire::Object out;
    if (auto got = peer.get(asked)) out.emplace("got", std::move(*got));
    AMS_TRY(wire::Value proof, peer.proof(asked));
    cosign(proof);
    out.emplace("proof", std::move(proof));
    return wire::Value(std::move(out));
  }
  /// How many of `domains` cosign what the peer proves from now on.
  std::vector<const Domain*> cosigners = {};
  void cosign(wire::Value& proof) const {
    auto note = *verifiable::parse_note(proof.find("checkpoint")->as_string());
    for (const Domain* by : cosigners)
      note.signatures.push_back(
          *verifiable::cosign(note.text, directory::log_origin(by->name), by->op.signing,
                              static_cast<std::uint64_t>(to_unix_ms(now)) / 1'000));
    proof.as_object()["checkpoint"] = verifiable::format(note);
  }
  void tell_peer(const wire::Value& object) {
    const auto answered =
        peer.publish(wire::Object{{"records", wire::Array{object}}}, away.name, now);
    ASSERT_TRUE(answered.has_value());
    ASSERT_TRUE(rows.apply(answered->writes).has_value());
  }
  void end_epoch() {
    now += 2min;
    peer.handle_timeout(now);
    while (auto write = peer.poll_write()) {
      ASSERT_TRUE(rows.apply(write->batch).has_value());
      peer.handle_written(write->ticket, {});
    }
  }
  /// The peer alone hears of it; `proven`: its log has it.
  void revoke_bob(bool proven) {
    tell_peer(*keys::make_revocation(bob.pair));
    if (proven) end_epoch();
  }
  LookedUp traced(const std::string& addr = "bob@away.example") {
    client->look_up(addr, now, true);
    run_for(10s);
    return *last<LookedUp>();
  }
};

}  // namespace ams::client::testing
