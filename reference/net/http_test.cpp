// Goal: the page is given to those who ask plainly on this machine, and whatever else comes costs
// nothing. Method: raw requests over loopback.
#include "net/http.h"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "net/asio.h"
#include "net/test_net.h"

namespace ams::net {
namespace {

struct Web {
  Web() {
    server = test::must(listen_http(loop, "127.0.0.1", 0, [this](std::string_view path) {
      paths.emplace_back(path);
      return path == "/" ? Page{200, "text/html", "<p>hello</p>"} : Page{404, "text/plain", "no\n"};
    }));
  }
  /// Sends `text` and reads to the end.
  std::string ask(const std::string& text) {
    asio::ip::tcp::socket socket(loop.impl().context);
    socket.connect({asio::ip::make_address("127.0.0.1"), server->port()});
    error_code ignored;
    asio::write(socket, asio::buffer(text), ignored);
    std::string answer;
    asio::async_read(socket, asio::dynamic_buffer(answer),
                     [this](error_code, std::size_t) { loop.stop(); });
    test::run(loop);
    return answer;
  }
  std::string status(const std::string& text) { return ask(text).substr(0, 12); }
  Loop loop;
  std::vector<std::string> paths;
  std::unique_ptr<HttpServer> server;
};

TEST(Http, gives_pages) {
  Web web;
  const std::string answer = web.ask("GET /?x=1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("\r\nContent-Type: text/html\r\n"), std::string::npos);
  EXPECT_NE(answer.find("default-src 'none'"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n<p>hello</p>"));
  EXPECT_EQ(web.paths, std::vector<std::string>{"/"});
  EXPECT_EQ(web.status("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 404");
  EXPECT_EQ(web.status("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), "HTTP/1.1 200");
}

TEST(Http, head_is_get_without_the_body) {
  Web web;
  const std::string answer = web.ask("HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_NE(answer.find("Content-Length: 12\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST(Http, refuses_what_it_is_not_for) {
  Web web;
  EXPECT_EQ(web.status("GET / HTTP/1.1\r\nHost: rebound.example\r\n\r\n"), "HTTP/1.1 421");
  EXPECT_EQ(web.status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 421");
  EXPECT_EQ(web.status("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello"),
            "HTTP/1.1 405");
  EXPECT_EQ(web.status("EHLO a.example\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(
      web.status("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + std::string(9'000, 'x') + "\r\n\r\n"),
      "HTTP/1.1 400");
  EXPECT_TRUE(web.paths.empty());
}

TEST(Http, loopback_is_an_address) {
  EXPECT_TRUE(is_loopback("127.0.0.1"));
  EXPECT_TRUE(is_loopback("127.9.9.9"));
  EXPECT_TRUE(is_loopback("::1"));
  for (const char* other : {"", "0.0.0.0", "localhost", "192.0.2.1", "::"})
    EXPECT_FALSE(is_loopback(other)) << other;
}

}  // namespace
}  // namespace ams::net
