// What a domain's DNS records say (spec DOM-8 to DOM-11), read from answers that anyone may have
// forged: the root key's id from TXT, the servers in the order of trial from SRV.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/crypto.h"
#include "keys/records.h"

namespace ams::discovery {

inline constexpr std::size_t record_size_max = 1024;  // bytes of a TXT record, DOM-9
inline constexpr std::size_t services_max = 16;       // servers tried, DOM-11

/// The two names that are asked for. Precondition: wire::is_domain(domain).
std::string service_name(std::string_view domain);  // "_ams._tcp." + domain
std::string text_name(std::string_view domain);     // "_ams." + domain

/// The root key that one TXT record names; its strings joined (DOM-9, DOM-10). Fails with
/// discovery_form or kid_mismatch. O(size).
Result<keys::KeyId> parse_record(std::string_view record);
/// The same of all TXT records of the name (DOM-8): fails with not_found when none is of version 1,
/// with discovery_ambiguous when several are.
Result<keys::KeyId> parse_records(std::span<const std::string> records);
/// The record that parse_record() reads back.
std::string to_record(const keys::KeyId& root);

struct Service {  // an SRV record, RFC 2782
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  // "." stands for: no server
};
/// Those that can be tried, in the order of trial: by priority, drawn by weight within one
/// (DOM-11); at most services_max. Targets come out in lower case, without a final dot.
std::vector<Service> in_order(std::vector<Service> services, crypto::Drbg& drbg);

}  // namespace ams::discovery
