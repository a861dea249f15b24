// A domain that shows its binding log to a peer, for tests and for the mutants' probes.
#pragma once

#include <string>
#include <vector>

#include "bindlog/test_world.h"
#include "directory/peers_test.h"

namespace ams::directory::testing {

namespace bt = bindlog::testing;

/// One log, epoch by epoch, as its server would show it.
struct ShownLog {
  struct Epoch {
    Bytes bytes;
    std::vector<bindlog::Leaf> added;
  };
  explicit ShownLog(const char* name = bt::home)
      : domain(name), log(bt::make_log(name)), alice("alice@" + domain) {}

  /// Ends an epoch with so many new versions of alice's key.
  void grow(int versions = 1, std::uint64_t time_s = bt::now_s) {
    Epoch epoch;
    for (int i = 0; i < versions; ++i) {
      const bindlog::Entry entry = alice.next(log);
      epoch.added.push_back(*log.add(entry));
      alice.entries.push_back(entry);
    }
    std::sort(epoch.added.begin(), epoch.added.end(),
              [](const auto& a, const auto& b) { return a.kid < b.kid; });
    epoch.bytes = log.seal(time_s).epoch;
    epochs.push_back(std::move(epoch));
  }
  keys::DomainRecord record() const {
    keys::DomainRecord out{domain, {}, {}, keys::isp_policy(), 1, keys::LogKeys{}};
    out.log->vrf = *to_array<33>(log.identity().vrf_public);
    out.log->note = *to_array<32>(log.identity().log.key().raw());
    return out;
  }
  wire::Value args(std::uint64_t from, std::uint64_t to) const {
    wire::Array shown;
    for (std::uint64_t i = from; i < to && i < epochs.size(); ++i) {
      Bytes added;
      for (const bindlog::Leaf& leaf : epochs[i].added) {
        append(added, leaf.kid);
        append(added, leaf.value);
      }
      shown.push_back(
          wire::Object{{"added", to_base64url(added)}, {"epoch", to_base64url(epochs[i].bytes)}});
    }
    return wire::Object{{"checkpoint", log.checkpoint_at(std::max<std::uint64_t>(to, 1))},
                        {"epochs", std::move(shown)},
                        {"from", static_cast<std::int64_t>(from)}};
  }

  std::string domain;
  bindlog::Prover log;
  bt::Owner alice;
  std::vector<Epoch> epochs;
};

/// A full peer and a log of two epochs that it may be shown.
struct WitnessHost {
  Node peer{"p.example", true, {}};
  ShownLog home;
  Instant now = from_unix_ms(bt::now_ms);
  WitnessHost() {
    home.grow();
    home.grow(2);
  }
  Result<wire::Value> show(const wire::Value& args) {
    const auto answer = peer.take(peer.peer.bindlog(args, home.record(), now));
    peer.drain();
    return answer;
  }
  Result<wire::Value> show(std::uint64_t from, std::uint64_t to) {
    return show(home.args(from, to));
  }
  bool cosigned(const wire::Value& answer, std::uint64_t size) const {
    const wire::Value* note = answer.find("cosignature");
    if (note == nullptr) return false;
    const auto parsed = verifiable::parse_note(note->as_string());
    const auto witness =
        log_key("p.example", peer.op.record.signing(), verifiable::NoteKeyType::cosignature_v1);
    const auto checkpoint = parsed ? verifiable::parse_checkpoint(parsed->text)
                                   : Result<verifiable::Checkpoint>(fail(Code::proof, ""));
    return checkpoint && checkpoint->size == size && witness &&
           verifiable::verify_note(*parsed, *witness).has_value();
  }
};

/// Another log of the same domain and the same key.
inline ShownLog fork_of(const WitnessHost& host) {
  ShownLog out(host.home.domain.c_str());
  out.grow(3);
  out.grow();
  return out;
}

}  // namespace ams::directory::testing
