// Place: where an account's key store is, as its settings say it, and the way there.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "keystore_net/link.h"
#include "keystore_net/local_store.h"
#include "net/loop.h"
#include "wire/value.h"

namespace ams::keystore_net {

/// Either `folder` (and what unlocks it) or `url` (and the certificates).
struct Place {
  std::string folder;
  std::string passphrase_file, key_file;  // one of them
  std::string pin_file;                   // of a token
  std::string url;
  std::string ca_file, certificate_file, client_key_file;
  Duration deadline = std::chrono::seconds{10};

  bool local() const { return !folder.empty(); }
};

/// Empty: it fits. Else what is missing or too much, in one line, naming the options.
std::string misfit(const Place& place);
/// Precondition: a local place that fits.
tl::expected<keystore::Unlock, std::string> unlock_of(const Place& place);
/// Reads the files that it names. Errors are one line for the user.
tl::expected<std::unique_ptr<Link>, std::string> open_place(net::Loop& loop, const Place& place);

/// For the account's settings; file names become absolute.
Bytes encode_place(const Place& place);
Result<Place> decode_place(ByteView bytes);

}  // namespace ams::keystore_net
