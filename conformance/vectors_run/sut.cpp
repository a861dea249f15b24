#include "vectors_run/sut.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

extern char** environ;

namespace ams::conform {
namespace {

using nlohmann::json;
constexpr std::size_t line_bytes_max = std::size_t{64} << 20;

std::string clip(std::string_view text) {
  return std::string(text.substr(0, 100)) + (text.size() > 100 ? "…" : "");
}

bool strings_only(const json& object, const char* required, const char* also,
                  const char* optional) {
  if (!object.is_object() || !object.contains(required) || !object.contains(also)) return false;
  for (const auto& [name, value] : object.items()) {
    if (!value.is_string()) return false;
    if (name != required && name != also && name != optional) return false;
  }
  return true;
}

bool is_strings(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return false;
  for (const json& item : *found)
    if (!item.is_string()) return false;
  return true;
}

}  // namespace

Sut::Sut(const std::string& command, std::chrono::seconds silence_max) : silence_max_(silence_max) {
  std::array<int, 2> to{}, from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0) throw SutError("no pipe");
  if (pipe2(from.data(), O_CLOEXEC) != 0) throw SutError("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  posix_spawnattr_t settings;
  posix_spawnattr_init(&settings);
  sigset_t defaults;  // this program ignores SIGPIPE; the adapter must not inherit that
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&settings, &defaults);
  posix_spawnattr_setflags(&settings, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  std::string shell = "sh", option = "-c", text = command;
  std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  const int failed =
      posix_spawn(&child_, "/bin/sh", &actions, &settings, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&settings);
  ::close(to[0]);
  ::close(from[1]);
  in_ = to[1];
  out_ = from[0];
  fcntl(in_, F_SETFL, O_NONBLOCK);
  if (failed != 0) child_ = -1;
  if (failed != 0) throw SutError("cannot be started: " + command);
}

Sut::~Sut() {
  close_stdin();
  if (out_ >= 0) ::close(out_);
  if (child_ <= 0) return;
  ::kill(-child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

void Sut::close_stdin() {
  if (in_ >= 0) ::close(in_);
  in_ = -1;
}

void Sut::write_some(const std::string& text, std::size_t& sent) {
  const ssize_t wrote = ::write(in_, text.data() + sent, text.size() - sent);
  if (wrote > 0) sent += static_cast<std::size_t>(wrote);
  if (wrote < 0 && errno != EAGAIN && errno != EINTR)
    throw SutError("it closed its input before all requests were read, exit " +
                   std::to_string(wait()));
}

/// Reads once; true when `take` has all it waited for.
bool Sut::read_lines(const std::function<bool(std::string_view)>& take) {
  std::array<char, 65'536> buffer{};
  const ssize_t got = ::read(out_, buffer.data(), buffer.size());
  if (got < 0 && errno == EINTR) return false;
  if (got <= 0)
    throw SutError("it ended before it had answered all, exit " + std::to_string(wait()));
  pending_.append(buffer.data(), static_cast<std::size_t>(got));
  std::size_t start = 0;
  bool done = false;
  while (!done) {
    const std::size_t end = pending_.find('\n', start);
    if (end == std::string::npos) break;
    done = take(std::string_view(pending_).substr(start, end - start));
    start = end + 1;
  }
  pending_.erase(0, start);
  if (pending_.size() > line_bytes_max) throw SutError("a line of more than 64 MiB");
  return done;
}

void Sut::exchange(const std::string& text, const std::function<bool(std::string_view)>& take) {
  std::size_t sent = 0;
  while (true) {
    std::array<pollfd, 2> wanted{{{out_, POLLIN, 0}, {sent < text.size() ? in_ : -1, POLLOUT, 0}}};
    const int ready = ::poll(wanted.data(), wanted.size(), static_cast<int>(silence_max_.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      throw SutError("no answer within " + std::to_string(silence_max_.count() / 1000) +
                     " s; does it flush its output after each line?");
    if ((wanted[0].revents & (POLLIN | POLLHUP)) != 0 && read_lines(take)) return;
    if (wanted[1].revents != 0) write_some(text, sent);
  }
}

void Sut::post(const std::string& line) {
  if (in_ < 0) throw SutError("it has ended, exit " + std::to_string(wait()));
  for (std::size_t sent = 0; sent < line.size();) {
    pollfd wanted{in_, POLLOUT, 0};
    if (::poll(&wanted, 1, static_cast<int>(silence_max_.count())) <= 0)
      throw SutError("it does not read its input");
    write_some(line, sent);
  }
}

std::optional<std::string> Sut::take_line() {
  std::optional<std::string> out;
  if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
    out = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return out;
  }
  pollfd wanted{out_, POLLIN, 0};
  if (::poll(&wanted, 1, 0) > 0)
    read_lines([&](std::string_view line) {
      out = line;
      return true;
    });
  return out;
}

json Sut::ask(const json& request) {
  json answer;
  exchange(request.dump() + "\n", [&](std::string_view line) {
    answer = parse_answer(line);
    return true;
  });
  if (answer.at("id") != request.at("id"))
    throw SutError("the answer to id " + request.at("id").dump() + " has id " +
                   answer.at("id").dump());
  return answer;
}

/// Its exit code, or 128 + the signal; -1 when it does not end.
int Sut::wait() {
  close_stdin();
  if (child_ <= 0) return ended_with_;
  const auto until = std::chrono::steady_clock::now() + silence_max_;
  int status = 0;
  while (::waitpid(child_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ::kill(-child_, SIGKILL);  // what it left behind in its group
  child_ = -1;
  ended_with_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended_with_;
}

void Sut::finish() {
  close_stdin();
  std::array<char, 4096> buffer{};
  while (true) {
    pollfd wanted{out_, POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(silence_max_.count())) == 0) break;  // wait() says so
    const ssize_t got = ::read(out_, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    pending_.append(buffer.data(), static_cast<std::size_t>(got));
    if (pending_.size() > 100) break;
  }
  if (!pending_.empty()) throw SutError("a line that nobody asked for: " + clip(pending_));
  const int code = wait();
  if (code < 0) throw SutError("it does not end when its input does");
  if (code != 0) throw SutError("exit " + std::to_string(code) + " at the end of its input");
}

std::string fault_of_answer(const json& answer) {
  if (!answer.is_object()) return "no object";
  const auto id = answer.find("id");
  if (id == answer.end() || (!id->is_number_integer() && !id->is_null()))
    return "id is neither an integer nor null";
  std::size_t kinds = 0;
  for (const auto& [name, value] : answer.items()) {
    if (name == "id") continue;
    if (name == "ok" && !value.is_object()) return "ok is no object";
    if (name == "error" && !strings_only(value, "code", "phase", "where"))
      return "error is not {code, phase, where?} of strings";
    if (name == "fault" && !value.is_string()) return "fault is no string";
    if (name != "ok" && name != "error" && name != "fault") return "unknown member " + name;
    ++kinds;
  }
  return kinds == 1 ? "" : "not exactly one of ok, error and fault";
}

json parse_answer(std::string_view line) {
  json answer = json::parse(line, nullptr, false);
  if (answer.is_discarded()) throw SutError("a line that is no JSON: " + clip(line));
  const std::string fault = fault_of_answer(answer);
  if (!fault.empty()) throw SutError("a line that is no answer, " + fault + ": " + clip(line));
  return answer;
}

json say_hello(Sut& sut) {
  const json answer = sut.ask({{"id", 0}, {"op", "hello"}, {"args", json::object()}});
  if (answer.contains("error") && answer["error"]["code"] == "unsupported") return nullptr;
  if (!answer.contains("ok")) throw SutError("hello was not answered with ok: " + answer.dump());
  const json& ok = answer["ok"];
  const auto impl = ok.find("impl");
  if (impl == ok.end() || !impl->is_string()) throw SutError("hello: impl is no string");
  for (const char* name : {"roles", "spec_versions", "ops"})
    if (!is_strings(ok, name)) throw SutError(std::string("hello: ") + name + " holds no strings");
  return ok;
}

}  // namespace ams::conform
