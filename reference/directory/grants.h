// What a peer keeps of grants (spec DIR-57 to DIR-63): rows beside the entries, the keys of domains
// that grant, signatures that were verified lately, and records set aside until the domain that
// granted them is known. Everything that others make grow is bounded.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/instant.h"
#include "directory/grant.h"
#include "storage/storage.h"

namespace ams::directory {

inline constexpr storage::Table table_vouched{0x4e};  // kid -> hash of the grant || index || path
inline constexpr storage::Table table_grants{0x4f};   // that hash -> AMS-CJ of the grant
inline constexpr std::size_t grantors_max = 4'096;    // domains whose op key is known (DIR-61)
inline constexpr Duration grantor_life = std::chrono::hours{24};     // DIR-61
inline constexpr Duration grantor_retry = std::chrono::minutes{10};  // DIR-61
inline constexpr std::size_t aside_max = 1'024;                      // records (DIR-61)
inline constexpr std::size_t aside_peer_max = 64;                    // from one peer (DIR-61)
inline constexpr std::int64_t grantor_asks = 64, grantor_asks_day = 8'192;  // for one peer (DIR-61)
inline constexpr std::size_t verified_grants_max = 256;

/// The grant of one key, and where the key stands in it.
struct Vouched {
  std::shared_ptr<const Grant> grant;
  Place place;
};

/// Grants as rows. A grant is one row, however many keys it is of.
class VouchedRows {
 public:
  explicit VouchedRows(const storage::Reader& reader) : reader_(&reader) {}
  /// `bodies`: hashes of the grants that `writes` has already.
  void put(const Id16& kid, const Vouched& vouched, std::set<Hash>& bodies,
           storage::WriteBatch& writes);
  /// Empty: nobody granted that key, or nobody told us. Fails with storage.
  Result<std::optional<Vouched>> of(const Id16& kid) const;
  /// As Holdings.
  void settled() { unsettled_.clear(); }

 private:
  const storage::Reader* reader_;
  std::map<Id16, Vouched> unsettled_;
};

/// Builds `grants` and `vouchers` of a message, each grant once.
class VouchersOut {
 public:
  /// For the next record; empty: nobody vouches for it. Bytes that this adds, about.
  std::size_t add(const std::optional<Vouched>& vouched);
  std::size_t size() const { return vouchers_.size(); }
  /// Adds both members; neither, when nobody vouches for anything and `always` is false.
  void into(wire::Object& message, bool always) &&;

 private:
  wire::Array grants_, vouchers_;
  std::map<Hash, std::uint8_t> known_;  // hash of a grant -> its place
};

/// Op keys of domains that grant, those used last. Domains that cannot be had give way first.
class Grantors {
 public:
  /// That the domain showed this key, in a session or an answer of its own.
  void put(std::string_view domain, const crypto::VerifyKey& op, Instant now);
  /// Its key, when it was seen within grantor_life. Borrowed until the next call.
  const crypto::VerifyKey* find(std::string_view domain, Instant now);
  /// Whether it may be asked (again): not within grantor_retry.
  bool may_ask(std::string_view domain, Instant now) const;
  /// That it was asked.
  void asked(std::string_view domain, Instant now);

 private:
  struct Known {
    std::optional<crypto::VerifyKey> op;
    Instant seen, asked;
    bool ever_asked = false;
    std::uint64_t used = 0;
  };
  Known& of(std::string_view domain);
  std::map<std::string, Known, std::less<>> known_;
  std::uint64_t uses_ = 0;
};

/// Grants whose signature verified lately: a grant of 64 keys may come 64 times.
class VerifiedGrants {
 public:
  /// verify_grant, once for the same bytes. `op` is the key that the grant names.
  Result<> verify(const Grant& grant, const crypto::VerifyKey& op);

 private:
  std::set<Hash> hashes_, older_;
};

/// A record whose grant nobody can judge yet (DIR-61).
struct SetAside {
  wire::Value record;
  Id16 kid{};
  std::string from;  // the peer that passed it on
  bool on = false;   // DIR-55
  Vouched vouched;
};
class Aside {
 public:
  /// Whether there was room, or it was there before.
  bool put(SetAside record);
  bool waits_for(const std::string& domain) const { return by_domain_.contains(domain); }
  /// All that waited for that domain.
  std::vector<SetAside> take(const std::string& domain);
  std::size_t size() const { return known_.size(); }

 private:
  std::map<std::string, std::vector<SetAside>> by_domain_;  // that granted
  std::map<std::string, std::size_t> by_peer_;
  std::set<std::pair<std::string, Id16>> known_;  // peer, kid
};

}  // namespace ams::directory
