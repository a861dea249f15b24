// The limit that the same TLS driver has: frames come in, frames of one size go out, and nobody
// looks into them.
#include <iostream>
#include <memory>
#include <set>

#include "apps/config.h"
#include "look_ups.h"
#include "net/connection.h"
#include "wire/frame.h"

namespace ams::look_ups {

int complain(int code, const std::string& why) {
  std::cerr << "ams-look-ups: " << why << '\n';
  return code;
}

int serve_echo(const EchoOptions& options) {
  const auto config = apps::load_server_config(options.config_file);
  if (!config) return complain(2, config.error());
  const auto tls = net::TlsContext::server(config->certificate_file, config->key_file);
  if (!tls) return complain(2, tls.error());
  Bytes answer;
  if (!wire::append_frame(answer, wire::FrameKind::json, Bytes(options.answer_size, 'x')))
    return complain(2, "--bytes: more than a frame holds");
  net::Loop loop;
  const auto accept = [&](const net::ConnectionPtr& connection) {
    const auto reader = std::make_shared<wire::FrameReader>();
    connection->start(
        [&answer, reader, weak = std::weak_ptr(connection)](ByteView bytes) {
          const auto alive = weak.lock();
          reader->push(bytes);
          for (auto frame = reader->next(); alive && frame && *frame; frame = reader->next())
            alive->send(answer);
        },
        [](std::string_view) {});
  };
  const auto listener = net::listen(loop, *tls, config->listen_host, config->listen_port, {},
                                    accept, [](std::string_view) {});
  if (!listener) return complain(1, listener.error());
  loop.on_stop_signal([&](int) { loop.stop(); });
  std::cout << "ready echo" << std::endl;
  loop.run();
  return 0;
}

}  // namespace ams::look_ups
