#include "directory/work.h"

#include <bit>

#include "crypto/crypto.h"
#include "policy/mutant.h"

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

Result<std::optional<WorkNonce>> read_work(std::string_view text) {
  const auto raw = from_base64url(text);
  if (!raw || (!raw->empty() && raw->size() != 8))
    return fail(mutant("directory.wrong_code_nonce") ? Code::publisher : Code::base64url, "work");
  return raw->empty() ? std::nullopt : std::optional(*to_array<8>(*raw));
}

Result<std::int64_t> check_work(std::string_view peer_domain, ByteView object,
                                const std::optional<WorkNonce>& nonce, int bits, Instant now) {
  const std::int64_t today = to_unix_ms(now) / 86'400'000;
  if (!nonce && mutant("directory.accept_no_work")) return today;
  if (!nonce || bits <= 0 || mutant("directory.no_work")) return fail(Code::publisher, "work");
  const Hash hash = mutant("directory.work_any_object") ? Hash{} : crypto::sha256(object);
  for (const std::int64_t day : {today, today - 1}) {
    if (mutant("directory.skip_work")) return day;
    if (has_work({peer_domain, day, hash}, *nonce, bits)) return day;
  }
  return fail(Code::publisher, "work");
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
