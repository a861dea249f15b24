// What happened in one domain, as the checks and the report need it. Written by one logical
// process, read after the run, merged in the order of domains.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "keys/records.h"
#include "sim_net/stack.h"
#include "wire/value.h"

namespace ams::sim {

struct Written {  // a message that a user wrote
  std::int64_t number = 0;
  std::int64_t from = 0;
  std::vector<std::int64_t> to;
  Instant at;
  Hash digest{};
  std::optional<Instant> acknowledged;
  std::set<Hash> ehashes;
  std::optional<Error> refused;
};
struct Read {  // a letter that a user's client opened and verified
  std::int64_t user = 0;
  std::int64_t uid = 0;
  Hash ehash{};
  Hash digest{};
  Instant at;
};
struct Noticed {
  Hash ehash{};
  std::string addr;
  bool failed = false;
  Instant at;
};
struct SealedTo {  // a stanza in a submission, as it left the client
  std::string from, addr;
  keys::KeyId key;
  Instant at;
  Hash ehash{};
};
struct Alarmed {  // a client found a domain to bind an address otherwise than it says
  std::string addr, code;
  std::optional<wire::Value> lie;  // blie/1
  Instant at;
};
struct Violation {
  std::string invariant;
  Instant at;
  std::string what;
};
struct QueueSample {
  Instant at;
  std::uint64_t depth = 0;
};
struct DirectoryEnd {  // what a full directory peer held when the run ended
  std::uint64_t keys = 0, epochs = 0, cosignatures = 0, evicted = 0;
  Hash root{};
};
struct Happening {  // for the timeline of the report
  Instant at;
  std::string kind, what;
};

struct Ledger {
  std::vector<Written> written;
  std::vector<Read> read;
  std::vector<Read> unreadable;  // digest unused
  std::vector<std::string> unreadable_why;
  std::vector<Noticed> notices;
  std::vector<SealedTo> sealed;
  std::map<std::string, std::set<keys::KeyId>> keys;  // address -> keys its own client stands for
  std::vector<Read> reread;                   // again, after the user's mail was fetched anew
  std::map<std::int64_t, Instant> reread_at;  // by user
  std::uint64_t store_asks = 0;               // answered by the key store
  std::uint64_t store_silent = 0;             // asked while it was down
  std::uint64_t begged = 0;                   // a server asked a client for private keys
  std::vector<Violation> violations;          // found as they happened
  std::vector<Alarmed> alarms;
  std::vector<QueueSample> queue;
  std::vector<Happening> happenings;
  std::map<std::string, std::uint64_t> command_failures;  // by code
  NetStats net;
  std::optional<DirectoryEnd> directory;
  std::uint64_t crashes = 0;
  std::uint64_t dns_found = 0, dns_failed = 0;  // outcomes of discovery by DNS
  std::uint64_t lies = 0;                       // answers tampered with by a lying server
  std::uint64_t bytes_scanned = 0;              // of clients' plaintext, for private keys
};

}  // namespace ams::sim
