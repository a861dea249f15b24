// For tests: a domain with its keys, people of other domains, and a server scripted on a Session.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/overload.h"
#include "keys/records.h"
#include "mail/letter.h"
#include "mail/objects.h"
#include "session/session.h"

namespace ams::client::testing {

inline constexpr std::int64_t start_ms = 1'800'000'000'000;

inline keys::KeyPair make_pair(crypto::Drbg& drbg,
                               std::int64_t exp_ms = start_ms + 300LL * 86'400'000) {
  const Bytes entropy = drbg.bytes(80);
  keys::KeyPairOptions options;
  options.nbf = start_ms - 86'400'000;
  options.exp = exp_ms;
  return keys::make_modern(entropy, options).value();
}

struct Domain {
  std::string name;
  keys::KeyPair root, op;
  wire::Value chain;
  keys::DomainPolicy policy = {};
  std::int64_t seq = 1;
  std::optional<keys::LogKeys> log = std::nullopt;

  /// The record that follows, with another policy: in force a day after `now`.
  void publish(keys::Policy mode, std::vector<keys::SharedKey> shared, Instant now) {
    policy = keys::next_policy(policy, mode, std::move(shared), now);
    ++seq;
    remake();
  }
  void remake() {
    const keys::DomainRecord record{name, root.record.id(), op.record.id(), policy, seq, log};
    chain = keys::chain_value(keys::make_domain_record(record, root.signing).value(), root.record,
                              op.record);
  }

  static Domain make(const std::string& name, crypto::Drbg& drbg, std::int64_t seq = 1) {
    keys::KeyPair root = make_pair(drbg);
    keys::KeyPair op = make_pair(drbg);
    return with(name, std::move(root), std::move(op), seq);
  }
  static Domain with(const std::string& name, keys::KeyPair root, keys::KeyPair op,
                     std::int64_t seq) {
    Domain out{name, std::move(root), std::move(op), {}, keys::isp_policy(seq), seq};
    out.remake();
    return out;
  }
  keys::Discovery discovery() const { return keys::Discovery{"host", 4433, root.record.id(), {}}; }
  keys::Chain verified() const { return keys::verify_chain(chain, name, root.record.id()).value(); }
};

inline wire::Value sign_binding(const Domain& domain, const std::string& addr,
                                const keys::KeyId& key, std::int64_t version = 1,
                                std::optional<keys::KeyId> enc = std::nullopt) {
  const auto custody = enc ? keys::Custody::corporate : keys::Custody::client;
  return keys::make_binding(
             keys::Binding{addr, key, version, domain.op.record.id().kid, custody, enc},
             domain.op.signing)
      .value();
}

struct Person {
  std::string addr;
  keys::KeyPair pair;
  wire::Value binding;
  static Person make(const Domain& domain, const std::string& local, crypto::Drbg& drbg) {
    const std::string addr = local + "@" + domain.name;
    keys::KeyPair pair = make_pair(drbg);
    wire::Value binding = sign_binding(domain, addr, pair.record.id());
    return Person{addr, std::move(pair), std::move(binding)};
  }
};

class FakeServer {
 public:
  using Answer = std::optional<Result<wire::Value>>;
  using Hook = std::function<Answer(const wire::Value& args)>;

  FakeServer(const Domain& domain, std::string user) : domain_(&domain), user_(std::move(user)) {
    chains[domain.name] = domain.chain;
  }

  /// What the world knows of a person; `seen_by_directory` is what directory.get finds.
  void know(const Person& person) {
    lookups[person.addr] =
        wire::Object{{"binding", person.binding}, {"key", person.pair.record.value()}};
    publish(person.pair.record);
  }
  void publish(const keys::KeyRecord& record) {
    records[to_uuid_text(record.id().kid)] = record.value();
  }

  void accept(const Hash& exporter, Instant now) {
    session::AcceptorOptions options;
    options.domain = domain_->name;
    options.chain = domain_->chain;
    session_.emplace(std::move(options), domain_->op.signing, exporter, now);
    session_->restrict_to_enrolment(!enrolled);
    ++connections;
  }
  void receive(ByteView bytes, Instant now) {
    append(received, bytes);
    session_->handle_bytes(bytes, now);
  }
  /// Bytes for the client; sets `cut` when the connection shall break.
  Bytes drain() {
    Bytes out;
    while (session_) {
      auto effect = session_->poll();
      if (!effect) break;
      std::visit(Overload{[&](session::SendBytes& e) { append(out, e.bytes); },
                          [&](session::Close&) { cut = true; },
                          [&](session::RequestIn& e) { handle(e.id, e.op, e.args); },
                          [&](session::BlobPut& e) { put(e); },
                          [&](session::AnswerIn& e) { answers_of_client.push_back(e.outcome); },
                          [](auto&) {}},
                 *effect);
    }
    return out;
  }
  session::Session& session() { return *session_; }
  bool online() const { return session_ && session_->open(); }
  void forget() { session_.reset(); }

  void add_message(wire::Value message, const std::string& folder = "inbox") {
    const auto number = static_cast<std::int64_t>(changes.size()) + 1;
    changes.push_back(wire::Object{{"uid", ++last_uid},
                                   {"state", number},
                                   {"folder", folder},
                                   {"flags", wire::Array{}},
                                   {"message", std::move(message)}});
  }
  void add_change(wire::Object change) {
    change.emplace("state", static_cast<std::int64_t>(changes.size()) + 1);
    changes.push_back(std::move(change));
  }
  void push_changed() {
    const auto state = static_cast<std::int64_t>(changes.size());
    session_->event("mail.changed", wire::Object{{"state", state}});
  }
  /// A sealed message as mail.sync would give it to the user; its blobs are the server's now.
  wire::Value as_message(const mail::Sealed& sealed, std::size_t stanza, const std::string& kind) {
    blobs[crypto::sha256(sealed.body)] = sealed.body;
    for (const Bytes& blob : sealed.blobs) blobs[crypto::sha256(blob)] = blob;
    return wire::Object{{"env", sealed.header},
                        {"asig", to_base64url(sealed.asig)},
                        {"stanza", mail::to_value(sealed.stanzas.at(stanza))},
                        {"head", to_base64url(sealed.head)},
                        {"addr", user_},
                        {"kind", kind}};
  }

  // What it knows, did and shall do.
  Hash token{};
  bool enrolled = false, token_used = false;
  std::int64_t bound_version = 0;
  std::map<std::string, wire::Value> lookups, records, chains;
  std::map<Hash, Bytes> blobs;
  std::map<Hash, wire::Value> submissions;  // by ehash
  std::vector<wire::Value> changes;
  std::vector<wire::Value> published;  // events and revocations
  std::int64_t last_uid = 0;
  std::size_t page = 64;
  std::map<std::string, Hook> hooks;
  std::map<std::string, int> calls;
  std::string cut_before, cut_after;  // break the connection once when this op arrives, or is done
  std::string silent_on;              // never answer this op
  bool cut = false;
  int connections = 0;
  Bytes received;
  std::vector<Result<wire::Value>> answers_of_client;

 private:
  void put(session::BlobPut& e) {
    if (!note("blob.put")) return;
    if (auto hooked = call_hook("blob.put", {}); hooked && !*hooked)
      return session_->fail(e.id, hooked->error());
    blobs[e.hash] = std::move(e.bytes);
    finish("blob.put", e.id, wire::Object{});
  }
  bool note(const std::string& op) {
    ++calls[op];
    if (silent_on == op) return false;
    if (cut_before != op) return true;
    cut_before.clear();
    cut = true;
    return false;
  }
  Answer call_hook(const std::string& op, const wire::Value& args) {
    const auto at = hooks.find(op);
    return at == hooks.end() ? std::nullopt : at->second(args);
  }
  void finish(const std::string& op, std::int64_t id, const Result<wire::Value>& answer) {
    if (cut_after == op) {
      cut_after.clear();
      cut = true;
      return;
    }
    if (answer) {
      session_->answer(id, *answer);
    } else {
      session_->fail(id, answer.error());
    }
  }
  void handle(std::int64_t id, const std::string& op, const wire::Value& args) {
    if (!note(op)) return;
    const Answer hooked = call_hook(op, args);
    if (op == "blob.get" && !hooked) {
      const auto hash = to_array<32>(*from_base64url(args.find("hash")->as_string())).value();
      const auto at = blobs.find(hash);
      if (at != blobs.end() && cut_after != op) return session_->answer_blob(id, args, at->second);
      return finish(op, id, fail(Code::not_found, "blob"));
    }
    finish(op, id, hooked ? *hooked : perform(op, args));
  }
  Result<wire::Value> find_in(const std::map<std::string, wire::Value>& map,
                              const std::string& name, Code code) {
    const auto at = map.find(name);
    if (at == map.end()) return fail(code, "fake");
    return at->second;
  }
  Result<wire::Value> perform(const std::string& op, const wire::Value& args) {
    if (op == "account.enrol") {
      if (token_used || args.find("token")->as_string() != to_base64url(token))
        return fail(Code::enrol_token, "fake");
      token_used = enrolled = true;
      session_->restrict_to_enrolment(false);
      return wire::Value();
    }
    if (op == "keys.associate") return associate(args);
    if (op == "keys.lookup")
      return find_in(lookups, args.find("addr")->as_string(), Code::no_such_address);
    if (op == "directory.get") {
      AMS_TRY(auto record, find_in(records, args.find("kid")->as_string(), Code::not_found));
      return wire::Value(wire::Object{{"record", record}});
    }
    if (op == "domain.get") {
      AMS_TRY(auto chain, find_in(chains, args.find("domain")->as_string(), Code::not_found));
      return wire::Value(wire::Object{{"chain", chain}});
    }
    if (op == "directory.publish") {
      const wire::Value& object = args.find("records")->as_array().at(0);
      published.push_back(object);
      return wire::Value(
          wire::Object{{"results", wire::Array{wire::Object{{"kid", *object.find("kid")}}}}});
    }
    if (op == "mail.submit") return submit(args);
    if (op == "mail.sync") return sync(args.find("since")->as_integer());
    return fail(Code::unsupported, "fake");
  }
  Result<wire::Value> associate(const wire::Value& args) {
    AMS_TRY(const auto record, keys::KeyRecord::parse(*args.find("record")));
    const std::int64_t version = args.find("version")->as_integer();
    if (version != bound_version + 1) return fail(Code::version_conflict, "fake");
    bound_version = version;
    std::optional<keys::KeyRecord> shared;
    if (const wire::Value* enc = args.find("enc")) {
      AMS_TRY(shared, keys::KeyRecord::parse(*enc));
      publish(*shared);
    }
    const wire::Value binding = sign_binding(*domain_, user_, record.id(), version,
                                             shared ? std::optional(shared->id()) : std::nullopt);
    wire::Object found{{"binding", binding}, {"key", record.value()}};
    if (shared) found.emplace("enc", shared->value());
    lookups[user_] = std::move(found);
    publish(record);
    return wire::Value(wire::Object{{"binding", binding}});
  }
  Result<wire::Value> submit(const wire::Value& args) {
    const wire::Value& header_value = *args.find("env");
    AMS_TRY(const auto header, mail::parse_header(header_value));
    if (!blobs.contains(header.body.hash)) return fail(Code::missing_blob, "fake");
    for (const Hash& hash : header.blobs)
      if (!blobs.contains(hash)) return fail(Code::missing_blob, "fake");
    const Hash ehash = mail::ehash(header_value);
    const bool is_new = submissions.emplace(ehash, args).second;
    if (const wire::Value* sent = args.find("sent"); sent && is_new) {
      const auto& stanzas = args.find("stanzas")->as_array();
      add_message(wire::Object{{"env", header_value},
                               {"asig", *args.find("asig")},
                               {"stanza", stanzas.at(static_cast<std::size_t>(sent->as_integer()))},
                               {"head", *args.find("head")},
                               {"addr", user_},
                               {"kind", "sent"}},
                  "sent");
    }
    return wire::Value(wire::Object{{"ehash", to_base64url(ehash)}});
  }
  Result<wire::Value> sync(std::int64_t since) {
    const auto total = static_cast<std::int64_t>(changes.size());
    if (since > total) return fail(Code::sync_token, "fake");
    wire::Array list;
    std::int64_t state = since;
    while (state < total && list.size() < page)
      list.push_back(changes[static_cast<std::size_t>(state++)]);
    return wire::Value(wire::Object{{"state", state}, {"more", state < total}, {"changes", list}});
  }

  const Domain* domain_;
  std::string user_;
  std::optional<session::Session> session_;
};

}  // namespace ams::client::testing
