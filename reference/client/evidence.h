// Evidence: what convicts a domain to anyone who has its keys, made of what its server showed us
// (spec BLG-19 to BLG-23). Each is verified before it is given out; where what was shown proves
// nothing to others, there is none.
#pragma once

#include <optional>

#include "bindlog/lie.h"

namespace ams::client {

using Evidence = std::optional<wire::Value>;  // blie/1

/// The domain signed `binding`, and its log commits to another entry of that version: `proof`.
Evidence contradiction(const keys::Chain& chain, const wire::Value& binding,
                       const wire::Value& proof);
/// `history` has `version`, which the key of the version before, `owner`, did not endorse.
Evidence denial(const keys::Chain& chain, const wire::Value& history, std::int64_t version,
                const keys::KeyPair& owner);
/// Two checkpoints of the domain's log, of one size and with different roots.
Evidence fork(const keys::Chain& chain, std::string_view note, std::string_view other);
/// Two histories of one address: their checkpoints are of one size and differ, or another value
/// stands under a label now.
Evidence rewrite(const keys::Chain& chain, const wire::Value& before, const wire::Value& now);
/// The same of two proofs (BLG-12) of one version.
Evidence rewrite_proven(const keys::Chain& chain, const wire::Value& before,
                        const wire::Value& now);

}  // namespace ams::client
