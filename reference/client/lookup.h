// Lookup: whom we may trust with what. Our own server is asked for everything and believed in
// nothing: a domain's chain counts for the root that discovery gives, a binding for that chain, a
// record for the id that was asked for (DOM-5, BND-5, KEY-8, DIR-4). What verified is kept in
// storage.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/connection.h"
#include "client/core.h"
#include "client/witnesses.h"
#include "keys/records.h"
#include "mail/letter.h"

namespace ams::client {

inline constexpr std::int64_t binding_life_ms = 3'600'000;      // asked again after that
inline constexpr std::int64_t chain_life_ms = 24 * 3'600'000;   // fetched again after that
inline constexpr std::int64_t notice_seen_ms = 23 * 3'600'000;  // POL-9
inline constexpr std::int64_t staple_life_ms = 12 * 3'600'000;  // of the day of BLG-14
inline constexpr std::int64_t bare_staple_life_ms = 300'000;    // of one that nobody has cosigned
inline constexpr std::size_t cache_entries_max = 256;           // of each kind, in memory

using ChainPtr = std::shared_ptr<const keys::Chain>;
using RecordPtr = std::shared_ptr<const keys::KeyRecord>;

/// Whom a message may be sealed to: judged by the policy in force (POL-8, POL-9).
struct Recipient {
  RecordPtr record;                  // the address's own key, which signs
  RecordPtr sealed_to;               // the key for the stanza: the same, or a shared one (BND-9)
  std::vector<std::string> to = {};  // the address is bound to these instead: no keys (BLG-31)
};

/// What goes into our letters: our binding and what our domain's log proves of it (MSG-37).
struct Staple {
  keys::KeyId key;
  wire::Value binding, proof;
  std::int64_t life_ms = 0;
};

class Lookup {
 public:
  /// Empty: our domain keeps no log.
  using StapleThen = std::function<void(const Result<std::optional<Staple>>&)>;
  using ChainThen = std::function<void(const Result<ChainPtr>&)>;
  using RecordThen = std::function<void(const Result<RecordPtr>&)>;
  using RecipientThen = std::function<void(const Result<Recipient>&)>;
  /// What keys.lookup answered and the chain that it was judged by last: for who wants to see why.
  struct Answered {
    const BindingRow& row;
    const keys::Chain& chain;
  };
  /// Null: no binding was judged.
  using JudgedThen = std::function<void(const Result<Recipient>&, const Answered*)>;
  enum class Ask : std::uint8_t { cached_will_do, anew };

  Lookup(Core& core, Link& link) : core_(core), link_(link), witnesses_(core, link, *this) {}

  // Each answers exactly once, perhaps at once. Temporary failures have temporary codes.
  void chain(const std::string& domain, Ask ask, ChainThen then);
  /// The record of exactly this id, from the directory.
  void record(const keys::KeyId& id, RecordThen then);
  /// The keys that addr's domain says are addr's, if nothing speaks against sealing to them.
  void recipient(const std::string& addr, RecipientThen then);
  /// The same, whatever is kept.
  void recipient_anew(const std::string& addr, JudgedThen then) {
    ask_recipient(addr, std::move(then));
  }
  /// For letters signed by `key`, which has to be the one that our domain binds our address to
  /// (binding_foreign).
  void staple(const keys::KeyId& key, StapleThen then);
  /// The binding that recipient() verified last for addr; empty if there is none.
  wire::Value binding_of(const std::string& addr) const;

  /// Whether a letter's stapled proof has the witnesses that are demanded, or else a look-up of its
  /// sender gives the very binding of the letter with them (BLG-41). Fails with `witnesses`.
  void vouched(const mail::Opened& letter, const keys::Chain& chain,
               std::function<void(const Result<>&)> then);
  Witnesses& witnesses() { return witnesses_; }

  /// Our own domain's chain, verified by the session.
  void learn_own(const keys::Chain& chain);
  /// A record that was verified elsewhere, or is our own.
  void learn_record(RecordPtr record);
  void handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found);
  void run();
  std::optional<Instant> due() const;

 private:
  struct KnownChain {
    std::int64_t at = 0;
    ChainPtr chain;
  };
  struct KnownRecipient {
    std::int64_t at = 0;
    std::int64_t version = 0;
    Recipient keys;
    wire::Value binding;
    Bytes seen;  // in the log, as in BindingRow
  };
  struct CheckedRecipient {
    KnownRecipient known;
    std::optional<KeyChanged> changed;  // told when it is kept: what is refused changes nothing
  };
  struct Fetch {
    std::optional<Instant> deadline;  // while it resolves
    std::vector<ChainThen> waiters;
  };

  std::optional<KnownChain> known_chain(const std::string& domain);
  void finish(const std::string& domain, const Result<ChainPtr>& outcome);
  Result<RecordPtr> accept_record(const keys::KeyId& id, const wire::Value& value);
  Result<ChainPtr> accept_chain(const std::string& domain, const keys::KeyId& root,
                                const wire::Value& answer);
  ChainPtr keep_chain(const std::string& domain, ChainPtr chain);
  Result<CheckedRecipient> check(const std::string& addr, const BindingRow& row,
                                 const keys::Chain& chain);
  Result<RecordPtr> check_shared(const keys::Binding& binding, const wire::Value& record);
  Result<> check_policy(const KnownRecipient& known, const keys::Chain& chain);
  Result<> check_notice(const keys::Chain& chain);
  Result<bindlog::Seen> check_log(const std::string& addr, const keys::Binding& binding,
                                  const wire::Value& proof, const keys::Chain& chain);
  Result<std::optional<KeyChanged>> check_change(const std::string& addr, const BindingRow& row,
                                                 const keys::Binding& binding,
                                                 const keys::Chain& chain);
  void judge_redirect(const std::string& addr, const wire::Value& answer, RecipientThen then);
  Result<Recipient> check_redirect(const std::string& addr, const wire::Value& answer,
                                   const keys::Chain& chain);
  bool endorsed(const bindlog::Checked& shown, const BindingRow& before);
  Result<> check_same(const std::string& addr, const bindlog::Seen& shown) const;
  bool redirect_endorsed(const bindlog::Checked& shown, const BindingRow& before);
  RecordPtr held_record(const keys::KeyId& id, const BindingRow& before) const;
  void note_unendorsed(const std::string& addr, const BindingRow& row);
  void alarm(const std::string& addr, const BindingRow& row, const Error& why,
             const keys::Chain& chain);
  std::optional<BindingRow> binding_row(const std::string& addr) const;
  void judge(const std::string& addr, BindingRow row, Ask ask, JudgedThen then);
  void judge_by(const std::string& addr, BindingRow row, Ask ask, JudgedThen then,
                const keys::Chain& chain);
  void take_staple(const keys::KeyId& key, const wire::Value& answer, StapleThen then);
  Result<Recipient> keep(const std::string& addr, const BindingRow& row, CheckedRecipient checked);
  void ask_recipient(const std::string& addr, JudgedThen then);

  Core& core_;
  Link& link_;
  Witnesses witnesses_;
  std::string own_domain_;
  std::map<std::string, KnownChain> chains_;
  std::map<std::string, KnownRecipient> recipients_;
  std::map<keys::KeyId, RecordPtr> records_;
  std::optional<Staple> staple_;  // checked at staple_at_
  std::int64_t staple_at_ = 0;
  // Who asks for what is asked already waits for the one answer.
  std::map<std::string, Fetch> fetches_;
  std::map<keys::KeyId, std::vector<RecordThen>> records_asked_;
  std::map<std::string, std::vector<JudgedThen>> recipients_asked_;
};

}  // namespace ams::client
