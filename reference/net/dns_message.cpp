#include "net/dns_message.h"

#include <arpa/nameser.h>
#include <resolv.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace ams::net {
namespace {

using discovery::Answer;
using discovery::Kind;

constexpr int cnames_max = 8;
constexpr std::uint32_t absence_without_soa_s = 10;  // RFC 2308: not to be kept, but for a moment

bool same_name(std::string_view a, std::string_view b) {
  const auto plain = [](std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    return text;
  };
  a = plain(a);
  b = plain(b);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

ByteView data_of(const ns_rr& record) {
  return {ns_rr_rdata(record), static_cast<std::size_t>(ns_rr_rdlen(record))};
}

std::optional<std::string> name_at(const ns_msg& message, ByteView data, std::size_t at) {
  std::array<char, NS_MAXDNAME> text{};
  if (at >= data.size()) return std::nullopt;
  const int size = ns_name_uncompress(ns_msg_base(message), data.data() + data.size(),
                                      data.data() + at, text.data(), text.size());
  if (size < 0) return std::nullopt;
  const std::string name(text.data());
  return name.empty() ? "." : name;
}

/// The character strings of a TXT record, joined (DOM-9).
std::optional<std::string> text_of(ByteView data) {
  std::string out;
  while (!data.empty()) {
    const std::size_t size = data[0];
    if (size >= data.size()) return std::nullopt;
    out += as_text(data.subspan(1, size));
    data = data.subspan(1 + size);
  }
  return out;
}

std::optional<discovery::Service> service_of(const ns_msg& message, ByteView data) {
  constexpr std::size_t fixed_size = 6;
  if (data.size() <= fixed_size) return std::nullopt;
  const auto u16 = [&](std::size_t at) {
    return static_cast<std::uint16_t>(data[at] << 8 | data[at + 1]);
  };
  auto target = name_at(message, data, fixed_size);
  if (!target) return std::nullopt;
  return discovery::Service{u16(0), u16(2), u16(4), std::move(*target)};
}

/// RFC 2308: the lesser of the SOA record's TTL and its last field.
std::uint32_t absence_ttl(ns_msg& message) {
  const int count = std::min<int>(ns_msg_count(message, ns_s_ns), dns_records_max);
  for (int n = 0; n < count; ++n) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_ns, n, &record) < 0) break;
    const ByteView data = data_of(record);
    if (ns_rr_type(record) == ns_t_soa && data.size() >= 22)
      return std::min<std::uint32_t>(ns_rr_ttl(record), read_u32(data.last(4)));
  }
  return absence_without_soa_s;
}

/// Adds a record to the answer; false: it cannot be read.
bool take(const ns_msg& message, const ns_rr& record, Kind kind, Answer& out) {
  if (kind == Kind::text) {
    auto text = text_of(data_of(record));
    if (!text) return false;
    // One that is too long has no form that counts, but it does count as being there.
    text->resize(std::min(text->size(), discovery::record_size_max + 1));
    out.texts.push_back(std::move(*text));
    return true;
  }
  auto service = service_of(message, data_of(record));
  if (!service) return false;
  out.services.push_back(std::move(*service));
  return true;
}

/// Where CNAME records of the response lead from `name`, and the least TTL on the way.
std::optional<std::string> follow(ns_msg& message, int count, std::string name,
                                  std::uint32_t& ttl_s) {
  for (int hop = 0; hop < cnames_max; ++hop) {
    bool moved = false;
    for (int n = 0; n < count && !moved; ++n) {
      ns_rr record;
      if (ns_parserr(&message, ns_s_an, n, &record) < 0) return std::nullopt;
      if (ns_rr_type(record) != ns_t_cname || !same_name(ns_rr_name(record), name)) continue;
      auto target = name_at(message, data_of(record), 0);
      if (!target) return std::nullopt;
      name = std::move(*target);
      ttl_s = std::min<std::uint32_t>(ttl_s, ns_rr_ttl(record));
      moved = true;
    }
    if (!moved) return name;
  }
  return std::nullopt;
}

}  // namespace

discovery::Answer read_dns_answer(ByteView bytes, discovery::Kind kind, std::string_view name) {
  const Answer failed{};
  ns_msg message;
  if (bytes.size() > NS_MAXMSG ||
      ns_initparse(bytes.data(), static_cast<int>(bytes.size()), &message) < 0)
    return failed;
  const int code = ns_msg_getflag(message, ns_f_rcode);
  if (!ns_msg_getflag(message, ns_f_qr) || ns_msg_getflag(message, ns_f_tc)) return failed;
  if (code != ns_r_noerror && code != ns_r_nxdomain) return failed;
  const int count = std::min<int>(ns_msg_count(message, ns_s_an), dns_records_max);
  Answer out;
  out.ttl_s = UINT32_MAX;
  const auto owner = follow(message, count, std::string(name), out.ttl_s);
  if (!owner) return failed;
  const ns_type wanted = kind == Kind::text ? ns_t_txt : ns_t_srv;
  for (int n = 0; n < count; ++n) {
    ns_rr record;
    if (ns_parserr(&message, ns_s_an, n, &record) < 0) return failed;
    if (ns_rr_type(record) != wanted || ns_rr_class(record) != ns_c_in ||
        !same_name(ns_rr_name(record), *owner))
      continue;
    if (!take(message, record, kind, out)) return failed;
    out.ttl_s = std::min<std::uint32_t>(out.ttl_s, ns_rr_ttl(record));
  }
  out.status = Answer::Status::found;
  if (!out.services.empty() || !out.texts.empty()) return out;
  return {Answer::Status::absent, std::min(out.ttl_s, absence_ttl(message)), {}, {}};
}

}  // namespace ams::net
