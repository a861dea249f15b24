// DeliverJob: one relay.deliver request on its way from judgement to receipts.
//   judge --> records of senders --> pull blobs (flush when many) --> accept --> receipts
// A refusal is noted per recipient; what is refused or already known needs no further step.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mail/objects.h"
#include "server/core.h"

namespace ams::server {

inline constexpr std::size_t deliver_rcpts_max = 512;  // of one request, REL-3
inline constexpr std::size_t pulls_max = 8;            // blob.get under way, of one job
inline constexpr std::uint64_t pull_bytes_max = std::uint64_t{64} << 20;  // announced, under way
inline constexpr std::uint64_t flush_bytes = std::uint64_t{8} << 20;  // pulled and not stored yet

struct DeliverJob {
  struct Rcpt {
    std::string addr, domain;
    std::size_t stanza = 0, vouch = 0;
    Hash tag{};
    bool known = false;  // accepted before (REL-11)
    std::optional<Code> refusal;
    bool open() const { return !known && !refusal; }
  };
  struct Delivery {
    wire::Value env;
    mail::Header header;
    Hash ehash{};
    Bytes asig, head;
    wire::Array stanzas, vouches;
    std::optional<wire::Value> key;
    std::vector<Rcpt> rcpts;
    bool open() const;
    void refuse_open(Code code);
  };
  struct Need {
    Hash hash{};
    std::uint64_t len_max = 0;
  };

  Asked to;
  std::string sdom;
  std::optional<keys::Chain> sender;
  std::vector<Delivery> deliveries;
  std::size_t waiting = 0;  // answers that have to come before the next step
  std::vector<Need> needs;
  std::size_t next_need = 0;
  std::uint64_t pulling_bytes = 0;  // len_max of what is under way
  std::uint64_t pulled_bytes = 0;   // in `pulled`
  std::map<Hash, Bytes> pulled;
  std::set<Hash> flushed;  // stored, owned by the job until a mailbox does
  std::map<Hash, Code> missing;
  bool over = false;
};

/// Members, indexes and REL-3; what fails here is answered as an error of the whole request
/// (REL-16).
Result<std::vector<DeliverJob::Delivery>> read_deliveries(const wire::Value& args,
                                                          std::int64_t batch_max);

}  // namespace ams::server
