#include "bindlog/head.h"

#include "crypto/vrf.h"
#include "policy/mutant.h"

namespace ams::bindlog {
namespace {

Result<Id16> verified_label(const Identity& log, std::string_view addr, std::int64_t version,
                            const Place& place) {
  if (mutant("bindlog.skip_vrf")) {
    AMS_TRY(const Hash claimed, crypto::vrf_proof_to_hash(place.vrf));
    return label_of(claimed);
  }
  const Bytes input = label_input(addr, version);
  const Hash name = log.labels ? Labels::name(log.vrf_public, input, place.vrf) : Hash{};
  if (log.labels)
    if (const auto verified = log.labels->find(name)) return *verified;
  AMS_TRY(const Hash beta, crypto::vrf_verify(log.vrf_public, input, place.vrf));
  if (log.labels) log.labels->keep(name, label_of(beta));
  return label_of(beta);
}

}  // namespace

std::string origin_of(std::string_view domain) {
  std::string out = "ams-bind/" + std::string(domain);
  if (out.size() <= verifiable::note_name_size_max) return out;
  return "ams-bind/" + to_hex(crypto::sha256(as_bytes(domain)));
}

Result<Identity> make_identity(std::string domain, Bytes vrf_public, ByteView log_public) {
  AMS_CHECK(crypto::vrf_check_key(vrf_public));
  AMS_TRY(crypto::VerifyKey key, crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, log_public));
  AMS_TRY(verifiable::NoteKey log,
          verifiable::NoteKey::make(origin_of(domain), verifiable::NoteKeyType::ed25519,
                                    std::move(key)));
  return Identity{std::move(domain), std::move(vrf_public), std::move(log)};
}

Result<Identity> identity_of(const keys::DomainRecord& record, Labels* labels) {
  AMS_TRY(Identity out,
          make_identity(record.domain, to_bytes(ByteView(record.log->vrf)), record.log->note));
  out.labels = labels;
  return out;
}

Head read_head(wire::ObjectReader& in, std::string_view name) {
  wire::ObjectReader head(in.any(name), "head");
  Head out;
  out.checkpoint = head.string("checkpoint", note_size_max);
  out.epoch = head.binary("epoch", verifiable::epoch_size, verifiable::epoch_size);
  out.inclusion = head.binary("inclusion", 0, inclusion_size_max);
  in.include(head.finish());
  return out;
}

wire::Value to_value(const Head& head) {
  return wire::Object{{"checkpoint", head.checkpoint},
                      {"epoch", to_base64url(head.epoch)},
                      {"inclusion", to_base64url(head.inclusion)}};
}

Result<OpenedHead> open_head(const Head& head, const Identity& log,
                             const verifiable::WitnessPolicy& witnesses) {
  const auto opened = verifiable::open_checkpoint(head.checkpoint, log.log, witnesses);
  const auto read = verifiable::decode_epoch(head.epoch);
  if ((!opened || !read) && mutant("bindlog.wrong_code_head")) return fail(Code::schema, "head");
  if (!opened) return tl::unexpected(opened.error());
  if (!read) return tl::unexpected(read.error());
  const verifiable::Checkpoint& at = opened->checkpoint;
  const verifiable::Epoch& epoch = *read;
  const Hash leaf = verifiable::log_leaf_hash(head.epoch);
  // The last entry and no other: an older map would show an older key.
  if (mutant("bindlog.accept_older_epoch")) {
    for (std::uint64_t i = 0; i < at.size && i < 64; ++i)
      if (verifiable::verify_inclusion(at.root, at.size, i, leaf, head.inclusion))
        return OpenedHead{at.size, at.root, epoch};
  }
  if (!mutant("bindlog.skip_inclusion"))
    AMS_CHECK(verifiable::verify_inclusion(at.root, at.size, at.size - 1, leaf, head.inclusion));
  return OpenedHead{at.size, at.root, epoch};
}

Result<> holds_at(const verifiable::Epoch& epoch, std::int64_t at_ms) {
  // Seconds that a stranger wrote: above the largest time of AMS no millisecond count fits.
  const bool sane = epoch.time_s <= static_cast<std::uint64_t>(wire::integer_max) / 1000;
  const std::int64_t time_ms = sane ? static_cast<std::int64_t>(epoch.time_s) * 1000 : 0;
  const bool future = !sane || time_ms - clock_tolerance_ms > at_ms;
  if (future && !mutant("bindlog.accept_future")) return fail(Code::binding_stale, "epoch");
  if (at_ms - proof_age_max_ms > time_ms && !mutant("bindlog.accept_stale"))
    return fail(Code::binding_stale, "epoch");
  return {};
}

Place read_place(wire::ObjectReader& in) {
  Place out;
  out.path = in.binary("path", 1, verifiable::map_proof_size_max);
  out.vrf = in.binary("vrf", crypto::vrf_proof_size, crypto::vrf_proof_size);
  return out;
}

Place read_place_at(wire::ObjectReader& in, std::string_view name) {
  wire::ObjectReader place(in.any(name), "place");
  Place out = read_place(place);
  in.include(place.finish());
  return out;
}

wire::Object to_object(const Place& place) {
  return {{"path", to_base64url(place.path)}, {"vrf", to_base64url(place.vrf)}};
}

Result<> verify_version(const Identity& log, const Hash& map_root, std::string_view addr,
                        std::int64_t version, const Hash& value, const Place& place) {
  AMS_TRY(const Id16 label, verified_label(log, addr, version, place));
  return verifiable::verify_present(map_root, label, value, place.path);
}

Result<> verify_no_version(const Identity& log, const Hash& map_root, std::string_view addr,
                           std::int64_t version, const Place& place) {
  AMS_TRY(const Id16 label, verified_label(log, addr, version, place));
  return verifiable::verify_absent(map_root, label, place.path);
}

Result<> judge_address(const Identity& log, std::string_view asked, std::string_view named) {
  if (asked.substr(asked.rfind('@') + 1) != log.domain && !mutant("bindlog.skip_domain"))
    return fail(Code::domain_mismatch, "addr");
  if (named != asked && !mutant("bindlog.skip_addr")) return fail(Code::binding_addr, "addr");
  return {};
}

}  // namespace ams::bindlog
