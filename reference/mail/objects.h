// Header, stanza, vouch, receipt, notice as values (spec chapters 05 and 06).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::mail {

struct BlobRef {
  std::uint64_t len = 0;
  Hash hash{};
};

struct Header {  // MSG-1
  Id16 id{};
  crypto::Aead aead = crypto::Aead::a256gcm;
  keys::KeyId sender;
  std::string sdom;
  std::int64_t ts = 0, exp = 0;
  std::optional<Hash> epk;
  std::int64_t leaves = 1;
  Hash fc{};
  BlobRef body, head;
  std::vector<Hash> blobs;  // ascending
};
inline constexpr std::int64_t header_life_ms_max = 7LL * 86'400'000;  // MSG-6
inline constexpr std::int64_t clock_tolerance_ms = 10 * 60'000;       // MSG-6
inline constexpr std::size_t stanzas_max = 100;                       // MSG-17

wire::Value to_value(const Header& header);
/// MSG-1, MSG-2 and the order of ts and exp (MSG-6: `expired` when exp <= ts or more than 7 days
/// later).
Result<Header> parse_header(const wire::Value& value);
/// The rest of MSG-6, for servers: `expired` when exp <= now, then `not_yet_valid`.
Result<> in_force(const Header& header, Instant now);
/// SHA-256(AMS-CJ(header)): names the message (MSG-7).
Hash ehash(const wire::Value& header);
/// SHA-256(AMS-CJ(header without body)) (MSG-3).
Hash h0(const wire::Value& header);
/// asig over the header (SIG-4) and its check: `signature`, `algorithm_mix`.
Result<Bytes> sign_header(const wire::Value& header, const crypto::SigningKey& key);
Result<> verify_asig(const wire::Value& header, ByteView asig, const keys::KeyRecord& sender);

struct Stanza {  // MSG-15
  keys::KeyId to;
  Bytes wk;
  std::optional<Bytes> enc;
};
wire::Value to_value(const Stanza& stanza);
Result<Stanza> parse_stanza(const wire::Value& value);
/// 1..100 stanzas (too_many_stanzas).
Result<std::vector<Stanza>> parse_stanzas(const wire::Value& array);

struct Vouch {   // VCH-1
  Hash ehash{};  // SHA-256(AMS-CJ(header) || asig)
  std::string sdom, rdom;
  Id16 dkid{};
  Id16 acct{};
  std::string cls = "cold";  // cold | granted
  Hash rroot{};
  std::int64_t day = 0;
  std::optional<std::int64_t> dseq, aseq;
  std::int64_t age = 0;
  Hash close{};
};
Result<wire::Value> make_vouch(const Vouch& vouch, const crypto::SigningKey& op);
Result<Vouch> parse_vouch(const wire::Value& value);
/// Signature under the domain's op key and VCH-4 against what the vouch must cover: vouch_mismatch.
struct VouchCover {
  Hash ehash{};
  std::string_view sdom, rdom;
  std::vector<Hash> rtags;
};
Result<Vouch> verify_vouch(const wire::Value& value, const keys::Chain& sender,
                           const VouchCover& cover);
Hash vouch_ehash(const wire::Value& header, ByteView asig);
/// VCH-2. Also the receipt's addr_tag.
Hash rtag(const Id16& salt, std::string_view addr);

struct Receipt {  // chapter 06
  Hash ehash{};
  std::string rdom;
  Id16 dkid{};
  Hash addr_tag{};
  bool accepted = false;
  std::optional<Code> code;  // when refused
  std::int64_t ts = 0;
};
Result<wire::Value> make_receipt(const Receipt& receipt, const crypto::SigningKey& op);
Result<Receipt> parse_receipt(const wire::Value& value);
Result<Receipt> verify_receipt(const wire::Value& value, const keys::Chain& receiver);

struct Notice {
  Hash ehash{};
  Id16 id{};
  std::string addr;
  bool failed = false;  // else undetermined
  Code code = Code::undetermined;
  std::int64_t ts = 0;
  Id16 dkid{};
  std::optional<wire::Value> receipt;
};
Result<wire::Value> make_notice(const Notice& notice, const crypto::SigningKey& op);
Result<Notice> parse_notice(const wire::Value& value);
Result<Notice> verify_notice(const wire::Value& value, const keys::Chain& own);

/// RFC 9162 Merkle root (leaf prefix 0, node prefix 1) of leaf data; at least one leaf.
Hash merkle_root(const std::vector<Bytes>& leaves);

}  // namespace ams::mail
