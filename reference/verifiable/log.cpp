#include "verifiable/log.h"

#include <algorithm>
#include <bit>

#include "crypto/crypto.h"
#include "policy/mutant.h"

namespace ams::verifiable {
namespace {

constexpr std::string_view epoch_tag("AMS-EPOCH/1\0", 12);

/// The largest power of two below `n` >= 2: where RFC 9162 splits.
std::uint64_t split_size(std::uint64_t n) { return std::bit_floor(n - 1); }

}  // namespace

Hash log_leaf_hash(ByteView entry) {
  Bytes input{0x00};
  append(input, entry);
  return crypto::sha256(input);
}

Hash log_node_hash(const Hash& left, const Hash& right) {
  std::array<std::uint8_t, 1 + 32 + 32> input;
  input[0] = 0x01;
  std::copy(left.begin(), left.end(), input.begin() + 1);
  std::copy(right.begin(), right.end(), input.begin() + 33);
  return crypto::sha256(input);
}

Hash empty_log_root() { return crypto::sha256({}); }

Bytes encode(const Epoch& epoch) {
  Bytes out = to_bytes(epoch_tag);
  append(out, epoch.map_root);
  append_u64(out, epoch.map_size);
  append_u64(out, epoch.time_s);
  return out;
}

Result<Epoch> decode_epoch(ByteView entry) {
  const bool sized = entry.size() == epoch_size;
  const bool tagged = sized && as_text(entry.first(epoch_tag.size())) == epoch_tag;
  if (!sized || (!tagged && !ams::mutant("verifiable.accept_epoch_tag")))
    return fail(Code::proof_form, "epoch");
  const ByteView rest = entry.subspan(epoch_tag.size());
  return Epoch{*to_array<32>(rest.first(32)), read_u64(rest.subspan(32)),
               read_u64(rest.subspan(40))};
}

void Frontier::append(const Hash& leaf_hash) {
  Hash hash = leaf_hash;
  // Each complete subtree as wide as the new one joins it, like the carry of size + 1.
  for (std::uint64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
    hash = log_node_hash(roots_.back(), hash);
    roots_.pop_back();
  }
  roots_.push_back(hash);
  ++size_;
}

Hash Frontier::root() const {
  if (roots_.empty()) return empty_log_root();
  Hash hash = roots_.back();
  for (std::size_t i = roots_.size() - 1; i-- > 0;) hash = log_node_hash(roots_[i], hash);
  return hash;
}

Bytes Frontier::encode() const {
  Bytes out;
  append_u64(out, size_);
  for (const Hash& root : roots_) ams::append(out, root);
  return out;
}

Result<Frontier> Frontier::decode(ByteView in) {
  const Code code = ams::mutant("verifiable.wrong_code_log_state") ? Code::proof : Code::proof_form;
  if (in.size() < 8) return fail(code, "frontier");
  Frontier frontier;
  frontier.size_ = read_u64(in);
  in = in.subspan(8);
  const auto count = static_cast<std::size_t>(std::popcount(frontier.size_));
  if (in.size() != 32 * count) return fail(code, "frontier");
  for (; !in.empty(); in = in.subspan(32)) frontier.roots_.push_back(*to_array<32>(in.first(32)));
  return frontier;
}

void Log::append(const Hash& leaf_hash) {
  if (levels_.empty()) levels_.emplace_back();
  levels_[0].push_back(leaf_hash);
  for (std::size_t h = 0; levels_[h].size() % 2 == 0; ++h) {
    const auto& below = levels_[h];
    const Hash joined = log_node_hash(below[below.size() - 2], below.back());
    if (levels_.size() == h + 1) levels_.emplace_back();
    levels_[h + 1].push_back(joined);
  }
}

/// `begin` is a multiple of the largest power of two below the width, as in every call here.
Hash Log::subtree(std::uint64_t begin, std::uint64_t end) const {
  const std::uint64_t width = end - begin;
  if (std::has_single_bit(width)) {
    const auto height = static_cast<std::size_t>(std::countr_zero(width));
    return levels_[height][static_cast<std::size_t>(begin >> height)];
  }
  const std::uint64_t middle = begin + split_size(width);
  const Hash left = subtree(begin, middle);
  return log_node_hash(left, subtree(middle, end));
}

Hash Log::root(std::uint64_t size) const {
  AMS_ASSERT(size <= this->size());
  return size == 0 ? empty_log_root() : subtree(0, size);
}

Frontier Log::frontier() const {
  Bytes encoded;
  append_u64(encoded, size());
  std::uint64_t begin = 0;
  while (begin < size()) {
    const std::uint64_t width = std::bit_floor(size() - begin);
    ams::append(encoded, subtree(begin, begin + width));
    begin += width;
  }
  return *Frontier::decode(encoded);
}

void Log::inclusion(std::uint64_t index, std::uint64_t begin, std::uint64_t end, Bytes& out) const {
  if (end - begin == 1) return;
  const std::uint64_t middle = begin + split_size(end - begin);
  if (index < middle) {
    inclusion(index, begin, middle, out);
    ams::append(out, subtree(middle, end));
  } else {
    inclusion(index, middle, end, out);
    ams::append(out, subtree(begin, middle));
  }
}

Bytes Log::prove_inclusion(std::uint64_t index, std::uint64_t size) const {
  AMS_ASSERT(index < size && size <= this->size());
  Bytes out;
  inclusion(index, 0, size, out);
  return out;
}

/// SUBPROOF of RFC 9162; `known`: the verifier has the root of begin up to first.
void Log::consistency(std::uint64_t first, std::uint64_t begin, std::uint64_t end, bool known,
                      Bytes& out) const {
  if (first == end) {
    if (!known) ams::append(out, subtree(begin, end));
    return;
  }
  const std::uint64_t middle = begin + split_size(end - begin);
  if (first <= middle) {
    consistency(first, begin, middle, known, out);
    ams::append(out, subtree(middle, end));
  } else {
    consistency(first, middle, end, false, out);
    ams::append(out, subtree(begin, middle));
  }
}

Bytes Log::prove_consistency(std::uint64_t first, std::uint64_t second) const {
  AMS_ASSERT(first <= second && second <= size());
  Bytes out;
  if (first > 0) consistency(first, 0, second, true, out);
  return out;
}

}  // namespace ams::verifiable
