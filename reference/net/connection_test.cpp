// Goal: only TLS 1.3 with ams/1 and the expected certificate connects; bytes arrive whole and in
// order; peers that stall or do not read are cut.
// Method: both ends on one loop over the loopback interface, with certificates made on the spot;
// peers that misbehave are OpenSSL and plain sockets on a thread.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "net/test_net.h"

namespace ams::net {
namespace {

using test::must;
using test::Pki;
using namespace std::chrono_literals;

struct Ends {
  ConnectionPtr server, client;
};

/// A server on an ephemeral port and what happened at it.
struct Server {
  Server(Loop& loop, const Pki& pki, ListenerOptions options = {}) {
    listener = must(listen(
        loop, pki.server(), "127.0.0.1", 0, options,
        [this](ConnectionPtr c) {
          accepted.push_back(std::move(c));
          if (on_accepted) on_accepted();
        },
        [this](std::string_view reason) {
          refused.emplace_back(reason);
          if (on_refused) on_refused();
        }));
  }
  Endpoint endpoint() const { return {"127.0.0.1", listener->port(), std::nullopt}; }
  std::unique_ptr<Listener> listener;
  std::vector<ConnectionPtr> accepted;
  std::vector<std::string> refused;
  std::function<void()> on_accepted, on_refused;
};

/// Connects and waits for both ends' verdicts: the client's error, or both ends.
tl::expected<Ends, std::string> meet(Loop& loop, Server& server, const TlsContext& tls, Endpoint to,
                                     ConnectionOptions options = {}) {
  tl::expected<ConnectionPtr, std::string> client = tl::unexpected<std::string>("no verdict");
  int verdicts = 0;
  const auto verdict = [&] {
    if (++verdicts == 2) loop.stop();
  };
  server.on_accepted = server.on_refused = verdict;
  connect(loop, tls, to, options, [&](auto result) {
    client = std::move(result);
    verdict();
  });
  test::run(loop);
  server.on_accepted = server.on_refused = nullptr;
  if (!client) return tl::unexpected(client.error());
  // A client that refuses the pin has finished its handshake: the server learns of it only later.
  if (server.accepted.empty()) return tl::unexpected<std::string>("refused by the server");
  return Ends{server.accepted.back(), *client};
}

TEST(Connection, both_ends_have_the_same_exporter_and_each_connection_another) {
  Loop loop;
  const Pki pki(loop, {"localhost", "127.0.0.1"});
  Server server(loop, pki);
  const auto first = meet(loop, server, pki.client(), server.endpoint());
  ASSERT_TRUE(first) << first.error();
  Endpoint by_name = server.endpoint();
  by_name.host = "localhost";
  const auto second = meet(loop, server, pki.client(), by_name);
  ASSERT_TRUE(second) << second.error();
  EXPECT_EQ(first->server->exporter(), first->client->exporter());
  EXPECT_EQ(second->server->exporter(), second->client->exporter());
  EXPECT_NE(first->server->exporter(), second->server->exporter());
}

TEST(Connection, refuses_an_unknown_authority) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"}), other(loop, {"127.0.0.1"});
  Server server(loop, pki);
  const auto ends = meet(loop, server, other.client(), server.endpoint());
  ASSERT_FALSE(ends);
  EXPECT_NE(ends.error().find("certificate refused"), std::string::npos) << ends.error();
}

TEST(Connection, refuses_a_certificate_for_another_name_or_address) {
  Loop loop;
  const Pki pki(loop, {"mail.a.example", "127.0.0.2"});
  Server server(loop, pki);
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    const auto ends = meet(loop, server, pki.client(), {host, server.listener->port(), {}});
    ASSERT_FALSE(ends);
    EXPECT_NE(ends.error().find("mismatch"), std::string::npos) << ends.error();
  }
}

TEST(Connection, a_pin_stands_for_name_and_authority_and_nothing_else_does) {
  Loop loop;
  const Pki pki(loop, {"mail.a.example"}), other(loop, {"127.0.0.1"});
  Server server(loop, pki);
  Endpoint to = server.endpoint();
  to.pin = pki.pin;
  const auto right = meet(loop, server, other.client(), to);
  EXPECT_TRUE(right) << right.error();
  to.pin = other.pin;
  Server fresh(loop, pki);
  to.port = fresh.listener->port();
  const auto wrong = meet(loop, fresh, pki.client(), to);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "certificate refused: not the pinned one");
}

/// A blocking OpenSSL client, for what our own cannot do. True: the server let it in and answered.
struct RawClient {
  int version_max = TLS1_3_VERSION;
  std::string alpn;  // wire form; empty: none offered
  bool got_in(std::uint16_t port) const {
    const int file = open_socket(port);
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(context, version_max);
    SSL* ssl = SSL_new(context);
    if (!alpn.empty()) {
      SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned int>(alpn.size()));
    }
    SSL_set_fd(ssl, file);
    char byte = 0;
    const bool in = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(file);
    return in;
  }
  static int open_socket(std::uint16_t port) {
    const int file = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    AMS_ASSERT(::connect(file, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return file;
  }
};

TEST(Connection, the_server_takes_tls_1_3_with_our_alpn_only) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  Server server(loop, pki);
  server.on_accepted = [&] {
    server.accepted.back()->start([](ByteView) {}, [](std::string_view) {});
    server.accepted.back()->send(to_bytes("!"));
  };
  const std::string ours("\5ams/1", 6);
  const auto tried = [&](RawClient client) {
    bool in = false;
    std::thread thread([&] {
      in = client.got_in(server.listener->port());
      loop.post([&] { loop.stop(); });
    });
    test::run(loop);
    thread.join();
    return in;
  };
  EXPECT_TRUE(tried({.version_max = TLS1_3_VERSION, .alpn = ours}));
  EXPECT_TRUE(tried({.version_max = TLS1_3_VERSION, .alpn = "\2h2" + ours}));
  EXPECT_FALSE(tried({.version_max = TLS1_2_VERSION, .alpn = ours}));
  EXPECT_FALSE(tried({.version_max = TLS1_3_VERSION, .alpn = std::string("\2h2", 3)}));
  EXPECT_FALSE(tried({.version_max = TLS1_3_VERSION, .alpn = {}}));
  EXPECT_EQ(server.refused.size(), 3u);
}

TEST(Connection, the_client_refuses_a_server_without_our_alpn) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  const int file = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ASSERT_EQ(::bind(file, reinterpret_cast<const sockaddr*>(&at), size), 0);
  ASSERT_EQ(::listen(file, 1), 0);
  ASSERT_EQ(::getsockname(file, reinterpret_cast<sockaddr*>(&at), &size), 0);
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own sockets raise it; ours do not
  std::thread web_server([&] {
    const int peer = ::accept(file, nullptr, nullptr);
    SSL_CTX* context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(context, pki.file("server.pem").c_str());
    SSL_CTX_use_PrivateKey_file(context, pki.file("server.key").c_str(), SSL_FILETYPE_PEM);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, peer);
    SSL_accept(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    ::close(peer);
  });
  std::string reason = "it was let in";
  connect(loop, pki.client(), {"127.0.0.1", ntohs(at.sin_port), {}}, {}, [&](auto result) {
    if (!result) reason = result.error();
    loop.stop();
  });
  test::run(loop);
  web_server.join();
  ::close(file);
  EXPECT_EQ(reason, "peer does not speak ams/1 (ALPN)");
}

Bytes pattern(std::size_t size, std::uint32_t seed) {
  Bytes out(size);
  for (auto& byte : out)
    byte = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
  return out;
}

TEST(Connection, carries_large_transfers_both_ways_at_once) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  const ConnectionOptions options{.write_queue_max = std::size_t{64} << 20};
  Server server(loop, pki, {.connection = options});
  const auto ends = meet(loop, server, pki.client(), server.endpoint(), options);
  ASSERT_TRUE(ends) << ends.error();
  const Bytes up = pattern(20'000'003, 1), down = pattern(20'000'017, 2);
  Bytes at_server, at_client;
  const auto check = [&] {
    if (at_server.size() >= up.size() && at_client.size() >= down.size()) loop.stop();
  };
  const auto collect = [&](Bytes& into) {
    return [&](ByteView bytes) {
      append(into, bytes);
      check();
    };
  };
  const auto fail_on_close = [](std::string_view reason) { ADD_FAILURE() << reason; };
  ends->server->start(collect(at_server), fail_on_close);
  ends->client->start(collect(at_client), fail_on_close);
  const auto send_in_pieces = [](Connection& to, ByteView all) {
    for (std::size_t piece = 1; !all.empty(); piece = piece * 3 + 1) {
      const ByteView part = all.first(std::min(piece, all.size()));
      to.send(to_bytes(part));
      all = all.subspan(part.size());
    }
  };
  send_in_pieces(*ends->client, up);
  send_in_pieces(*ends->server, down);
  test::run(loop);
  EXPECT_TRUE(at_server == up);
  EXPECT_TRUE(at_client == down);
  EXPECT_EQ(ends->client->queued_bytes(), 0u);
}

/// What answers requests that came together must not part: each part would cost a record and both
/// sides a wake-up, and the requests that follow would part as well.
TEST(Connection, what_is_sent_in_one_turn_of_the_loop_arrives_together) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  Server server(loop, pki);
  const auto ends = meet(loop, server, pki.client(), server.endpoint());
  ASSERT_TRUE(ends) << ends.error();
  std::vector<std::string> got;
  ends->server->start([](ByteView) {}, [](std::string_view) {});
  ends->client->start(
      [&](ByteView bytes) {
        got.push_back(to_string(bytes));
        if (got.back().ends_with("six")) loop.stop();
      },
      [](std::string_view reason) { ADD_FAILURE() << reason; });
  loop.post([&] {
    for (const char* word : {"one", "two", "three"}) ends->server->send(to_bytes(word));
    loop.post([&] {
      for (const char* word : {"four", "five", "six"}) ends->server->send(to_bytes(word));
    });
  });
  test::run(loop);
  ASSERT_LE(got.size(), 2u);
  EXPECT_EQ(got.front().substr(0, 11), "onetwothree");
}

TEST(Connection, close_sends_the_last_words_first) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  Server server(loop, pki);
  const auto ends = meet(loop, server, pki.client(), server.endpoint());
  ASSERT_TRUE(ends) << ends.error();
  Bytes got;
  std::string reason;
  ends->server->start([](ByteView) { ADD_FAILURE() << "bytes after close()"; },
                      [](std::string_view) { ADD_FAILURE() << "a report after close()"; });
  ends->client->start([&](ByteView bytes) { append(got, bytes); },
                      [&](std::string_view why) {
                        reason = why;
                        loop.stop();
                      });
  ends->client->send(Bytes(100'000, 7));  // unread input must not cost the other side its words
  const Bytes words = pattern(3'000'000, 3);
  ends->server->send(words);
  ends->server->close();
  test::run(loop);
  EXPECT_TRUE(got == words);
  EXPECT_EQ(reason, "closed by the peer");
}

TEST(Connection, a_reader_that_is_too_slow_is_cut) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  Server server(loop, pki, {.connection = {.write_queue_max = 1 << 20}});
  const auto ends = meet(loop, server, pki.client(), server.endpoint());
  ASSERT_TRUE(ends) << ends.error();
  std::string reason;
  ends->server->start([](ByteView) {},
                      [&](std::string_view why) {
                        reason = why;
                        loop.stop();
                      });
  // The client never reads; the kernel's buffers fill first, then our queue.
  int sent = 0;
  std::function<void()> feed = [&] {
    if (!reason.empty() || ++sent > 10'000) return;
    ends->server->send(Bytes(64 * 1024, 1));
    EXPECT_LE(ends->server->queued_bytes(), (1u << 20) + 64 * 1024);
    loop.post(feed);
  };
  feed();
  test::run(loop);
  EXPECT_EQ(reason, "reads too slowly");
}

TEST(Connection, a_reader_that_stops_is_cut_after_the_write_timeout) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  Server server(loop, pki, {.connection = {.write_timeout = 100ms, .write_queue_max = 64 << 20}});
  const auto ends = meet(loop, server, pki.client(), server.endpoint());
  ASSERT_TRUE(ends) << ends.error();
  std::string reason;
  ends->server->start([](ByteView) {},
                      [&](std::string_view why) {
                        reason = why;
                        loop.stop();
                      });
  ends->server->send(Bytes(32 << 20, 1));
  test::run(loop);
  EXPECT_EQ(reason, "takes no bytes");
}

TEST(Listener, cuts_a_stranger_that_does_not_shake_hands) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  Server server(loop, pki, {.connection = {.handshake_timeout = 50ms}, .connections_max = 1});
  server.on_refused = [&] {
    if (server.refused.size() == 2) loop.stop();
  };
  const int first = RawClient::open_socket(server.listener->port());
  const int second = RawClient::open_socket(server.listener->port());
  test::run(loop);
  EXPECT_EQ(server.refused,
            (std::vector<std::string>{"too many connections", "handshake timed out"}));
  // The place is free again.
  const auto ends = meet(loop, server, pki.client(), server.endpoint());
  EXPECT_TRUE(ends) << ends.error();
  ::close(first);
  ::close(second);
}

TEST(Connect, says_why_there_is_no_connection) {
  Loop loop;
  const Pki pki(loop, {"127.0.0.1"});
  std::uint16_t free_port = 0;
  {
    Server server(loop, pki);
    free_port = server.listener->port();
  }
  std::string reason;
  connect(loop, pki.client(), {"127.0.0.1", free_port, {}}, {}, [&](auto result) {
    reason = result ? "connected" : result.error();
    loop.stop();
  });
  EXPECT_EQ(reason, "");  // never from within the call
  test::run(loop);
  EXPECT_EQ(reason, "Connection refused");
}

}  // namespace
}  // namespace ams::net
