// A codec adapter from the spec alone, on OpenSSL and nlohmann/json: frames and sealed streams.
// Try:
//   g++ -std=c++20 -O2 adapter.cpp -lcrypto -o my-adapter; ams-conform vectors --sut ./my-adapter
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

using nlohmann::json;
using std::string;
using Octets = const unsigned char*;

struct Refused {  // both of errors.json
  const char *phase, *code;
};
void need(bool good, const char* phase, const char* code) {
  if (!good) throw Refused{phase, code};
}
Octets octets(const string& text) { return reinterpret_cast<Octets>(text.data()); }
unsigned char* octets(string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

string b64(const string& raw) {  // ENC-9
  string out(raw.size() / 3 * 4 + 5, '\0');
  EVP_EncodeBlock(octets(out), octets(raw), static_cast<int>(raw.size()));
  out.resize((raw.size() * 8 + 5) / 6);  // without padding
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}
string unb64(const string& text) {
  string padded = text, out(text.size() + 4, '\0');
  for (char& c : padded) c = c == '-' ? '+' : c == '_' ? '/' : c;
  padded.append((4 - text.size() % 4) % 4, '=');
  EVP_DecodeBlock(octets(out), octets(padded), static_cast<int>(padded.size()));
  out.resize(text.size() * 6 / 8);
  if (b64(out) != text) throw std::invalid_argument("no base64url");
  return out;
}

json frame_parse(const json& args) {  // WIR-3 to WIR-7
  const string raw = unb64(args.at("raw_b64"));
  if (raw.size() < 5) return {{"more", true}};
  std::size_t size = 0;
  for (int i = 0; i < 4; ++i) size = size << 8 | octets(raw)[i];
  const int kind = octets(raw)[4];
  need(kind == 1 || kind == 2, "encoding", "frame_kind");
  need(size > 0, "encoding", "frame_empty");
  need(size <= (kind == 1 ? 1'048'576u : 65'552u), "limit", "frame_too_large");
  need(kind == 1 || size >= 16, "encoding", "frame_short");
  if (raw.size() < 5 + size) return {{"more", true}};
  return {{"kind", kind}, {"payload_b64", b64(raw.substr(5, size))}, {"consumed", 5 + size}};
}

string hmac(const string& key, const string& text) {
  string out(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), octets(text), text.size(),
       octets(out), nullptr);
  return out;
}

class Stream {  // STR-1, STR-2: the keys of one sealed stream
 public:
  Stream(const json& args, const string& salt) {
    const std::map<string, const EVP_CIPHER*> aeads{{"a256gcm", EVP_aes_256_gcm()},
                                                    {"c20p1305", EVP_chacha20_poly1305()}};
    need(aeads.contains(args.at("aead")), "crypto", "unknown_algorithm");
    cipher_ = aeads.at(args.at("aead"));
    const string prk = hmac(salt, unb64(args.at("key_b64")));
    const string end = '\0' + unb64(args.at("context_b64")) + '\1';
    key_ = hmac(prk, "AMS-STREAM-KEY" + end);
    commitment = hmac(prk, "AMS-STREAM-COMMIT" + end);
  }
  /// One chunk; `tag` is made when sealing and judged when opening.
  string crypt(bool seals, std::size_t index, bool last, const string& in, string& tag) const {
    string nonce(12, '\0'), out(in.size(), '\0');
    nonce[0] = last ? 1 : 0;
    for (unsigned i = 0; i < 8; ++i) nonce[11 - i] = static_cast<char>(index >> 8 * i);
    const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                             EVP_CIPHER_CTX_free);
    EVP_CipherInit_ex(context.get(), cipher_, nullptr, octets(key_), octets(nonce), seals);
    int size = 0;
    EVP_CipherUpdate(context.get(), octets(out), &size, octets(in), static_cast<int>(in.size()));
    if (!seals) EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data());
    const bool good = EVP_CipherFinal_ex(context.get(), octets(out) + size, &size) == 1;
    need(good, "crypto", "chunk");
    if (seals) EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    return out;
  }
  string commitment;

 private:
  const EVP_CIPHER* cipher_;
  string key_;
};

json stream_open(const json& args) {  // STR-3 to STR-6
  const string sealed = unb64(args.at("sealed_b64"));
  const Stream stream(args, sealed.substr(0, 24));
  const bool whole = sealed.size() >= 72 && (sealed.size() - 56) % 16'400 >= 16;
  need(whole, "encoding", "stream_truncated");
  need(stream.commitment == sealed.substr(24, 32), "crypto", "key_commitment");
  string plain;
  for (std::size_t i = 0, at = 56; at < sealed.size(); ++i, at += 16'400) {
    const string chunk = sealed.substr(at, 16'400);
    string tag = chunk.substr(chunk.size() - 16);
    plain += stream.crypt(false, i, chunk.size() < 16'400, chunk.substr(0, chunk.size() - 16), tag);
  }
  return {{"plain_b64", b64(plain)}};
}

json stream_seal(const json& args) {
  const string salt = unb64(args.at("salt_b64")), plain = unb64(args.at("plain_b64"));
  const Stream stream(args, salt);
  string sealed = salt + stream.commitment, tag(16, '\0');
  for (std::size_t i = 0; i <= plain.size() / 16'384; ++i) {
    const string chunk = plain.substr(16'384 * i, 16'384);
    sealed += stream.crypt(true, i, chunk.size() < 16'384, chunk, tag) + tag;
  }
  return {{"sealed_b64", b64(sealed)}};
}

const std::map<string, json (*)(const json&)> ops{
    {"frame.parse", frame_parse}, {"stream.open", stream_open}, {"stream.seal", stream_seal}};
json run(const json& request) {
  const string op = request.value("op", "");
  json names = json::array();
  for (const auto& [name, unused] : ops) names.push_back(name);
  if (op == "hello")
    return {{"impl", "cpp"}, {"roles", {"codec"}}, {"spec_versions", {"0.1"}}, {"ops", names}};
  need(op.empty() || ops.contains(op), "schema", "unsupported");
  return ops.at(op)(request.at("args"));
}

int main() {
  for (string line; std::getline(std::cin, line);) {
    json out{{"id", nullptr}};
    try {
      const json request = json::parse(line);
      out["id"] = request.at("id");
      out["ok"] = run(request);
    } catch (const Refused& refused) {
      out["error"] = {{"phase", refused.phase}, {"code", refused.code}};
    } catch (const std::exception& error) {
      out["fault"] = error.what();
    }
    std::cout << out.dump() << std::endl;
  }
}
