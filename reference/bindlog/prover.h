// The binding log of a domain as its server keeps it (spec BLG-5 to BLG-9): takes entries, ends
// epochs, proves. Holds labels, values and roots in memory; entries stay with the caller, who keeps
// them encrypted (BND-2), and comes with them when a proof is asked for.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bindlog/lie.h"
#include "crypto/vrf.h"

namespace ams::bindlog {

/// What an entry adds to the map, to be stored beside the encrypted row.
using Leaf = verifiable::Entry;

struct Sealed {  // an epoch's end, to be stored
  Bytes epoch;   // 60 bytes, the log's new entry
  std::string checkpoint;
};

class Prover {
 public:
  struct Secrets {
    crypto::VrfKey vrf;
    crypto::SigningKey log;  // Ed25519
    crypto::Secret commit;   // 32 bytes: r of BLG-6 follows from it
  };
  /// An empty log. Fails with key_material unless the log key is of Ed25519.
  static Result<Prover> make(std::string domain, Secrets secrets);
  Prover(Prover&&) = default;
  Prover& operator=(Prover&&) = default;
  /// After a restart: the leaves and epochs that were stored, in the order of their making. Fails
  /// with `storage` when they do not give the last epoch's map root.
  Result<> restore(std::vector<Leaf> leaves, std::span<const Bytes> epochs, std::string checkpoint);

  const Identity& identity() const { return identity_; }
  std::uint64_t size() const { return log_.size(); }  // epochs
  const std::string& checkpoint() const { return newest_.checkpoint; }

  /// BLG-6: r of a version.
  Hash opening(std::string_view addr, std::int64_t version) const;
  Hash value(const Entry& entry) const {
    return value_of(entry, opening(entry.addr, entry.version));
  }

  /// BLG-7. Shown by proofs from the next epoch on. Fails with version_conflict, history_gap
  /// (prev). Two VRF evaluations.
  Result<Leaf> add(const Entry& entry);
  /// Ends an epoch (BLG-8); `time_s` is raised to that of the epoch before.
  Sealed seal(std::uint64_t time_s);
  /// The checkpoint of the log as it was when it had `size` epochs, 1 to size(): without any
  /// cosignature. One signature.
  std::string checkpoint_at(std::uint64_t size) const;
  /// Keeps the newest epoch to be shown to witnesses, until the next call: what is added meanwhile
  /// does not outrun them. Gives its size.
  std::uint64_t offer();
  /// Takes the cosignatures of a note of the newest checkpoint, of the one that is offered, or of
  /// the one that proofs are made with: whoever calls has verified them. Fails with proof_form,
  /// proof (another checkpoint), signature (our own is missing), object_too_large.
  Result<> cosigned(std::string_view note);
  /// The one of these at `size`, with the cosignatures taken; empty: there is none.
  std::string offered_at(std::uint64_t size) const;
  /// Proofs are made with no cosigned epoch that is older (BLG-39).
  void drop_vouched_before(std::uint64_t time_s);

  /// The VRF proofs of an address that were made: with them learnt, a restart need not make them
  /// again. `evaluations`: how often a proof was made.
  std::vector<std::pair<std::int64_t, Bytes>> vrf_proofs(std::string_view addr) const;
  /// Precondition: vrf_proofs() gave it.
  void learn(std::string_view addr, std::int64_t version, Bytes vrf);
  std::uint64_t evaluations() const { return evaluations_; }

  // Proofs against the newest epoch, or an older one that bears more cosignatures and has all of
  // the entries. Precondition: size() > 0, and the entries are in it.
  Proof prove(const Entry& entry) const;
  Proof prove_none(std::string_view addr) const;
  /// The versions of one address, successive, at most items_max. `complete`: the last is the
  /// highest. `known_size`: of the log that the asker knows, at most size().
  History history(std::span<const Entry> entries, bool complete, std::uint64_t known_size) const;
  Sighting sight(std::string_view addr, std::int64_t version, std::optional<Hash> value) const;
  Id16 label(std::string_view addr, std::int64_t version) const;

 private:
  Prover(Identity identity, Secrets secrets)
      : identity_(std::move(identity)), secrets_(std::move(secrets)) {}
  struct Known {  // of a label: what the VRF costs, kept
    Id16 label{};
    Bytes vrf;
  };
  const Known& known(std::string_view addr, std::int64_t version) const;
  struct State {          // of an epoch
    verifiable::Map map;  // shares its nodes with the others
    Bytes epoch;
    std::string checkpoint;
    std::uint64_t size = 0;
    std::size_t cosignatures = 0;
  };
  /// Which epoch to prove with: `addr`'s highest version, 0 for none; what the asker knows.
  const State& state_for(std::string_view addr, std::int64_t version,
                         std::uint64_t known_size) const;
  Place place(const State& state, std::string_view addr, std::int64_t version) const;
  Head head(const State& state) const;
  void add_epoch(ByteView epoch);

  Identity identity_;
  Secrets secrets_;
  verifiable::Map map_;  // with what waits for an epoch
  verifiable::Log log_;
  State newest_;
  std::optional<State> offered_, vouched_;
  mutable std::uint64_t evaluations_ = 0;
  mutable std::map<std::pair<std::string, std::int64_t>, Known> known_;  // at most known_max
};

}  // namespace ams::bindlog
