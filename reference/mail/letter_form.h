// The letter as a value and back (spec MSG-24). Opened is what a reader gets of it; LetterForm adds
// what only the checks need.
#pragma once

#include <optional>
#include <string>

#include "crypto/crypto.h"
#include "mail/letter.h"
#include "wire/value.h"

namespace ams::mail {

inline constexpr std::size_t addresses_max = 1024;      // each of deliver_to, to, cc
inline constexpr std::size_t parts_max = 512;           // parts, and attachments
inline constexpr std::size_t subject_size_max = 4096;   // bytes
inline constexpr std::size_t name_size_max = 1024;      // bytes
inline constexpr std::size_t type_size_max = 255;       // bytes
inline constexpr std::size_t text_size_max = 64 << 20;  // bytes of one part

struct LetterForm {
  Opened letter;
  wire::Value binding;               // from.binding as it stands, judged by MSG-27
  std::optional<wire::Value> proof;  // as it stands, judged by MSG-38
  crypto::Secret fk;
};

/// Letter with all members; fails with schema codes.
Result<LetterForm> parse_letter(const wire::Value& value);
/// Leaf 0 alone (a head): the same members but fk, parts and att, and deliver_to may be empty.
Result<LetterForm> parse_leaf0(const wire::Value& value);

wire::Value part_value(const Part& part);
/// Fails with address_syntax, utf8, object_too_large, schema: what a reader would refuse.
Result<> check_draft(const Draft& draft);

/// MSG-27 of an opened letter or head: from_binding.
Result<> check_from(const LetterForm& form, const Header& header, const keys::Chain& chain);
/// MSG-38 of a letter whose binding holds: from_proof. Costs a signature check and, for labels that
/// are not kept, a VRF verification each.
Result<> check_proof(const LetterForm& form, const Header& header, const keys::Chain& chain,
                     bindlog::Labels* labels);

/// AMS-CJ of a head: leaf 0's text, shortened until it fits when sealed (MSG-22).
Bytes head_of(Bytes leaf0_text);

/// What opens a sealed part of the message.
Bytes body_context(const Hash& h0);
Bytes head_context(const Hash& h0);
crypto::Secret head_key(ByteView content_key);
Bytes attachment_context(const Id16& env_id, std::int64_t attachment_id);

}  // namespace ams::mail
