#include "amscj.h"

namespace {

const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string b64(const std::string& raw) {
  std::string out;
  unsigned bits = 0, held = 0;
  for (const char byte : raw) {
    bits = (bits << 8 | static_cast<unsigned char>(byte)) & 0xFFFF;
    for (held += 8; held >= 6; held -= 6) out += alphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) out += alphabet[bits << (6 - held) & 63];
  return out;
}

bool unb64(const std::string& text, std::string& raw) {
  raw.clear();
  unsigned bits = 0, held = 0;
  for (const char one : text) {
    const std::size_t value = alphabet.find(one);
    if (value == std::string::npos) return false;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xFFFF;
    held += 6;
    if (held >= 8) raw += static_cast<char>(bits >> (held -= 8) & 255);
  }
  return b64(raw) == text;
}
