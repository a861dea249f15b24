// A codec adapter (adapter/adapter.schema.json) as a child process: lines in, lines out.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ams::conform {

/// The adapter died, fell silent or broke the protocol: that is no verdict on its codec.
struct SutError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Sut {
 public:
  /// Starts `command` with sh in a process group of its own, which ends with this object.
  Sut(const std::string& command, std::chrono::seconds silence_max);
  ~Sut();
  Sut(const Sut&) = delete;
  Sut& operator=(const Sut&) = delete;

  /// Writes `text` and hands each line that comes to `take`, until that returns true. Throws
  /// SutError when the adapter ends first, or neither reads nor writes for silence_max.
  void exchange(const std::string& text, const std::function<bool(std::string_view)>& take);

  /// One request, one answer; throws SutError for anything that is no answer to it.
  nlohmann::json ask(const nlohmann::json& request);

  /// The same in two halves, for who has other things to wait for: gives it a line; takes the
  /// oldest line that it has written, empty when there is none yet. fd(): its stdout, to poll.
  void post(const std::string& line);
  std::optional<std::string> take_line();
  int fd() const { return out_; }

  /// Closes its stdin and waits for its end. Throws SutError for another exit code than 0, for
  /// lines that nobody asked for, and when it does not end.
  void finish();

 private:
  bool read_lines(const std::function<bool(std::string_view)>& take);
  void write_some(const std::string& text, std::size_t& sent);
  void close_stdin();
  int wait();

  std::chrono::milliseconds silence_max_;
  pid_t child_ = -1;  // none any more
  int ended_with_ = -1;
  int in_ = -1, out_ = -1;  // its stdin and stdout
  std::string pending_;     // read, not yet a whole line
};

/// An answer to hello that declares ops; throws SutError for one that adapter.schema.json does not
/// allow. An adapter that answers `unsupported` declares nothing: null.
nlohmann::json say_hello(Sut& sut);

/// What adapter.schema.json does not allow in an answer; empty: it is one.
std::string fault_of_answer(const nlohmann::json& answer);

/// The answer that a line holds; throws SutError when there is none.
nlohmann::json parse_answer(std::string_view line);

}  // namespace ams::conform
