// Args of an adapter's request. A mistake of the suite (missing or mistyped args) is a Fault, which
// is no verdict of the implementation: it is answered as {"id","fault"}.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "keys/records.h"
#include "wire/value.h"

namespace ams::adapter {

using Json = nlohmann::json;

struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Args {
 public:
  explicit Args(const Json& args) : args_(args) {}
  bool has(const char* name) const { return args_.contains(name); }
  std::string text(const char* name) const;
  std::uint64_t number(const char* name) const;
  Bytes bytes(const char* name) const;
  template <std::size_t N>
  std::array<std::uint8_t, N> fixed(const char* name) const {
    const auto out = to_array<N>(bytes(name));
    if (!out) throw Fault(std::string(name) + ": wrong length");
    return *out;
  }
  Id16 kid(const char* name) const;
  Instant instant(const char* name) const;  // Unix ms
  std::vector<Args> objects(const char* name) const;
  std::vector<Bytes> list(const char* name) const;  // of base64url
  std::vector<std::string> texts(const char* name) const;
  /// The AMS-CJ value in bytes(name).
  Result<wire::Value> value(const char* name) const { return wire::decode(bytes(name)); }

 private:
  const Json& member(const char* name) const;
  const Json& args_;
};

using Answer = Result<Json>;

}  // namespace ams::adapter
