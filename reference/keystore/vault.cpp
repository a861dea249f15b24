// Sealed rows: nonce (12) || AES-256-GCM, associated data "AMS-KS-ROW/1\0" || table || key, so that
// a row in another place does not open.
#include "keystore/vault.h"

#include "policy/mutant.h"

namespace ams::keystore {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::size_t nonce_size = 12;

Bytes row_aad(storage::Table table, ByteView key) {
  Bytes out = to_bytes("AMS-KS-ROW/1\0"sv);
  if (mutant("keystore.rows_anywhere")) return out;
  out.push_back(static_cast<std::uint8_t>(table));
  append(out, key);
  return out;
}

}  // namespace

Vault::Vault(ByteView key32, const storage::Reader& reader)
    : reader_(&reader),
      row_key_(crypto::hkdf({}, key32, as_bytes("AMS-KS-ROWS"), 32)),
      index_key_(crypto::hkdf({}, key32, as_bytes("AMS-KS-INDEX"), 32)),
      capability_key_(crypto::hkdf({}, key32, as_bytes("AMS-KS-CAPABILITIES"), 32)) {}

Result<crypto::Secret> Vault::open(storage::Table table, ByteView key, ByteView sealed) const {
  if (sealed.size() < nonce_size + crypto::aead_tag_size) return fail(Code::keystore_sealed, "row");
  auto plain = crypto::aead_open(crypto::Aead::a256gcm, row_key_.view(), sealed.first(nonce_size),
                                 row_aad(table, key), sealed.subspan(nonce_size));
  if (!plain) return fail(Code::keystore_sealed, "row");
  crypto::Secret out = crypto::Secret::copy_of(*plain);
  crypto::wipe(plain->data(), plain->size());
  return out;
}

Result<std::optional<crypto::Secret>> Vault::get(storage::Table table, ByteView key) const {
  AMS_TRY(const std::optional<Bytes> sealed, reader_->get(table, key));
  if (!sealed) return std::optional<crypto::Secret>();
  AMS_TRY(crypto::Secret plain, open(table, key, *sealed));
  return std::optional<crypto::Secret>(std::move(plain));
}

Result<std::optional<wire::Value>> Vault::get_value(storage::Table table, ByteView key) const {
  AMS_TRY(const std::optional<crypto::Secret> plain, get(table, key));
  if (!plain) return std::optional<wire::Value>();
  auto value = wire::decode(plain->view());
  if (!value) return fail(Code::keystore_sealed, "row");
  return std::optional<wire::Value>(std::move(*value));
}

void Vault::put(storage::WriteBatch& out, storage::Table table, Bytes key, ByteView plaintext,
                crypto::Drbg& random) const {
  Bytes sealed = random.bytes(nonce_size);
  const auto box = crypto::aead_seal(crypto::Aead::a256gcm, row_key_.view(), sealed,
                                     row_aad(table, key), plaintext);
  AMS_ASSERT(box.has_value());
  append(sealed, *box);
  out.puts.push_back({table, std::move(key), std::move(sealed)});
}

void Vault::put_value(storage::WriteBatch& out, storage::Table table, Bytes key,
                      const wire::Value& value, crypto::Drbg& random) const {
  put(out, table, std::move(key), wire::encode(value), random);
}

Result<> Vault::scan(storage::Table table, ByteView from,
                     const std::function<bool(ByteView, ByteView)>& visit) const {
  Result<> status;
  AMS_CHECK(reader_->scan(table, {}, from, [&](ByteView key, ByteView sealed) {
    const auto plain = open(table, key, sealed);
    if (!plain) status = fail(plain.error().code, plain.error().where);
    return plain && visit(key, plain->view());
  }));
  return status;
}

Result<> Vault::scan_keys(storage::Table table, ByteView from,
                          const std::function<bool(ByteView)>& visit) const {
  return reader_->scan(table, {}, from, [&](ByteView key, ByteView) { return visit(key); });
}

Bytes Vault::index(std::string_view label, std::string_view text) const {
  Bytes input = to_bytes(label);
  input.push_back(0);
  append(input, text);
  return to_bytes(ByteView(crypto::hmac_sha256(index_key_.view(), input)));
}

}  // namespace ams::keystore
