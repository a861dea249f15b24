// Plays the steps of one case against a target.
#pragma once

#include <map>
#include <memory>

#include "runner/case.h"
#include "runner/home.h"
#include "runner/link.h"
#include "runner/roster.h"
#include "runner/verdict.h"

namespace ams::conform {

class Stage {
 public:
  /// `tag` goes into every key and message that the case makes: two plays never share one.
  Stage(Target& target, Roster& roster, std::string tag, Millis deadline);
  /// Throws StepFailed.
  void play(const Json& steps);
  /// The client under test still answers. Throws StepFailed.
  void require_client();

 private:
  struct Session {
    std::unique_ptr<Link> link;
    std::string as;
    Bytes hello_c, hello_s;
    const crypto::SigningKey* proof_key = nullptr;
    std::uint8_t role = 1;
  };
  using Step = void (Stage::*)(const Json&);
  static const std::map<std::string, Step>& steps();

  // values: templates, builders, patterns (values.cpp)
  Json value(const Json& raw);
  Json lookup(const std::string& path);
  Json text(const std::string& raw);
  Json built(const Json& raw);
  Json edited(const Json& raw);
  Json ranged(const Json& raw);
  Json built_key(const Json& plan);
  Json built_said(const Json& plan);
  Json built_message(const Json& plan);
  Json built_deliver(const Json& plan);
  Json built_receipts(const Json& plan);
  Json built_binding(const Json& plan);
  Json built_directory(const std::string& name, const Json& plan);    // values_directory.cpp
  Json built_grant(const Json& plan);
  Json built_binding_log(const std::string& name, const Json& plan);  // values_bindings.cpp
  Json built_shown_log(const std::string& name, const Json& plan);    // values_bindlog.cpp
  Json built_entry(const Json& plan);
  Json built_evidence(const Json& plan);
  std::string own_checkpoint(const Json& plan);
  std::optional<std::string> mismatch(const Json& wanted, const Json& got, const std::string& at);
  std::optional<std::string> mismatch_op(const Json& wanted, const Json& got,
                                         const std::string& at);
  void require(const Json& wanted, const Json& got, const std::string& what);

  Json built_letter(const Json& plan);
  std::optional<Json> built_client(const std::string& name,
                                   const Json& plan);  // values_client.cpp

  // who acts (actors.cpp)
  Account& account(const std::string& name);
  const Key& key_of(const std::string& who);
  const Domain& domain_of(const std::string& as);
  const Domain& impostor(const std::string& root);
  const crypto::SigningKey& other_device(const std::string& name);
  void enrol(Session& session, Account& who);
  void associate(Session& session, Account& who, const Json& more = Json::object());

  Session& session(const Json& step);
  Link& link(const Json& step) { return *session(step).link; }
  Millis left() const;
  Millis wait_of(const Json& step) const;
  Bytes bytes_of(const Json& step);
  void judge_answer(const Json& step, const Json& answer, const std::string& what);
  Json call(Session& session, const std::string& op, const Json& args);
  void judge_hello(Session& session, const Json& ok);

  // the steps (steps.cpp, steps_session.cpp)
  void do_connect(const Json&);
  void do_hello(const Json&);
  void do_authenticate(const Json&);
  void do_session(const Json&);
  void do_associate(const Json&);
  void do_let(const Json&);
  void do_send(const Json&);
  void do_frame(const Json&);
  void do_payload(const Json&);
  void do_chunk(const Json&);
  void do_request(const Json&);
  void do_flood(const Json&);
  void do_answer(const Json&);
  void do_event(const Json&);
  void do_closed(const Json&);
  void do_close(const Json&);
  void do_silence(const Json&);
  void do_ping(const Json&);
  void do_alive(const Json&);
  void do_put_blob(const Json&);
  void do_get_blob(const Json&);
  void do_serve(const Json&);
  void do_served(const Json&);
  void do_accept(const Json&);
  void do_inbound(const Json&);
  void do_reply(const Json&);
  void do_mark(const Json&);
  void do_check(const Json&);
  void do_repeat(const Json&);
  void do_advance(const Json&);
  void do_faults(const Json&);
  void do_restart(const Json&);
  // of cases that judge a client (steps_client.cpp)
  void do_client(const Json&);
  void do_command(const Json&);
  void do_bind(const Json&);
  void do_seal(const Json&);
  void do_begin_log(const Json&);
  void do_domain(const Json&);
  void do_say(const Json&);
  void do_say_truth(const Json&);
  void do_asked(const Json&);
  void do_deliver(const Json&);
  void do_reached(const Json&);
  void do_forget_asked(const Json&);
  void do_cut(const Json&);
  void do_nothing_sent(const Json&);
  void judge_command(const Json& step, const Json& answer, const std::string& op);
  Realm& realm();
  Home& home();

  Target& target_;
  Roster& roster_;
  std::string tag_;
  Millis end_;
  Json vars_ = Json::object();
  std::map<std::string, Session> sessions_;
  std::map<std::string, Account*> fresh_;
  std::map<std::string, Key> users_;
  std::map<std::string, Domain> domains_;
  std::map<std::string, crypto::SigningKey> devices_;
  std::unique_ptr<Realm> realm_;  // made when first needed
  std::unique_ptr<Home> home_;
};

/// `listening`: ClientPort::listening.
std::string hosts_line(const Domain& domain, const std::string& listening);

}  // namespace ams::conform
