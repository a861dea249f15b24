// Key files on disk: written whole or not at all, readable by their owner alone, never in clear.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "ams_cli/files.h"
#include "ams_cli/key_book.h"
#include "crypto/secret.h"
#include "keyfile/keyfile.h"
#include "storage/storage.h"

namespace ams::cli {

struct KeyFileTarget {
  std::string path;
  bool replace = false;
};
/// With a revocation of each pair. Errors are one line for the user.
tl::expected<void, std::string> write_key_file(const KeyFileTarget& to, const std::string& addr,
                                               const std::vector<const keys::KeyPair*>& pairs,
                                               const crypto::Secret& passphrase);

/// Asks for the passphrase if `passphrase_file` is empty. `refused` is set when the file's own
/// checks refuse it, the passphrase among them.
FileResult<keyfile::Contents> open_key_file(const std::string& path,
                                            const std::string& passphrase_file);

/// Keeps the pairs that are not the account's already, for opening what was sealed to them, with
/// their revocations. Gives how many were new; durable when it returns.
tl::expected<std::size_t, std::string> import_pairs(storage::Storage& storage, const KeyBook& book,
                                                    const keyfile::Contents& contents);

}  // namespace ams::cli
