#include "ams_cli/terminal.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace ams::cli {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ > STDERR_FILENO) close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

/// A terminal that does not show what is typed, for as long as this lives.
class Unseen {
 public:
  explicit Unseen(int terminal) : terminal_(terminal) {
    if (tcgetattr(terminal_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(terminal_, TCSAFLUSH, &quiet) == 0;
  }
  ~Unseen() {
    if (changed_) tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;

 private:
  int terminal_;
  termios before_{};
  bool changed_ = false;
};

/// One byte at a time, so that nothing of what follows the line is taken, and no buffer keeps it.
tl::expected<crypto::Secret, std::string> read_line(int file, const std::string& name) {
  crypto::Secret line(passphrase_size_max);
  std::size_t size = 0;
  for (;;) {
    std::uint8_t byte = 0;
    const ssize_t got = ::read(file, &byte, 1);
    if (got < 0) return tl::unexpected<std::string>(name + ": cannot read");
    if (got == 0 || byte == '\n') break;
    if (size == line.size())
      return tl::unexpected<std::string>(name + ": the passphrase is too long");
    line.data()[size++] = byte;
  }
  return crypto::Secret::copy_of(line.view().first(size));
}

tl::expected<crypto::Secret, std::string> ask(int terminal, const std::string& prompt) {
  const Unseen unseen(terminal);
  const auto put = [&](const std::string& text) {
    return ::write(terminal, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  };
  if (!put(prompt + ": ")) return tl::unexpected<std::string>("/dev/tty: cannot write");
  auto line = read_line(terminal, "/dev/tty");
  put("\n");
  return line;
}

}  // namespace

int say(int code, const std::string& what) {
  fmt::print(stderr, "ams: {}\n", what);
  return code;
}

void progress(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K{}", what);
}
void end_progress() { progress(""); }

bool has_terminal() { return isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0; }

tl::expected<crypto::Secret, std::string> read_passphrase(const std::string& file,
                                                          const std::string& prompt,
                                                          Passphrase kind) {
  tl::expected<crypto::Secret, std::string> line;
  if (file.empty()) {
    const Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    if (terminal.get() < 0)
      return tl::unexpected<std::string>(
          "no terminal to ask for the passphrase; give --passphrase-file");
    line = ask(terminal.get(), prompt);
    if (line && kind == Passphrase::new_one) {
      const auto again = ask(terminal.get(), prompt + ", once more");
      if (!again) return tl::unexpected<std::string>(again.error());
      if (to_bytes(again->view()) != to_bytes(line->view()))
        return tl::unexpected<std::string>("that was something else; nothing was done");
    }
  } else {
    const Descriptor from(file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (from.get() < 0) return tl::unexpected<std::string>(file + ": cannot read");
    line = read_line(from.get(), file);
  }
  if (line && kind == Passphrase::new_one && line->size() < passphrase_size_min)
    return tl::unexpected<std::string>(
        fmt::format("the passphrase has fewer than {} characters", passphrase_size_min));
  return line;
}

std::string date_of(std::int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)));
}

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace ams::cli
