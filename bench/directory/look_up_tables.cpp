// Targets: 200,000 look-ups with proof a second in the library at 10^6 keys; a client that has the
// checkpoint verifies 12,000 a second of RSA-2048 keys and 5,000 of Ed25519 keys.
#include "directory/light.h"
#include "directory_bench/tables.h"
#include "directory_bench/world.h"

namespace ams::directory_bench {
namespace {

using paired::Contestant;
using paired::Operation;
using paired::Row;
using paired::Table;

Id16 kid_of(Profile profile) { return keys::KeyRecord::parse(record_of(profile, 0))->id().kid; }

wire::Value args_of(Profile profile) {
  return wire::Object{{"kid", to_uuid_text(kid_of(profile))}};
}

std::vector<Row> rows_of(std::function<std::vector<Contestant>(std::int64_t)> contestants) {
  std::vector<Row> out;
  for (const std::int64_t size : sizes) {
    Row row;
    row.x = size;
    row.contestants = [=] { return contestants(size); };
    out.push_back(std::move(row));
  }
  return out;
}

Table proof_table() {
  const auto contestants = [](std::int64_t size) {
    return std::vector<Contestant>{
        {"proof",
         [=]() -> Operation {
           const Full& held = full(size);
           return [&held, at = std::size_t{0}]() mutable {
             at = (at + 1'597) % held.asked.size();  // not in the order of the map
             must(held.peer->proof(held.asked[at]).has_value(), "proof");
           };
         }},
        {"record and proof",
         [=]() -> Operation {
           const directory::Peer& peer = *full(size).peer;
           return [&peer, args = args_of(Profile::modern)] {
             must(peer.get(args).has_value() && peer.proof(args).has_value(), "look-up");
           };
         }},
        {"record, proof, as text", [=]() -> Operation {
           const directory::Peer& peer = *full(size).peer;
           return [&peer, args = args_of(Profile::modern)] {
             must(
                 !wire::encode(*peer.get(args)).empty() && !wire::encode(*peer.proof(args)).empty(),
                 "look-up");
           };
         }}};
  };
  return {
      "look_up",
      "Answering a look-up",
      "What a peer's machine does for directory.proof, and for directory.get with it: the map's "
      "path, the epoch, the checkpoint with its inclusion; and the answers' AMS-CJ.",
      "keys held",
      "proof",
      rows_of(contestants),
      {{target_size, "proof", "", 200'000, "proofs: at least 200 k/s at 10⁶ keys"}}};
}

Operation checking(Profile profile, std::int64_t size) {
  const Full& held = full(size);
  const auto proof = std::make_shared<wire::Value>(*held.peer->proof(args_of(profile)));
  const auto got = std::make_shared<wire::Value>(wire::Object{{"record", record_of(profile, 0)}});
  const auto log = std::make_shared<verifiable::NoteKey>(
      *directory::log_key("a.example", held.op.record.signing(), verifiable::NoteKeyType::ed25519));
  return [=, kid = kid_of(profile)] {
    must(directory::verify_lookup(kid, got.get(), *proof, {log.get(), {}, Instant{}}).has_value(),
         "look-up");
  };
}

/// Under a checkpoint and an epoch that were verified with an answer before this one: what is left
/// is the entry, its value and the map's path.
Operation checking_known(Profile profile, std::int64_t size) {
  const Full& held = full(size);
  const auto proof = std::make_shared<wire::Value>(*held.peer->proof(args_of(profile)));
  const auto got = std::make_shared<wire::Value>(wire::Object{{"record", record_of(profile, 0)}});
  const Bytes epoch = *from_base64url(proof->find("epoch")->as_string());
  return [=, kid = kid_of(profile), root = verifiable::decode_epoch(epoch)->map_root] {
    const auto entry = directory::entry_of(kid, directory::objects_of(*got));
    const auto path = from_base64url(proof->find("map")->as_string());
    must(entry && path && verifiable::verify_present(root, kid, entry->value(), *path),
         "look-up under a known checkpoint");
  };
}

Operation checking_record(Profile profile) {
  const auto record = std::make_shared<wire::Value>(record_of(profile, 0));
  return [=] { must(keys::KeyRecord::parse(*record).has_value(), "record"); };
}

Table verify_table(Profile profile) {
  const auto contestants = [=](std::int64_t size) {
    return std::vector<Contestant>{
        {"look-up", [=] { return checking(profile, size); }},
        {"checkpoint known", [=] { return checking_known(profile, size); }},
        {"its record", [=] { return checking_record(profile); }}};
  };
  const bool modern = profile == Profile::modern;
  return {"verify/" + name(profile),
          "Verifying a look-up of an " + name(profile) + " key",
          "All of DIR-22 from the decoded answer: the record with its signature, value, map path, "
          "the epoch's inclusion and the checkpoint with the log's signature; the same under a "
          "checkpoint that is known already; and the record alone.",
          "keys held",
          "its record",
          rows_of(contestants),
          {{target_size, "checkpoint known", "", modern ? 5'000.0 : 12'000.0,
            name(profile) + (modern ? " look-ups, checkpoint known: at least 5 k/s"
                                    : " look-ups, checkpoint known: at least 12 k/s")}}};
}

}  // namespace

std::vector<Table> look_up_tables() {
  return {proof_table(), verify_table(Profile::modern), verify_table(Profile::rsa2048)};
}

}  // namespace ams::directory_bench
