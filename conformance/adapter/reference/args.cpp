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

Instant Args::instant(const char* name) const {
  const std::uint64_t ms = number(name);
  if (ms > static_cast<std::uint64_t>(wire::integer_max))
    throw Fault(std::string(name) + ": no time");
  return from_unix_ms(static_cast<std::int64_t>(ms));
}

std::vector<Args> Args::objects(const char* name) const {
  if (!member(name).is_array()) throw Fault(std::string(name) + ": no array");
  std::vector<Args> out;
  for (const Json& element : member(name)) {
    if (!element.is_object()) throw Fault(std::string(name) + ": no array of objects");
    out.emplace_back(element);
  }
  return out;
}

std::vector<std::string> Args::texts(const char* name) const {
  if (!member(name).is_array()) throw Fault(std::string(name) + ": no array");
  std::vector<std::string> out;
  for (const Json& element : member(name)) {
    if (!element.is_string()) throw Fault(std::string(name) + ": no array of strings");
    out.push_back(element.get<std::string>());
  }
  return out;
}

std::vector<Bytes> Args::list(const char* name) const {
  if (!member(name).is_array()) throw Fault(std::string(name) + ": no array");
  std::vector<Bytes> out;
  for (const Json& element : member(name)) {
    auto raw = element.is_string() ? from_base64url(element.get<std::string>()) : std::nullopt;
    if (!raw) throw Fault(std::string(name) + ": no array of base64url");
    out.push_back(std::move(*raw));
  }
  return out;
}

}  // namespace ams::adapter
