#include "adapter/args.h"

namespace ams::adapter {

const Json& Args::member(const char* name) const {
  const auto found = args_.find(name);
  if (found == args_.end()) throw Fault(std::string(name) + ": missing");
  return *found;
}

std::string Args::text(const char* name) const {
  if (!member(name).is_string()) throw Fault(std::string(name) + ": no string");
  return member(name).get<std::string>();
}

std::uint64_t Args::number(const char* name) const {
  if (!member(name).is_number_unsigned()) throw Fault(std::string(name) + ": no number");
  return member(name).get<std::uint64_t>();
}

Bytes Args::bytes(const char* name) const {
  const auto out = from_base64url(text(name));
  if (!out) throw Fault(std::string(name) + ": no base64url");
  return *out;
}

Id16 Args::kid(const char* name) const {
  const auto out = from_uuid_text(text(name));
  if (!out) throw Fault(std::string(name) + ": no kid");
  return *out;
}

std::vector<Hash> Args::hashes(const char* name) const {
  if (!member(name).is_array()) throw Fault(std::string(name) + ": no array");
  std::vector<Hash> out;
  for (const Json& element : member(name)) {
    const auto raw =
        element.is_string() ? from_base64url(element.get<std::string>()) : std::nullopt;
    const auto hash = raw ? to_array<32>(*raw) : std::nullopt;
    if (!hash) throw Fault(std::string(name) + ": no array of hashes");
    out.push_back(*hash);
  }
  return out;
}

}  // namespace ams::adapter
