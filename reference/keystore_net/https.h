// What both ends of HTTPS share (spec KST-37). For this room's .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "net/asio.h"

namespace ams::keystore_net {

inline constexpr std::string_view https_path = "/ams-ks/1";
inline constexpr std::string_view https_type = "application/json";

struct MutualTls {
  bool server = false;
  std::string ca_file;  // of the other side's certificate; empty: the system's (clients only)
  std::string certificate_file;
  std::string key_file;
};
/// TLS 1.3, our certificate loaded, the other side's demanded. Errors name the file.
tl::expected<boost::asio::ssl::context, std::string> mutual_tls(const MutualTls& files);

}  // namespace ams::keystore_net
