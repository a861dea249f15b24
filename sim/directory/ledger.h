// What happened at one peer or one client of a directory scenario. Written by one logical process,
// judged after the run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "directory/peer.h"
#include "sim_net/stack.h"

namespace ams::sim {

struct EntryChange {  // an entry has another value from then on; none: it is not held
  Instant at;
  Id16 kid{};
  std::optional<Hash> value;
};
struct Eviction {
  Instant at;
  std::string domain, evidence;  // empty evidence: none that others could check
};
struct FaceEpoch {  // a peer with a twin wrote the leaf `leaf` at `index` of one of its logs
  Instant at;
  std::size_t face = 0;
  std::uint64_t index = 0;
  Bytes leaf;
};
struct FaceShown {  // one of its logs was shown to a peer
  Instant at;
  std::size_t face = 0;
};
struct LearnedChange {  // another peer is one of its learned ones from then on, or is not
  Instant at;
  std::string domain;
  bool in = false;
};
struct PublicationEnd {
  std::size_t number = 0;  // in DirectoryWorld::publications
  std::optional<Instant> acknowledged;
  std::string refused;  // a code
};
struct Resurrection {
  Instant at;
  Id16 kid{};
};

struct PeerLedger {
  std::vector<EntryChange> changes;            // by time
  std::vector<std::pair<Instant, bool>> life;  // up or down from then on
  std::vector<Eviction> evictions;
  std::vector<FaceEpoch> faces;
  std::vector<FaceShown> shown;
  std::vector<LearnedChange> learned;
  std::vector<PublicationEnd> publications;
  std::vector<Resurrection> resurrections;
  std::map<std::string, std::uint64_t> refused;         // objects and requests, by code
  std::map<std::string, std::uint64_t> flood_answers;   // by code; "taken"
  std::uint64_t unanswered = 0, failed_on_purpose = 0;  // requests
  std::map<std::string, std::uint64_t> asked_by_op;
  std::map<Id16, std::string> colliding;  // what it answers of these kids in the end; "given out"
  std::map<Id16, std::size_t> fps;        // and how many keys it holds under each
  std::uint64_t keys = 0;                 // in the end
  Hash root{};
  bool mentions_personal_data = false;  // of an owner whose erasure it holds, in the end
  NetStats net;
};

struct LookAnswer {  // of one peer, judged
  std::string peer;
  std::string code;   // empty: verified
  std::string where;  // the step that failed
  std::string state;  // of the key as this peer tells it, verified or not
};
struct Look {
  Instant at;                       // asked
  std::vector<LookAnswer> answers;  // of those who answered in time
  std::string verdict;              // "usable", a code that says why not, or "nothing verified"
};
struct LookLedger {
  std::vector<Look> looks;
  NetStats net;
};

}  // namespace ams::sim
