#include "net/dns.h"

#include <ares.h>
#include <arpa/inet.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <charconv>
#include <map>

#include "net/asio.h"
#include "net/dns_message.h"

namespace ams::net {
namespace {

using discovery::Answer;
using discovery::Kind;

constexpr int first_timeout_ms = 1000;  // doubled at each further trial
constexpr int trials = 3;
constexpr std::size_t addresses_max = 8;

bool is_address(const std::string& text) {
  std::array<unsigned char, 16> out;
  return inet_pton(AF_INET, text.c_str(), out.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), out.data()) == 1;
}

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET)
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  if (address->sa_family == AF_INET6)
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (!bytes || !inet_ntop(address->sa_family, bytes, text.data(), text.size())) return {};
  return text.data();
}

class AresDns final : public Dns {
 public:
  explicit AresDns(Loop& loop) : loop_(loop) {}
  ~AresDns() override {
    *alive_ = false;
    if (channel_ != nullptr) ares_destroy(channel_);  // calls back for what is still asked
  }
  tl::expected<void, std::string> open(const std::vector<std::string>& name_servers);
  void ask(Kind kind, const std::string& name, std::function<void(Answer)> done) override;
  void addresses(const std::string& host, OnAddresses done) override;

 private:
  /// A socket of c-ares, which opens and closes it; we only wait on it.
  struct Watched {
    explicit Watched(asio::io_context& context) : descriptor(context) {}
    asio::posix::stream_descriptor descriptor;
    bool want_read = false, want_write = false;
    bool reading = false, writing = false;  // a wait is pending
  };
  using WatchedPtr = std::shared_ptr<Watched>;

  void socket_state(ares_socket_t socket, bool readable, bool writable);
  void wait(ares_socket_t socket, const WatchedPtr& watched, bool for_read);
  void process(ares_socket_t readable, ares_socket_t writable);
  void arm_timer();
  /// Callbacks of c-ares come from within its own calls: ours are made from the loop.
  void later(std::function<void()> call) {
    loop_.post([alive = alive_, call = std::move(call)] {
      if (*alive) call();
    });
  }

  struct Question {
    AresDns* self;
    Kind kind;
    std::string name;
    std::function<void(Answer)> done;
  };
  struct HostQuestion {
    AresDns* self;
    OnAddresses done;
  };
  static void on_answer(void* arg, int status, int timeouts, unsigned char* bytes, int size);
  static void on_addresses(void* arg, int status, int timeouts, ares_addrinfo* found);

  Loop& loop_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, WatchedPtr> sockets_;
  Timer timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

tl::expected<void, std::string> AresDns::open(const std::vector<std::string>& name_servers) {
  ares_options options{};
  options.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH;
  options.ednspsz = 1232;
  options.timeout = first_timeout_ms;
  options.tries = trials;
  options.sock_state_cb = [](void* arg, ares_socket_t socket, int readable, int writable) {
    static_cast<AresDns*>(arg)->socket_state(socket, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = this;
  int status = ares_init_options(&channel_, &options,
                                 ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ | ARES_OPT_TIMEOUTMS |
                                     ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
  if (status != ARES_SUCCESS) channel_ = nullptr;
  if (status == ARES_SUCCESS && !name_servers.empty()) {
    std::string list;
    for (const std::string& server : name_servers) list += (list.empty() ? "" : ",") + server;
    status = ares_set_servers_ports_csv(channel_, list.c_str());
  }
  if (status != ARES_SUCCESS)
    return tl::unexpected(std::string("name servers: ") + ares_strerror(status));
  return {};
}

void AresDns::socket_state(ares_socket_t socket, bool readable, bool writable) {
  auto& watched = sockets_[socket];
  if (!readable && !writable) {  // c-ares is about to close it
    if (watched) watched->descriptor.release();
    sockets_.erase(socket);
    return;
  }
  if (!watched) {
    watched = std::make_shared<Watched>(loop_.impl().context);
    error_code ignored;  // an unwatched socket is a question that times out
    watched->descriptor.assign(socket, ignored);
  }
  watched->want_read = readable;
  watched->want_write = writable;
  const WatchedPtr held = watched;
  if (readable && !held->reading) wait(socket, held, true);
  if (writable && !held->writing) wait(socket, held, false);
}

void AresDns::wait(ares_socket_t socket, const WatchedPtr& watched, bool for_read) {
  (for_read ? watched->reading : watched->writing) = true;
  watched->descriptor.async_wait(
      for_read ? asio::posix::stream_descriptor::wait_read
               : asio::posix::stream_descriptor::wait_write,
      [this, alive = alive_, socket, watched, for_read](error_code error) {
        (for_read ? watched->reading : watched->writing) = false;
        if (error || !*alive || !watched->descriptor.is_open()) return;
        process(for_read ? socket : ARES_SOCKET_BAD, for_read ? ARES_SOCKET_BAD : socket);
        // Only if it is the same socket still: its number may have been given away again.
        const auto at = sockets_.find(socket);
        if (at == sockets_.end() || at->second != watched) return;
        const bool wanted = for_read ? watched->want_read : watched->want_write;
        const bool pending = for_read ? watched->reading : watched->writing;
        if (wanted && !pending) wait(socket, watched, for_read);
      });
}

void AresDns::process(ares_socket_t readable, ares_socket_t writable) {
  ares_process_fd(channel_, readable, writable);
  arm_timer();
}

void AresDns::arm_timer() {
  timeval due{};
  if (ares_timeout(channel_, nullptr, &due) == nullptr) {
    timer_ = {};
    return;
  }
  const Duration after =
      std::chrono::seconds(due.tv_sec) + std::chrono::milliseconds(due.tv_usec / 1000 + 1);
  timer_ = loop_.call_after(after, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

void AresDns::on_answer(void* arg, int status, int, unsigned char* bytes, int size) {
  const std::unique_ptr<Question> question(static_cast<Question*>(arg));
  if (status == ARES_EDESTRUCTION || !*question->self->alive_) return;
  Answer answer;
  const bool read = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
  if (read && bytes != nullptr && size > 0) {
    answer = read_dns_answer(ByteView(bytes, static_cast<std::size_t>(size)), question->kind,
                             question->name);
  }
  question->self->later([done = std::move(question->done), answer = std::move(answer)]() mutable {
    done(std::move(answer));
  });
}

void AresDns::ask(Kind kind, const std::string& name, std::function<void(Answer)> done) {
  constexpr int class_in = 1, type_txt = 16, type_srv = 33;
  auto question = std::make_unique<Question>(Question{this, kind, name, std::move(done)});
  const std::string absolute = name + '.';
  ares_query(channel_, absolute.c_str(), class_in, kind == Kind::text ? type_txt : type_srv,
             on_answer, question.release());
  arm_timer();
}

void AresDns::on_addresses(void* arg, int status, int, ares_addrinfo* found) {
  const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(found,
                                                                           ares_freeaddrinfo);
  const std::unique_ptr<HostQuestion> question(static_cast<HostQuestion*>(arg));
  if (status == ARES_EDESTRUCTION || !*question->self->alive_) return;
  tl::expected<std::vector<std::string>, std::string> out;
  for (const auto* node = found ? found->nodes : nullptr; node; node = node->ai_next) {
    std::string text = text_of(node->ai_addr);
    if (!text.empty() && out->size() < addresses_max) out->push_back(std::move(text));
  }
  if (status != ARES_SUCCESS) out = tl::unexpected<std::string>(ares_strerror(status));
  if (out && out->empty()) out = tl::unexpected<std::string>("no address");
  question->self->later(
      [done = std::move(question->done), out = std::move(out)]() mutable { done(std::move(out)); });
}

void AresDns::addresses(const std::string& host, OnAddresses done) {
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  auto question = std::make_unique<HostQuestion>(HostQuestion{this, std::move(done)});
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, on_addresses, question.release());
  arm_timer();
}

}  // namespace

bool is_name_server(std::string_view text) {
  const auto is_port = [](std::string_view digits) {
    std::uint16_t port = 0;
    const char* end = digits.data() + digits.size();
    const auto [rest, error] = std::from_chars(digits.data(), end, port);
    return error == std::errc{} && rest == end && port != 0;
  };
  if (is_address(std::string(text))) return true;
  const auto colon = text.rfind(':');
  if (colon == text.npos || !is_port(text.substr(colon + 1))) return false;
  std::string host(text.substr(0, colon));
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  return is_address(host) && bracketed == (host.find(':') != host.npos);
}

tl::expected<std::unique_ptr<Dns>, std::string> Dns::open(
    Loop& loop, const std::vector<std::string>& name_servers) {
  auto dns = std::make_unique<AresDns>(loop);
  if (auto opened = dns->open(name_servers); !opened) return tl::unexpected(opened.error());
  return dns;
}

}  // namespace ams::net
