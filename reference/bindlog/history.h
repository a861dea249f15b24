// The owner's check: all versions of an address since the last one, and that there is none above
// (spec BLG-16 to BLG-18).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bindlog/head.h"

namespace ams::bindlog {

inline constexpr std::size_t items_max = 64;
inline constexpr std::size_t consistency_size_max = 4'096;  // bytes, LOG-3

struct Item {
  Entry entry;
  Hash r{};
  Place place;
};
struct History {
  std::string addr;
  std::vector<Item> items;
  std::vector<Place> above;  // the gaps of the last item's version, or none
  Bytes consistency;
  Head head;
};
/// Fails with codes of ENC and schema (BLG-16).
Result<History> parse_history(const wire::Value& value);
wire::Value to_value(const History& history);

/// What an owner keeps from one check to the next.
struct Seen {
  std::uint64_t size = 0;  // of the log, 0 before the first check
  Hash log_root{};
  std::int64_t version = 0;  // 0: none
  Hash value{};
  friend bool operator==(const Seen&, const Seen&) = default;
};
struct Checked {
  std::vector<Entry> entries;
  std::vector<Hash> values;  // theirs
  bool complete = false;     // false: more versions follow; ask again with `seen`
  Seen seen;
  OpenedHead head;
};
/// BLG-17. Costs a VRF verification for each item and each gap. Before the first check: Seen{}.
Result<Checked> verify_history(const wire::Value& value, std::string_view asked,
                               const Identity& log, const Seen& seen,
                               const verifiable::WitnessPolicy& witnesses = {});

}  // namespace ams::bindlog
