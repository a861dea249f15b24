// Lies of a domain about its bindings, provable to anyone who has its keys (spec BLG-19 to BLG-23):
// values that can be printed, mailed and verified from a file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "bindlog/history.h"
#include "bindlog/proof.h"

namespace ams::bindlog {

/// A value under a label, or none, at a checkpoint.
struct Sighting {
  Head head;
  Bytes path;
  std::optional<Hash> value;
};

struct Fork {
  std::string notes;  // CKP-11
};
struct Rewrite {
  Id16 label{};
  Sighting before;  // with a value
  Sighting after;
};
struct Contradiction {
  wire::Value binding;  // bind/1
  wire::Value proof;    // bproof/1
};
/// What the key of the version before says of a version that it did not endorse.
struct Denial {
  wire::Value history;  // bhist/1 of two versions
  wire::Value record;   // the key of the first
  wire::Value deny;     // bdeny/1
};
struct Lie {
  std::string domain;
  std::variant<Fork, Rewrite, Contradiction, Denial> what;
};

/// Fails with codes of ENC and schema.
Result<Lie> parse_lie(const wire::Value& value);
wire::Value to_value(const Lie& lie);
std::string_view kind_of(const Lie& lie);

/// Whether the domain lied. `chain`: its domain chain, for a contradiction (domain_record without
/// it). Fails with no_lie when the evidence is sound but shows nothing, with domain_mismatch, or
/// with the code of the part that does not verify.
Result<> verify_lie(const Lie& lie, const Identity& log, const keys::Chain* chain);

/// "I did not make this": signed by the key of the version before `entry`.
Result<wire::Value> make_denial(const Entry& entry, const Hash& value,
                                const crypto::SigningKey& old_key);

/// What an address's owner or a sender can say when `after` does not hold what `before` showed;
/// both are proofs or histories they were given. Fails with no_lie when the two agree.
Result<Lie> make_rewrite(std::string domain, const Id16& label, Sighting before, Sighting after);

}  // namespace ams::bindlog
