// LocalStore: a key store in a folder of this machine, the embedded default (spec KST-28, KST-38).
//
//   lock.json   the store's key under a passphrase or key file, and which domain it is for
//   store.db    sealed rows (SQLite); private halves too, unless they are on a token
//
// The folder is for its owner alone (0700). Two programs take turns: while one has it open, opening
// it is refused, and asked again later.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "keystore/lock.h"
#include "keystore/store.h"
#include "keystore_net/link.h"
#include "net/loop.h"
#include "store/sqlite.h"

namespace ams::keystore_net {

/// A secret on its way in: from a file (its first line for a passphrase, all of it for a key file).
tl::expected<keystore::Unlock, std::string> read_unlock(keystore::Unlock::Kind kind,
                                                        const std::string& path);

class LocalStore {
 public:
  struct Options {
    std::string folder;
    std::string pin_file;  // of the token, where the keys are on one
    crypto::ScryptCost cost = {};
  };
  /// Makes the folder and the store. Refuses a folder that holds one; finishes what a crash left.
  static tl::expected<std::unique_ptr<LocalStore>, std::string> create(
      const Options& options, const keystore::LockHead& head, const keystore::Unlock& unlock);
  /// Errors are one line for the user.
  static tl::expected<std::unique_ptr<LocalStore>, std::string> open(
      const Options& options, const keystore::Unlock& unlock);

  /// The store's key under another passphrase or key file; what opened it before opens it no more.
  /// After a crash one of the two does.
  static tl::expected<void, std::string> relock(const Options& options,
                                                const keystore::Unlock& before,
                                                const keystore::Unlock& after);

  /// A member's request and its answer, durable. A disk that is full is an answer too (`storage`).
  Bytes ask(ByteView request);
  /// The operator's own ops, durable.
  Result<keystore::Ok> act(const keystore::Args& args);
  const keystore::Store& store() const { return *store_; }
  const std::string& domain() const { return domain_; }

 private:
  LocalStore() = default;
  static tl::expected<std::unique_ptr<LocalStore>, std::string> unlocked(
      const Options& options, const keystore::Unlock& unlock);
  Result<> keep(const storage::WriteBatch& writes);

  std::string domain_;
  std::unique_ptr<store::SqliteStorage> storage_;
  std::unique_ptr<keystore::KeyRing> ring_;
  std::unique_ptr<keystore::Store> store_;
};

/// Asks a LocalStore that is opened for the length of each call, so that others get their turn.
class LocalLink final : public Link {
 public:
  LocalLink(net::Loop& loop, LocalStore::Options options, keystore::Unlock unlock)
      : loop_(loop), options_(std::move(options)), unlock_(std::move(unlock)) {}
  void ask(Bytes request, std::function<void(Result<Bytes>)> done) override;

 private:
  net::Loop& loop_;
  LocalStore::Options options_;
  keystore::Unlock unlock_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ams::keystore_net
