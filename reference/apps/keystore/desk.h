// Desk: where an administrator's request goes. To a folder of this machine it goes as the
// operator's who holds the store's key; over HTTPS as that of a member with `admin`, signed by the
// device of the account.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "ams_cli/home.h"
#include "keystore/asker.h"
#include "keystore/audit.h"
#include "keystore_net/place.h"

namespace ams::keystore_cli {

class Desk {
 public:
  /// `home`: the account's folder, used for HTTPS alone. Errors are one line for the user.
  static tl::expected<std::unique_ptr<Desk>, std::string> open(const keystore_net::Place& place,
                                                               const std::string& home);
  virtual ~Desk() = default;
  virtual Result<keystore::Ok> ask(const keystore::Args& args) = 0;
  /// Members, where the desk can know them: of a folder only.
  virtual Result<std::vector<keystore::MemberRow>> members() = 0;
};

}  // namespace ams::keystore_cli
