// Rewrapper: the stored mail of this account, from shared keys that were rotated to the ones that
// followed (RWP): page by page the mailbox is read, the key store wraps the content keys anew, the
// server puts the stanzas in place. Nothing of it is kept here: after a crash, or when something
// failed, the owner asks again, and what is done already is left alone.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "client/core.h"
#include "client/enrol.h"
#include "client/key_store.h"

namespace ams::client {

class Rewrapper {
 public:
  Rewrapper(Core& core, Link& link, const Account& account, KeyStoreLink& store)
      : core_(core), link_(link), account_(account), store_(store) {}

  /// Report: MailRewrapped, or CommandFailed("rewrap").
  void request();
  void run();
  bool has_work() const { return stage_ != Stage::idle; }

 private:
  enum class Stage : std::uint8_t { idle, wanted, reading, wrapping };
  using Way = std::pair<keys::KeyId, keys::KeyId>;  // from, to
  struct Batch {
    std::vector<std::int64_t> uids;
    std::vector<keystore::RewrapItem> items;
  };

  template <class T>
  bool took(const Result<T>& answer);
  void list_keys();
  void ask_page();
  void take_page(const wire::Value& answer);
  Result<> look_at(const wire::Value& change);
  void wrap_next();
  void put_back(const Way& way, const Batch& batch, const keystore::Rewrapped& wrapped);
  void count(const wire::Value& answer);
  void failed(const Error& why);
  void end();

  Core& core_;
  Link& link_;
  const Account& account_;
  KeyStoreLink& store_;
  Stage stage_ = Stage::idle;
  bool asked_ = false;
  bool more_ = true;
  std::int64_t since_ = 0;
  MailRewrapped done_;
  std::map<Way, Batch> found_;  // of the page at hand
};

}  // namespace ams::client
