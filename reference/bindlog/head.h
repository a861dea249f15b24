// A map root that a domain's binding log vouches for (spec BLG-9, BLG-10), and where in that map a
// version stands (BLG-5): the two halves of every proof of this room.
#pragma once

#include <string>
#include <string_view>

#include "bindlog/entry.h"
#include "bindlog/labels.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"
#include "verifiable/map.h"

namespace ams::bindlog {

inline constexpr std::size_t note_size_max = 8'192;       // bytes of a checkpoint in a head
inline constexpr std::size_t inclusion_size_max = 2'048;  // bytes
inline constexpr std::int64_t clock_tolerance_ms = 5 * 60'000;
inline constexpr std::int64_t proof_age_max_ms = 24 * 3'600'000;  // BLG-14

/// The public half of a binding log: what a domain's record says of it.
struct Identity {
  std::string domain;
  Bytes vrf_public;
  verifiable::NoteKey log;
  Labels* labels = nullptr;  // borrowed; null: every VRF proof is verified anew
};
/// BLG-9.
std::string origin_of(std::string_view domain);
/// Fails with key_material unless both are keys (VRF: 33 bytes; log: Ed25519, 32 bytes).
Result<Identity> make_identity(std::string domain, Bytes vrf_public, ByteView log_public);
/// Of a domain whose record has the keys of DOM-16. Precondition: record.log.
Result<Identity> identity_of(const keys::DomainRecord& record, Labels* labels = nullptr);

struct Head {
  std::string checkpoint;  // a note
  Bytes epoch;
  Bytes inclusion;
};
Head read_head(wire::ObjectReader& in, std::string_view name = "head");
wire::Value to_value(const Head& head);

struct OpenedHead {
  std::uint64_t size = 0;  // of the log
  Hash log_root{};
  verifiable::Epoch epoch{};
};
/// BLG-10. Fails with object_too_large, proof_form, proof, signature, witnesses.
Result<OpenedHead> open_head(const Head& head, const Identity& log,
                             const verifiable::WitnessPolicy& witnesses = {});

/// Whether something proved at this epoch may be relied on at this time: binding_stale (BLG-14).
Result<> holds_at(const verifiable::Epoch& epoch, std::int64_t at_ms);

/// Where a version stands: its label's VRF proof and the way to the label.
struct Place {
  Bytes path;
  Bytes vrf;
};
/// Members path and vrf of the object that `in` reads.
Place read_place(wire::ObjectReader& in);
Place read_place_at(wire::ObjectReader& in, std::string_view name);
wire::Object to_object(const Place& place);

/// That the map of this root has the value under the version's label, or nothing. Fail with
/// key_material, vrf_proof, proof_form, proof.
Result<> verify_version(const Identity& log, const Hash& map_root, std::string_view addr,
                        std::int64_t version, const Hash& value, const Place& place);
Result<> verify_no_version(const Identity& log, const Hash& map_root, std::string_view addr,
                           std::int64_t version, const Place& place);

/// BLG-13: domain_mismatch, then binding_addr.
Result<> judge_address(const Identity& log, std::string_view asked, std::string_view named);

}  // namespace ams::bindlog
