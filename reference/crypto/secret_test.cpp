// Goal: a Secret's bytes are zero before their memory is given back, whichever way it goes.
// Method: this program's operator delete looks at one watched block in the moment it is freed.
#include "crypto/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <new>
#include <type_traits>

#include "crypto/crypto.h"

namespace {
const void* watched_block = nullptr;
std::size_t watched_size = 0;
enum class Seen { not_freed, freed_wiped, freed_readable } seen = Seen::not_freed;

void watch(const void* block, std::size_t size) {
  watched_block = block;
  watched_size = size;
  seen = Seen::not_freed;
}

void give_back(void* block) noexcept {
  if (block != nullptr && block == watched_block) {
    const auto* bytes = static_cast<const volatile unsigned char*>(block);
    const bool wiped =
        std::all_of(bytes, bytes + watched_size, [](auto byte) { return byte == 0; });
    seen = wiped ? Seen::freed_wiped : Seen::freed_readable;
    watched_block = nullptr;
  }
  std::free(block);
}
}  // namespace

void* operator new(std::size_t size) {
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept { give_back(block); }
void operator delete(void* block, std::size_t) noexcept { give_back(block); }

namespace ams::crypto {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(!std::is_copy_constructible_v<SigningKey>);
static_assert(!std::is_copy_constructible_v<DecryptionKey>);

Secret watched_secret() {
  Secret out = Secret::copy_of(Bytes(48, 0xa5));
  watch(out.data(), out.size());
  return out;
}

TEST(Secret, the_watch_itself_sees_unwiped_bytes) {
  {
    const Bytes plain(48, 0xa5);
    watch(plain.data(), plain.size());
  }
  EXPECT_EQ(seen, Seen::freed_readable);
}

TEST(Secret, is_wiped_when_dropped) {
  { const Secret secret = watched_secret(); }
  EXPECT_EQ(seen, Seen::freed_wiped);
}

TEST(Secret, is_wiped_when_overwritten) {
  Secret secret = watched_secret();
  secret = Secret::copy_of(Bytes(3, 1));
  EXPECT_EQ(seen, Seen::freed_wiped);
  EXPECT_EQ(secret.size(), 3u);
}

TEST(Secret, a_move_leaves_nothing_behind_and_copies_nothing) {
  Secret from = watched_secret();
  const auto* block = from.data();
  Secret to = std::move(from);
  EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
  EXPECT_EQ(to.data(), block);
  EXPECT_EQ(seen, Seen::not_freed);
}

}  // namespace
}  // namespace ams::crypto
