#include "net/control.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <filesystem>

#include "net/asio.h"

namespace ams::net {
namespace {

using Stream = asio::local::stream_protocol;
constexpr auto control_timeout = std::chrono::seconds(10);

/// A socket's address holds 107 bytes of path. Through its folder's descriptor any path is short.
class ShortPath {
 public:
  explicit ShortPath(const std::string& path) {
    const std::filesystem::path whole(path);
    const auto folder = whole.parent_path().empty() ? "." : whole.parent_path().string();
    folder_ = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    text_ = "/proc/self/fd/" + std::to_string(folder_) + "/" + whole.filename().string();
  }
  ~ShortPath() {
    if (folder_ >= 0) ::close(folder_);
  }
  ShortPath(const ShortPath&) = delete;
  ShortPath& operator=(const ShortPath&) = delete;
  bool ok() const { return folder_ >= 0 && text_.size() < sizeof(sockaddr_un{}.sun_path); }
  const std::string& text() const { return text_; }

 private:
  int folder_ = -1;
  std::string text_;
};

/// One question and its answer; lives as long as something is pending.
struct Exchange : std::enable_shared_from_this<Exchange> {
  explicit Exchange(Stream::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}

  void start(const std::shared_ptr<ControlHandler>& handler) {
    timer.expires_after(control_timeout);
    timer.async_wait([weak = weak_from_this()](error_code error) {
      if (const auto self = weak.lock(); self && !error) self->end();
    });
    asio::async_read_until(
        socket, asio::dynamic_buffer(text, control_line_size_max), '\n',
        [self = shared_from_this(), handler](error_code error, std::size_t size) {
          if (error) return self->end();
          const std::string_view line = std::string_view(self->text).substr(0, size - 1);
          (*handler)(line, [self](std::string answer) { self->reply(std::move(answer)); });
        });
  }
  void reply(std::string answer) {
    text = std::move(answer) + '\n';
    asio::async_write(socket, asio::buffer(text),
                      [self = shared_from_this()](error_code, std::size_t) { self->end(); });
  }
  void end() {
    error_code ignored;
    timer.cancel(ignored);
    socket.close(ignored);
  }

  Stream::socket socket;
  asio::steady_timer timer;
  std::string text;
};

class Control final : public ControlSocket {
 public:
  Control(Stream::acceptor acceptor, std::string path, ControlHandler handler)
      : acceptor_(std::move(acceptor)),
        path_(std::move(path)),
        handler_(std::make_shared<ControlHandler>(std::move(handler))) {
    accept();
  }
  ~Control() override { ::unlink(path_.c_str()); }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code error, Stream::socket socket) {
      if (error == asio::error::operation_aborted) return;  // `this` may be gone
      if (!error) std::make_shared<Exchange>(std::move(socket))->start(handler_);
      accept();
    });
  }

  Stream::acceptor acceptor_;
  std::string path_;
  std::shared_ptr<ControlHandler> handler_;
};

/// A blocking socket for one question; closed at the end.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

tl::unexpected<std::string> no_answer(const std::string& path) {
  return tl::unexpected(path + ": no answer from the daemon");
}

}  // namespace

tl::expected<std::unique_ptr<ControlSocket>, std::string> listen_control(Loop& loop,
                                                                         const std::string& path,
                                                                         ControlHandler handler) {
  const ShortPath place(path);
  if (!place.ok()) return tl::unexpected(path + ": its folder cannot be opened");
  ::unlink(path.c_str());
  error_code error;
  Stream::acceptor acceptor(loop.impl().context);
  acceptor.open(Stream(), error);
  // The mode comes with the file, not after it: nobody slips in between.
  const mode_t mask = ::umask(0177);
  if (!error) acceptor.bind(Stream::endpoint(place.text()), error);
  ::umask(mask);
  if (!error) acceptor.listen(16, error);
  if (error) return tl::unexpected(path + ": cannot listen: " + error.message());
  return std::make_unique<Control>(std::move(acceptor), path, std::move(handler));
}

tl::expected<std::string, std::string> ask_control(const std::string& path, std::string_view line) {
  const ShortPath place(path);
  if (!place.ok()) return tl::unexpected(std::string());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  place.text().copy(address.sun_path, sizeof(address.sun_path) - 1);
  const Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (socket.value < 0 ||
      ::connect(socket.value, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return tl::unexpected(std::string());
  }
  const timeval limit{control_timeout.count(), 0};
  ::setsockopt(socket.value, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket.value, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  const std::string out = std::string(line) + '\n';
  for (std::size_t sent = 0; sent < out.size();) {
    const auto n = ::send(socket.value, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return no_answer(path);
    sent += static_cast<std::size_t>(n);
  }
  std::string answer;
  char buffer[4096];
  while (answer.find('\n') == std::string::npos) {
    const auto n = ::recv(socket.value, buffer, sizeof(buffer), 0);
    if (n <= 0 || answer.size() > control_line_size_max) return no_answer(path);
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer.substr(0, answer.find('\n'));
}

}  // namespace ams::net
