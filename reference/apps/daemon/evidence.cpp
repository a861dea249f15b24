#include "daemon/evidence.h"

#include <filesystem>

#include "daemon/files.h"
#include "daemon/peer_line.h"
#include "daemon/utc.h"
#include "directory/evidence.h"
#include "directory/history.h"
#include "directory/light.h"
#include "directory/peer.h"
#include "net/hosts.h"
#include "net/loop.h"

namespace ams::daemon {
namespace {

using Failed = tl::unexpected<Failure>;
using verifiable::NoteKeyType;

Failed bad(const std::string& what) { return Failed(Failure{exit_bad_config, what}); }
Failed refuted(const std::string& what) { return Failed(Failure{exit_failure, what}); }
std::string error_text(const Error& error) {
  return std::string(code_info(error.code).name) + " (" + std::string(error.where) + ")";
}

std::string short_hash(const Hash& hash) { return to_hex(ByteView(hash)).substr(0, 16) + "…"; }

tl::expected<wire::Value, Failure> answer_of(PeerLine& line, const std::string& op,
                                             wire::Value args) {
  auto answer = line.ask(op, std::move(args));
  if (!answer) return Failed(answer.error());
  if (!*answer) return refuted(op + " was refused: " + error_text(answer->error()));
  return std::move(**answer);
}

tl::expected<void, Failure> write(const std::string& path, const wire::Value& value) {
  if (const auto done = replace_file(path, to_string(wire::encode(value)) + "\n", 0644); !done)
    return bad(done.error());
  return {};
}

// --- audit ---------------------------------------------------------------------------------------

/// Up to the checkpoint that the peer shows now, which is given back: so it comes to an end.
tl::expected<std::string, Failure> replay(PeerLine& line, const verifiable::NoteKey& log,
                                          directory::Auditor& auditor) {
  auto head = answer_of(line, "directory.head", wire::Object{});
  if (!head) return Failed(head.error());
  const wire::Value* note = head->find("checkpoint");
  if (note == nullptr || !note->is_string())
    return refuted("it shows no checkpoint: a light peer, or one that has just begun");
  const auto opened = verifiable::open_checkpoint(note->as_string(), log);
  if (!opened) return refuted("not honest: its checkpoint: " + error_text(opened.error()));
  while (auditor.size() < opened->checkpoint.size) {
    const std::uint64_t before = auditor.size();
    auto answer = answer_of(line, "directory.history",
                            wire::Object{{"from", static_cast<std::int64_t>(before)}});
    if (!answer) return Failed(answer.error());
    if (const auto taken = auditor.take(*answer); !taken)
      return refuted("not honest: epoch " + std::to_string(auditor.size()) +
                     " does not follow from its changes: " + error_text(taken.error()));
    if (auditor.size() == before)
      return refuted("not honest: its history ends at epoch " + std::to_string(before) + " of " +
                     std::to_string(opened->checkpoint.size));
  }
  if (const auto held = auditor.conclude(note->as_string(), log); !held)
    return refuted("not honest: " + error_text(held.error()));
  return note->as_string();
}

/// What the peer showed at the last audit must be the beginning of what it shows now.
tl::expected<void, Failure> compare_kept(const std::string& kept, const std::string& note,
                                         const verifiable::NoteKey& log,
                                         const directory::Auditor& auditor,
                                         const directory::DomainChain& peer,
                                         const std::string& out_file) {
  const auto old = verifiable::open_checkpoint(kept, log);
  if (!old) return bad("--keep: no checkpoint of this peer's: " + error_text(old.error()));
  const verifiable::Checkpoint& then = old->checkpoint;
  if (then.size <= auditor.size() && auditor.root_at(then.size) == then.root) return {};
  std::string text = "not honest: its log is not the one that it showed before (size " +
                     std::to_string(then.size) + ")";
  auto faces = verifiable::make_equivocation(kept, note, log);
  if (!faces) faces = auditor.rewrite(kept, note, log);
  if (faces) {
    if (out_file.empty()) return refuted(text + "; --out FILE writes the proof");
    if (auto done = write(out_file, directory::evidence_of(peer, *faces)); !done)
      return Failed(done.error());
    text += "; the proof is in " + out_file;
  }
  return refuted(text);
}

}  // namespace

tl::expected<std::string, Failure> audit(const apps::ServerConfig& config,
                                         const AuditOptions& options) {
  const auto site = find_peer(config, options.peer, options.hosts_file);
  if (!site) return Failed(site.error());
  std::string kept;
  if (!options.keep_file.empty() && std::filesystem::exists(options.keep_file)) {
    auto text = read_file(options.keep_file);
    if (!text) return bad(text.error());
    kept = std::move(*text);
  }
  auto line = PeerLine::open(config, *site);
  if (!line) return Failed(line.error());
  const keys::Chain& chain = (*line)->chain();
  const auto log = directory::log_key(site->domain, chain.op.signing(), NoteKeyType::ed25519);
  if (!log) return refuted("its op key signs no log (DIR-11): " + error_text(log.error()));
  directory::Auditor auditor;
  const auto note = replay(**line, *log, auditor);
  if (!note)
    return Failed(Failure{note.error().exit_code, site->domain + ": " + note.error().text});
  if (!kept.empty()) {
    const auto same =
        compare_kept(kept, *note, *log, auditor, {site->domain, chain.value}, options.out_file);
    if (!same)
      return Failed(Failure{same.error().exit_code, site->domain + ": " + same.error().text});
  }
  if (!options.keep_file.empty())
    if (const auto done = replace_file(options.keep_file, *note, 0644); !done)
      return bad(done.error());
  return site->domain + ": honest: " + std::to_string(auditor.size()) + " epochs replayed, " +
         std::to_string(auditor.map().size()) + " keys, map root " +
         short_hash(auditor.map().root());
}

// --- prove ---------------------------------------------------------------------------------------

namespace {

tl::expected<directory::LookupEvidence, Failure> gather(PeerLine& line, const std::string& domain,
                                                        const Id16& kid) {
  const wire::Value args = wire::Object{{"kid", to_uuid_text(kid)}};
  auto got = line.ask("directory.get", args);
  if (!got) return Failed(got.error());
  if (!*got && got->error().code != Code::not_found)
    return refuted("directory.get was refused: " + error_text(got->error()));
  auto proof = answer_of(line, "directory.proof", args);
  if (!proof) return Failed(proof.error());
  directory::LookupEvidence out{{domain, line.chain().value}, kid, {}, std::move(*proof), {}};
  if (*got) out.objects = directory::objects_of(**got);
  return out;
}

std::string summary(const directory::JudgedEvidence& judged) {
  if (judged.rewritten_from)
    return judged.domain + " rewrote the history of its log: at size " +
           std::to_string(*judged.rewritten_from) + " the log that it shows at size " +
           std::to_string(judged.size) + " was another";
  if (judged.two_faces)
    return judged.domain + " showed two faces of its log at size " + std::to_string(judged.size);
  std::string out = "kid " + to_uuid_text(judged.kid) + " ";
  out += judged.entry ? "is " + std::string(keys::name(judged.entry->state())) : "is not";
  out += " in the directory of " + judged.domain + ", epoch of " +
         utc_text(static_cast<std::int64_t>(judged.time_s)) + ", log of size " +
         std::to_string(judged.size) + "\nwitnesses:";
  for (const std::string& one : judged.cosigned) out += " " + one;
  return out + (judged.cosigned.empty() ? " none" : "");
}

}  // namespace

tl::expected<std::string, Failure> prove(const apps::ServerConfig& config,
                                         const ProveOptions& options) {
  const auto kid = from_uuid_text(options.kid);
  if (!kid) return bad("KID: expected a kid as in 01234567-89ab-8def-8101-020304050607");
  const auto site = find_peer(config, options.peer, options.hosts_file);
  if (!site) return Failed(site.error());
  std::vector<directory::DomainChain> witnesses;
  for (const std::string& name : options.witnesses) {
    const auto witness = find_peer(config, name, options.hosts_file);
    if (!witness) return Failed(witness.error());
    auto line = PeerLine::open(config, *witness);
    if (!line) return Failed(line.error());
    witnesses.push_back({witness->domain, (*line)->chain().value});
  }
  auto line = PeerLine::open(config, *site);
  if (!line) return Failed(line.error());
  auto evidence = gather(**line, site->domain, *kid);
  if (!evidence) return Failed(evidence.error());
  evidence->witnesses = std::move(witnesses);
  const wire::Value value = directory::evidence_of(*evidence);
  const directory::EvidenceTrust trust{
      [](std::string_view, const keys::KeyId& claimed) { return std::optional(claimed); },
      options.witnesses.size(), net::Loop().now()};
  const auto judged = directory::judge_evidence(value, trust);
  if (!judged) {
    const bool young = judged.error().code == Code::proof;
    return refuted("what " + site->domain +
                   " answered does not hold: " + error_text(judged.error()) +
                   (young ? "; of a key that has just changed it holds after the next epoch" : ""));
  }
  if (auto done = write(options.out_file, value); !done) return Failed(done.error());
  return summary(*judged) + "\nwritten to " + options.out_file;
}

// --- verify --------------------------------------------------------------------------------------

tl::expected<std::string, Failure> verify(const VerifyOptions& options) {
  const auto text = read_file(options.file, directory::evidence_size_max + 1);  // and a line feed
  if (!text) return bad(text.error());
  const auto value = directory::read_evidence(*text);
  if (!value) return bad(options.file + ": no evidence: " + error_text(value.error()));
  std::optional<net::Hosts> hosts;
  if (!options.hosts_file.empty()) {
    auto read = net::Hosts::load(options.hosts_file);
    if (!read) return bad(read.error());
    hosts = std::move(*read);
  }
  std::optional<Hash> fp;
  if (!options.root_fp.empty()) {
    const auto raw = from_hex(options.root_fp);
    fp = raw ? to_array<32>(*raw) : std::nullopt;
    if (!fp) return bad("--root-fp: expected 64 hexadecimal digits");
  }
  const bool strict = hosts || fp;
  directory::EvidenceTrust trust;
  trust.root_of = [&](std::string_view domain,
                      const keys::KeyId& claimed) -> std::optional<keys::KeyId> {
    if (!strict || (fp && claimed.fp == *fp)) return claimed;
    const net::HostEntry* entry = hosts ? hosts->find(domain) : nullptr;
    return entry != nullptr ? std::optional(entry->found.root) : std::nullopt;
  };
  trust.quorum = static_cast<std::size_t>(options.quorum);
  const auto judged = directory::judge_evidence(*value, trust);
  if (!judged) return refuted(options.file + ": does not hold: " + error_text(judged.error()));
  const Instant made = from_unix_ms(static_cast<std::int64_t>(judged->time_s) * 1'000);
  const auto age_max = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double, std::ratio<3600>>(options.age_max_h));
  if (!judged->two_faces && options.age_max_h > 0 && net::Loop().now() > made + age_max)
    return refuted(options.file + ": holds, but its epoch is of " +
                   utc_text(static_cast<std::int64_t>(judged->time_s)));
  std::string out = "holds: " + summary(*judged);
  if (!strict)
    out += "\nif the root key of " + judged->domain + " has the fingerprint " +
           to_hex(ByteView(judged->root.fp)) + " (compare it, or give --hosts)";
  return out;
}

}  // namespace ams::daemon
