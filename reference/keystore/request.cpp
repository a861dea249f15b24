// Requests of ams-ks/1 (spec KST-3, KST-6 … KST-12).
#include <array>

#include "base/overload.h"
#include "keystore/forms.h"

namespace ams::keystore {
namespace {

using wire::ObjectReader;

Result<Args> read_decap(const wire::Value& value) {
  ObjectReader in(value, "args");
  DecapArgs out;
  out.kid = in.uuid("kid");
  out.enc = in.binary("enc", 1, enc_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_sign(const wire::Value& value) {
  ObjectReader in(value, "args");
  SignArgs out;
  out.kid = in.uuid("kid");
  out.text = in.binary("text", 1, sign_text_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_export(const wire::Value& value) {
  ObjectReader in(value, "args");
  ExportArgs out{in.uuid("kid")};
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_create(const wire::Value& value) {
  ObjectReader in(value, "args");
  CreateArgs out;
  out.scope = read_scope(in);
  const auto profile = find_profile(in.string("profile"));
  in.require(profile.has_value() || mutant("keystore.any_profile"), Code::unknown_algorithm,
             "profile");
  out.profile = profile.value_or(Profile::modern);
  out.nbf = in.integer("nbf");
  out.exp = in.integer("exp");
  out.exportable = in.boolean("exportable");
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_rotate(const wire::Value& value) {
  ObjectReader in(value, "args");
  RotateArgs out;
  out.kid = in.uuid("kid");
  out.nbf = in.integer("nbf");
  out.exp = in.integer("exp");
  AMS_CHECK(in.finish());
  return out;
}

Result<RewrapItem> read_item(const wire::Value& value) {
  ObjectReader in(value, "item");
  RewrapItem out;
  out.h0 = in.bytes<32>("h0");
  const auto aead = crypto::find_aead(in.string("aead"));
  in.require(aead.has_value(), Code::unknown_algorithm, "aead");
  out.aead = aead.value_or(crypto::Aead::a256gcm);
  out.enc = in.binary("enc", 1, enc_size_max);
  out.wk = in.binary("wk", 48, 48);
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_rewrap(const wire::Value& value) {
  ObjectReader in(value, "args");
  RewrapArgs out;
  out.kid = in.uuid("kid");
  out.to = in.uuid("to");
  const wire::Array& items = in.array("items", rewrap_max);
  in.require(!items.empty(), Code::schema, "items");
  for (const wire::Value& each : items) {
    auto item = read_item(each);
    if (!item) {
      in.include(fail(item.error().code, item.error().where));
      break;
    }
    out.items.push_back(std::move(*item));
  }
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_list(const wire::Value& value) {
  ObjectReader in(value, "args");
  ListArgs out;
  if (value.find("after") != nullptr) out.after = in.uuid("after");
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_audit(const wire::Value& value) {
  ObjectReader in(value, "args");
  AuditArgs out;
  out.from = in.integer("from");
  out.count = in.integer("count", 1, static_cast<std::int64_t>(audit_max));
  AMS_CHECK(in.finish());
  return out;
}

Result<Args> read_grant(const wire::Value& value) {
  ObjectReader in(value, "args");
  auto member = parse_member(in.any("member"));
  if (!member) in.include(fail(member.error().code, member.error().where));
  AMS_CHECK(in.finish());
  return GrantArgs{std::move(*member)};
}

Result<Args> read_revoke(const wire::Value& value) {
  ObjectReader in(value, "args");
  RevokeArgs out{read_address(in, "addr")};
  AMS_CHECK(in.finish());
  return out;
}

struct OpForm {
  std::string_view name;
  Result<Args> (*read)(const wire::Value&);
};
/// In the order of Args.
constexpr std::array op_forms{
    OpForm{"decap", read_decap},   OpForm{"sign", read_sign},     OpForm{"export", read_export},
    OpForm{"create", read_create}, OpForm{"rotate", read_rotate}, OpForm{"rewrap", read_rewrap},
    OpForm{"list", read_list},     OpForm{"audit", read_audit},   OpForm{"grant", read_grant},
    OpForm{"revoke", read_revoke},
};
static_assert(op_forms.size() == std::variant_size_v<Args>);

const OpForm* find_op(std::string_view name) {
  for (const OpForm& form : op_forms)
    if (form.name == name) return &form;
  return nullptr;
}

wire::Value rewrap_value(const RewrapArgs& args) {
  wire::Array items;
  for (const RewrapItem& item : args.items)
    items.push_back(wire::Object{{"h0", to_base64url(item.h0)},
                                 {"aead", crypto::name(item.aead)},
                                 {"enc", to_base64url(item.enc)},
                                 {"wk", to_base64url(item.wk)}});
  return wire::Object{
      {"kid", to_uuid_text(args.kid)}, {"to", to_uuid_text(args.to)}, {"items", std::move(items)}};
}

wire::Value create_value(const CreateArgs& args) {
  wire::Object out{{"profile", name(args.profile)},
                   {"nbf", args.nbf},
                   {"exp", args.exp},
                   {"exportable", args.exportable}};
  write_scope(out, args.scope);
  return out;
}

wire::Value args_value(const Args& args) {
  return std::visit(
      Overload{
          [](const DecapArgs& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)}, {"enc", to_base64url(a.enc)}};
          },
          [](const SignArgs& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)}, {"text", to_base64url(a.text)}};
          },
          [](const ExportArgs& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)}};
          },
          [](const CreateArgs& a) { return create_value(a); },
          [](const RotateArgs& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)}, {"nbf", a.nbf}, {"exp", a.exp}};
          },
          [](const RewrapArgs& a) { return rewrap_value(a); },
          [](const ListArgs& a) -> wire::Value {
            return a.after ? wire::Object{{"after", to_uuid_text(*a.after)}} : wire::Object{};
          },
          [](const AuditArgs& a) -> wire::Value {
            return wire::Object{{"from", a.from}, {"count", a.count}};
          },
          [](const GrantArgs& a) -> wire::Value {
            return wire::Object{{"member", to_object(a.member)}};
          },
          [](const RevokeArgs& a) -> wire::Value {
            return wire::Object{{"addr", a.addr}};
          },
      },
      args);
}

}  // namespace

std::string_view op_name(const Args& args) { return op_forms[args.index()].name; }

std::optional<KeyUse> key_use(const Args& args) {
  return std::visit(Overload{
                        [](const DecapArgs& a) -> std::optional<KeyUse> {
                          return KeyUse{a.kid, Purpose::decap};
                        },
                        [](const SignArgs& a) -> std::optional<KeyUse> {
                          return KeyUse{a.kid, Purpose::sign};
                        },
                        [](const ExportArgs& a) -> std::optional<KeyUse> {
                          return KeyUse{a.kid, Purpose::export_key};
                        },
                        [](const RewrapArgs& a) -> std::optional<KeyUse> {
                          return KeyUse{a.kid, Purpose::decap};
                        },
                        [](const auto&) -> std::optional<KeyUse> { return std::nullopt; },
                    },
                    args);
}

Result<Args> parse_args(std::string_view op, const wire::Value& value) {
  const OpForm* form = find_op(op);
  if (form == nullptr) return fail(Code::unsupported, "op");
  return form->read(value);
}

Result<Request> parse_request(const wire::Value& value) {
  ObjectReader in(value, "request");
  Request out;
  in.tag(request_tag);
  out.addr = read_address(in, "addr");
  out.device = in.bytes<32>("device");
  out.id = in.bytes<16>("id");
  out.ts = in.integer("ts");
  const OpForm* form = find_op(in.string("op"));
  in.require(form != nullptr, mutant("keystore.wrong_code_op") ? Code::schema : Code::unsupported,
             "op");
  const wire::Value& args = in.any("args");
  if (form != nullptr) {
    auto read = form->read(args);
    if (!read) in.include(fail(read.error().code, read.error().where));
    if (read) out.args = std::move(*read);
  }
  if (const wire::Value* cap = in.optional("cap")) {
    auto read = parse_capability(*cap);
    if (!read) in.include(fail(read.error().code, read.error().where));
    if (read) out.capability = std::move(*read);
  }
  in.binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<> verify_request(const wire::Value& value, const Request& request) {
  const auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, request.device);
  if (!key) return fail(Code::member_signature, "device");
  if (!keys::verify_object(value, *key) && !mutant("keystore.skip_request_signature"))
    return fail(Code::member_signature, "sig");
  return {};
}

wire::Value to_value(const Request& request) {
  wire::Object out{
      {"ams", request_tag},
      {"addr", request.addr},
      {"device", to_base64url(request.device)},
      {"id", to_base64url(request.id)},
      {"ts", request.ts},
      {"op", op_name(request.args)},
      {"args", args_value(request.args)},
  };
  if (request.capability) out.emplace("cap", to_value(*request.capability));
  return out;
}

Result<Bytes> sign_request(const Request& request, const crypto::SigningKey& device) {
  AMS_TRY(const wire::Value value, keys::sign_object(to_value(request), device));
  return wire::encode(value);
}

}  // namespace ams::keystore
