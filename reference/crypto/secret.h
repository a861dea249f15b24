// Secret: bytes that are wiped when dropped, that do not print and do not copy by accident.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace ams::crypto {

using ams::wipe;

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::size_t size) : bytes_(size) {}
  static Secret copy_of(ByteView bytes) {
    Secret out;
    out.bytes_.assign(bytes.begin(), bytes.end());
    return out;
  }
  /// Takes the memory over: nothing is copied, so nothing stays behind.
  static Secret adopt(Bytes&& bytes) {
    Secret out;
    out.bytes_ = std::exchange(bytes, {});
    return out;
  }
  Secret(Secret&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  Secret& operator=(Secret&& other) noexcept {
    wipe(bytes_.data(), bytes_.size());
    bytes_ = std::exchange(other.bytes_, {});
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_.data(), bytes_.size()); }

  Secret clone() const { return copy_of(bytes_); }
  ByteView view() const { return bytes_; }
  std::uint8_t* data() { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

}  // namespace ams::crypto
