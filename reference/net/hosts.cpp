#include "net/hosts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <sstream>
#include <vector>

#include "wire/address.h"

namespace ams::net {
namespace {

std::vector<std::string_view> split_words(std::string_view line) {
  std::vector<std::string_view> words;
  line = line.substr(0, line.find('#'));
  constexpr std::string_view blank = " \t\r";
  for (;;) {
    const auto start = line.find_first_not_of(blank);
    if (start == line.npos) return words;
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(blank), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

bool is_host(std::string_view text) {  // also IPv6 literals, which have colons and hex digits
  return !text.empty() && text.size() <= 253 && text.find('/') == text.npos;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

std::optional<Hash> parse_hash(std::string_view text) {
  const auto bytes = from_hex(text);
  return bytes ? to_array<32>(*bytes) : std::nullopt;
}

struct Fault {
  std::string_view field;
  std::string_view expected;
  std::string_view found;
};

tl::expected<HostEntry, Fault> parse_line(const std::vector<std::string_view>& words) {
  constexpr std::array<std::string_view, 5> fields{"domain", "host", "port", "root_kid", "root_fp"};
  if (words.size() < fields.size()) {
    return tl::unexpected(Fault{fields[words.size()], "domain host port root_kid root_fp [pin=…]",
                                "the end of the line"});
  }
  HostEntry entry;
  if (!wire::is_domain(words[0]))
    return tl::unexpected(Fault{"domain", "a lower-case domain name", words[0]});
  if (!is_host(words[1]))
    return tl::unexpected(Fault{"host", "a host name or an IP address", words[1]});
  const auto port = parse_port(words[2]);
  if (!port) return tl::unexpected(Fault{"port", "a number from 1 to 65535", words[2]});
  const auto kid = from_uuid_text(words[3]);
  if (!kid) return tl::unexpected(Fault{"root_kid", "a UUID in lower case (8-4-4-4-12)", words[3]});
  const auto fp = parse_hash(words[4]);
  if (!fp) return tl::unexpected(Fault{"root_fp", "64 lower-case hexadecimal digits", words[4]});
  entry = {std::string(words[0]), {std::string(words[1]), *port, {*kid, *fp}, std::nullopt}};
  if (words.size() == fields.size()) return entry;

  constexpr std::string_view pin = "pin=";
  if (words.size() > fields.size() + 1)
    return tl::unexpected(Fault{"pin", "the end of the line", words[6]});
  if (words[5].starts_with(pin))
    entry.found.certificate_pin = parse_hash(words[5].substr(pin.size()));
  if (!entry.found.certificate_pin) {
    return tl::unexpected(Fault{"pin", "pin= and 64 lower-case hexadecimal digits", words[5]});
  }
  return entry;
}

}  // namespace

tl::expected<Hosts, std::string> Hosts::parse(std::string_view text, std::string_view file_name) {
  Hosts hosts;
  const auto refuse = [&](int line, const Fault& fault) {
    std::ostringstream out;
    out << file_name << ':' << line << ": " << fault.field << ": expected " << fault.expected
        << ", found " << fault.found;
    return tl::unexpected(out.str());
  };
  for (int line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto words = split_words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) continue;
    auto entry = parse_line(words);
    if (!entry) return refuse(line, entry.error());
    if (hosts.find(entry->domain) != nullptr) {
      return refuse(line, {"domain", "each domain once", entry->domain});
    }
    std::string domain = entry->domain;
    hosts.entries_.emplace(std::move(domain), std::move(*entry));
  }
  return hosts;
}

tl::expected<Hosts, std::string> Hosts::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  in.peek();  // a folder opens well and fails at the first byte
  if (!in.is_open() || in.bad()) return tl::unexpected(path + ": cannot be read");
  return parse(std::string{std::istreambuf_iterator<char>(in), {}}, path);
}

const HostEntry* Hosts::find(std::string_view domain) const {
  const auto found = entries_.find(domain);
  return found == entries_.end() ? nullptr : &found->second;
}

std::string to_line(const HostEntry& entry) {
  std::string line = entry.domain + ' ' + entry.found.host + ' ' +
                     std::to_string(entry.found.port) + ' ' + to_uuid_text(entry.found.root.kid) +
                     ' ' + to_hex(entry.found.root.fp);
  if (entry.found.certificate_pin) line += " pin=" + to_hex(*entry.found.certificate_pin);
  return line;
}

}  // namespace ams::net
