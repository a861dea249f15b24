#include "daemon/publication.h"

#include <algorithm>
#include <sstream>

#include "daemon/files.h"
#include "daemon/peer_line.h"
#include "directory/peer.h"
#include "directory/work.h"
#include "net/loop.h"

namespace ams::daemon {
namespace {

using Failed = tl::unexpected<Failure>;

struct Offered {
  std::string place;  // file:line
  wire::Value object;
  std::string code;  // empty: it was taken
};

tl::expected<std::vector<Offered>, Failure> read_objects(const std::vector<std::string>& files) {
  std::vector<Offered> out;
  for (const std::string& path : files) {
    const auto text = read_file(path);
    if (!text) return Failed(Failure{exit_bad_config, text.error()});
    std::istringstream lines(*text);
    std::size_t number = 0;
    for (std::string line; std::getline(lines, line);) {
      const std::string place = path + ":" + std::to_string(++number);
      auto object = wire::decode(as_bytes(line));
      if (!object)
        return Failed(
            Failure{exit_bad_config, place + ": expected one object of AMS-CJ: " +
                                         std::string(code_info(object.error().code).name)});
      out.push_back({place, std::move(*object), {}});
    }
  }
  if (out.empty()) return Failed(Failure{exit_bad_config, "FILE: expected at least one object"});
  return out;
}

/// Offers those that are in `which`, 64 at a time, each with its work or none.
tl::expected<void, Failure> offer(PeerLine& line, std::vector<Offered>& all,
                                  const std::vector<std::size_t>& which, int work_bits,
                                  const std::string& domain) {
  for (std::size_t at = 0; at < which.size(); at += directory::publish_max) {
    const std::size_t end = std::min(which.size(), at + directory::publish_max);
    wire::Array records, work;
    for (std::size_t i = at; i < end; ++i) {
      const wire::Value& object = all[which[i]].object;
      records.push_back(object);
      if (work_bits == 0) continue;
      const std::int64_t day = to_unix_ms(net::Loop().now()) / 86'400'000;
      const Hash hash = crypto::sha256(wire::encode(object));
      const auto nonce = directory::find_work({domain, day, hash}, work_bits, 1ull << 40);
      work.emplace_back(nonce ? to_base64url(*nonce) : "");
    }
    wire::Object args{{"records", std::move(records)}};
    if (work_bits != 0) args.emplace("work", std::move(work));
    auto answer = line.ask("directory.publish", wire::Value(std::move(args)));
    if (!answer) return Failed(answer.error());
    const wire::Value* results = *answer ? (**answer).find("results") : nullptr;
    const bool whole = results && results->is_array() && results->as_array().size() == end - at;
    for (std::size_t i = at; i < end; ++i) {
      std::string& code = all[which[i]].code;
      code = *answer ? "no_answer" : std::string(code_info(answer->error().code).name);
      if (!whole) continue;
      const wire::Value* refused = results->as_array()[i - at].find("code");
      code = refused && refused->is_string() ? refused->as_string() : "";
    }
  }
  return {};
}

/// The work that the peer asks for (DIR-24); 0: none is taken, or more than we are willing to do.
tl::expected<int, Failure> asked_work(PeerLine& line, int most) {
  const auto head = line.ask("directory.head", wire::Object{});
  if (!head) return Failed(head.error());
  const wire::Value* bits = *head ? (**head).find("work") : nullptr;
  if (bits == nullptr || !bits->is_integer() || bits->as_integer() < 1) return 0;
  return bits->as_integer() > most ? 0 : static_cast<int>(bits->as_integer());
}

}  // namespace

tl::expected<std::string, Failure> publish(const apps::ServerConfig& config,
                                           const PublishOptions& options) {
  const auto site = find_peer(config, options.peer, options.hosts_file);
  if (!site) return Failed(site.error());
  auto all = read_objects(options.files);
  if (!all) return Failed(all.error());
  auto line = PeerLine::open(config, *site);
  if (!line) return Failed(line.error());
  std::vector<std::size_t> which(all->size());
  for (std::size_t i = 0; i < which.size(); ++i) which[i] = i;
  if (auto done = offer(**line, *all, which, 0, site->domain); !done) return Failed(done.error());
  std::erase_if(which, [&](std::size_t i) { return (*all)[i].code != "publisher"; });
  std::int64_t paid = 0;
  if (options.work_bits_max > 0 && !which.empty()) {
    const auto bits = asked_work(**line, options.work_bits_max);
    if (!bits) return Failed(bits.error());
    if (*bits > 0)
      if (auto done = offer(**line, *all, which, *bits, site->domain); !done)
        return Failed(done.error());
    paid = std::count_if(which.begin(), which.end(),
                         [&](std::size_t i) { return (*all)[i].code.empty(); });
  }
  std::string text;
  bool refused = false;
  for (const Offered& one : *all) {
    text += one.place + ": " + (one.code.empty() ? "published" : "refused: " + one.code) + "\n";
    refused = refused || !one.code.empty();
  }
  if (paid > 0) text += std::to_string(paid) + " beyond the quota, paid with work\n";
  text.pop_back();
  if (refused) return Failed(Failure{exit_failure, text});
  return text;
}

}  // namespace ams::daemon
