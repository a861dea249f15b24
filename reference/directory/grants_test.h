// Who answers for new keys (spec DIR-59 to DIR-62), as predicates: the tests want each of them
// true, the mutants false.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "directory/relay_test.h"
#include "verifiable/log.h"

namespace ams::directory::testing {

inline const wire::Value* find_grant(const Ask& ask) {
  const wire::Value* grants = ask.args.find("grants");
  return grants == nullptr || grants->as_array().empty() ? nullptr : &grants->as_array()[0];
}

/// What a node pushes of a new key that it takes from `from`.
inline wire::Value pushed_by(Node& node, const keys::KeyPair& key, std::string_view from,
                             const crypto::VerifyKey* op = nullptr) {
  (void)asks_of(node);
  (void)node.publish(publish_args({&key}), from, op);
  for (Ask& ask : asks_of(node))
    if (ask.op == "directory.publish") return std::move(ask.args);
  return wire::Value(wire::Object{});
}

/// `args` with a grant of `by` for these keys.
inline wire::Value granted_args(const std::vector<const keys::KeyPair*>& keys,
                                const std::string& domain, const crypto::SigningKey& by) {
  std::vector<Hash> fps;
  for (const auto* key : keys) fps.push_back(key->record.id().fp);
  const Granted granted = *make_grant(domain, fps, by);
  wire::Value args = publish_args(keys);
  wire::Array vouchers;
  for (const Place& place : granted.places) vouchers.emplace_back(voucher_text({0, place}));
  args.as_object().emplace("grants", wire::Array{granted.grant});
  args.as_object().emplace("vouchers", std::move(vouchers));
  return args;
}

inline std::string answer_of(Node& node, const wire::Value& args, const Node& from) {
  const auto answer = node.publish(args, from.name, &from.op.record.signing());
  return answer ? code_of(*answer, 0) : std::string(code_info(answer.error().code).name);
}

/// DIR-59. The first peer grants; whoever passes the key on passes the same grant on.
inline bool a_grant_goes_with_its_key() {
  Mesh mesh(3);
  const keys::KeyPair key = make_key(7);
  const wire::Value first = pushed_by(mesh[0], key, "x.example");
  const wire::Value* grants = first.find("grants");
  if (grants == nullptr) return false;
  if (*grants->as_array()[0].find("domain") != wire::Value(mesh.names[0])) return false;
  (void)mesh[1].publish(first, mesh.names[0], &mesh[0].op.record.signing());
  for (const Ask& ask : asks_of(mesh[1])) {
    if (ask.op != "directory.publish") continue;
    const wire::Value* on = ask.args.find("grants");
    return on != nullptr && *on == *grants && *ask.args.find("vouchers") == *first.find("vouchers");
  }
  return false;
}

/// DIR-59. A light peer grants what its users publish, and sends the grant whenever it tries again.
inline bool a_domain_grants_its_users_keys() {
  Node light("light.example", false, {"p0.example"});
  const keys::KeyPair key = make_key(8);
  const wire::Value sent = pushed_by(light, key, "light.example");
  light.restart();
  light.tick(light.now + 2 * reconcile_interval);
  const wire::Value* grants = sent.find("grants");
  for (const Ask& ask : asks_of(light))
    if (ask.op == "directory.publish")
      return grants != nullptr && ask.args.find("grants") != nullptr &&
             *ask.args.find("grants") == *grants &&
             *grants->as_array()[0].find("domain") == wire::Value("light.example");
  return false;
}

/// DIR-59. A light peer that keeps a record of another domain's does not answer for it.
inline bool a_light_peer_grants_nothing_else() {
  Node light("light.example", false, {"p0.example"});
  const keys::KeyPair key = make_key(8);
  (void)light.publish(publish_args({&key}), "x.example");
  return light.store.count(table_vouched) == 0;
}

/// DIR-60. Beyond the quota of who granted; what the peer passes on without grants is not touched.
inline bool a_grant_counts_against_who_granted() {
  Strict s;
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++),
                      plain = make_key(s.next++);
  const wire::Value first = pushed_by(s.other, one, "x.example");
  const wire::Value second = pushed_by(s.other, two, "y.example");
  return answer_of(s.strict, first, s.other) == "ok" &&
         answer_of(s.strict, second, s.other) == "publisher" &&
         answer_of(s.strict, publish_args({&plain}), s.other) == "ok";
}

/// DIR-60. The domain's own publications count, too: there is one quota.
inline bool grants_and_publications_share_a_quota() {
  Strict s;
  Node light("light.example", false, {s.names[0]});
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++);
  const wire::Value granted = pushed_by(light, one, light.name);
  return answer_of(s.strict, granted, light) == "ok" &&
         answer_of(s.strict, publish_args({&two}), light) == "publisher";
}

/// DIR-60. In the name of a peer that is known.
inline bool a_forged_grant_is_refused() {
  Strict s;
  Node victim(s.names[2], true, s.names);
  const keys::KeyPair known = make_key(s.next++), forged = make_key(s.next++);
  s.strict.options.quota = 10;
  s.strict.restart();
  if (answer_of(s.strict, pushed_by(victim, known, "x.example"), victim) != "ok") return false;
  wire::Value args = granted_args({&forged}, victim.name, s.other.op.signing);
  args.as_object()["grants"].as_array()[0].as_object()["op_key"] =
      to_base64url(op_key_hash(victim.op.record.signing()));
  return answer_of(s.strict, args, s.other) == "signature";
}

/// DIR-58. A path of another key.
inline bool a_key_that_was_not_granted_is_refused() {
  Strict s;
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++);
  wire::Value args = granted_args({&one}, s.other.name, s.other.op.signing);
  args.as_object()["records"] = wire::Array{two.record.value()};
  return answer_of(s.strict, args, s.other) == "proof";
}

/// DIR-60. Of a key that its domain has no more nobody can tell; it counts as one without grant.
inline bool a_grant_by_another_key_counts_for_nothing() {
  Strict s;
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++), old = make_key(s.next++);
  const wire::Value first = granted_args({&one}, s.other.name, old.signing);
  const wire::Value second = granted_args({&two}, s.other.name, old.signing);
  Node third(s.names[2], true, s.names);
  Net net{{s.names[0], &s.strict}, {s.names[1], &s.other}, {s.names[2], &third}};
  (void)answer_of(s.strict, first, s.other);  // it is asked once whether its key is another now
  settle(net);
  return s.strict.peer.stats().keys == 1 && answer_of(s.strict, second, s.other) == "publisher";
}

/// DIR-61. A domain that is not known is asked who it is; then what waited is judged and passed on.
inline bool an_unknown_domain_is_asked_who_it_is() {
  Strict s;
  Node light("light.example", false, {});
  const keys::KeyPair key = make_key(s.next++);
  const wire::Value args = granted_args({&key}, light.name, light.op.signing);
  if (answer_of(s.strict, args, s.other) != "peer_unreachable") return false;
  const std::vector<Ask> asks = asks_of(s.strict);
  if (asks.size() != 1 || asks[0].domain != light.name || asks[0].op != "directory.head")
    return false;
  s.strict.peer.handle_reply(asks[0].cookie, light.peer.head(), &light.op.record.signing(),
                             s.strict.now);
  s.strict.drain();
  bool passed_on = false;
  for (const Ask& ask : asks_of(s.strict))
    passed_on = passed_on || (ask.domain == s.names[2] && find_grant(ask) != nullptr);
  return s.strict.peer.stats().keys == 1 && passed_on;
}

/// DIR-61. A domain that is gone does not keep its users' keys from anybody.
inline bool keys_of_a_lost_domain_count_as_ungranted() {
  Strict s;
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++), lost = make_key(s.next++);
  const auto args = [&](const keys::KeyPair& key) {
    return granted_args({&key}, "lost.example", lost.signing);
  };
  if (answer_of(s.strict, args(one), s.other) != "peer_unreachable") return false;
  for (const Ask& ask : asks_of(s.strict)) {
    s.strict.peer.handle_reply(ask.cookie, fail(Code::peer_unreachable, "test"), nullptr,
                               s.strict.now);
    s.strict.drain();
  }
  return s.strict.peer.stats().keys == 1 && s.strict.store.count(table_vouched) == 0 &&
         answer_of(s.strict, args(two), s.other) == "publisher";
}

/// DIR-61. Nobody makes us ask for as many domains as can be made up.
inline bool made_up_domains_are_asked_within_a_budget() {
  Strict s;
  std::size_t asked = 0;
  for (int i = 0; i < grantor_asks + 10; ++i) {
    const keys::KeyPair key = make_key(s.next++);
    const std::string domain = "made-up-" + std::to_string(i) + ".example";
    (void)answer_of(s.strict, granted_args({&key}, domain, key.signing), s.other);
    for (const Ask& ask : asks_of(s.strict)) {
      asked += ask.op == "directory.head";
      s.strict.peer.handle_reply(ask.cookie, fail(Code::peer_unreachable, "test"), nullptr,
                                 s.strict.now);
    }
  }
  return asked == static_cast<std::size_t>(grantor_asks) && s.strict.peer.stats().keys == 1;
}

/// DIR-61. And what one peer has waiting is bounded.
inline bool what_waits_is_bounded() {
  Strict s;
  Node light("light.example", false, {});
  s.strict.options.quota = 1'000;
  s.strict.restart();
  std::uint64_t cookie = 0;
  for (std::size_t i = 0; i < aside_peer_max + 6; ++i) {
    const keys::KeyPair key = make_key(s.next++);
    (void)answer_of(s.strict, granted_args({&key}, light.name, light.op.signing), s.other);
    for (const Ask& ask : asks_of(s.strict)) cookie = ask.cookie;
  }
  s.strict.peer.handle_reply(cookie, light.peer.head(), &light.op.record.signing(), s.strict.now);
  s.strict.drain();
  return s.strict.peer.stats().keys == aside_peer_max;
}

/// DIR-61. Then it is asked again: it may have another key by now.
inline bool a_domains_key_is_believed_for_a_day() {
  Strict s;
  Node light("light.example", false, {});
  s.strict.options.quota = 10;
  s.strict.restart();
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++);
  if (answer_of(s.strict, granted_args({&one}, light.name, light.op.signing), light) != "ok")
    return false;
  const wire::Value args = granted_args({&two}, light.name, light.op.signing);
  s.strict.now += grantor_life - std::chrono::seconds{1};
  const std::string before = answer_of(s.strict, args, s.other);
  s.strict.now += std::chrono::seconds{1};
  const keys::KeyPair three = make_key(s.next++);
  return before == "ok" && answer_of(s.strict, granted_args({&three}, light.name, light.op.signing),
                                     s.other) == "peer_unreachable";
}

/// DIR-62. Beside all entries what there is of grants, or those alone that are granted.
inline bool entries_come_with_grants() {
  Strict s;
  const keys::KeyPair granted = make_key(s.next++), plain = make_key(s.next++);
  (void)s.other.publish(publish_args({&granted}), "x.example");
  (void)s.other.publish(publish_args({&plain}), s.names[2]);
  wire::Array kids;
  for (const auto* key : {&granted, &plain}) kids.emplace_back(to_uuid_text(key->record.id().kid));
  const auto asked = [&](const char* member) {
    return *s.other.peer.entries(wire::Object{{"kids", kids}, {member, true}});
  };
  const auto count = [](const wire::Value& answer, std::size_t i) {
    return answer.find("entries")->as_array()[i].as_array().size();
  };
  const wire::Value all = asked("grants"), some = asked("granted");
  const wire::Value bare = *s.other.peer.entries(wire::Object{{"kids", kids}});
  const wire::Array& vouchers = all.find("vouchers")->as_array();
  return count(all, 0) == 1 && count(all, 1) == 1 && count(some, 0) == 1 && count(some, 1) == 0 &&
         vouchers[0] != wire::Value("") && vouchers[1] == wire::Value("") &&
         bare.find("grants") == nullptr && *some.find("vouchers") == *all.find("vouchers") &&
         all.find("grants")->as_array().size() == 1;
}

/// DIR-57, DIR-58. Each form with its code, and the tree as the sentence has it.
inline bool grants_have_one_form() {
  const keys::KeyPair op = make_key(5), key = make_key(6);
  const Hash fp = key.record.id().fp;
  const auto grant = [&](std::string_view domain, auto change) {
    wire::Value value = make_grant(domain, std::vector<Hash>{fp}, op.signing)->grant;
    change(value.as_object());
    const auto parsed = parse_grant(value);
    return parsed ? Code::bom : parsed.error().code;
  };
  const auto as_it_is = [](wire::Object&) {};
  const auto with = [](const char* member, wire::Value value) {
    return [=](wire::Object& object) { object.insert_or_assign(member, value); };
  };
  const auto voucher = [](std::size_t size) {
    const auto read = read_voucher(to_base64url(Bytes(size)));
    return read ? Code::bom : read.error().code;
  };
  Bytes leaf = to_bytes(std::string_view("AMS-GRANT/1\0", 12));
  append(leaf, fp);
  const auto whole = parse_grant(make_grant("d.example", std::vector<Hash>{fp}, op.signing)->grant);
  return grant("d.example", as_it_is) == Code::bom &&
         grant("D.example", as_it_is) == Code::address_syntax &&
         grant("d.example", with("count", 65)) == Code::schema &&
         grant("d.example", with("x", std::string(grant_size_max, 'x'))) ==
             Code::object_too_large &&
         voucher(2 + 32 * 6) == Code::bom && voucher(2 + 32 * 7) == Code::proof_form &&
         read_voucher("*").error().code == Code::base64url &&
         whole->root == verifiable::log_leaf_hash(leaf);
}

/// DIR-58. One without the other, or grants that nothing comes with.
inline bool grants_and_vouchers_belong_together() {
  Strict s;
  const keys::KeyPair key = make_key(s.next++);
  const wire::Value whole = granted_args({&key}, s.other.name, s.other.op.signing);
  const auto answer = [&](auto change) {
    wire::Value args = whole;
    change(args.as_object());
    return answer_of(s.strict, args, s.other);
  };
  const auto leave_out = [](const char* member) {
    return [=](wire::Object& args) { args.erase(member); };
  };
  const auto twice = [](wire::Object& args) {
    wire::Array& grants = args["grants"].as_array();
    grants.push_back(wire::Value(grants[0]));
  };
  return answer(leave_out("grants")) == "schema" && answer(leave_out("vouchers")) == "schema" &&
         answer(twice) == "batch_too_large";
}

/// DIR-59. Strangers do not use up what our own users need elsewhere.
inline bool half_of_the_quota_is_lent() {
  Mesh mesh(2);
  mesh[0].options.quota = 4;
  mesh[0].restart();
  std::size_t granted = 0;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const keys::KeyPair key = make_key(60 + i);
    granted +=
        pushed_by(mesh[0], key, "x" + std::to_string(i) + ".example").find("grants") != nullptr;
  }
  const keys::KeyPair own = make_key(70);
  return granted == 2 && pushed_by(mesh[0], own, mesh.names[0]).find("grants") != nullptr;
}

/// DIR-60. What is paid with work here is not the domain's quota: this peer answers for it.
inline bool who_pays_with_work_is_granted_here() {
  Strict s;
  s.strict.options.work_bits = 1;
  s.strict.restart();
  Node light("light.example", false, {});
  const keys::KeyPair one = make_key(s.next++), two = make_key(s.next++);
  if (answer_of(s.strict, granted_args({&one}, light.name, light.op.signing), light) != "ok")
    return false;
  (void)asks_of(s.strict);
  wire::Value args = granted_args({&two}, light.name, light.op.signing);
  const Hash object = crypto::sha256(wire::encode(two.record.value()));
  const auto nonce = find_work({s.names[0], to_unix_ms(s.strict.now) / 86'400'000, object}, 1, 64);
  args.as_object().emplace("work", wire::Array{wire::Value(to_base64url(*nonce))});
  if (answer_of(s.strict, args, light) != "ok") return false;
  for (const Ask& ask : asks_of(s.strict))
    if (const wire::Value* grant = find_grant(ask))
      return *grant->find("domain") == wire::Value(s.names[0]);
  return false;
}

/// DIR-62. However little the budget, granted keys are found by comparison.
inline bool a_comparison_takes_what_is_granted() {
  StrictAmongThree s;
  const Lost pushes = [](const std::string&, const Ask& ask) {
    return ask.op == "directory.publish";
  };
  if (s.taken(1, s.names[2], true) != 1) return false;  // all that the budget of the day covers
  for (std::size_t i = 0; i < 8; ++i) {
    const keys::KeyPair key = make_key(s.next++);
    (void)s.other.publish(publish_args({&key}), s.names[2]);
  }
  const keys::KeyPair granted = make_key(s.next++);
  Node light("light.example", false, {});
  (void)answer_of(s.other, granted_args({&granted}, light.name, light.op.signing), light);
  s.net.emplace(light.name, &light);
  run_rounds(s.net, s.now, 4, pushes);
  return s.strict.peer.stats().keys == 3 && s.strict.store.count(table_vouched) == 2 &&
         s.strict.peer.get(wire::Object{{"kid", to_uuid_text(granted.record.id().kid)}});
}

/// Kids that a peer asks for with grants in one round with another that holds so many.
inline std::set<Id16> asked_with_grants(Node& node, Node& other, Instant at) {
  std::set<Id16> out;
  node.tick(at);
  for (bool moved = true; moved;) {
    moved = false;
    for (const Ask& ask : asks_of(node)) {
      moved = true;
      const bool granted = ask.args.find("granted") != nullptr;
      if (granted)
        for (const wire::Value& kid : ask.args.find("kids")->as_array())
          out.insert(*from_uuid_text(kid.as_string()));
      Result<wire::Value> answer = fail(Code::peer_unreachable, "test");
      if (granted || ask.op != "directory.entries") answer = other.serve(ask, node);
      node.peer.handle_reply(ask.cookie, answer, &other.op.record.signing(), at);
      node.drain();
    }
  }
  return out;
}

/// DIR-62. So many in a round; the next one goes on from there.
inline bool rounds_share_what_is_granted() {
  const std::vector<std::string> two{"p0.example", "p1.example"};
  Node strict(two[0], true, two), other(two[1], true, two);
  const keys::KeyPair common = make_key(99);
  Net net{{two[0], &strict}, {two[1], &other}};
  (void)other.publish(publish_args({&common}), "x.example");
  settle(net);
  Instant now{};
  run_rounds(net, now, 2);  // both agree: nobody has just begun
  strict.options.quota = 1;
  strict.restart();
  const std::size_t count = granted_round_max + 900;
  storage::WriteBatch rows;
  for (std::size_t i = 0; i < count; ++i) {
    const Hash kid = crypto::sha256(to_bytes("kid " + std::to_string(i)));
    rows.puts.push_back({table_values, to_bytes(ByteView(kid).first(16)), to_bytes(kid)});
  }
  other.store.apply(rows);
  other.restart();
  (void)strict.publish(publish_args({&common}), two[1]);
  const keys::KeyPair spent = make_key(98);  // and with it the budget of the day
  wire::Value args = publish_args({&spent});
  args.as_object().emplace("on", true);
  (void)strict.publish(args, two[1]);
  const auto first = asked_with_grants(strict, other, now + reconcile_interval);
  auto all = asked_with_grants(strict, other, now + 2 * reconcile_interval);
  const std::size_t second = all.size();
  all.insert(first.begin(), first.end());
  return first.size() == granted_round_max && second == 900 && all.size() == count;
}

}  // namespace ams::directory::testing
