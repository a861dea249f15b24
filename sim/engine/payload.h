// Immutable bytes that travel in an event: shared by reference count, so that a message sent to
// many, or kept for retransmission, exists once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "sim_engine/trace_hash.h"

namespace ams::sim {

/// The shared block. Never changes after construction; its digest is computed once.
class PayloadBlock {
 public:
  explicit PayloadBlock(Bytes bytes) : bytes_(std::move(bytes)), digest_(digest_bytes(bytes_)) {}
  ByteView view() const { return bytes_; }
  std::uint64_t digest() const { return digest_; }
  void retain() const { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  ~PayloadBlock() = default;
  Bytes bytes_;
  std::uint64_t digest_;
  mutable std::atomic<std::uint32_t> references_{1};
};

/// Owner of one reference, or nothing. Thread-safe as shared_ptr<const T> is.
class Payload {
 public:
  Payload() = default;
  explicit Payload(Bytes bytes) : block_(new PayloadBlock(std::move(bytes))) {}
  /// Shares a block that an Event lends during handle().
  static Payload share(const PayloadBlock* block) {
    Payload payload;
    payload.block_ = block;
    if (block != nullptr) block->retain();
    return payload;
  }
  Payload(const Payload& other) : block_(other.block_) {
    if (block_ != nullptr) block_->retain();
  }
  Payload(Payload&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Payload& operator=(Payload other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Payload() {
    if (block_ != nullptr) block_->release();
  }
  ByteView view() const { return block_ == nullptr ? ByteView{} : block_->view(); }
  std::size_t size() const { return view().size(); }
  explicit operator bool() const { return block_ != nullptr; }
  /// Gives the reference away (to the event queue).
  const PayloadBlock* detach() { return std::exchange(block_, nullptr); }

 private:
  const PayloadBlock* block_ = nullptr;
};

}  // namespace ams::sim
