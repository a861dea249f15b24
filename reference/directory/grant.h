// Grants (spec DIR-57, DIR-58): a domain answers with its quota for a batch of new keys, by one
// signature of its op key over the Merkle root of their fingerprints. It goes with the keys
// wherever they go, so that every peer counts them against the domain that granted them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "wire/value.h"

namespace ams::directory {

inline constexpr std::size_t grant_size_max = 2'048;  // bytes of AMS-CJ (DIR-57)
inline constexpr std::size_t grant_keys_max = 64;     // keys of one grant (DIR-57)
inline constexpr std::size_t path_hashes_max = 6;     // in a tree of 64 leaves
inline constexpr std::size_t voucher_size_max = 2 + 32 * path_hashes_max;  // bytes (DIR-58)

/// A grant whose form was judged; its signature was not.
struct Grant {
  std::string domain;
  Hash op_key{};  // SHA-256 of the raw form of the key that signed it
  Hash root{};
  std::uint8_t count = 0;
  Hash hash{};  // SHA-256 of its AMS-CJ, with sig
  wire::Value value;
};
/// Where a key stands in a grant's tree.
struct Place {
  std::uint8_t index = 0;
  Bytes path;  // LOG-3
};
/// What stands for one record in `vouchers` (DIR-58).
struct Voucher {
  std::uint8_t grant = 0;  // which of those in the message
  Place place;
};

/// Fails with object_too_large, then as ObjectReader does, with unknown_ams_tag, address_syntax, or
/// schema for a count that is not 1 to 64.
Result<Grant> parse_grant(const wire::Value& value);
/// That the key of this fingerprint is one of those granted. Fails with proof_form or proof.
Result<> verify_place(const Grant& grant, const Hash& fp, const Place& place);
/// How a grant names the key that signed it.
Hash op_key_hash(const crypto::VerifyKey& op);
/// By the op key of the granting domain. Fails with `signature` (another key than it names, too)
/// or algorithm_mix. One verification.
Result<> verify_grant(const Grant& grant, const crypto::VerifyKey& op);

struct Granted {
  wire::Value grant;
  std::vector<Place> places;  // of each fingerprint
};
/// Grants 1 to grant_keys_max keys. Precondition: `domain` is one. Fails as SigningKey::sign.
Result<Granted> make_grant(std::string_view domain, std::span<const Hash> fps,
                           const crypto::SigningKey& op);

/// Empty: nobody vouches for this record. Fails with base64url, or proof_form for what is no u8
/// grant ‖ u8 index ‖ path.
Result<std::optional<Voucher>> read_voucher(std::string_view text);
std::string voucher_text(const Voucher& voucher);

/// The grants of one message, each judged when it is first needed and once only, and who vouches
/// for what.
class Vouchers {
 public:
  /// Members `grants` and `vouchers` of a message with so many records; both null: none. Fails with
  /// schema (one without the other, other numbers, a grant that is not there), batch_too_large
  /// (more grants than records), or as read_voucher.
  static Result<Vouchers> read(const wire::Value* grants, const wire::Value* vouchers,
                               std::size_t records);
  const std::optional<Voucher>& of(std::size_t record) const { return vouchers_[record]; }
  const Result<std::shared_ptr<const Grant>>& grant(const Voucher& voucher);

 private:
  const wire::Value* grants_ = nullptr;  // borrowed
  std::vector<std::optional<Result<std::shared_ptr<const Grant>>>> parsed_;
  std::vector<std::optional<Voucher>> vouchers_;
};

}  // namespace ams::directory
