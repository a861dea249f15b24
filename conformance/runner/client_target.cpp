#include "runner/client_target.h"

#include <poll.h>

#include <algorithm>
#include <filesystem>

#include "runner/suite_domain.h"
#include "runner/tls_target.h"
#include "runner/verdict.h"
#include "vectors_run/sut.h"

namespace ams::conform {
namespace {

constexpr std::chrono::seconds adapter_silence_max{10};

/// A folder that goes with this object, in the system's place for such.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "ams-conform-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

class ClientTarget final : public Target, public ClientPort {
 public:
  ClientTarget(const std::string& command, const std::string& host, std::uint16_t port)
      : command_(command),
        listener_(make_listener(host, port)),
        sut_(command, adapter_silence_max) {
    domain = suite_name;
    listening = host + " " + std::to_string(port) + " pin=" + suite_certificate_pin();
    const nlohmann::json said = say_hello(sut_);
    const bool is_client =
        said.is_object() && std::count(said["roles"].begin(), said["roles"].end(), "client") > 0;
    if (!is_client) throw SutError("--sut " + command + ": its hello names no role client");
  }

  std::string name() const override { return command_ + " over TLS"; }
  std::unique_ptr<Channel> connect() override { return nullptr; }
  std::unique_ptr<Channel> accept(Millis at_most) override { return listener_->accept(at_most); }
  std::int64_t unix_ms() override {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<Millis>(now).count();
  }
  Millis clock() override {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<Millis>(now);
  }
  ClientPort* client() override { return this; }

  void command(const std::string& line) override {
    try {
      sut_.post(line);
    } catch (const SutError& error) {
      throw StepFailed{Verdict::crash, std::string("the adapter: ") + error.what()};
    }
  }
  std::optional<std::string> answer() override {
    try {
      return sut_.take_line();
    } catch (const SutError& error) {
      throw StepFailed{Verdict::crash, std::string("the adapter: ") + error.what()};
    }
  }
  void wait(const std::vector<Channel*>& channels, Millis at_most) override {
    std::vector<pollfd> wanted{{listener_->fd(), POLLIN, 0}, {sut_.fd(), POLLIN, 0}};
    for (const Channel* channel : channels)
      if (!channel->closed()) wanted.push_back({channel->fd(), POLLIN, 0});
    ::poll(wanted.data(), wanted.size(),
           static_cast<int>(std::max<std::int64_t>(0, at_most.count())));
  }
  std::string fresh_state() override {
    return (scratch_.folder() / std::to_string(++states_)).string();
  }

 private:
  std::string command_;
  Scratch scratch_;
  std::unique_ptr<TlsListener> listener_;
  Sut sut_;
  std::uint64_t states_ = 0;
};

}  // namespace

std::unique_ptr<Target> make_client_target(const std::string& command, const std::string& host,
                                           std::uint16_t port) {
  return std::make_unique<ClientTarget>(command, host, port);
}

}  // namespace ams::conform
