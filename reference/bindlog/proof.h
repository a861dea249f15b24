// What an address is bound to, proved against a checkpoint (spec BLG-11 to BLG-14): for a sender at
// its clock, for the reader of a stapled proof at the letter's time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bindlog/head.h"

namespace ams::bindlog {

inline constexpr std::size_t steps_max = 15;  // below the version itself

struct Step {
  Place place;
  Hash value{};
};
struct Proof {
  std::string addr;
  std::optional<Entry> entry;  // none: bound to nothing
  Hash r{};                    // these three only with entry
  std::vector<Step> steps;
  Place here;
  Place next;
  Head head;
};
/// Fails with codes of ENC and schema (BLG-12).
Result<Proof> parse_proof(const wire::Value& value);
wire::Value to_value(const Proof& proof);

struct Proven {
  std::optional<Entry> entry;
  Hash value{};  // of the entry
  OpenedHead head;
};
/// BLG-13, for the address `asked`. Costs a signature check for each cosignature demanded and a VRF
/// verification for each step and two more. When it holds is holds_at's matter (BLG-14).
Result<Proven> verify_proof(const wire::Value& value, std::string_view asked, const Identity& log,
                            const verifiable::WitnessPolicy& witnesses = {});

/// Whether a binding says what the log commits to: an entry of type key that agrees in version,
/// kid, fp, custody and enc (BLG-26, MSG-38).
bool agrees(const std::optional<Entry>& entry, const keys::Binding& binding);

}  // namespace ams::bindlog
