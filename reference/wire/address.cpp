#include "wire/address.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::wire {
namespace {

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_lower_alphanumeric(c) || c == '-'; });
}

}  // namespace

bool is_domain(std::string_view text) {
  if (text.size() > domain_size_max) return false;
  std::size_t labels = 0;
  for (;;) {
    const std::size_t dot = text.find('.');
    if (!is_label(text.substr(0, dot))) return false;
    ++labels;
    if (dot == std::string_view::npos) return labels >= 2;
    text.remove_prefix(dot + 1);
  }
}

bool is_local_part(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+/=?^_`{|}~.-";
  if (text.empty() || text.size() > local_part_size_max) return false;
  if (text.front() == '.' || text.back() == '.') return false;
  if (text.find("..") != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_lower_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

Result<Address> parse_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos) return fail(Code::address_syntax, "address");
  const std::string_view local = text.substr(0, at);
  const std::string_view domain = text.substr(at + 1);
  if ((!is_local_part(local) || !is_domain(domain)) && !mutant("wire.accept_address_syntax"))
    return fail(Code::address_syntax, "address");
  return Address{std::string(local), std::string(domain)};
}

}  // namespace ams::wire
