// Inbox: the mailbox as the server tells it (SYN), each message opened and verified (MSG-29), each
// told to the owner. A page of mail.sync is stored whole together with the state it leads to,
// before anything of it is told; a row is marked as told when the owner has taken the report. So
// nothing is skipped, and after a crash between the two a message is told again under the same uid
// and ehash.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/core.h"
#include "client/enrol.h"
#include "client/key_store.h"
#include "client/lookup.h"

namespace ams::client {

inline constexpr std::size_t sync_page_max = 64;      // changes, SYN-1
inline constexpr std::size_t opened_at_once_max = 4;  // messages whose parts are being fetched
inline constexpr std::uint64_t blob_size_max = std::uint64_t{64} << 20;
inline constexpr Duration record_patience = std::chrono::hours{24};  // for a record still in gossip
inline constexpr Duration witnesses_patience = std::chrono::hours{1};  // for a cosigned look-up

class Inbox {
 public:
  Inbox(Core& core, Link& link, Lookup& lookup, const Account& account, KeyStoreLink& key_store);

  void sync() { wanted_ = true; }
  void handle_changed(const wire::Value& data);
  /// The owner took the report of this row.
  void told(std::int64_t uid);
  void run();
  std::optional<Instant> due() const;
  bool has_work() const { return wanted_ || busy_ || !waiting_.empty(); }

 private:
  struct Message {  // stored and not told yet
    std::string folder;
    wire::Value value;
    bool active = false;  // being fetched and opened
    bool reported = false;
    bool chain_anew = false;  // verification failed once; ask for the sender's chain as it is now
    int attempt = 0;
    Instant first_seen, retry_at;
  };
  /// What opening one message gathers; shared by its steps.
  struct Work {
    std::int64_t uid = 0;
    wire::Value header_value;
    mail::Header header;
    Bytes asig;
    std::vector<mail::Stanza> stanzas;
    bool rewrapped = false;  // the stanza took another's place (RWP-3)
    ChainPtr chain;
    RecordPtr sender;
    Bytes body;
    mail::Opened letter;
    std::vector<Bytes> attachments;
  };
  using WorkPtr = std::shared_ptr<Work>;

  void load();
  void ask_page();
  void take_page(const wire::Value& answer);
  Result<> read_change(const wire::Value& change, storage::WriteBatch& batch,
                       std::map<std::int64_t, Message>& fresh);
  void sync_failed(const Error& why);
  void open(std::int64_t uid, Message& message);
  Result<WorkPtr> begin(std::int64_t uid, const wire::Value& message) const;
  void open_notice(std::int64_t uid, const wire::Value& message);
  void fetch_record(WorkPtr work);
  void fetch_body(WorkPtr work);
  void unlock(WorkPtr work);
  void ask_shared_secret(WorkPtr work, const HeldKey& key);
  void verify(WorkPtr work, mail::OpenContext context);
  void demand_witnesses(WorkPtr work);
  void fetch_attachment(WorkPtr work);
  void deliver(WorkPtr work);
  void later_or_never(WorkPtr work, const Error& why);
  void report(std::int64_t uid, Report report);
  void flush_told();
  void finish_sync();

  Core& core_;
  Link& link_;
  Lookup& lookup_;
  const Account& account_;
  KeyStoreLink& key_store_;
  std::int64_t state_ = 0;  // all changes up to here are stored
  bool wanted_ = false;     // the server may have more
  bool busy_ = false;       // a page is asked for, or being stored
  bool done_due_ = false;   // SyncDone is to be told when all is opened
  bool complained_ = false;
  int attempt_ = 0;
  Instant retry_at_;
  std::uint64_t epoch_ = 0;
  std::map<std::int64_t, Message> waiting_;
  std::vector<std::int64_t> told_;
  bool marking_ = false;
  std::size_t active_ = 0;
};

}  // namespace ams::client
