#include "mail/elements.h"

#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::mail {
namespace {

constexpr std::size_t string_size_max = 1024;  // ENC-17

/// Of an element that is no string.
Code wrong_type_code() {
  return mutant("mail.wrong_code_element") ? Code::unknown_member : Code::schema;
}

}  // namespace

std::vector<std::string> read_addresses(wire::ObjectReader& in, std::string_view name,
                                        std::size_t count_min, std::size_t count_max) {
  std::vector<std::string> out;
  const wire::Array& elements = in.array(name, count_max);
  in.require(elements.size() >= count_min, Code::schema, name);
  for (const wire::Value& element : elements) {
    if (!element.is_string()) in.require(false, wrong_type_code(), name);
    if (!in.ok()) break;
    in.require(element.as_string().size() <= string_size_max || mutant("mail.accept_address_size"),
               Code::object_too_large, name);
    in.require(wire::parse_address(element.as_string()).has_value(), Code::address_syntax, name);
    out.push_back(element.as_string());
  }
  return out;
}

std::vector<Hash> read_hashes(wire::ObjectReader& in, std::string_view name,
                              std::size_t count_max) {
  std::vector<Hash> out;
  for (const wire::Value& element : in.array(name, count_max)) {
    if (!element.is_string()) in.require(false, wrong_type_code(), name);
    if (!in.ok()) break;
    const auto raw = from_base64url(element.as_string());
    const auto hash = raw ? to_array<32>(*raw) : std::nullopt;
    in.require(hash.has_value() || mutant("mail.accept_hash_form"), Code::base64url, name);
    out.push_back(hash.value_or(Hash{}));
  }
  return out;
}

std::string read_address(wire::ObjectReader& in, std::string_view name) {
  std::string text = in.string(name);
  in.require(wire::parse_address(text).has_value(), Code::address_syntax, name);
  return text;
}

std::string read_domain(wire::ObjectReader& in, std::string_view name) {
  std::string text = in.string(name);
  in.require(wire::is_domain(text) || mutant("mail.accept_domain_syntax"), Code::address_syntax,
             name);
  return text;
}

wire::Value hash_array(const std::vector<Hash>& hashes) {
  wire::Array out;
  for (const Hash& hash : hashes) out.emplace_back(to_base64url(hash));
  return out;
}

wire::Value string_array(const std::vector<std::string>& strings) {
  return wire::Array(strings.begin(), strings.end());
}

}  // namespace ams::mail
