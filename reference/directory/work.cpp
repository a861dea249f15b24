#include "directory/work.h"

#include <bit>

#include "crypto/crypto.h"

namespace ams::directory {

Hash work_hash(const WorkTarget& target, const WorkNonce& nonce) {
  Bytes input = to_bytes(std::string_view("AMS-WORK/1\0", 11));
  input.push_back(static_cast<std::uint8_t>(target.peer_domain.size()));  // ENC: at most 253
  append(input, target.peer_domain);
  append_u64(input, static_cast<std::uint64_t>(target.day));
  append(input, target.object_hash);
  append(input, nonce);
  return crypto::sha256(input);
}

bool has_work(const WorkTarget& target, const WorkNonce& nonce, int bits) {
  const Hash hash = work_hash(target, nonce);
  return std::countl_zero(read_u64(ByteView(hash).first(8))) >= bits;
}

std::optional<WorkNonce> find_work(const WorkTarget& target, int bits, std::uint64_t attempts_max) {
  for (std::uint64_t number = 0; number < attempts_max; ++number) {
    Bytes raw;
    append_u64(raw, number);
    const WorkNonce nonce = *to_array<8>(raw);
    if (has_work(target, nonce, bits)) return nonce;
  }
  return std::nullopt;
}

}  // namespace ams::directory
