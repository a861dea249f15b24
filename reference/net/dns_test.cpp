// Goal: DNS responses are read as RFC 1035, 2782 and 2308 say and nothing else in them counts; and
// a domain's servers are dialled in order, each held to the domain's name. Method: responses built
// byte by byte; a name server of few lines on loopback; listeners with right and wrong
// certificates.
#include "net/dns.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "net/asio.h"
#include "net/dial.h"
#include "net/dns_message.h"
#include "net/site_finder.h"
#include "net/test_net.h"

namespace ams::net {
namespace {

using discovery::Answer;
using discovery::Kind;
using test::must;
using Status = Answer::Status;

void u16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}
Bytes name_of(std::string_view text) {
  Bytes out;
  while (!text.empty()) {
    const auto dot = std::min(text.find('.'), text.size());
    out.push_back(static_cast<std::uint8_t>(dot));
    append(out, text.substr(0, dot));
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  out.push_back(0);
  return out;
}
constexpr std::size_t type_cname = 5, type_soa = 6, type_txt = 16, type_srv = 33;

/// A response, record by record.
struct Response {
  explicit Response(std::string_view question, std::size_t type, std::size_t code = 0)
      : rcode(code) {
    append(body, name_of(question));
    u16(body, type);
    u16(body, 1);
  }
  Response& add(std::string_view owner, std::size_t type, std::uint32_t ttl_s, const Bytes& data) {
    append(body, name_of(owner));
    u16(body, type);
    u16(body, 1);
    append_u32(body, ttl_s);
    u16(body, data.size());
    append(body, data);
    ++(type == type_soa ? authorities : answers);
    return *this;
  }
  Response& text(std::string_view owner, std::uint32_t ttl_s,
                 const std::vector<std::string>& strings) {
    Bytes data;
    for (const std::string& string : strings) {
      data.push_back(static_cast<std::uint8_t>(string.size()));
      append(data, string);
    }
    return add(owner, type_txt, ttl_s, data);
  }
  Response& service(std::string_view owner, std::uint32_t ttl_s, std::size_t priority,
                    std::size_t port, std::string_view target) {
    Bytes data;
    for (const std::size_t field : {priority, std::size_t{0}, port}) u16(data, field);
    append(data, name_of(target));
    return add(owner, type_srv, ttl_s, data);
  }
  Response& absence(std::uint32_t ttl_s, std::uint32_t least_s) {
    Bytes data = name_of("ns.a.example");
    append(data, name_of("op.a.example"));
    for (const std::uint32_t field : {1u, 2u, 3u, 4u, least_s}) append_u32(data, field);
    return add("a.example", type_soa, ttl_s, data);
  }
  Bytes bytes(std::size_t id = 7) const {
    Bytes out;
    u16(out, id);
    u16(out, 0x8400 | (truncated ? 0x0200u : 0u) | rcode);
    for (const std::size_t count : {std::size_t{1}, answers, authorities, std::size_t{0}})
      u16(out, count);
    append(out, body);
    return out;
  }
  Bytes body;
  std::size_t rcode;
  std::size_t answers = 0, authorities = 0;
  bool truncated = false;
};

Answer read_text(const Response& response) {
  return read_dns_answer(response.bytes(), Kind::text, "_ams.a.example");
}

TEST(DnsMessage, strings_of_a_record_are_joined_and_the_least_ttl_counts) {
  Response response("_ams.a.example", type_txt);
  response.text("_AMS.a.Example", 300, {"v=ams1; ", "k=1"}).text("_ams.a.example", 60, {"other"});
  response.text("elsewhere.example", 5, {"not asked"});
  const Answer answer = read_text(response);
  EXPECT_EQ(answer.status, Status::found);
  EXPECT_EQ(answer.texts, (std::vector<std::string>{"v=ams1; k=1", "other"}));
  EXPECT_EQ(answer.ttl_s, 60u);
  const Answer other = read_dns_answer(response.bytes(), Kind::service, "_ams.a.example");
  EXPECT_EQ(other.status, Status::absent);
}

TEST(DnsMessage, services_have_their_fields) {
  Response response("_ams._tcp.a.example", type_srv);
  response.service("_ams._tcp.a.example", 9, 10, 7747, "Mail.host.example");
  response.service("_ams._tcp.a.example", 9, 20, 1, "");
  const Answer answer = read_dns_answer(response.bytes(), Kind::service, "_ams._tcp.a.example");
  ASSERT_EQ(answer.services.size(), 2u);
  EXPECT_EQ(answer.services[0].priority, 10);
  EXPECT_EQ(answer.services[0].port, 7747);
  EXPECT_EQ(answer.services[0].target, "Mail.host.example");
  EXPECT_EQ(answer.services[1].target, ".");
}

TEST(DnsMessage, a_cname_leads_on_and_a_circle_leads_nowhere) {
  Response response("_ams.a.example", type_txt);
  response.add("_ams.a.example", type_cname, 20, name_of("_ams.host.example"));
  response.text("_ams.host.example", 300, {"there"});
  EXPECT_EQ(read_text(response).texts, std::vector<std::string>{"there"});
  EXPECT_EQ(read_text(response).ttl_s, 20u);
  Response circle("_ams.a.example", type_txt);
  circle.add("_ams.a.example", type_cname, 20, name_of("_ams.a.example"));
  EXPECT_EQ(read_text(circle).status, Status::failed);
}

TEST(DnsMessage, absence_is_kept_as_long_as_the_zone_says) {
  Response name("_ams.a.example", type_txt, 3);
  EXPECT_EQ(read_text(name.absence(3600, 45)).status, Status::absent);
  EXPECT_EQ(read_text(name).ttl_s, 45u);
  Response type("_ams.a.example", type_txt);
  EXPECT_EQ(read_text(type.absence(30, 3600)).ttl_s, 30u);
  EXPECT_EQ(read_text(Response("_ams.a.example", type_txt)).ttl_s, 10u);
}

TEST(DnsMessage, what_cannot_be_read_is_a_failure) {
  Response response("_ams.a.example", type_txt);
  response.text("_ams.a.example", 300, {"v=ams1"});
  EXPECT_EQ(read_text(response).status, Status::found);
  const Bytes whole = response.bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(read_dns_answer(ByteView(whole).first(size), Kind::text, "_ams.a.example").status,
              Status::failed)
        << size;
  }
  response.truncated = true;
  EXPECT_EQ(read_text(response).status, Status::failed);
  Response refused("_ams.a.example", type_txt, 5);
  EXPECT_EQ(read_text(refused).status, Status::failed);
  Response torn("_ams.a.example", type_txt);
  torn.add("_ams.a.example", type_txt, 300, {9, 'x'});
  EXPECT_EQ(read_text(torn).status, Status::failed);
}

TEST(DnsMessage, any_bytes_are_read_within_bounds) {
  EXPECT_TRUE(rc::check([](Bytes noise) {
    Bytes bytes = Response("_ams.a.example", type_txt).text("_ams.a.example", 1, {"x"}).bytes();
    for (std::size_t n = 0; n + 1 < noise.size(); n += 2)
      bytes[noise[n] % bytes.size()] = noise[n + 1];
    const Answer answer = read_dns_answer(bytes, Kind::text, "_ams.a.example");
    RC_ASSERT((answer.status == Status::found) == !answer.texts.empty());
  }));
}

TEST(Dns, name_servers_are_addresses) {
  for (const char* good : {"192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:53"})
    EXPECT_TRUE(is_name_server(good)) << good;
  for (const char* bad : {"", "ns.example", "192.0.2.1:", "192.0.2.1:0", "192.0.2.1:65536",
                          "[192.0.2.1]:53", "192.0.2.300", "[::1]", "::1:port"})
    EXPECT_FALSE(is_name_server(bad)) << bad;
}

/// Answers over UDP what `reply` makes of each question's name; counts the questions.
struct NameServer {
  explicit NameServer(Loop& loop)
      : socket(loop.impl().context, {asio::ip::make_address("127.0.0.1"), 0}) {
    receive();
  }
  void receive() {
    socket.async_receive_from(asio::buffer(in), from, [this](error_code error, std::size_t size) {
      if (error) return;
      ++questions;
      Bytes out = reply(ByteView(in).first(size));
      error_code ignored;
      if (!out.empty()) {
        out[0] = in[0];
        out[1] = in[1];
        socket.send_to(asio::buffer(out), from, 0, ignored);
      }
      receive();
    });
  }
  std::string address() const {
    return "127.0.0.1:" + std::to_string(socket.local_endpoint().port());
  }
  asio::ip::udp::socket socket;
  asio::ip::udp::endpoint from;
  Bytes in = Bytes(2048);
  std::function<Bytes(ByteView)> reply;
  int questions = 0;
};

bool asks_text(ByteView question) { return to_string(question).find("_tcp") == std::string::npos; }

TEST(SiteFinder, finds_over_sockets_and_remembers) {
  Loop loop;
  NameServer server(loop);
  Hash fp;
  fp.fill(9);
  const keys::KeyId root{keys::kid_of(fp), fp};
  server.reply = [&](ByteView question) {
    if (asks_text(question))
      return Response("_ams.a.example", type_txt)
          .text("_ams.a.example", 60, {discovery::to_record(root)})
          .bytes();
    return Response("_ams._tcp.a.example", type_srv)
        .service("_ams._tcp.a.example", 60, 2, 2, "b.host.example")
        .service("_ams._tcp.a.example", 60, 1, 1, "a.host.example")
        .bytes();
  };
  SiteFinder finder(loop, must(Dns::open(loop, {server.address()})));
  int found = 0;
  const auto check = [&](const tl::expected<Site, std::string>& site) {
    ASSERT_TRUE(site) << site.error();
    EXPECT_EQ(site->discovery.root, root);
    EXPECT_TRUE(site->discovery.unproven);
    ASSERT_EQ(site->servers.size(), 2u);
    EXPECT_EQ(site->servers[0].host, "a.host.example");
    EXPECT_EQ(site->servers[1].port, 2);
    EXPECT_EQ(site->servers[1].certificate_name, "a.example");
    EXPECT_EQ(site->servers[1].pin, std::nullopt);
    if (++found == 3) loop.stop();
  };
  finder.find("a.example", check);
  finder.find("a.example", [&](const auto& site) {
    check(site);
    finder.find("a.example", check);
  });
  test::run(loop);
  EXPECT_EQ(found, 3);
  EXPECT_EQ(server.questions, 2);
}

TEST(SiteFinder, a_name_server_that_is_gone_is_a_reason) {
  Loop loop;
  std::string address;
  {
    const NameServer gone(loop);
    address = gone.address();
  }
  SiteFinder finder(loop, must(Dns::open(loop, {address})));
  std::string why;
  finder.find("a.example", [&](const auto& site) {
    why = site ? "found" : site.error();
    loop.stop();
  });
  test::run(loop);
  EXPECT_EQ(why, "DNS failed");
}

TEST(SiteFinder, a_silent_name_server_is_given_up) {
  Loop loop;
  NameServer server(loop);
  server.reply = [](ByteView) { return Bytes(); };
  discovery::FinderOptions options;
  options.patience = std::chrono::milliseconds(150);
  SiteFinder finder(loop, must(Dns::open(loop, {server.address()})), options);
  std::string why;
  finder.find("a.example", [&](const auto& site) {
    why = site ? "found" : site.error();
    loop.stop();
  });
  test::run(loop);
  EXPECT_EQ(why, "DNS did not answer in time");
}

/// Dials servers on loopback as if DNS had named them for "a.example".
struct Dialler {
  std::unique_ptr<Listener> serve(const test::Pki& with) {
    return must(listen(
        loop, with.server(), "127.0.0.1", 0, {}, [](const ConnectionPtr&) {},
        [](std::string_view) {}));
  }
  static Endpoint at(std::uint16_t port) {
    Endpoint out{"mx.host.example", port, std::nullopt};
    out.certificate_name = "a.example";
    out.addresses = {"127.0.0.1"};
    return out;
  }
  std::string dial(std::vector<Endpoint> servers, const TlsContext& tls) {
    std::string outcome;
    net::dial(loop, tls, std::move(servers), {}, nullptr, [&](auto result) {
      outcome = result ? (*result)->peer() : result.error();
      loop.stop();
    });
    test::run(loop);
    return outcome;
  }
  Loop loop;
};

TEST(Dial, the_next_server_is_tried_until_one_has_the_domains_certificate) {
  Dialler dialler;
  const test::Pki domain(dialler.loop, {"a.example"});
  const test::Pki host(dialler.loop, {"mx.host.example"});
  const auto good = dialler.serve(domain), foreign = dialler.serve(host);
  std::uint16_t dead = 0;
  {
    const auto closed = dialler.serve(domain);
    dead = closed->port();
  }
  const auto text = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  EXPECT_EQ(
      dialler.dial({Dialler::at(dead), Dialler::at(foreign->port()), Dialler::at(good->port())},
                   domain.client()),
      text(good->port()));
}

TEST(Dial, a_certificate_of_the_host_does_not_do) {
  Dialler dialler;
  const test::Pki host(dialler.loop, {"mx.host.example"});
  const auto server = dialler.serve(host);
  const std::string why = dialler.dial({Dialler::at(server->port())}, host.client());
  EXPECT_NE(why.find("certificate refused"), std::string::npos) << why;
  EXPECT_TRUE(why.starts_with("mx.host.example port ")) << why;
  Endpoint by_host = Dialler::at(server->port());
  by_host.certificate_name.clear();  // as a hosts file would have it
  EXPECT_EQ(dialler.dial({by_host}, host.client()), "127.0.0.1:" + std::to_string(server->port()));
}

}  // namespace
}  // namespace ams::net
