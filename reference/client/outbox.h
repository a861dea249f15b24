// Outbox: drafts on their way out (SUB, MSG-30, BND-5, KEY-7). One draft becomes one sealed
// message, and one more for each Bcc recipient. Once sealed, the very same bytes go to the server
// until it acknowledges.
//
// Where the domain's key store has our key, it signs each sealed message between looking and
// keeping; while it does not, the draft waits.
//
//   saving --durable--> looking --all keys verified--> keeping --durable--> sending --all
//   acknowledged--> gone
//      any permanent refusal --> failing --durable--> SubmitFailed, gone
//   a temporary refusal: the same stage again after a while; a lost connection: on the next one
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/core.h"
#include "client/enrol.h"
#include "client/key_store.h"
#include "client/lookup.h"

namespace ams::client {

inline constexpr std::size_t redirect_depth_max = 4;  // BLG-31
inline constexpr std::size_t recipients_max = 100;    // that a draft's addresses lead to (BLG-31)
inline constexpr std::size_t tickets_at_once_max =
    4;  // of all that wait; each puts one blob at a time

class Outbox {
 public:
  Outbox(Core& core, Link& link, Lookup& lookup, const Account& account, KeyStoreLink& key_store);

  std::uint64_t submit(mail::Draft draft);
  void run();
  std::optional<Instant> due() const;
  bool has_work() const { return !entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  /// While held nothing is sealed: drafts wait. What is sealed already goes on.
  void hold_sealing(bool on) { held_ = on; }
  /// Messages sealed with the account's key that the server has not acknowledged.
  bool has_sealed() const;

 private:
  enum class Stage : std::uint8_t { saving, looking, keeping, sending, failing };
  struct Entry {
    std::uint64_t ticket = 0;
    Stage stage = Stage::saving;
    bool busy = false;  // an answer or a commit is awaited
    std::int64_t created = 0;
    std::optional<mail::Draft> draft;  // until sealed
    // Gathered anew each time that we look:
    std::vector<std::string> reached;       // in the draft's place: whom its addresses lead to
    std::map<std::string, RecordPtr> keys;  // sealed to, by address
    std::optional<Staple> staple;
    std::map<std::string, std::string> came_by;  // the alias, forward or group that led there first
    std::map<std::string, std::vector<std::string>> leads;  // what each of these stands for
    std::size_t keys_awaited = 0;                           // and the staple
    std::optional<FailedRow> failure;                       // the first met
    std::vector<SealedRow> messages;
    std::size_t next = 0;          // of messages, to be sent
    std::size_t blobs_put = 0;     // of that message, the body first
    std::optional<Hash> accepted;  // ehash of the first accepted one
    int attempt = 0;
    Instant retry_at;
  };

  void load();
  Result<> normalise(mail::Draft& draft) const;
  Entry* find(std::uint64_t ticket);
  void look(Entry& entry);
  void looked(std::uint64_t ticket, const std::string& addr, const Result<Recipient>& outcome);
  void stapled(std::uint64_t ticket, const Result<std::optional<Staple>>& outcome);
  void look_up(Entry& entry, const std::string& addr);
  void follow(Entry& entry, const std::string& addr, const std::vector<std::string>& to);
  static std::size_t depth_of(const Entry& entry, const std::string& addr);
  static bool leads_back(const Entry& entry, const std::string& addr);
  void look_failed(Entry& entry, const std::string& addr, const Error& why);
  void look_ended(Entry& entry);
  void seal(Entry& entry);
  Result<SealedRow> seal_one(const Entry& entry, std::vector<std::string> recipients,
                             bool with_sent, const mail::SealOptions& options);
  void sign_next(Entry& entry);
  void keep(Entry& entry);
  void send(Entry& entry);
  void put_blobs(Entry& entry);
  void submit_message(Entry& entry);
  void submitted(std::uint64_t ticket, const Result<wire::Value>& answer);
  void finish(Entry& entry);
  void refused(Entry& entry, const std::string& addr, const Error& why);
  void fail_ticket(Entry& entry, FailedRow failure);
  void retry_later(Entry& entry);
  Instant end_of_life(const Entry& entry) const;
  bool outlived(const Entry& entry) const { return core_.now >= end_of_life(entry); }
  void tell_failed(Entry& entry);

  Core& core_;
  Link& link_;
  Lookup& lookup_;
  const Account& account_;
  KeyStoreLink& key_store_;
  std::map<std::uint64_t, Entry> entries_;
  std::uint64_t last_ticket_ = 0;
  bool held_ = false;
};

}  // namespace ams::client
