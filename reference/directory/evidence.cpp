#include "directory/evidence.h"

#include <algorithm>

#include "directory/history.h"
#include "directory/light.h"
#include "directory/peer.h"
#include "policy/mutant.h"

namespace ams::directory {
namespace {

constexpr std::string_view lookup_tag = "dproof/1", faces_tag = "dfaces/1";

wire::Value chain_item(const DomainChain& one) {
  return wire::Object{{"chain", one.chain}, {"domain", one.domain}};
}

/// The chain under the root that the reader believes.
Result<keys::Chain> believed(const DomainChain& one, const EvidenceTrust& trust) {
  const wire::Value* root = one.chain.find("root");
  if (root == nullptr) return fail(Code::domain_record, "chain.root");
  const auto record = keys::KeyRecord::parse(*root);
  if (!record) return fail(Code::domain_record, "chain.root");
  const auto id = trust.root_of(one.domain, record->id());
  if (!id && !mutant("directory.evidence_any_root")) return fail(Code::domain_record, "root");
  return keys::verify_chain(one.chain, one.domain, id.value_or(record->id()));
}

Result<JudgedEvidence> judge_faces(const wire::Value& evidence, const EvidenceTrust& trust) {
  wire::ObjectReader in(evidence, "evidence");
  in.tag(faces_tag);
  DomainChain peer;
  peer.domain = in.string("domain", 253);
  peer.chain = in.any("chain");
  const std::string faces = in.string("evidence", verifiable::equivocation_size_max);
  AMS_CHECK(in.finish());
  AMS_TRY(const keys::Chain chain, believed(peer, trust));
  AMS_TRY(const auto log,
          log_key(peer.domain, chain.op.signing(), verifiable::NoteKeyType::ed25519));
  JudgedEvidence out;
  out.domain = peer.domain;
  out.root = chain.root.id();
  out.two_faces = true;
  const auto size = verifiable::verify_equivocation(faces, log);
  if (!size && !mutant("directory.evidence_one_face")) return tl::unexpected<Error>(size.error());
  out.size = size.value_or(0);
  return out;
}

Result<LookupEvidence> read_lookup(const wire::Value& evidence) {
  wire::ObjectReader in(evidence, "evidence");
  in.tag(lookup_tag);
  LookupEvidence out;
  out.peer.domain = in.string("domain", 253);
  out.peer.chain = in.any("chain");
  out.kid = in.uuid("kid");
  out.objects = in.array("objects", evidence_objects_max);
  out.proof = in.any("proof");
  const wire::Array witnesses = in.array("witnesses", evidence_witnesses_max);
  AMS_CHECK(in.finish());
  for (const wire::Value& item : witnesses) {
    wire::ObjectReader one(item, "evidence.witnesses");
    DomainChain witness;
    witness.domain = one.string("domain", 253);
    witness.chain = one.any("chain");
    AMS_CHECK(one.finish());
    out.witnesses.push_back(std::move(witness));
  }
  return out;
}

/// What directory.get answered, put together again from its objects (DIR-2).
std::optional<wire::Value> got_of(const wire::Array& objects) {
  if (objects.empty()) return std::nullopt;
  wire::Object out;
  wire::Array events;
  for (const wire::Value& object : objects) {
    const wire::Value* tag = object.find("ams");
    const std::string_view name =
        tag != nullptr && tag->is_string() ? std::string_view(tag->as_string()) : "";
    if (name == "kev/1") events.push_back(object);
    if (name == "key/1") out.emplace("record", object);
    if (name == "rev/1") out.emplace("revocation", object);
    if (name == "card/1") out.emplace("card", object);
  }
  if (!events.empty()) out.emplace("events", std::move(events));
  return wire::Value(std::move(out));
}

Result<JudgedEvidence> judge_lookup(const wire::Value& evidence, const EvidenceTrust& trust) {
  AMS_TRY(const LookupEvidence read, read_lookup(evidence));
  AMS_TRY(const keys::Chain chain, believed(read.peer, trust));
  AMS_TRY(const auto log,
          log_key(read.peer.domain, chain.op.signing(), verifiable::NoteKeyType::ed25519));
  std::vector<verifiable::NoteKey> witnesses;
  std::vector<std::string> domains;
  for (const DomainChain& one : read.witnesses) {
    const auto witness = believed(one, trust);
    if (!witness) continue;  // EVD-2: whom the reader does not know does not count
    auto key = log_key(one.domain, witness->op.signing(), verifiable::NoteKeyType::cosignature_v1);
    const bool again = std::find(domains.begin(), domains.end(), one.domain) != domains.end();
    if (!key || one.domain == read.peer.domain || again) continue;
    witnesses.push_back(std::move(*key));
    domains.push_back(one.domain);
  }
  const std::size_t quorum = mutant("directory.evidence_no_quorum") ? 0 : trust.quorum;
  const LogTrust log_trust{&log, {witnesses, quorum}, trust.now.value_or(Instant::min())};
  const auto got = got_of(read.objects);
  AMS_TRY(Looked looked, verify_lookup(read.kid, got ? &*got : nullptr, read.proof, log_trust));
  JudgedEvidence out;
  out.domain = read.peer.domain;
  out.root = chain.root.id();
  out.kid = read.kid;
  out.entry = std::move(looked.entry);
  out.time_s = looked.time_s;
  const std::string& note = read.proof.find("checkpoint")->as_string();  // verify_lookup read it
  AMS_TRY(const auto parsed, verifiable::parse_note(note));
  AMS_TRY(const auto checkpoint, verifiable::parse_checkpoint(parsed.text));
  out.size = checkpoint.size;
  for (std::size_t i = 0; i < witnesses.size(); ++i)
    if (verifiable::verify_note(parsed, witnesses[i])) out.cosigned.push_back(domains[i]);
  return out;
}

}  // namespace

wire::Value evidence_of(const LookupEvidence& lookup) {
  wire::Array witnesses;
  for (const DomainChain& one : lookup.witnesses) witnesses.push_back(chain_item(one));
  return wire::Object{{"ams", std::string(lookup_tag)},   {"chain", lookup.peer.chain},
                      {"domain", lookup.peer.domain},     {"kid", to_uuid_text(lookup.kid)},
                      {"objects", lookup.objects},        {"proof", lookup.proof},
                      {"witnesses", std::move(witnesses)}};
}

wire::Value evidence_of(const DomainChain& peer, std::string_view faces) {
  return wire::Object{{"ams", std::string(faces_tag)},
                      {"chain", peer.chain},
                      {"domain", peer.domain},
                      {"evidence", std::string(faces)}};
}

Result<JudgedEvidence> judge_evidence(const wire::Value& evidence, const EvidenceTrust& trust) {
  if (!evidence.is_object()) return fail(Code::schema, "evidence");
  if (wire::encode(evidence).size() > evidence_size_max)
    return fail(Code::object_too_large, "evidence");
  const wire::Value* tag = evidence.find("ams");
  const bool faces = tag != nullptr && *tag == wire::Value(std::string(faces_tag));
  return faces ? judge_faces(evidence, trust) : judge_lookup(evidence, trust);
}

}  // namespace ams::directory
