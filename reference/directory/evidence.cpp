#include "directory/evidence.h"

#include <algorithm>

#include "directory/history.h"
#include "directory/light.h"
#include "directory/peer.h"
#include "policy/mutant.h"
#include "verifiable/rewrite.h"
#include "wire/address.h"

namespace ams::directory {
namespace {

constexpr std::string_view lookup_tag = "dproof/1", faces_tag = "dfaces/1",
                           rewrite_tag = "drewrite/1";

wire::Value chain_item(const DomainChain& one) {
  return wire::Object{{"chain", one.chain}, {"domain", one.domain}};
}

Result<> check_size(std::size_t size) {
  if (size > evidence_size_max && !mutant("directory.accept_large_evidence"))
    return fail(Code::object_too_large, "evidence");
  return {};
}

DomainChain read_domain(wire::ObjectReader& in) {
  DomainChain out;
  out.domain = in.string("domain");
  in.require(wire::is_domain(out.domain) || mutant("directory.evidence_any_domain"),
             Code::address_syntax, "evidence.domain");
  out.chain = in.any("chain");
  return out;
}

/// The chain under the root that the reader believes.
Result<keys::Chain> believed(const DomainChain& one, const EvidenceTrust& trust) {
  const wire::Value* root = one.chain.find("root");
  const auto record = keys::KeyRecord::parse(root != nullptr ? *root : wire::Value(0));
  if (!record)
    return fail(mutant("directory.wrong_code_evidence_root") ? Code::schema : Code::domain_record,
                "chain.root");
  const auto id = trust.root_of(one.domain, record->id());
  if (!id && !mutant("directory.evidence_any_root")) return fail(Code::domain_record, "root");
  return keys::verify_chain(one.chain, one.domain, id.value_or(record->id()));
}

/// What a log signed against itself, under `tag`: CKP-11 or CKP-13.
Result<JudgedEvidence> judge_faces(const wire::Value& evidence, std::string_view tag,
                                   const EvidenceTrust& trust) {
  const bool rewrite = tag == rewrite_tag;
  wire::ObjectReader in(evidence, "evidence");
  in.tag(tag);
  const DomainChain peer = read_domain(in);
  const std::string faces = in.string(
      "evidence", rewrite ? verifiable::rewrite_size_max : verifiable::equivocation_size_max);
  AMS_CHECK(in.finish());
  AMS_TRY(const keys::Chain chain, believed(peer, trust));
  AMS_TRY(const auto log,
          log_key(peer.domain, chain.op.signing(), verifiable::NoteKeyType::ed25519));
  JudgedEvidence out;
  out.domain = peer.domain;
  out.root = chain.root.id();
  out.two_faces = true;
  if (rewrite) {
    const auto judged = verifiable::verify_rewrite(faces, log);
    if (!judged && !mutant("directory.evidence_no_rewrite"))
      return tl::unexpected<Error>(judged.error());
    const verifiable::Rewrite sizes = judged.value_or(verifiable::Rewrite{});
    out.rewritten_from = sizes.first;
    out.size = sizes.second;
    return out;
  }
  const auto size = verifiable::verify_equivocation(faces, log);
  if (!size && !mutant("directory.evidence_one_face")) return tl::unexpected<Error>(size.error());
  out.size = size.value_or(0);
  return out;
}

Result<LookupEvidence> read_lookup(const wire::Value& evidence) {
  wire::ObjectReader in(evidence, "evidence");
  in.tag(lookup_tag);
  LookupEvidence out;
  out.peer = read_domain(in);
  out.kid = in.uuid("kid");
  out.objects = in.array("objects", evidence_objects_max);
  out.proof = in.any("proof");
  for (const wire::Value& item : in.array("witnesses", evidence_witnesses_max)) {
    wire::ObjectReader one(item, "evidence.witnesses");
    out.witnesses.push_back(read_domain(one));
    in.include(one.finish());
  }
  AMS_CHECK(in.finish());
  return out;
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
  const LogTrust log_trust{&log, {witnesses, quorum}, trust.now};
  AMS_TRY(Looked looked, verify_objects(read.kid, read.objects, read.proof, log_trust));
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
  const bool rewrite = verifiable::is_rewrite(faces);
  return wire::Object{{"ams", std::string(rewrite ? rewrite_tag : faces_tag)},
                      {"chain", peer.chain},
                      {"domain", peer.domain},
                      {"evidence", std::string(faces)}};
}

Result<wire::Value> read_evidence(std::string_view file) {
  if (file.ends_with('\n')) file.remove_suffix(1);
  AMS_CHECK(check_size(file.size()));
  return wire::decode(as_bytes(file));
}

Result<JudgedEvidence> judge_evidence(const wire::Value& evidence, const EvidenceTrust& trust) {
  AMS_CHECK(check_size(wire::encode(evidence).size()));
  const wire::Value* tag = evidence.find("ams");
  for (const std::string_view faces : {faces_tag, rewrite_tag})
    if (tag != nullptr && *tag == wire::Value(std::string(faces)))
      return judge_faces(evidence, faces, trust);
  return judge_lookup(evidence, trust);
}

}  // namespace ams::directory
