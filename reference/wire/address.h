// Addresses in canonical form (spec ENC-14): local@domain, as they are signed, hashed and compared.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace ams::wire {

inline constexpr std::size_t local_part_size_max = 64;  // bytes
inline constexpr std::size_t domain_size_max = 253;     // bytes

struct Address {
  std::string local;
  std::string domain;

  std::string text() const { return local + "@" + domain; }
  friend auto operator<=>(const Address&, const Address&) = default;
};

/// Takes canonical form only and never repairs; everything else is address_syntax. Local part:
/// 1 … 64 of [a-z0-9!#$%&'*+/=?^_`{|}~.-], no dot first, last or doubled. Local parts outside ASCII
/// (RFC 8265 UsernameCaseMapped) are refused as well until the spec pins a Unicode version.
Result<Address> parse_address(std::string_view text);

/// At least two labels of [a-z0-9-], 1 … 63 each, no hyphen first or last, 253 in all, no final
/// dot: a domain name in lower-case A-label form.
bool is_domain(std::string_view text);

/// The local part's rule of parse_address.
bool is_local_part(std::string_view text);

}  // namespace ams::wire
