// Evidence that can be mailed around (spec EVD): a look-up with all that its verification needs, or
// two faces of one log, of one size or of two. Whoever gets a file needs nothing but the root keys
// that they believe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/instant.h"
#include "base/result.h"
#include "keys/lineage.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr std::size_t evidence_size_max = 1 << 20;  // bytes of AMS-CJ, EVD-4
inline constexpr std::size_t evidence_witnesses_max = 32;  // EVD-1
inline constexpr std::size_t evidence_objects_max = 64;    // of one entry, EVD-1

/// A domain and its chain (DOM-4), as its server's hello gave it.
struct DomainChain {
  std::string domain;
  wire::Value chain;
};
/// What a peer answered to directory.get (empty objects: not_found) and directory.proof.
struct LookupEvidence {
  DomainChain peer;
  Id16 kid{};
  wire::Array objects;
  wire::Value proof;
  std::vector<DomainChain> witnesses;
};
wire::Value evidence_of(const LookupEvidence& lookup);
/// `faces`: what verifiable::make_equivocation gives, or verifiable::make_rewrite.
wire::Value evidence_of(const DomainChain& peer, std::string_view faces);

/// The evidence in a file (EVD-4). Fails with object_too_large, then the codes of ENC.
Result<wire::Value> read_evidence(std::string_view file);

struct EvidenceTrust {
  /// The root key that the reader believes to be the domain's; empty: they know of none. `claimed`:
  /// what the evidence says that it is.
  std::function<std::optional<keys::KeyId>(std::string_view domain, const keys::KeyId& claimed)>
      root_of;
  std::size_t quorum = 0;      // witnesses whose chain holds and who cosigned (EVD-2)
  std::optional<Instant> now;  // empty: how old the epoch is stays the reader's own judgement
};
struct JudgedEvidence {
  std::string domain;      // of the peer that answered, or lied
  keys::KeyId root{};      // under which its chain holds
  std::uint64_t size = 0;  // of the log, at the checkpoint
  bool two_faces = false;
  std::optional<std::uint64_t> rewritten_from;  // EVD-5: the lesser of the two sizes
  // Of a look-up:
  Id16 kid{};
  std::optional<keys::Entry> entry;   // empty: the kid was in no entry
  std::uint64_t time_s = 0;           // of the epoch, Unix time
  std::vector<std::string> cosigned;  // domains, of the witnesses that the evidence names
};
/// Judges in the order of EVD-2, EVD-3 and EVD-5. Fails with object_too_large, the codes of ENC for
/// its form, domain_record (a chain), those of verify_lookup, of verify_equivocation or of
/// verify_rewrite.
Result<JudgedEvidence> judge_evidence(const wire::Value& evidence, const EvidenceTrust& trust);

}  // namespace ams::directory
