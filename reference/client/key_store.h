// KeyStoreLink: the asking side of a domain's key store (spec KST-32 to KST-36). Keys of custody
// corporate are used where they lie: this device asks for a signature or a shared secret, believes
// nothing of the answer that it cannot check, and waits where there is none.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "client/core.h"
#include "keystore/asker.h"

namespace ams::client {

inline constexpr Duration key_store_patience = std::chrono::seconds{60};  // for one answer
inline constexpr Duration key_store_list_life = std::chrono::minutes{10};

/// A key that the store lets this device use.
struct HeldKey {
  keys::KeyRecord record;
  keystore::Scope scope;
  bool retired = false;
  std::optional<keystore::Capability> decap, sign;
};

class KeyStoreLink {
 public:
  using Done = std::function<void(Result<>)>;
  using Secret = std::function<void(Result<crypto::Secret>)>;
  using Signature = std::function<void(Result<Bytes>)>;
  using Wrapped = std::function<void(Result<keystore::Rewrapped>)>;

  KeyStoreLink(Core& core, const crypto::SigningKey& device) : core_(core), device_(device) {}

  bool is_there() const { return core_.options.key_store; }
  // Each answers exactly once, later. What may get better has a temporary code, also what a lying
  // store gave (keystore_answer); not_member and its like are for good.
  /// All keys of this device, as the store says now.
  void refresh(Done then);
  void decap(const keys::KeyId& key, Bytes enc, Secret then);
  /// A signature over `text` that verifies under `record`.
  void sign(const keys::KeyRecord& record, Bytes text, Signature then);

  /// Content keys wrapped for `from`, wrapped for `to` (KST-11); as many answers as items.
  void rewrap(const keys::KeyId& from, const keys::KeyId& to,
              std::vector<keystore::RewrapItem> items, Wrapped then);

  /// As refresh() found it; null: none of ours.
  const HeldKey* find(const keys::KeyId& key) const;
  /// The key that took the place of a shared one; null: it is in use, or nothing followed.
  const HeldKey* successor(const HeldKey& key) const;
  /// The address of the group whose key it is (GRP-5); empty: no group's.
  std::string group_address(const HeldKey& key) const;
  /// The key that signs for our own address; null: there is none.
  const HeldKey* own() const;

  void handle(std::uint64_t ticket, const Result<Bytes>& answer);
  std::optional<KeyStoreAsk> poll();
  void run();
  std::optional<Instant> due() const;

 private:
  using Judged = std::function<void(Result<keystore::Ok>)>;
  struct Pending {
    keystore::Request asked;
    std::optional<keys::KeyRecord> record;  // whose signature it must be
    Judged then;
    Instant deadline;
  };

  void ask(keystore::Args args, std::optional<keystore::Capability> capability,
           std::optional<keys::KeyRecord> record, Judged then);
  void use(const keys::KeyId& key, keystore::Args args, std::optional<keys::KeyRecord> record,
           bool listed, Judged then);
  void list_from(std::optional<Id16> after);
  void listed(Result<keystore::Ok> answer);
  void finish_list(const Result<>& outcome);

  Core& core_;
  const crypto::SigningKey& device_;
  std::map<keys::KeyId, HeldKey> keys_, fresh_;
  std::deque<Done> list_waiters_;
  std::map<std::uint64_t, Pending> pending_;
  std::deque<KeyStoreAsk> asks_;
  std::uint64_t next_ticket_ = 1;
};

}  // namespace ams::client
