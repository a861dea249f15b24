// Elements of arrays, read under the eyes of the object's reader so that the first fault decides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/value.h"

namespace ams::mail {

/// Canonical addresses (ENC-14).
std::vector<std::string> read_addresses(wire::ObjectReader& in, std::string_view name,
                                        std::size_t count_min, std::size_t count_max);
/// 32-byte hashes as base64url.
std::vector<Hash> read_hashes(wire::ObjectReader& in, std::string_view name, std::size_t count_max);
/// One canonical address (ENC-14); one domain (ENC-19).
std::string read_address(wire::ObjectReader& in, std::string_view name);
std::string read_domain(wire::ObjectReader& in, std::string_view name);

wire::Value hash_array(const std::vector<Hash>& hashes);
wire::Value string_array(const std::vector<std::string>& strings);

}  // namespace ams::mail
