// The suite as the server of a client under test: takes its connections as conform.test, judges
// what it sends, and answers what is true, or what the case would rather have said.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runner/link.h"
#include "runner/realm.h"
#include "runner/target.h"

namespace ams::conform {

/// What is said instead of the truth to a request of this op with these args (a pattern).
struct Saying {
  std::string op;
  Json args;
  Json ok, error;           // the answer, if given
  Json set, drop;           // or the true one but for these (as in $edit)
  std::int64_t times = -1;  // how often; -1: always
};

class Home {
 public:
  /// `addr`: the account, with its enrolment token.
  Home(Target& target, Realm& realm, std::string addr, Hash token);

  /// The one said last goes first.
  void say(Saying saying) { sayings_.push_back(std::move(saying)); }
  /// Forgets what was said of an op.
  void say_truth(const std::string& op);
  /// A change of the mailbox for mail.sync.
  void deliver(Json message);
  void keep_blob(const Bytes& blob);

  /// Gives the client's adapter a request and serves the client until the answer comes.
  Json command(const std::string& op, const Json& args, Millis at_most);
  /// Ends all connections.
  void cut();

  struct Asked {
    std::int64_t times = 0;
    Json args;  // of the last one
  };
  const Asked& asked(const std::string& op) { return asked_[op]; }
  void forget_asked() { asked_.clear(); }
  /// The addresses that all submitted messages are for.
  const std::set<std::string>& reached() const { return reached_; }
  const Bytes* blob(const std::string& hash) const;
  const std::string& addr() const { return addr_; }
  const Hash& token() const { return token_; }

 private:
  struct Conn {
    std::unique_ptr<Link> link;
    Bytes hello_c, hello_s, device;
    bool open = false;
  };
  struct Put {  // a blob on its way in
    std::int64_t id = 0;
    std::uint64_t transfer = 0;
    std::size_t len = 0;
    std::string hash;
  };

  void serve();
  void serve(Conn& conn);
  void take(Conn& conn, const Request& request);
  void greet(Conn& conn, const Request& request);
  void admit(Conn& conn, const Request& request);
  void answer(Conn& conn, const Request& request);
  Json said_or_true(const std::string& op, const Json& args);
  Json performed(const std::string& op, const Json& args);
  Json enrolled(const Json& args);
  Json associated(const Json& args);
  Json synced(const Json& args) const;
  void finish_puts(Conn& conn);

  Target& target_;
  Realm& realm_;
  std::string addr_;
  Hash token_;
  bool enrolled_ = false;
  Bytes device_;
  std::vector<Saying> sayings_;
  std::map<std::string, Asked> asked_;
  std::set<std::string> reached_;
  std::map<std::string, Bytes> blobs_;
  std::vector<Json> changes_;
  std::vector<std::unique_ptr<Conn>> conns_;
  std::map<Conn*, std::vector<Put>> puts_;
  std::int64_t next_command_ = 1;
};

/// Whether the members wanted are there, and are those (a pattern without $).
bool matches(const Json& wanted, const Json& got);

}  // namespace ams::conform
