// A codec adapter from the spec alone, on OpenSSL and nlohmann/json. amscj.cpp has AMS-CJ,
// keys.cpp has key.verify. Build and try it:
//   g++ -std=c++20 -O2 conformance/adapter/samples/cpp/*.cpp -lcrypto -o my-adapter
//   ams-conform vectors --sut ./my-adapter
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <functional>
#include <iostream>
#include <map>
#include <memory>

#include "amscj.h"
#include "primitives.h"

namespace {

constexpr std::size_t chunk_bytes = 16'400;  // STR-2, with its tag

Json codec_decode(const Json& args) {
  return {{"canonical_b64", b64(canonical(decode(bytes_of(args, "raw_b64"))))}};
}

Json frame_parse(const Json& args) {  // WIR-3 to WIR-7
  const std::string raw = bytes_of(args, "raw_b64");
  if (raw.size() < 5) return {{"more", true}};
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size = size << 8 | u8(raw)[i];
  const int kind = u8(raw)[4];
  need(kind == 1 || kind == 2, "encoding/frame_kind");
  need(size > 0, "encoding/frame_empty");
  need(size <= (kind == 1 ? 1'048'576 : 65'552), "limit/frame_too_large");
  need(kind == 1 || size >= 16, "encoding/frame_short");
  if (raw.size() < 5 + size) return {{"more", true}};
  return {{"kind", kind}, {"payload_b64", b64(raw.substr(5, size))}, {"consumed", 5 + size}};
}

std::string open_chunk(const EVP_CIPHER* aead, const std::string& key, std::size_t i, bool last,
                       std::string chunk) {
  std::string nonce(12, '\0'), plain(chunk.size() - 16, '\0');
  nonce[0] = last ? 1 : 0;
  for (std::size_t at = 0; at < 8; ++at) nonce[11 - at] = static_cast<char>(i >> (8 * at) & 255);
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  int length = 0;
  const bool good = EVP_DecryptInit_ex(context.get(), aead, nullptr, u8(key), u8(nonce)) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16,
                                        chunk.data() + plain.size()) == 1 &&
                    EVP_DecryptUpdate(context.get(), out, &length, u8(chunk),
                                      static_cast<int>(plain.size())) == 1 &&
                    EVP_DecryptFinal_ex(context.get(), out + length, &length) == 1;
  need(good, "crypto/chunk");
  return plain;
}

Json stream_open(const Json& args) {  // STR-1 to STR-6
  const std::string key = bytes_of(args, "key_b64"), context = bytes_of(args, "context_b64");
  const std::string sealed = bytes_of(args, "sealed_b64"), name = args.at("aead");
  const EVP_CIPHER* aead = name == "a256gcm"    ? EVP_aes_256_gcm()
                           : name == "c20p1305" ? EVP_chacha20_poly1305()
                                                : nullptr;
  need(aead != nullptr, "crypto/unknown_algorithm");
  need(sealed.size() > 56 && (sealed.size() - 56) % chunk_bytes >= 16, "encoding/stream_truncated");
  const std::string prk = hmac(sealed.substr(0, 24), key);
  const auto derive = [&](const char* label) {
    return hmac(prk, std::string("AMS-STREAM-") + label + '\0' + context + '\x01');
  };
  need(CRYPTO_memcmp(derive("COMMIT").data(), sealed.data() + 24, 32) == 0,
       "crypto/key_commitment");
  const std::string rest = sealed.substr(56), chunk_key = derive("KEY");
  std::string plain;
  for (std::size_t i = 0, last = rest.size() / chunk_bytes; i <= last; ++i)
    plain += open_chunk(aead, chunk_key, i, i == last, rest.substr(i * chunk_bytes, chunk_bytes));
  return {{"plain_b64", b64(plain)}};
}

const std::map<std::string, std::function<Json(const Json&)>> ops = {{"codec.decode", codec_decode},
                                                                     {"frame.parse", frame_parse},
                                                                     {"key.verify", key_verify},
                                                                     {"stream.open", stream_open}};

Json hello() {
  Json names = Json::array();
  for (const auto& [name, op] : ops) names.push_back(name);
  return {{"impl", "sample-cpp"}, {"roles", {"codec"}}, {"spec_versions", {"0.1"}}, {"ops", names}};
}

Json answer(const std::string& line) {
  Json id;
  try {
    const Json request = Json::parse(line);
    id = request.at("id");
    const std::string op = request.at("op");
    if (op == "hello") return {{"id", id}, {"ok", hello()}};
    need(ops.contains(op), "schema/unsupported");
    return {{"id", id}, {"ok", ops.at(op)(request.at("args"))}};
  } catch (const Refused& error) {
    const std::string text = error.what();
    const std::size_t slash = text.find('/');
    return {{"id", id},
            {"error", {{"phase", text.substr(0, slash)}, {"code", text.substr(slash + 1)}}}};
  } catch (const std::exception& error) {
    return {{"id", id}, {"fault", error.what()}};
  }
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << answer(line).dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
}
