// What the tests and probes of this room share: answers as DNS would give them.
#pragma once

#include <utility>

#include "discovery/finder.h"

namespace ams::discovery::test {

inline keys::KeyId root_of(std::uint8_t byte) {
  Hash fp;
  fp.fill(byte);
  return {keys::kid_of(fp), fp};
}

inline Answer servers(std::uint32_t ttl_s, std::vector<Service> services) {
  return {Answer::Status::found, ttl_s, std::move(services), {}};
}
inline Answer server(std::uint32_t ttl_s) {
  return servers(ttl_s, {{0, 0, 7747, "mx.host.example"}});
}
inline Answer text(std::uint32_t ttl_s, const keys::KeyId& root) {
  return {Answer::Status::found, ttl_s, {}, {to_record(root)}};
}
inline Answer absent(std::uint32_t ttl_s) { return {Answer::Status::absent, ttl_s, {}, {}}; }

/// A Finder, what it asked, and its clock.
struct Bench {
  explicit Bench(FinderOptions options = {}) : finder(options, Hash{}) {}
  /// Questions that find() caused; outcomes are kept.
  std::vector<Ask> find(const std::string& domain = "a.example") {
    finder.find(domain, now);
    return drain();
  }
  std::vector<Ask> drain() {
    std::vector<Ask> asked;
    while (auto effect = finder.poll()) {
      if (auto* ask = std::get_if<Ask>(&*effect)) asked.push_back(std::move(*ask));
      if (auto* outcome = std::get_if<Outcome>(&*effect)) last = std::move(*outcome);
    }
    return asked;
  }
  /// Answers both questions of a find().
  const Outcome& answer(const std::vector<Ask>& asked, Answer services, Answer texts) {
    for (const Ask& ask : asked)
      finder.handle_answer(ask.id, ask.kind == Kind::service ? services : texts, now);
    drain();
    return *last;
  }
  /// Whether a find() is answered from what is known.
  bool knows(const std::string& domain = "a.example") {
    last.reset();
    return find(domain).empty() && last.has_value();
  }
  Instant now = from_unix_ms(1'900'000'000'000);
  Finder finder;
  std::optional<Outcome> last;
};

}  // namespace ams::discovery::test
