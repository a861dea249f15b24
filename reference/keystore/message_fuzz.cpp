// Properties: a request that is accepted is written back byte for byte (its signature aside); an
// answer that is accepted for an op is written back byte for byte; a store answers whatever bytes
// come, with an answer that an asker can read, and a stranger's bytes write nothing.
#include "keystore/test_bench.h"
#include "wire/sigform.h"

namespace ams::keystore {
namespace {

bench::Bench& house() {
  static bench::Bench* const out = [] {
    auto* made = new bench::Bench;
    made->grant(made->member("alice@corp.example", {"sales"}));
    (void)made->create({});
    return made;
  }();
  return *out;
}

std::vector<Args> one_of_each() {
  return {DecapArgs{},  SignArgs{}, ExportArgs{}, CreateArgs{}, RotateArgs{},
          RewrapArgs{}, ListArgs{}, AuditArgs{},  GrantArgs{},  RevokeArgs{}};
}

void check_request(ByteView input) {
  const auto value = wire::decode(input);
  if (!value) return;
  const auto request = parse_request(*value);
  if (!request) return;
  const Bytes again = wire::encode(to_value(*request));
  AMS_ASSERT(again == wire::encode_without(*value, "sig"));
}

void check_answer(ByteView input) {
  for (const Args& args : one_of_each()) {
    auto answer = parse_answer(input, args);
    if (!answer) continue;
    if (const auto* ok = std::get_if<Ok>(&answer->outcome)) {
      AMS_ASSERT(encode_ok(answer->id, *ok) == to_bytes(input));
    }
  }
}

void check_store(ByteView input) {
  bench::Bench& b = house();
  const Outcome outcome = b.store->handle(input, b.now, b.entropy());
  AMS_ASSERT(outcome.writes.empty());  // nobody but alice's device can sign
  AMS_ASSERT(parse_answer(outcome.answer, ListArgs{}).has_value());
}

}  // namespace
}  // namespace ams::keystore

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ams::ByteView input(data, size);
  ams::keystore::check_request(input);
  ams::keystore::check_answer(input);
  ams::keystore::check_store(input);
  return 0;
}
