// Publisher: what the account has to say of its keys in the directory (KEV, REV): kept until the
// server has answered for it, tried again as long as it takes.
#pragma once

#include <map>
#include <optional>

#include "client/connection.h"
#include "client/core.h"

namespace ams::client {

class Publisher {
 public:
  /// Goes on with what a restart interrupted.
  Publisher(Core& core, Link& link);

  /// `durable`: its row is written already, with something that it belongs to.
  enum class Row : std::uint8_t { to_be_written, durable };
  /// Report: Published, once the server has judged it.
  void publish(const wire::Value& object, Row row);
  void run();
  std::optional<Instant> due() const;
  bool has_work() const { return !waiting_.empty(); }

  /// The row for a batch; then publish(object, Row::durable).
  static storage::Put row_of(const wire::Value& object);

 private:
  void answered(const Hash& name, const Result<wire::Value>& answer);
  void end(const Hash& name, const Result<>& outcome);

  Core& core_;
  Link& link_;
  std::map<Hash, wire::Value> waiting_;
  bool asked_ = false;  // an answer or a commit is awaited
  int attempt_ = 0;
  Instant retry_at_;
};

}  // namespace ams::client
