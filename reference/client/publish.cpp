#include "client/publish.h"

namespace ams::client {
namespace {

Hash name_of(const wire::Value& object) { return crypto::sha256(wire::encode(object)); }

/// DIR-1's answer for the one object that was sent.
Result<> verdict_of(const wire::Value& answer) {
  const wire::Value* results = answer.find("results");
  if (!results || !results->is_array() || results->as_array().size() != 1)
    return fail(Code::schema, "directory.publish.results");
  const wire::Value* code = results->as_array().front().find("code");
  if (!code) return {};
  const CodeInfo* info = code->is_string() ? find_code(code->as_string()) : nullptr;
  return fail(info ? info->code : Code::schema, "directory.publish");
}

}  // namespace

storage::Put Publisher::row_of(const wire::Value& object) {
  return put_row(table_unpublished, name_of(object), wire::encode(object));
}

Publisher::Publisher(Core& core, Link& link) : core_(core), link_(link), retry_at_(core.now) {
  const auto visit = [&](ByteView, ByteView value) {
    if (auto object = wire::decode(value)) waiting_.emplace(name_of(*object), std::move(*object));
    return true;
  };
  if (auto scanned = core_.reader.scan(table_unpublished, {}, {}, visit); !scanned)
    core_.tell(CommandFailed{"load", scanned.error()});
}

void Publisher::publish(const wire::Value& object, Row row) {
  const Hash name = name_of(object);
  core_.again = true;
  if (row == Row::durable) {
    waiting_.emplace(name, object);
    return;
  }
  storage::WriteBatch batch;
  batch.puts.push_back(row_of(object));
  core_.commit(std::move(batch), [this, name, object](const Result<>& outcome) {
    core_.again = true;
    if (!outcome) return core_.tell(Published{object, outcome});
    waiting_.emplace(name, object);
  });
}

void Publisher::run() {
  if (waiting_.empty() || asked_ || !link_.up() || core_.now < retry_at_) return;
  asked_ = true;
  const Hash name = waiting_.begin()->first;
  link_.request("directory.publish",
                wire::Object{{"records", wire::Array{waiting_.begin()->second}}},
                [this, name](const Result<wire::Value>& answer) { answered(name, answer); });
}

void Publisher::answered(const Hash& name, const Result<wire::Value>& answer) {
  asked_ = false;
  core_.again = true;
  Result<> verdict = answer ? verdict_of(*answer) : tl::unexpected(answer.error());
  if (!verdict && is_temporary(verdict.error())) {
    const bool lost = !link_.up();  // the link waits for itself
    retry_at_ = lost ? core_.now : core_.now + core_.backoff(attempt_++);
    if (!lost && attempt_ == 1) core_.tell(CommandFailed{"publish", verdict.error()});
    return;
  }
  attempt_ = 0;
  end(name, verdict);
}

void Publisher::end(const Hash& name, const Result<>& outcome) {
  core_.tell(Published{waiting_.at(name), outcome});
  waiting_.erase(name);
  storage::WriteBatch batch;
  batch.erases.push_back(erase_row(table_unpublished, name));
  core_.commit(std::move(batch), [](const Result<>&) {});  // kept: sent once more after a restart
}

std::optional<Instant> Publisher::due() const {
  if (waiting_.empty() || asked_ || !link_.up() || retry_at_ <= core_.now) return std::nullopt;
  return retry_at_;
}

}  // namespace ams::client
