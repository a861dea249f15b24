// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a probe on a fresh store that tells whether the rule holds. Exit code: 0 all do,
// 1 otherwise.
#include "keystore/test_bench.h"
#include "policy/probe.h"

namespace ams::keystore {
namespace {

using bench::alice;
using bench::Bench;
using bench::bob;
using bench::day_ms;
using bench::start_ms;
using mutants::Probe;

/// Two members, of whom alice is in `sales`, and a key of each scope.
struct House : Bench {
  keys::KeyRecord shared, sales, own;
  House()
      : shared((grant(member(alice, {"sales"})), grant(member(bob)), create({}))),
        sales(create({{}, "sales"})),
        own(create({alice, {}})) {}

  /// What the store itself would have to have made.
  Capability forged(const std::string& addr, const keys::KeyRecord& key, Purpose purpose) {
    Capability out{
        addr, request(addr, ListArgs{}).device, key.id().kid, {}, purpose, start_ms + day_ms, {}};
    out.mac = capability_mac(Vault(store_key, disk).capability_key(), out);
    return out;
  }
  bool opens(const std::string& addr, const keys::KeyRecord& key, const Capability& capability) {
    return decap(addr, key, capability, bench::Stanza(key).enc).has_value();
  }
  bool signs(const keys::KeyRecord& key, Bytes text = bench::header_text()) {
    return ask(request(alice, SignArgs{key.id().kid, std::move(text)},
                       forged(alice, key, Purpose::sign)),
               &key)
        .has_value();
  }
  bool refuses_capability(const std::function<void(Capability&)>& change) {
    Capability capability = forged(alice, shared, Purpose::decap);
    if (!opens(alice, shared, capability)) return false;
    change(capability);
    capability.mac = capability_mac(Vault(store_key, disk).capability_key(), capability);
    return !opens(alice, shared, capability);
  }
  std::size_t keys_of(const std::string& addr) {
    return std::get<Listed>(*ask(request(addr, ListArgs{}))).keys.size();
  }
};

bool mac_is_checked() {
  House house;
  Capability capability = house.forged(alice, house.shared, Purpose::decap);
  if (!house.opens(alice, house.shared, capability)) return false;
  capability.mac[0] ^= 1;
  return !house.opens(alice, house.shared, capability);
}
bool device_is_checked() {
  House house;
  Request request = house.request(alice, ListArgs{});
  request.device = house.request(bob, ListArgs{}).device;
  return !judge_answer(request, house.tell(*sign_request(request, house.device(bob))), nullptr);
}
bool signature_is_checked() {
  House house;
  const Request request = house.request(alice, ListArgs{});
  return !judge_answer(request, house.tell(*sign_request(request, house.device(bob))), nullptr);
}
bool revoked_is_checked() {
  House house;
  const Capability capability = house.forged(alice, house.shared, Purpose::decap);
  if (!house.opens(alice, house.shared, capability)) return false;
  (void)house.act(RevokeArgs{alice});
  return !house.opens(alice, house.shared, capability);
}
bool time_is_checked() {
  House house;
  Request request = house.request(alice, ListArgs{});
  request.ts -= clock_skew_ms_max + 1;
  return !house.ask(request).has_value();
}
bool changes_are_made_once() {
  House house;
  Member admin = house.member(bob);
  admin.admin = true;
  house.grant(admin);
  const Bytes bytes = house.bytes_of(
      house.request(bob, RotateArgs{start_ms + 9 * day_ms, house.shared.id().kid, start_ms}));
  return house.tell(bytes) == house.tell(bytes);
}
bool member_purpose_is_checked() {
  House house;
  Member narrow = house.member(alice);
  narrow.purposes = {Purpose::sign};
  house.grant(narrow);
  return !house.opens(alice, house.shared, house.forged(alice, house.shared, Purpose::decap));
}
bool retired_does_not_sign() {
  House house;
  if (!house.signs(house.own)) return false;
  (void)house.act(RotateArgs{start_ms + 9 * day_ms, house.own.id().kid, start_ms});
  return !house.signs(house.own);
}
bool export_is_checked() {
  House house;
  return !house
              .ask(house.request(alice, ExportArgs{house.shared.id().kid},
                                 house.forged(alice, house.shared, Purpose::export_key)))
              .has_value();
}
bool admin_is_checked() {
  House house;
  return !house.ask(house.request(alice, RevokeArgs{bob})).has_value();
}
bool rewrap_keeps_scope() {
  House house;
  const bench::Stanza stanza(house.sales);
  const RewrapArgs args{{{crypto::Aead::a256gcm, stanza.enc, stanza.h0, stanza.wk}},
                        house.sales.id().kid,
                        house.shared.id().kid};
  return !house.act(args).has_value();
}
bool rows_stay_in_place() {
  House house;
  const auto row = *house.disk.get(table_private, house.own.id().kid);
  house.write({{{table_private, to_bytes(ByteView(house.shared.id().kid)), *row}}, {}});
  const auto handle = Vault(house.store_key, house.disk).get(table_private, house.shared.id().kid);
  return !handle.has_value();
}
bool audit_is_kept() {
  House house;
  const auto before = house.store->audit().head()->size;
  (void)house.ask(house.request(alice, ListArgs{}));
  return house.store->audit().head()->size == before + 1;
}
bool chain_is_checked() {
  House house;
  auto entries = *house.store->audit().entries(0, 100);
  entries.erase(entries.begin() + 1);
  return !follow_chain({}, entries).has_value();
}

// --- the asker -----------------------------------------------------------------------------------
bool answer_id_is_checked() {
  House house;
  const Request one = house.request(alice, ListArgs{});
  return !judge_answer(house.request(alice, ListArgs{}), house.tell(house.bytes_of(one)), nullptr);
}
bool answer_kid_is_checked() {
  House house;
  const Request request = house.request(alice, DecapArgs{Bytes(32, 9), house.shared.id().kid});
  Shared lie{house.sales.id().kid, crypto::Secret(32)};
  return !judge_answer(request, encode_ok(request.id, std::move(lie)), nullptr).has_value();
}
bool answer_signature_is_checked() {
  House house;
  const Request request = house.request(alice, SignArgs{house.own.id().kid, bench::header_text()});
  return !judge_answer(request, encode_ok(request.id, Signed{house.own.id().kid, Bytes(64)}),
                       &house.own);
}
bool made_custody_is_checked() {
  House house;
  const auto pair = keys::make_modern(Bytes(80, 3), {start_ms, start_ms + day_ms});
  const Request request =
      house.request(alice, CreateArgs{{}, start_ms + day_ms, false, start_ms, Profile::modern});
  return !judge_answer(request, encode_ok(request.id, Made{pair->record.value()}), nullptr);
}

bool made_material_is_checked() {
  House house;
  const Request request =
      house.request(alice, CreateArgs{{}, start_ms + day_ms, false, start_ms, Profile::rsa2048});
  return !judge_answer(request, encode_ok(request.id, Made{house.own.value()}), nullptr);
}
Code judged(const Request& request, ByteView answer) {
  return judge_answer(request, answer, nullptr).error().code;
}
bool malformed_is_temporary() {
  House house;
  return judged(house.request(alice, ListArgs{}), as_bytes("<html>")) == Code::keystore_answer;
}
bool refusal_keeps_its_code() {
  House house;
  const Request request = house.request(alice, ListArgs{});
  return judged(request, encode_error(request.id, Code::not_member)) == Code::not_member;
}
/// The code for a request of bob's whose member at `path` is another text.
Code misread(const Args& args, std::initializer_list<std::string_view> path) {
  House house;
  Request request = house.request(bob, args, house.forged(bob, house.shared, Purpose::decap));
  wire::Value value = to_value(request);
  value.as_object().emplace("sig", to_base64url(Bytes(64)));
  wire::Value* at = &value;
  for (const std::string_view name : path) at = &at->as_object().find(name)->second;
  *at = "other";
  const auto parsed = parse_request(value);
  return parsed ? Code::bom : parsed.error().code;
}
bool head_is_compared() {
  return !same_head({1, Hash{1}}, {1, Hash{2}}) && same_head({1, Hash{1}}, {1, Hash{1}});
}

int run_all() {
  const std::vector<Probe> probes{
      {"keystore.skip_capability_mac", mac_is_checked},
      {"keystore.skip_capability_holder",
       [] { return House().refuses_capability([](Capability& c) { c.addr = bob; }); }},
      {"keystore.skip_capability_kid",
       [] { return House().refuses_capability([](Capability& c) { c.kid[0] ^= 1; }); }},
      {"keystore.skip_capability_purpose",
       [] { return House().refuses_capability([](Capability& c) { c.purpose = Purpose::sign; }); }},
      {"keystore.skip_capability_expiry",
       [] { return House().refuses_capability([](Capability& c) { c.exp = start_ms; }); }},
      {"keystore.any_device", device_is_checked},
      {"keystore.skip_request_signature", signature_is_checked},
      {"keystore.skip_revoked", revoked_is_checked},
      {"keystore.skip_time", time_is_checked},
      {"keystore.perform_again", changes_are_made_once},
      {"keystore.any_address_key",
       [] {
         House house;
         return !house.opens(bob, house.own, house.forged(bob, house.own, Purpose::decap));
       }},
      {"keystore.skip_group",
       [] {
         House house;
         return !house.opens(bob, house.sales, house.forged(bob, house.sales, Purpose::decap));
       }},
      {"keystore.skip_member_purpose", member_purpose_is_checked},
      {"keystore.sign_with_shared",
       [] {
         House house;
         return !house.signs(house.shared);
       }},
      {"keystore.sign_with_retired", retired_does_not_sign},
      {"keystore.sign_anything",
       [] {
         House house;
         return house.signs(house.own) && !house.signs(house.own, to_bytes("I owe you 100"));
       }},
      {"keystore.export_anything", export_is_checked},
      {"keystore.skip_admin", admin_is_checked},
      {"keystore.rewrap_anywhere", rewrap_keeps_scope},
      {"keystore.rows_anywhere", rows_stay_in_place},
      {"keystore.skip_audit", audit_is_kept},
      {"keystore.skip_audit_chain", chain_is_checked},
      {"keystore.skip_answer_id", answer_id_is_checked},
      {"keystore.skip_answer_kid", answer_kid_is_checked},
      {"keystore.skip_answer_signature", answer_signature_is_checked},
      {"keystore.skip_made_custody", made_custody_is_checked},
      {"keystore.skip_made_material", made_material_is_checked},
      {"keystore.wrong_code_answer", malformed_is_temporary},
      {"keystore.wrong_code_refusal", refusal_keeps_its_code},
      {"keystore.wrong_code_op", [] { return misread(ListArgs{}, {"op"}) == Code::unsupported; }},
      {"keystore.any_purpose",
       [] {
         return misread(ListArgs{}, {"cap", "purpose"}) == Code::schema;
       }},
      {"keystore.any_profile",
       [] {
         return misread(CreateArgs{{}, start_ms + day_ms, false, start_ms, Profile::modern},
                        {"args", "profile"}) == Code::unknown_algorithm;
       }},
      {"keystore.skip_audit_head", head_is_compared},
  };
  return mutants::run(probes);
}

}  // namespace
}  // namespace ams::keystore

int main() { return ams::keystore::run_all(); }
