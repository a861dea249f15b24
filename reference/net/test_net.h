// What this room's tests share: a folder, certificates made on the spot, a loop with a watchdog.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "net/connection.h"
#include "net/devcert.h"
#include "net/loop.h"
#include "net/tls.h"

namespace ams::net::test {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ams-net-XXXXXX").string();
    AMS_ASSERT(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

template <class T>
T must(tl::expected<T, std::string> result) {
  if (!result) throw std::runtime_error(result.error());
  return std::move(*result);
}

inline CertificateOptions for_names(Loop& loop, std::vector<std::string> names) {
  return {std::move(names), loop.now() - std::chrono::hours(1), std::chrono::hours(24)};
}

/// A certificate authority and a server certificate for `names`, in files.
struct Pki {
  Pki(Loop& loop, std::vector<std::string> names) {
    const auto authority = must(make_authority(for_names(loop, {"ca.test"})));
    const auto leaf = must(make_signed_by(authority, for_names(loop, std::move(names))));
    pin = must(certificate_pin(leaf.certificate));
    AMS_ASSERT(write_certificate(authority, file("ca.pem"), file("ca.key")).has_value());
    AMS_ASSERT(write_certificate(leaf, file("server.pem"), file("server.key")).has_value());
  }
  std::string file(const std::string& name) const { return folder.file(name); }
  TlsContext server() const {
    return must(TlsContext::server(file("server.pem"), file("server.key")));
  }
  TlsContext client() const { return must(TlsContext::client(file("ca.pem"))); }

  Folder folder;
  Hash pin{};
};

/// Runs until a callback stops the loop; a test that hangs fails after 20 s.
inline void run(Loop& loop) {
  const Timer watchdog = loop.call_after(std::chrono::seconds(20), [&loop] {
    ADD_FAILURE() << "nothing stopped the loop within 20 s";
    loop.stop();
  });
  loop.run();
}

}  // namespace ams::net::test
