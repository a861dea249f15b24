#include "keystore_net/pkcs11_session.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <memory>

namespace ams::keystore_net {
namespace {

constexpr std::size_t label_size = 32;  // of a token, padded with blanks

ck_attribute attribute_of(ck_attribute_type_t type, const void* value, std::size_t size) {
  // The token only reads templates of finding and making; the interface knows no const.
  return {type, const_cast<void*>(value), size};
}

/// What the token says of the data, as against of itself.
bool is_data_refused(ck_rv_t rv) {
  return rv == CKR_ENCRYPTED_DATA_INVALID || rv == CKR_ENCRYPTED_DATA_LEN_RANGE ||
         rv == CKR_DATA_INVALID || rv == CKR_DATA_LEN_RANGE;
}

std::optional<ck_slot_id_t> find_slot(ck_function_list& call, const std::string& label) {
  unsigned long count = 0;
  if (call.C_GetSlotList(1, nullptr, &count) != CKR_OK) return std::nullopt;
  std::vector<ck_slot_id_t> slots(count);
  if (count == 0 || call.C_GetSlotList(1, slots.data(), &count) != CKR_OK) return std::nullopt;
  slots.resize(std::min<std::size_t>(count, slots.size()));
  std::string padded = label;
  padded.resize(label_size, ' ');
  for (const ck_slot_id_t slot : slots) {
    ck_token_info info{};
    if (call.C_GetTokenInfo(slot, &info) == CKR_OK &&
        std::equal(padded.begin(), padded.end(), std::begin(info.label)))
      return slot;
  }
  return std::nullopt;
}

}  // namespace

tl::expected<std::unique_ptr<TokenSession>, std::string> TokenSession::open(
    const std::string& module, const std::string& token, const crypto::Secret& pin) {
  std::unique_ptr<TokenSession> out(new TokenSession);
  out->library_ = ::dlopen(module.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (out->library_ == nullptr) return tl::unexpected(module + ": cannot be loaded");
  const auto list =
      reinterpret_cast<CK_C_GetFunctionList>(::dlsym(out->library_, "C_GetFunctionList"));
  if (list == nullptr || list(&out->call_) != CKR_OK || out->call_ == nullptr)
    return tl::unexpected(module + ": is no PKCS#11 module");
  const ck_rv_t started = out->call_->C_Initialize(nullptr);
  if (started != CKR_OK && started != CKR_CRYPTOKI_ALREADY_INITIALIZED)
    return tl::unexpected(module + ": does not start");
  out->initialized_ = started == CKR_OK;
  const auto slot = find_slot(*out->call_, token);
  if (!slot) return tl::unexpected(module + ": has no token \"" + token + "\"");
  out->slot_ = *slot;
  if (out->call_->C_OpenSession(*slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                &out->session_) != CKR_OK)
    return tl::unexpected("token \"" + token + "\": opens no session");
  crypto::Secret own = pin.clone();
  const ck_rv_t login = out->call_->C_Login(out->session_, CKU_USER, own.data(), own.size());
  if (login == CKR_PIN_INCORRECT || login == CKR_PIN_LOCKED || login == CKR_PIN_LEN_RANGE)
    return tl::unexpected("token \"" + token + "\": the PIN is wrong, or locked");
  if (login != CKR_OK && login != CKR_USER_ALREADY_LOGGED_IN)
    return tl::unexpected("token \"" + token + "\": refuses the login");
  return out;
}

TokenSession::~TokenSession() {
  if (call_ != nullptr && session_ != 0) call_->C_CloseSession(session_);
  if (initialized_) call_->C_Finalize(nullptr);
  if (library_ != nullptr) ::dlclose(library_);
}

bool TokenSession::offers(ck_mechanism_type_t mechanism) const {
  ck_mechanism_info info{};
  return call_->C_GetMechanismInfo(slot_, mechanism, &info) == CKR_OK;
}

Result<Bytes> TokenSession::attribute(ck_object_handle_t object, ck_attribute_type_t type) {
  ck_attribute value{type, nullptr, 0};
  if (call_->C_GetAttributeValue(session_, object, &value, 1) != CKR_OK || value.value_len > 4096)
    return fail(Code::keystore_token, "attribute");
  Bytes out(value.value_len);
  value.value = out.data();
  if (call_->C_GetAttributeValue(session_, object, &value, 1) != CKR_OK)
    return fail(Code::keystore_token, "attribute");
  return out;
}

Result<ck_object_handle_t> TokenSession::generate(ck_mechanism_type_t type, ByteView id,
                                                  std::vector<ck_attribute> public_half,
                                                  ck_attribute_type_t private_use) {
  const unsigned char yes = 1;
  const ck_attribute on_token = attribute_of(CKA_TOKEN, &yes, 1);
  const ck_attribute named = attribute_of(CKA_ID, id.data(), id.size());
  public_half.insert(public_half.end(), {on_token, named});
  std::array private_half{on_token, attribute_of(CKA_PRIVATE, &yes, 1),
                          attribute_of(CKA_SENSITIVE, &yes, 1), attribute_of(private_use, &yes, 1),
                          named};
  ck_mechanism mechanism{type, nullptr, 0};
  ck_object_handle_t made_public = 0;
  ck_object_handle_t made_private = 0;
  if (call_->C_GenerateKeyPair(session_, &mechanism, public_half.data(), public_half.size(),
                               private_half.data(), private_half.size(), &made_public,
                               &made_private) != CKR_OK)
    return fail(Code::keystore_token, "generate");
  return made_public;
}

Result<TokenSession::Pair> TokenSession::generate_rsa(unsigned long bits, ByteView id,
                                                      bool for_signing) {
  if (!offers(CKM_RSA_PKCS_KEY_PAIR_GEN)) return fail(Code::unknown_algorithm, "RSA");
  const unsigned char yes = 1;
  const std::array<unsigned char, 3> exponent{1, 0, 1};
  AMS_TRY(const ck_object_handle_t made,
          generate(CKM_RSA_PKCS_KEY_PAIR_GEN, id,
                   {attribute_of(for_signing ? CKA_VERIFY : CKA_ENCRYPT, &yes, 1),
                    attribute_of(CKA_MODULUS_BITS, &bits, sizeof bits),
                    attribute_of(CKA_PUBLIC_EXPONENT, exponent.data(), exponent.size())},
                   for_signing ? CKA_SIGN : CKA_DECRYPT));
  AMS_TRY(Bytes modulus, attribute(made, CKA_MODULUS));
  modulus.erase(modulus.begin(),
                std::find_if(modulus.begin(), modulus.end(), [](auto byte) { return byte != 0; }));
  return Pair{std::move(modulus)};
}

Result<TokenSession::Pair> TokenSession::generate_ed25519(ByteView id) {
  if (!offers(CKM_EC_EDWARDS_KEY_PAIR_GEN)) return fail(Code::unknown_algorithm, "Ed25519");
  const unsigned char yes = 1;
  const std::array<unsigned char, 5> curve{0x06, 0x03, 0x2b, 0x65, 0x70};  // OID 1.3.101.112
  AMS_TRY(const ck_object_handle_t made,
          generate(CKM_EC_EDWARDS_KEY_PAIR_GEN, id,
                   {attribute_of(CKA_VERIFY, &yes, 1),
                    attribute_of(CKA_EC_PARAMS, curve.data(), curve.size())},
                   CKA_SIGN));
  AMS_TRY(Bytes point, attribute(made, CKA_EC_POINT));
  // A DER OCTET STRING around the 32 bytes, or (in older tokens) the bytes alone.
  if (point.size() == 34 && point[0] == 0x04 && point[1] == 32)
    point.erase(point.begin(), point.begin() + 2);
  return Pair{std::move(point)};
}

Result<ck_object_handle_t> TokenSession::find_private(ByteView id) {
  const ck_object_class_t kind = CKO_PRIVATE_KEY;
  std::array pattern{attribute_of(CKA_CLASS, &kind, sizeof kind),
                     attribute_of(CKA_ID, id.data(), id.size())};
  if (call_->C_FindObjectsInit(session_, pattern.data(), pattern.size()) != CKR_OK)
    return fail(Code::keystore_token, "find");
  ck_object_handle_t found = 0;
  unsigned long count = 0;
  const ck_rv_t rv = call_->C_FindObjects(session_, &found, 1, &count);
  call_->C_FindObjectsFinal(session_);
  if (rv != CKR_OK || count != 1) return fail(Code::keystore_token, "the key is not on the token");
  return found;
}

Result<Bytes> TokenSession::sign(ByteView id, ck_mechanism mechanism, ByteView text) {
  AMS_TRY(const ck_object_handle_t key, find_private(id));
  if (call_->C_SignInit(session_, &mechanism, key) != CKR_OK)
    return fail(Code::keystore_token, "sign");
  Bytes in = to_bytes(text);
  Bytes out(1024);
  unsigned long size = out.size();
  if (call_->C_Sign(session_, in.data(), in.size(), out.data(), &size) != CKR_OK ||
      size > out.size())
    return fail(Code::keystore_token, "sign");
  out.resize(size);
  return out;
}

Result<crypto::Secret> TokenSession::decrypt_raw(ByteView id, ByteView enc) {
  AMS_TRY(const ck_object_handle_t key, find_private(id));
  ck_mechanism mechanism{CKM_RSA_X_509, nullptr, 0};
  if (call_->C_DecryptInit(session_, &mechanism, key) != CKR_OK)
    return fail(Code::keystore_token, "decrypt");
  Bytes in = to_bytes(enc);
  crypto::Secret raw(enc.size());
  unsigned long size = raw.size();
  const ck_rv_t rv = call_->C_Decrypt(session_, in.data(), in.size(), raw.data(), &size);
  if (is_data_refused(rv)) return fail(Code::unwrap, "RSA");
  if (rv != CKR_OK || size > raw.size()) return fail(Code::keystore_token, "decrypt");
  // Some tokens leave the zeros in front away.
  crypto::Secret out(enc.size());
  std::copy_n(raw.view().begin(), size, out.data() + (out.size() - static_cast<std::size_t>(size)));
  return out;
}

}  // namespace ams::keystore_net
