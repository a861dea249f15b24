#include "discovery/records.h"

#include <algorithm>
#include <optional>
#include <set>

#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::discovery {
namespace {

constexpr std::string_view blank = " \t";
constexpr std::size_t tag_name_size_max = 32;

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(blank);
  if (from == text.npos) return {};
  return text.substr(from, text.find_last_not_of(blank) - from + 1);
}

/// Cuts the text before the next ';' off `rest`.
std::string_view next_tag(std::string_view& rest) {
  const auto end = std::min(rest.find(';'), rest.size());
  const std::string_view tag = trim(rest.substr(0, end));
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return tag;
}

/// Whether the record is one of ours: others may stand under the same name (DOM-8).
bool is_version_1(std::string_view record) {
  return next_tag(record) == "v=ams1" || mutant("discovery.skip_version");
}

bool is_tag_name(std::string_view name) {
  if (name.empty() || name.size() > tag_name_size_max) return false;
  if (name.front() < 'a' || name.front() > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_tag_value(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::optional<Hash> parse_fp(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? to_array<32>(*bytes) : std::nullopt;
}

std::string plain_target(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (text.size() > 1 && text.back() == '.') text.pop_back();
  return text;
}

/// RFC 2782: the order within one priority. Weight 0 stands first, so that it has a small chance.
void draw_by_weight(std::span<Service> group, crypto::Drbg& drbg) {
  std::stable_sort(group.begin(), group.end(), [](const Service& a, const Service& b) {
    return (a.weight != 0) < (b.weight != 0);
  });
  for (std::size_t at = 0; at + 1 < group.size(); ++at) {
    std::uint64_t sum = 0;
    for (const Service& service : group.subspan(at)) sum += service.weight;
    std::uint64_t left = drbg.u64() % (sum + 1);
    std::size_t chosen = at;
    while (left > group[chosen].weight) left -= group[chosen++].weight;
    std::rotate(group.begin() + static_cast<std::ptrdiff_t>(at),
                group.begin() + static_cast<std::ptrdiff_t>(chosen),
                group.begin() + static_cast<std::ptrdiff_t>(chosen) + 1);
  }
}

}  // namespace

std::string service_name(std::string_view domain) { return "_ams._tcp." + std::string(domain); }
std::string text_name(std::string_view domain) { return "_ams." + std::string(domain); }

Result<keys::KeyId> parse_record(std::string_view record) {
  const auto refuse = [](std::string_view where) { return fail(Code::discovery_form, where); };
  if (record.size() > record_size_max) return refuse("txt: size");
  if (!is_version_1(record)) return refuse("txt: v");
  record = trim(record);
  if (record.ends_with(';')) record = trim(record.substr(0, record.size() - 1));
  if (record.ends_with(';')) return refuse("txt: tag");
  std::set<std::string_view> seen;
  std::optional<Id16> kid;
  std::optional<Hash> fp;
  while (!record.empty()) {
    const std::string_view tag = next_tag(record);
    const auto sign = tag.find('=');
    if (sign == tag.npos) return refuse("txt: tag");
    const std::string_view name = tag.substr(0, sign), value = tag.substr(sign + 1);
    if (!is_tag_name(name) || !is_tag_value(value)) return refuse("txt: tag");
    if (!seen.insert(name).second && !mutant("discovery.accept_tag_twice"))
      return refuse("txt: tag twice");
    if (name == "k" && !(kid = from_uuid_text(value))) return refuse("txt: k");
    if (name == "fp" && !(fp = parse_fp(value))) return refuse("txt: fp");
  }
  if (!kid || !fp) return refuse("txt: k and fp");
  if (keys::kid_of(*fp) != *kid && !mutant("discovery.skip_kid"))
    return fail(Code::kid_mismatch, "txt: k");
  return keys::KeyId{*kid, *fp};
}

Result<keys::KeyId> parse_records(std::span<const std::string> records) {
  const std::string* ours = nullptr;
  for (const std::string& record : records) {
    if (!is_version_1(record)) continue;
    if (ours != nullptr && !mutant("discovery.take_one_of_many"))
      return fail(Code::discovery_ambiguous, "txt: several records");
    ours = &record;
  }
  if (ours == nullptr) return fail(Code::not_found, "txt: no record");
  return parse_record(*ours);
}

std::string to_record(const keys::KeyId& root) {
  return "v=ams1; k=" + to_uuid_text(root.kid) + "; fp=" + to_hex(root.fp);
}

std::vector<Service> in_order(std::vector<Service> services, crypto::Drbg& drbg) {
  for (Service& service : services) service.target = plain_target(std::move(service.target));
  std::erase_if(services, [](const Service& service) {
    return service.port == 0 || !wire::is_domain(service.target);
  });
  if (!mutant("discovery.ignore_priority")) {
    std::sort(services.begin(), services.end(), [](const Service& a, const Service& b) {
      return std::tie(a.priority, a.weight, a.target, a.port) <
             std::tie(b.priority, b.weight, b.target, b.port);
    });
  }
  for (std::size_t from = 0; from < services.size();) {
    std::size_t to = from;
    while (to < services.size() && services[to].priority == services[from].priority) ++to;
    draw_by_weight(std::span(services).subspan(from, to - from), drbg);
    from = to;
  }
  if (services.size() > services_max) services.resize(services_max);
  return services;
}

}  // namespace ams::discovery
