// Who asks, and may they (spec KST-14 … KST-19): everything before an op is performed, and the
// audit entry and answer after it.
#include "keystore/store.h"

#include <algorithm>

#include "keystore/forms.h"
#include "policy/mutant.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view store_form = "ks-store/1";
constexpr std::size_t forget_max = 64;  // old answers dropped in one turn

/// Ops that change the store: asked again with the same bytes, they are answered again and not
/// performed again (KST-17).
bool changes(const Args& args) {
  return std::holds_alternative<CreateArgs>(args) || std::holds_alternative<RotateArgs>(args) ||
         std::holds_alternative<GrantArgs>(args) || std::holds_alternative<RevokeArgs>(args);
}

/// The form of text that is signed, for the log (KST-21 checked it, or refused it).
std::string sign_detail(const SignArgs& args) {
  std::string out;
  for (std::size_t i = "AMS-SIG/1\0"sv.size(); i < args.text.size() && out.size() < 32; ++i) {
    const char c = static_cast<char>(args.text[i]);
    if (c < 0x20 || c > 0x7e) break;
    out.push_back(c);
  }
  return out;
}

std::string scope_detail(const Scope& scope) {
  if (scope.addr) return *scope.addr;
  return scope.group ? "group " + *scope.group : "all members";
}

std::string detail_of(const Args& args) {
  if (const auto* sign = std::get_if<SignArgs>(&args)) return sign_detail(*sign);
  if (const auto* create = std::get_if<CreateArgs>(&args)) return scope_detail(create->scope);
  if (const auto* rewrap = std::get_if<RewrapArgs>(&args)) return to_uuid_text(rewrap->to);
  if (const auto* grant = std::get_if<GrantArgs>(&args)) return grant->member.addr;
  if (const auto* revoke = std::get_if<RevokeArgs>(&args)) return revoke->addr;
  return {};
}

std::optional<Id16> kid_of_event(const Args& args, const Result<Ok>& ok) {
  if (const auto use = key_use(args)) return use->kid;
  if (const auto* rotate = std::get_if<RotateArgs>(&args)) return rotate->kid;
  if (!ok) return std::nullopt;
  if (const auto* made = std::get_if<Made>(&*ok)) {
    if (const auto record = keys::KeyRecord::parse(made->record)) return record->id().kid;
  }
  return std::nullopt;
}

AuditEvent event_of(const Request& request, const Result<Ok>& ok) {
  AuditEvent out;
  out.addr = request.addr;
  if (request.device != Hash{}) out.device = request.device;
  out.op = op_name(request.args);
  out.kid = kid_of_event(request.args, ok);
  out.detail = detail_of(request.args);
  out.outcome = ok ? "ok"sv : code_info(ok.error().code).name;
  out.id = request.id;
  return out;
}

Bytes done_key(const Request& request, ByteView bytes) {
  Bytes out;
  append_u64(out, static_cast<std::uint64_t>(request.ts));
  append(out, ByteView(crypto::sha256(bytes)).first(16));
  return out;
}

/// The id that a request names, as far as it can be read.
Id16 id_of(const wire::Value& value) {
  const wire::Value* id = value.find("id");
  if (id == nullptr || !id->is_string()) return {};
  const auto raw = from_base64url(id->as_string());
  return raw ? to_array<16>(*raw).value_or(Id16{}) : Id16{};
}

}  // namespace

Store::Store(StoreOptions options, ByteView key32, const storage::Reader& reader, KeyRing& ring)
    : options_(std::move(options)), vault_(key32, reader), ring_(&ring) {}

Result<storage::WriteBatch> Store::init(Instant now, ByteView entropy32) const {
  AMS_TRY(const auto row, vault_.get(table_meta, as_bytes("store")));
  if (row) return fail(Code::version_conflict, "there is a key store already");
  Turn turn{now, crypto::Drbg(entropy32), {}};
  vault_.put_value(turn.writes, table_meta, to_bytes("store"sv),
                   wire::Object{{"ams", store_form}, {"domain", options_.domain}}, turn.random);
  AMS_CHECK(audit().append(turn.writes, {"operator", {}, "init", {}, options_.domain, "ok", {}},
                           turn.now_ms(), turn.random));
  return std::move(turn.writes);
}

Result<> Store::check() const {
  AMS_TRY(const auto row, vault_.get_value(table_meta, as_bytes("store")));
  if (!row) return fail(Code::not_found, "no key store");
  wire::ObjectReader in(*row, "store");
  in.tag(store_form);
  const std::string domain = in.string("domain");
  AMS_CHECK(in.finish());
  if (domain != options_.domain) return fail(Code::domain_mismatch, "key store");
  return {};
}

Outcome Store::handle(ByteView bytes, Instant now, ByteView entropy32) {
  if (bytes.size() > message_size_max) return {encode_error({}, Code::object_too_large), {}};
  const auto value = wire::decode(bytes);
  if (!value) return {encode_error({}, value.error().code), {}};
  const auto request = parse_request(*value);
  if (!request) return {encode_error(id_of(*value), request.error().code), {}};
  const auto row = authenticate(*request, *value);
  if (!row) {
    ++strangers_;
    return {encode_error(request->id, row.error().code), {}};
  }
  if (too_often(request->addr, now)) return {encode_error(request->id, Code::rate), {}};
  if (changes(request->args)) {
    auto done = vault_.get(table_done, done_key(*request, bytes));
    if (!done) return {encode_error(request->id, done.error().code), {}};
    if (*done && !mutant("keystore.perform_again")) return {to_bytes((*done)->view()), {}};
  }
  Turn turn{now, crypto::Drbg(entropy32), {}};
  return finish(*request, bytes, judge_and_perform(*request, *row, turn), turn);
}

Result<MemberRow> Store::authenticate(const Request& request, const wire::Value& value) const {
  AMS_TRY(std::optional<MemberRow> row, find_member(request.addr));
  // One code for an unknown member, an unknown device and a false signature: a stranger learns
  // nothing of who is a member (KST-16).
  if (!row) return fail(Code::member_signature, "member");
  const auto& devices = row->member.devices;
  const bool known = std::any_of(devices.begin(), devices.end(),
                                 [&](const Device& device) { return device.sk == request.device; });
  if (!known && !mutant("keystore.any_device")) return fail(Code::member_signature, "device");
  AMS_CHECK(verify_request(value, request));
  return std::move(*row);
}

/// KST-15, and the half of KST-18 that holds whatever is asked.
Result<> Store::check_in_force(const Request& request, const MemberRow& row, Instant now) const {
  const std::int64_t now_ms = to_unix_ms(now);
  if (row.revoked && !mutant("keystore.skip_revoked")) return fail(Code::not_member, "revoked");
  if (row.member.exp <= now_ms) return fail(Code::not_member, "expired");
  if (mutant("keystore.skip_time")) return {};
  if (request.ts < now_ms - clock_skew_ms_max) return fail(Code::expired, "ts");
  if (request.ts > now_ms + clock_skew_ms_max) return fail(Code::not_yet_valid, "ts");
  return {};
}

Result<> Store::check_capability(const Request& request, const KeyUse& use, Instant now) const {
  if (!request.capability) return fail(Code::capability, "cap");
  return judge_capability(*request.capability, vault_.capability_key(),
                          {request.addr, request.device, use.kid, use.purpose}, to_unix_ms(now));
}

bool Store::too_often(const std::string& addr, Instant now) {
  Calls& calls = calls_[addr];
  const std::int64_t minute = to_unix_ms(now) / 60'000;
  if (calls.minute != minute) calls = {minute, 0};
  return ++calls.count > options_.calls_per_minute_max;
}

Result<Ok> Store::judge_and_perform(const Request& request, const MemberRow& row, Turn& turn) {
  AMS_CHECK(check_in_force(request, row, turn.now));
  Asker asker{&row.member, request.device, {}};
  for (const Device& device : row.member.devices)
    if (device.sk == request.device) asker.ek = device.ek;
  const auto use = key_use(request.args);
  // An administrator rewraps without a capability: no content key shows in it (KST-11).
  const bool bare = std::holds_alternative<RewrapArgs>(request.args) && row.member.admin;
  if (use && !bare) AMS_CHECK(check_capability(request, *use, turn.now));
  return perform(request.args, asker, turn);
}

Outcome Store::finish(const Request& request, ByteView bytes, const Result<Ok>& ok, Turn& turn) {
  if (!ok) turn.writes = {};
  const auto refused = [&](Code code) { return Outcome{encode_error(request.id, code), {}}; };
  if (!ok && ok.error().code == Code::storage) return refused(Code::storage);
  Outcome out;
  out.answer = ok ? encode_ok(request.id, *ok) : encode_error(request.id, ok.error().code);
  if (ok && changes(request.args)) {
    vault_.put(turn.writes, table_done, done_key(request, bytes), out.answer, turn.random);
    if (const auto forgot = forget_done(turn); !forgot) return refused(forgot.error().code);
  }
  const auto logged =
      audit().append(turn.writes, event_of(request, ok), turn.now_ms(), turn.random);
  if (!logged) return refused(logged.error().code);
  out.writes = std::move(turn.writes);
  return out;
}

/// Drops kept answers whose requests are too old to be asked again (KST-15).
Result<> Store::forget_done(Turn& turn) const {
  const auto old =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, turn.now_ms() - 2 * clock_skew_ms_max));
  return vault_.scan_keys(table_done, {}, [&](ByteView key) {
    if (read_u64(key) >= old || turn.writes.erases.size() >= forget_max) return false;
    turn.writes.erases.push_back({table_done, to_bytes(key)});
    return true;
  });
}

Acted Store::act(const Args& args, Instant now, ByteView entropy32) {
  Turn turn{now, crypto::Drbg(entropy32), {}};
  const Asker asker{nullptr, {}, {}};
  Request request;
  request.addr = "operator";
  request.args = args;
  Acted out{perform(args, asker, turn), {}};
  if (!out.ok) turn.writes = {};
  const auto logged =
      audit().append(turn.writes, event_of(request, out.ok), turn.now_ms(), turn.random);
  if (!logged) return {fail(logged.error().code, logged.error().where), {}};
  out.writes = std::move(turn.writes);
  return out;
}

}  // namespace ams::keystore
