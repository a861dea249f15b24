// A domain's keys as files in the data folder (spec DOM-4, BND-2):
//   root.key    the root key pair; only `init` needs it: keep it elsewhere after that
//   op.key      the operational key pair that the daemon signs with
//   chain.json  domain record and both key records, as every peer gets them
//   store.key   K_idx and the row key: without them the stored bindings cannot be read
// The .key files hold private keys, mode 0600.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "crypto/crypto.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::daemon {

struct DomainKeys {
  crypto::SigningKey op;
  keys::Chain chain;
  Bytes index_key, row_key;
};

/// Reads and verifies what the daemon needs (not root.key). The error names the file and what was
/// expected there.
tl::expected<DomainKeys, std::string> load_domain_keys(const std::string& folder,
                                                       const std::string& domain);

/// What `amsd domain policy set` asks for. `shared`: group (empty: the whole domain) and the file
/// of the shared encryption key's record, one line of AMS-CJ.
struct PolicyChange {
  keys::Policy mode = keys::Policy::isp;
  std::vector<std::pair<std::string, std::string>> shared;
  std::string root_key_file;  // empty: root.key in the folder
};
/// Makes all keys of `domain` and writes the four files; never over existing ones. `entropy32` is a
/// fresh seed; `first` the policy of its first record, in force at once (POL-6).
tl::expected<void, std::string> create_domain_keys(const std::string& folder,
                                                   const std::string& domain, ByteView entropy32,
                                                   const PolicyChange& first, Instant now);
/// Signs the record that follows the one in chain.json and puts it in its place, whole or not at
/// all. Gives the new record. The error names the file and what was expected there.
tl::expected<keys::DomainRecord, std::string> change_policy(const std::string& folder,
                                                            const std::string& domain,
                                                            const PolicyChange& change,
                                                            Instant now);

}  // namespace ams::daemon
