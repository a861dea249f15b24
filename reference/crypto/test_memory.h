// For tests: is a secret still somewhere in this process?
#pragma once

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

#include "base/bytes.h"

// Sanitizers keep freed memory and terabytes of shadow, so the search has no meaning under them.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define AMS_MEMORY_CAN_BE_SEARCHED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define AMS_MEMORY_CAN_BE_SEARCHED 0
#endif
#endif
#ifndef AMS_MEMORY_CAN_BE_SEARCHED
#define AMS_MEMORY_CAN_BE_SEARCHED 1
#endif

namespace ams::crypto::testing {

/// What to look for, kept masked so that it does not find itself.
class Needle {
 public:
  explicit Needle(ByteView secret) {
    // What is freed stays mapped, where it can be looked at.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    for (const std::uint8_t byte : secret) masked_.push_back(byte ^ mask);
  }
  /// The same as text of a JSON member.
  static Needle base64url_of(ByteView secret) {
    std::string text = to_base64url(secret);
    Needle out(as_bytes(text));
    wipe(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
    return out;
  }

  /// How many copies of either half lie in the writable memory of this process: heap, stacks,
  /// static data, what was given back to the allocator included. Allocates nothing: that could
  /// overwrite what it looks for.
  std::size_t copies() const {
    static std::array<char, 1 << 18> maps;
    const std::string_view text(maps.data(), read_maps(maps));
    const std::size_t half = masked_.size() / 2;
    std::size_t out = 0;
    for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1) {
      char* cursor = maps.data() + line;  // begin-end rw-p …
      const auto begin = reinterpret_cast<Place>(std::strtoull(cursor, &cursor, 16));
      const auto end = reinterpret_cast<Place>(std::strtoull(cursor + 1, &cursor, 16));
      if (std::string_view(cursor, 3) != " rw") continue;
      out += count(begin, end, ByteView(masked_).first(half));
      out += count(begin, end, ByteView(masked_).subspan(half));
    }
    return out;
  }

 private:
  static constexpr std::uint8_t mask = 0xa5;
  using Place = const std::uint8_t*;

  static std::size_t read_maps(std::span<char> to) {
    const int file = open("/proc/self/maps", O_RDONLY);
    std::size_t size = 0;
    for (;;) {
      const ssize_t got = read(file, to.data() + size, to.size() - 1 - size);
      if (got <= 0) break;
      size += static_cast<std::size_t>(got);
    }
    close(file);
    return size;
  }

  static std::size_t count(Place begin, Place end, ByteView masked) {
    const int first = masked[0] ^ mask;
    std::size_t out = 0;
    const auto size = static_cast<std::ptrdiff_t>(masked.size());
    for (Place at = begin; end - at >= size; ++at) {
      at = static_cast<Place>(std::memchr(at, first, static_cast<std::size_t>(end - at)));
      if (at == nullptr || end - at < size) break;
      const auto same = [](std::uint8_t found, std::uint8_t wanted) {
        return (found ^ mask) == wanted;
      };
      out += std::equal(at, at + size, masked.begin(), same) ? 1 : 0;
    }
    return out;
  }

  Bytes masked_;
};

}  // namespace ams::crypto::testing
