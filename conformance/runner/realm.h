// The domains that a client under test meets, as the suite keeps them: chains, binding logs,
// people's keys, and what an honest server answers of them. A case makes its lies of that (home.h).
#pragma once

#include <map>
#include <string>

#include "judge/bindings.h"
#include "judge/objects.h"
#include "runner/suite_domain.h"

namespace ams::conform {

/// A domain whose record names a binding log (DOM-16).
struct LoggedDomain {
  Domain domain;
  BindingLog log;
  Json set = Json::object();  // members of its record beside the log's keys
  std::int64_t seq_more = 0;
};

class Realm {
 public:
  /// `tag` goes into the people's keys: two plays share none.
  Realm(std::string tag, std::int64_t now);

  LoggedDomain& of(const std::string& name_or_addr);
  /// The domain's record has these members from now on, under the next seq.
  void publish(const std::string& name, const Json& set);
  /// The chain that its root would sign with these members (null: without); `seed`: that somebody
  /// else's keys of this seed would.
  Json chain(const std::string& name, const Json& set, const std::string& seed = {}) const;

  /// A key by name, made when first named. `set`: members of its record, when it is made.
  const Key& person(const std::string& name, const Json& set = Json::object());
  /// A record that another made, to be found by its kid.
  void learn(const Json& record);
  std::optional<Json> record_of(const std::string& kid) const;

  /// bind/1 of the entry, signed by its domain's op key, or by another domain's.
  Json binding(const Json& entry, const Json& set, const std::string& by);
  /// Adds the next version of an address to its domain's log (bentry/1). {"addr","key","type"?,
  /// "to"?,"by"?: the name of the key that endorses it,"set"?,"ago_ms"?,"seal"?: false to end no
  /// epoch}.
  Json bind(const Json& plan, std::int64_t now);
  /// What an honest server answers to keys.lookup, keys.history, domain.get, directory.get; an
  /// error's code as a string where it has nothing.
  Json truth(const std::string& op, const Json& args);

 private:
  Json looked_up(const Json& args);
  Json history(const std::string& addr, const Json& args);
  void remake(LoggedDomain& one);

  std::string tag_;
  std::int64_t now_;
  std::map<std::string, LoggedDomain> domains_;
  std::map<std::string, Key> people_;
  std::map<std::string, Json> records_;  // by kid
};

/// BLG-32.
Json with_pad(Json answer);

}  // namespace ams::conform
