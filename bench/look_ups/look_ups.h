// What the three commands of ams-look-ups share.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace ams::look_ups {

struct FillOptions {
  std::string config_file;  // of the directory peer, which must not run
  std::int64_t keys = 100'000;
  std::int64_t records = 10'000;  // of these keys, how many have a record that can be got
  std::string kids_file;          // gets their kids, one UUID a line
};
/// Exit codes of all three: 0 done, 1 failed, 2 wrong arguments or configuration.
int fill(const FillOptions& options);

enum class Mode : std::uint8_t {
  proof,     // directory.proof
  get,       // directory.get
  verified,  // both, and all of DIR-22 for each
  echo,      // requests like `proof`'s, to the server of serve_echo(), without a session
};
struct AskOptions {
  std::string config_file;  // of the domain that asks
  std::string peer;         // domain, as it stands in the configuration's hosts file
  std::string kids_file;
  Mode mode = Mode::proof;
  int connections = 1, window = 64;  // unanswered requests of each connection
  std::int64_t count = 100'000;      // look-ups measured
  pid_t server = 0;                  // whose processor time is read; 0: nobody's
};
int ask(const AskOptions& options);

struct EchoOptions {
  std::string config_file;      // whose certificate and port it takes
  std::size_t answer_size = 0;  // bytes of each answer's payload
};
/// Answers every frame with one of that size, over the same TLS connections; until it is ended.
int serve_echo(const EchoOptions& options);

/// Says why on standard error and gives `code`.
int complain(int code, const std::string& why);

}  // namespace ams::look_ups
