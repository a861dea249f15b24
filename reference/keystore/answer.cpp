// Answers of ams-ks/1 (spec KST-13), read for the op that was asked.
#include <array>

#include "base/overload.h"
#include "keystore/forms.h"
#include "wire/wipe.h"

namespace ams::keystore {
namespace {

using wire::ObjectReader;

Result<Ok> read_shared(ObjectReader& in) {
  Shared out;
  out.kid = in.uuid("kid");
  Bytes shared = in.binary("shared", 32, 32);
  out.shared = crypto::Secret::copy_of(shared);
  crypto::wipe(shared.data(), shared.size());
  return out;
}

Result<Ok> read_signed(ObjectReader& in) {
  Signed out;
  out.kid = in.uuid("kid");
  out.sig = in.binary("sig", 1, keys::signature_size_max);
  return out;
}

Result<Ok> read_exported(ObjectReader& in) {
  Exported out;
  out.kid = in.uuid("kid");
  out.enc = in.binary("enc", 32, 32);
  out.sealed = in.binary("sealed", 17, private_key_size_max + crypto::aead_tag_size);
  return out;
}

Result<Ok> read_made(ObjectReader& in) { return Made{in.any("record")}; }

Result<Ok> read_rewrapped(ObjectReader& in) {
  Rewrapped out;
  for (const wire::Value& each : in.array("items", rewrap_max)) {
    ObjectReader item(each, "item");
    if (each.find("code") != nullptr) {
      out.items.emplace_back(item.string("code", 64));
    } else {
      Rewrapped::Stanza stanza;
      stanza.enc = item.binary("enc", 1, enc_size_max);
      stanza.wk = item.binary("wk", 48, 48);
      out.items.emplace_back(std::move(stanza));
    }
    in.include(item.finish());
  }
  return out;
}

Result<ListedKey> read_listed_key(const wire::Value& value) {
  ObjectReader in(value, "key");
  ListedKey out;
  out.record = in.any("record");
  out.scope = read_scope(in);
  out.retired = in.boolean("retired");
  for (const wire::Value& each : in.array("caps", 3)) {
    auto capability = parse_capability(each);
    if (!capability) return fail(capability.error().code, capability.error().where);
    out.capabilities.push_back(std::move(*capability));
  }
  AMS_CHECK(in.finish());
  return out;
}

Result<Ok> read_listed(ObjectReader& in) {
  Listed out;
  for (const wire::Value& each : in.array("keys", list_max)) {
    AMS_TRY(ListedKey key, read_listed_key(each));
    out.keys.push_back(std::move(key));
  }
  out.more = in.boolean("more");
  return out;
}

Result<Ok> read_audit_page(ObjectReader& in) {
  AuditPage out;
  out.entries = in.array("entries", audit_max);
  out.size = in.integer("size");
  out.head = in.bytes<32>("head");
  return out;
}

Result<Ok> read_granted(ObjectReader& in) { return Granted{read_address(in, "addr")}; }

Result<Ok> read_revoked(ObjectReader& in) {
  Revoked out{read_address(in, "addr"), {}};
  for (const wire::Value& each : in.array("kids", revoked_kids_max)) {
    const auto kid = each.is_string() ? from_uuid_text(each.as_string()) : std::nullopt;
    in.require(kid.has_value(), Code::schema, "kids");
    if (kid) out.kids.push_back(*kid);
  }
  return out;
}

/// In the order of Args.
constexpr std::array readers{read_shared,  read_signed,    read_exported, read_made,
                             read_made,    read_rewrapped, read_listed,   read_audit_page,
                             read_granted, read_revoked};
static_assert(readers.size() == std::variant_size_v<Args>);

Result<Ok> read_ok(const wire::Value& value, const Args& args) {
  ObjectReader in(value, "ok");
  AMS_TRY(Ok out, readers[args.index()](in));
  AMS_CHECK(in.finish());
  return out;
}

wire::Value listed_value(const Listed& listed) {
  wire::Array keys;
  for (const ListedKey& key : listed.keys) {
    wire::Array caps;
    for (const Capability& capability : key.capabilities) caps.push_back(to_value(capability));
    wire::Object each{{"record", key.record}, {"retired", key.retired}, {"caps", std::move(caps)}};
    write_scope(each, key.scope);
    keys.push_back(std::move(each));
  }
  return wire::Object{{"keys", std::move(keys)}, {"more", listed.more}};
}

wire::Value rewrapped_value(const Rewrapped& rewrapped) {
  wire::Array items;
  for (const auto& each : rewrapped.items)
    items.push_back(std::visit(Overload{[](const Rewrapped::Stanza& stanza) {
                                          return wire::Object{{"enc", to_base64url(stanza.enc)},
                                                              {"wk", to_base64url(stanza.wk)}};
                                        },
                                        [](const std::string& code) {
                                          return wire::Object{{"code", code}};
                                        }},
                               each));
  return wire::Object{{"items", std::move(items)}};
}

wire::Value revoked_value(const Revoked& revoked) {
  wire::Array kids;
  for (const Id16& kid : revoked.kids) kids.push_back(to_uuid_text(kid));
  return wire::Object{{"addr", revoked.addr}, {"kids", std::move(kids)}};
}

wire::Value ok_value(const Ok& ok) {
  return std::visit(
      Overload{
          [](const Shared& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)},
                                {"shared", to_base64url(a.shared.view())}};
          },
          [](const Signed& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)}, {"sig", to_base64url(a.sig)}};
          },
          [](const Exported& a) -> wire::Value {
            return wire::Object{{"kid", to_uuid_text(a.kid)},
                                {"enc", to_base64url(a.enc)},
                                {"sealed", to_base64url(a.sealed)}};
          },
          [](const Made& a) -> wire::Value {
            return wire::Object{{"record", a.record}};
          },
          [](const Rewrapped& a) { return rewrapped_value(a); },
          [](const Listed& a) { return listed_value(a); },
          [](const AuditPage& a) -> wire::Value {
            return wire::Object{
                {"entries", a.entries}, {"size", a.size}, {"head", to_base64url(a.head)}};
          },
          [](const Granted& a) -> wire::Value {
            return wire::Object{{"addr", a.addr}};
          },
          [](const Revoked& a) { return revoked_value(a); },
      },
      ok);
}

/// The text of a shared secret does not stay behind in what it was read from or written as.
void wipe_shared(wire::Value& answer) {
  if (!answer.is_object()) return;
  const auto ok = answer.as_object().find("ok");
  if (ok != answer.as_object().end()) wire::wipe_member(ok->second, "shared");
}

Result<Answer> read_answer(const wire::Value& value, const Args& args) {
  ObjectReader in(value, "answer");
  Answer out;
  in.tag(answer_tag);
  out.id = in.bytes<16>("id");
  const wire::Value* ok = in.optional("ok");
  const bool refused = ok == nullptr;
  if (refused) out.outcome = in.string("error", 64);
  if (!refused) {
    auto read = read_ok(*ok, args);
    if (!read) in.include(fail(read.error().code, read.error().where));
    if (read) out.outcome = std::move(*read);
  }
  AMS_CHECK(in.finish());
  return out;
}

}  // namespace

Bytes encode_ok(const Id16& id, const Ok& ok) {
  wire::Value value =
      wire::Object{{"ams", answer_tag}, {"id", to_base64url(id)}, {"ok", ok_value(ok)}};
  Bytes out = wire::encode(value);
  wipe_shared(value);
  return out;
}

Bytes encode_error(const Id16& id, Code code) {
  return wire::encode(
      wire::Object{{"ams", answer_tag}, {"id", to_base64url(id)}, {"error", code_info(code).name}});
}

Result<Answer> parse_answer(ByteView bytes, const Args& args) {
  if (bytes.size() > message_size_max) return fail(Code::object_too_large, "answer");
  AMS_TRY(wire::Value value, wire::decode(bytes));
  auto out = read_answer(value, args);
  wipe_shared(value);
  return out;
}

}  // namespace ams::keystore
