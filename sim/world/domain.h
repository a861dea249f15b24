// DomainProcess: one logical process = one domain: its server, its users' clients, their disks and
// the links between them. It performs the effects of the reference machines in virtual time and
// writes the ledger; it decides nothing of the protocol.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client/client.h"
#include "discovery/finder.h"
#include "keystore/store.h"
#include "server/server.h"
#include "sim_engine/engine.h"
#include "sim_net/local_pipe.h"
#include "sim_net/stack.h"
#include "sim_world/host.h"
#include "sim_world/internet.h"
#include "sim_world/ledger.h"

namespace ams::sim {

class DomainProcess final : public Process {
 public:
  DomainProcess(std::shared_ptr<const Internet> internet, LpId self);
  /// Puts the first events into the engine: start-up, enrolments, mails, crashes.
  void plan(Engine& engine);
  void handle(const Event& event, Context& context) override;

  /// After the run.
  const Ledger& ledger();
  server::Stats server_stats() const;

 private:
  // Faults come first among events of one instant, timers last (event.h).
  enum Kind : std::uint32_t {
    kind_crash = 0x10,
    kind_restart = 0x11,
    kind_policy = 0x12,
    kind_disk = 0x200,
    kind_timer = 0x201,
    kind_resolved = 0x202,
    kind_connect_failed = 0x203,
    kind_enrol = 0x204,
    kind_mail = 0x205,
    kind_sample = 0x206,
    kind_adopt = 0x207,
    kind_reread = 0x208,
    kind_ask = 0x209,
    kind_answer = 0x20a,
    kind_dns_answer = 0x20b,
    kind_dns_told = 0x20c,
  };
  struct User {
    std::int64_t number = 0;
    std::string addr;
    crypto::SigningKey device;
    std::map<std::uint64_t, std::size_t> tickets;  // -> index in ledger.written
    std::vector<std::string> secrets;              // private key bytes, raw and base64url
    std::set<std::int64_t> uids;                   // read before
    std::optional<PipeId> pipe;
    std::uint64_t starts = 0;  // of its client
  };
  /// The domain's key store.
  struct Vault {
    store::MemoryStorage disk;
    keystore::SoftKeys ring;
    std::optional<keystore::Store> store;
    std::uint64_t draws = 0;
  };
  static constexpr std::size_t server_host = 0;  // hosts_[1 + i] is the client of users_[i]
  static constexpr std::uint64_t pipe_bit = std::uint64_t{1}
                                            << 63;  // server: ConnId of a local pipe

  void handle_kind(const Event& event, Context& context);
  void sample_queue(Instant now);
  void start_server(Context& context);
  void crash_server(Context& context);
  void enrol(std::size_t user, Context& context);
  void boot_client(std::size_t user, Context& context);
  void write_mail(const PlannedMail& plan, Context& context);

  // shift_process.cpp: policies that change, the key store, and a domain that flips
  void plan_shifts(Engine& engine);
  void change_policy(Context& context);
  void reread(std::size_t user, Context& context);
  void open_vault();
  bool vault_is_down(Instant now) const;
  void ask_vault(std::size_t host, Context& context);
  void answer_ask(const Event& event, Context& context);
  bool flips(Instant now) const { return internet_->published_at(info_, now).flip; }
  bool flip_about(wire::Value& ok) const;
  void beg(PipeId pipe, Bytes& bytes);
  Bytes without_begged(std::size_t user, Bytes bytes, Instant now);
  mail::Draft make_draft(const PlannedMail& plan) const;

  void perform(std::size_t host, Context& context);
  void perform_effect(std::size_t host, machine::Effect effect, Context& context);
  void arm(std::size_t host, Context& context);
  void commit(std::size_t host, Context& context);
  void connect(std::size_t host, const machine::Connect& effect, Context& context);
  // --- resolve.cpp
  Resolver& resolver(std::size_t host);
  bool by_dns(std::size_t host, const std::string& domain) const;
  void resolve(std::size_t host, const machine::Resolve& effect, Context& context);
  void resolved(std::size_t host, const std::string& domain, Context& context);
  void ask_dns(std::size_t host, Context& context);
  void arm_resolver(std::size_t host, Context& context);
  void dns_answered(std::size_t host, std::uint64_t id, ByteView question, Context& context);
  void dns_told(std::size_t host, Context& context);
  void connect_site(std::size_t host, const machine::Connect& effect,
                    const std::optional<discovery::Site>& site, Context& context);
  void send(std::size_t host, machine::Send effect, Context& context);
  void close(std::size_t host, machine::ConnId conn, Context& context);
  void handle_net(const NetEvent& event, Context& context);
  void handle_pipe(const PipeEvent& event, Context& context);

  void take_reports(std::size_t user, Context& context);
  void take_report(std::size_t user, client::Report& report, Context& context);
  void watch_client_bytes(std::size_t user, ByteView bytes, Instant now);
  void watch_secrets(std::size_t user, ByteView bytes, const std::string& whom, Instant now);
  void watch_submission(const std::string& from, ByteView payload, Instant now);
  Bytes tell_lies(Bytes bytes, bool flipping, Instant now);
  bool lie_about(wire::Value& ok) const;
  bool in_span(const std::vector<DomainSpan>& spans, Instant now) const;
  bool lies_to_others(Instant now) const;
  bool wrong_key_in(wire::Value& ok, Instant now) const;
  void fork_log_in(wire::Value& ok, const keys::Binding& binding, Instant now) const;
  void note_alarm(const client::Alarm& alarm, Instant now);
  client::Client& client(std::size_t user);

  std::shared_ptr<const Internet> internet_;
  const DomainInfo& info_;
  LpId self_;
  NetStack net_;
  LocalPipes pipes_;
  RandomSequence rand_;  // what OpenSSL's RAND gives to this domain
  std::vector<User> users_;
  std::vector<Host> hosts_;
  std::unique_ptr<const keys::KeyPair> liar_key_;
  std::unique_ptr<Vault> vault_;
  std::set<PipeId> begged_;
  std::map<sim::ConnId, machine::Token> net_tokens_;
  std::map<PipeId, machine::Token> pipe_tokens_;
  std::uint64_t server_starts_ = 0;
  Ledger ledger_;
};

}  // namespace ams::sim
