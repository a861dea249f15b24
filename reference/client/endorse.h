// The next version of our own address, as we make and endorse it (spec BLG-28): who knows the old
// key need not take the domain's word for the new one.
#pragma once

#include <optional>

#include "client/core.h"

namespace ams::client {

struct NextVersion {
  std::int64_t version = 1;
  keys::KeyId key;
  keys::Custody custody = keys::Custody::client;
  std::optional<keys::KeyId> enc = std::nullopt;
};

/// What we saw last of our address in our domain's log.
bindlog::Seen seen_of_own(const Core& core);

/// bentry/1. None where the domain keeps no log, where we have not seen the version before, or
/// where `old` is not valid any more.
std::optional<wire::Value> endorsed_entry(const Core& core, const keys::Chain& chain,
                                          const NextVersion& next, const keys::KeyPair& old);

}  // namespace ams::client
