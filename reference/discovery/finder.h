// Finder: discovery of domains by DNS (spec DOM-8 to DOM-13) without a socket. It asks for both
// records of a domain at once, judges the answers, and keeps what it learnt as long as DNS allows.
//
//   unknown --find--> asking --both answered, or patience over--> known for a while
//   known --its time is over, or doubt()--> unknown
//
// Every find() gets one Outcome; those for one domain may share it. Not thread-safe: one owner.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/instant.h"
#include "crypto/crypto.h"
#include "discovery/records.h"
#include "keys/records.h"

namespace ams::discovery {

struct FinderOptions {
  Duration known_max = std::chrono::hours(1);       // a found domain, whatever its TTL; DOM-12
  Duration absent_max = std::chrono::seconds(60);   // a domain without records, or with wrong ones
  Duration failed_max = std::chrono::seconds(10);   // DNS gave no answer
  Duration patience = std::chrono::seconds(8);      // for both answers
  Duration doubt_after = std::chrono::seconds(10);  // younger answers are not asked for again
  std::size_t known_domains_max = 4096;
  std::size_t asking_max = 256;  // strangers name domains in their hellos
};

enum class Kind : std::uint8_t { service, text };  // SRV, TXT

/// What DNS said to one question.
struct Answer {
  enum class Status : std::uint8_t {
    found,
    absent,  // the name or the type does not exist, and DNS is sure
    failed   // no answer, or one that cannot be read
  } status = Status::failed;
  std::uint32_t ttl_s = 0;         // the least of the answer; of an absence that of RFC 2308
  std::vector<Service> services;   // Kind::service
  std::vector<std::string> texts;  // Kind::text: each record's strings, joined
};

/// Where a domain's server is.
struct Server {
  std::string host;
  std::uint16_t port = 0;
  std::string certificate_name;  // for which its certificate must be valid (DOM-13)
};
struct Site {
  std::vector<Server> servers;  // in the order of trial, at least one
  keys::KeyId root;             // as DNS says: proves nothing yet (DOM-14)
};

// --- effects: perform in order -------------------------------------------------------------------
/// Ask DNS; answer with handle_answer for this id.
struct Ask {
  std::uint64_t id;
  Kind kind;
  std::string name;
};
/// To everyone who waits for the domain. Without a site, `why` says why for the log.
struct Outcome {
  std::string domain;
  std::optional<Site> site;
  std::string_view why;
};
using Effect = std::variant<Ask, Outcome>;

class Finder {
 public:
  Finder(FinderOptions options, ByteView seed32);

  void find(const std::string& domain, Instant now);
  /// Its servers could not be reached or did not prove the root: the next find() asks DNS again,
  /// unless the answer is younger than doubt_after.
  void doubt(const std::string& domain, Instant now);
  /// Unknown ids (late answers) are ignored.
  void handle_answer(std::uint64_t id, Answer answer, Instant now);
  void handle_timeout(Instant now);
  std::optional<Effect> poll();
  std::optional<Instant> timeout() const;
  std::size_t known_count() const { return known_.size(); }

 private:
  struct Asking {
    std::uint64_t service_id = 0, text_id = 0;
    std::optional<Answer> services, texts;
    Instant until;
  };
  struct Known {
    std::vector<Service> services;  // empty: not found
    keys::KeyId root;
    std::string_view why;
    Instant since, until;
  };
  void settle(const std::string& domain, Instant now);
  Known judge(const Asking& asked, Instant now) const;
  void keep(const std::string& domain, Known known);
  void tell(const std::string& domain, const Known& known);

  FinderOptions options_;
  crypto::Drbg drbg_;
  std::uint64_t next_id_ = 1;
  std::map<std::string, Asking> asking_;
  std::map<std::uint64_t, std::string> questions_;  // id -> domain
  std::map<std::string, Known> known_;
  std::deque<Effect> effects_;
};

}  // namespace ams::discovery
