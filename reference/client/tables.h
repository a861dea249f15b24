// What a client keeps: its tables, and the rows in them as bytes. Integers in keys are big-endian,
// so that rows scan in their order.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "bindlog/history.h"
#include "keys/records.h"
#include "mail/letter.h"
#include "storage/storage.h"
#include "wire/value.h"

namespace ams::client {

inline constexpr storage::Table table_account{0x60};  // row_* below
inline constexpr storage::Table table_outbox{0x61};   // ticket -> the draft, until it is sealed
inline constexpr storage::Table table_sealed{
    0x62};  // ticket -> the sealed messages, until acknowledged
inline constexpr storage::Table table_failed{0x63};    // ticket -> why, until the owner was told
inline constexpr storage::Table table_mailbox{0x64};   // uid -> MailboxRow
inline constexpr storage::Table table_chains{0x65};    // domain -> ChainRow, verified
inline constexpr storage::Table table_bindings{0x66};  // addr -> BindingRow, verified
inline constexpr storage::Table table_records{
    0x67};  // kid || fp -> AMS-CJ of the key record, verified
inline constexpr storage::Table table_pairs{0x68};  // kid || fp -> PairRow: the account's pairs but
                                                    // the one in use, which is in table_account
inline constexpr storage::Table table_revocations{0x69};  // kid || fp -> AMS-CJ, signed beforehand
inline constexpr storage::Table table_unpublished{0x6a};  // SHA-256 -> AMS-CJ, until it is answered
inline constexpr storage::Table table_told{0x6c};  // addr -> kid || fp: the unendorsed key told of
inline constexpr storage::Table table_policies{0x6b};  // domain -> PolicyRow (POL-9)

// table_account
inline constexpr std::string_view row_signing = "signing";        // private half, raw
inline constexpr std::string_view row_encryption = "encryption";  // private half, raw
inline constexpr std::string_view row_log_seen = "log_seen";      // bindlog::Seen of our address
inline constexpr std::string_view row_log_shown = "log_shown";    // AMS-CJ: the last good history
inline constexpr std::string_view row_log_alarm = "log_alarm";    // AMS-CJ: the last that alarmed
inline constexpr std::string_view row_record = "record";          // AMS-CJ
inline constexpr std::string_view row_stored = "stored";    // StoredKeys, when they are in use
inline constexpr std::string_view row_token = "token";      // until the binding is stored
inline constexpr std::string_view row_binding = "binding";  // AMS-CJ
inline constexpr std::string_view row_ticket = "ticket";    // u64, the last one given
inline constexpr std::string_view row_state = "state";  // u64, of the mailbox, all below is stored

/// The account's key pair in use; empty before there is one.
Result<std::optional<keys::KeyPair>> read_account_pair(const storage::Reader& in);

/// A pair that is not in use: `next` while a rotation is under way, `former` for ever after it was
/// in use, since what was sealed to it opens with it alone (KEY-10).
struct OtherPair {
  enum class State : std::uint8_t { next, former };
  State state = State::former;
  std::int64_t at = 0;  // when it got this state, Unix ms
  keys::KeyPair pair;
};
storage::Put put_pair(OtherPair::State state, std::int64_t at, const keys::KeyPair& pair);
/// All of them, in no order that means anything.
Result<std::vector<OtherPair>> read_other_pairs(const storage::Reader& in);
/// The revocation that is signed when a pair is made and put away (REV-1).
Result<> put_revocation(storage::WriteBatch& batch, const keys::KeyPair& pair);
Result<std::optional<wire::Value>> read_revocation(const storage::Reader& in,
                                                   const keys::KeyId& id);
/// The rows that make `pair` the one in use.
void put_account_pair(storage::WriteBatch& batch, const keys::KeyPair& pair);

/// The account's key where the domain's key store has it: its own, and the shared one that its mail
/// is sealed to. The pair of read_account_pair then opens old mail only.
struct StoredKeys {
  keys::KeyRecord record, shared;
};
Bytes to_row(const StoredKeys& keys);
Result<StoredKeys> parse_stored_keys(ByteView bytes);

Bytes key_of(std::uint64_t number);
Bytes key_of(const keys::KeyId& id);

storage::Put put_row(storage::Table table, ByteView key, Bytes value);
inline storage::Put put_row(storage::Table table, std::string_view key, Bytes value) {
  return put_row(table, as_bytes(key), std::move(value));
}
storage::Erase erase_row(storage::Table table, ByteView key);
inline storage::Erase erase_row(storage::Table table, std::string_view key) {
  return erase_row(table, as_bytes(key));
}

/// A draft that waits for its recipients' keys.
struct DraftRow {
  std::int64_t created = 0;  // Unix ms: its life counts from here
  mail::Draft draft;
};
Bytes to_row(const DraftRow& row);
Result<DraftRow> parse_draft_row(ByteView bytes);

/// One sealed message of a ticket: sent again and again with these very bytes (SUB-3).
struct SealedRow {
  mail::Sealed sealed;
  std::vector<std::pair<std::string, std::int64_t>> recipients;  // address, index of its stanza
  std::optional<std::int64_t> sent;                              // stanza of the sender's own copy
};
Bytes to_row(const std::vector<SealedRow>& rows);
Result<std::vector<SealedRow>> parse_sealed_rows(ByteView bytes);

struct FailedRow {
  std::string addr;
  Code code{};
};
Bytes to_row(const FailedRow& row);
Result<FailedRow> parse_failed_row(ByteView bytes);

/// A message of the mailbox: as mail.sync gave it until the owner was told, then what is left of
/// it.
struct MailboxRow {
  std::string folder;
  wire::Value message;  // {} once told
  bool told = false;
};
Bytes to_row(const MailboxRow& row);
Result<MailboxRow> parse_mailbox_row(ByteView bytes);

struct ChainRow {
  std::int64_t at = 0;  // when it was verified, Unix ms
  keys::KeyId root;     // what discovery said then
  wire::Value chain;
};
Bytes to_row(const ChainRow& row);
Result<ChainRow> parse_chain_row(ByteView bytes);
struct KeptChain {
  std::int64_t at = 0;  // when it was verified first, Unix ms
  keys::Chain chain;
};
/// A domain's chain as it is kept, verified once more. Empty: none is kept; fails where what is
/// kept does not verify.
Result<std::optional<KeptChain>> read_chain(const storage::Reader& in, const std::string& domain);

struct BindingRow {
  std::int64_t at = 0;
  wire::Value binding, key;
  wire::Value enc = {};    // the shared key's record; {} where the binding has none
  wire::Value proof = {};  // from the domain's binding log; {} where it keeps none
  Bytes seen = {};         // what proof showed: to_row(bindlog::Seen); empty before it was checked
  wire::Value history = {};  // not kept: the versions since the one seen before
};
Bytes to_row(const BindingRow& row);
Result<BindingRow> parse_binding_row(ByteView bytes);

/// What an owner, or a sender, has seen of an address in its domain's log.
Bytes to_row(const bindlog::Seen& seen);
std::optional<bindlog::Seen> parse_seen_row(ByteView bytes);

/// The policy of a domain as last seen and not disputed.
struct PolicyRow {
  std::int64_t at = 0;  // when it was fetched, Unix ms
  std::int64_t seq = 1;
  wire::Value policy;
};
Bytes to_row(const PolicyRow& row);
Result<PolicyRow> parse_policy_row(ByteView bytes);

}  // namespace ams::client
