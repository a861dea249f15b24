// Goal: over HTTPS only those with certificates meet; a store that is down, slow or lying is told
// by a registered code. Method: our client against our server, and against the second
// implementation in Python, which can lie; all on loopback.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "crypto/external.h"
#include "keystore_net/https_link.h"
#include "keystore_net/https_server.h"
#include "keystore_net/test_house.h"

namespace ams::keystore_net {
namespace {

using namespace std::chrono_literals;
using test::key_file;
using test::Person;

struct Certificates {
  explicit Certificates(net::Loop& loop) {
    const auto make = [&](const net::PemCertificate& authority, const std::string& name,
                          std::vector<std::string> names) {
      const auto leaf = net::test::must(
          net::make_signed_by(authority, net::test::for_names(loop, std::move(names))));
      AMS_ASSERT(net::write_certificate(leaf, file(name + ".pem"), file(name + ".key")));
    };
    const auto authority =
        net::test::must(net::make_authority(net::test::for_names(loop, {"ca.test"})));
    AMS_ASSERT(net::write_certificate(authority, file("ca.pem"), file("ca.key")));
    make(authority, "server", {"127.0.0.1"});
    make(authority, "other", {"other.test"});
    make(authority, "alice", {"alice.test"});
    const auto strange =
        net::test::must(net::make_authority(net::test::for_names(loop, {"strange.test"})));
    AMS_ASSERT(net::write_certificate(strange, file("strange-ca.pem"), file("strange-ca.key")));
    make(strange, "strange", {"alice.test"});
  }
  std::string file(const std::string& name) const { return folder.file(name); }
  HttpsOptions client(std::uint16_t port, const std::string& name = "alice") const {
    return {"https://127.0.0.1:" + std::to_string(port), file("ca.pem"), file(name + ".pem"),
            file(name + ".key"), 5s};
  }
  HttpsServerOptions server(const std::string& name = "server") const {
    HttpsServerOptions out;
    out.ca_file = file("ca.pem");
    out.certificate_file = file(name + ".pem");
    out.key_file = file(name + ".key");
    return out;
  }
  net::test::Folder folder;
};

/// The Python server as a process of its own.
class PythonStore {
 public:
  PythonStore(const Certificates& files, const Person& admin, const std::string& lie) {
    const keystore::Device device = keystore::device_of(admin.device);
    const std::string who =
        admin.addr + "=" + to_base64url(device.sk) + "," + to_base64url(*device.ek);
    const std::string script =
        std::string(AMS_SOURCE_DIR) + "/conformance/peers/keystore_server.py";
    int pipe_ends[2];
    AMS_ASSERT(::pipe(pipe_ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(pipe_ends[1], STDOUT_FILENO);
      ::execl("/usr/bin/python3", "python3", script.c_str(), "--domain", "corp.example", "--ca",
              files.file("ca.pem").c_str(), "--cert", files.file("server.pem").c_str(), "--key",
              files.file("server.key").c_str(), "--admin", who.c_str(), "--lie", lie.c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(pipe_ends[1]);
    FILE* said = ::fdopen(pipe_ends[0], "r");
    int port = 0;
    if (std::fscanf(said, "listening %d", &port) != 1) port = 0;
    port_ = static_cast<std::uint16_t>(port);
    std::fclose(said);
  }
  ~PythonStore() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::uint16_t port() const { return port_; }

 private:
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

struct HttpsTest : ::testing::Test {
  net::Loop loop;
  Certificates files{loop};
  Person carol{"carol@corp.example"}, alice{"alice@corp.example"};

  std::unique_ptr<HttpsLink> link(const HttpsOptions& options) {
    return net::test::must(HttpsLink::make(loop, options));
  }
  Result<keystore::Ok> ask(Link& to, const Person& who, keystore::Args args,
                           std::optional<keystore::Capability> capability = {},
                           const keys::KeyRecord* record = nullptr) {
    return test::ask(loop, to, who, who.request(std::move(args), std::move(capability)), record);
  }
  std::optional<keystore::Capability> cap(Link& to, const Person& who, const keys::KeyRecord& key,
                                          keystore::Purpose purpose) {
    return test::capability(loop, to, who, key.id().kid, purpose);
  }
};

crypto::Wrapped wrapped_for(const keys::KeyRecord& key) {
  const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 9));
  return *crypto::hpke_seal(key.encryption(), crypto::Aead::a256gcm, {}, Bytes(32, 1), &ephemeral);
}

Bytes text() { return keys::signing_input("env/1", wire::Object{{"ams", "env/1"}}); }

TEST_F(HttpsTest, a_member_uses_a_store_behind_our_own_server) {
  LocalStore::Options options{files.file("store"), {}, {}};
  const auto store =
      net::test::must(LocalStore::create(options, {"corp.example", {}, {}}, key_file()));
  ASSERT_TRUE(store->act(keystore::GrantArgs{alice.member()}).has_value());
  const auto key = test::record_of(store->act(test::create_args({})));
  const auto server = net::test::must(HttpsServer::listen(
      loop, files.server(), [&](ByteView request) { return store->ask(request); }));
  const auto to = link(files.client(server->port()));
  const auto capability = cap(*to, alice, key, keystore::Purpose::decap);
  ASSERT_TRUE(capability.has_value());
  EXPECT_TRUE(ask(*to, alice, keystore::DecapArgs{wrapped_for(key).enc, key.id().kid}, capability)
                  .has_value());
  EXPECT_EQ(test::code_of(ask(*to, carol, keystore::ListArgs{})), Code::member_signature);
}

TEST_F(HttpsTest, strangers_and_false_servers_are_kept_out) {
  int asked = 0;
  const auto answer = [&](ByteView) {
    ++asked;
    return Bytes();
  };
  const auto server = net::test::must(HttpsServer::listen(loop, files.server(), answer));
  HttpsOptions strange = files.client(server->port(), "strange");
  EXPECT_EQ(test::code_of(ask(*link(strange), alice, keystore::ListArgs{})),
            Code::keystore_unreachable);
  HttpsOptions doubting = files.client(server->port());
  doubting.ca_file = files.file("strange-ca.pem");
  EXPECT_EQ(test::code_of(ask(*link(doubting), alice, keystore::ListArgs{})),
            Code::keystore_unreachable);
  const auto other = net::test::must(HttpsServer::listen(loop, files.server("other"), answer));
  EXPECT_EQ(test::code_of(ask(*link(files.client(other->port())), alice, keystore::ListArgs{})),
            Code::keystore_unreachable);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(test::code_of(ask(*link(files.client(server->port())), alice, keystore::ListArgs{})),
            Code::keystore_answer);
  EXPECT_EQ(asked, 1);
}

TEST_F(HttpsTest, a_store_that_is_down_or_silent_is_told_within_the_deadline) {
  std::uint16_t port = 0;
  {
    const auto server = net::test::must(
        HttpsServer::listen(loop, files.server(), [](ByteView) { return Bytes(); }));
    port = server->port();
  }
  EXPECT_EQ(test::code_of(ask(*link(files.client(port)), alice, keystore::ListArgs{})),
            Code::keystore_unreachable);
  const PythonStore slow(files, carol, "slow");
  HttpsOptions options = files.client(slow.port());
  options.deadline = 1s;
  const auto to = link(options);
  const auto key = test::record_of(ask(*to, carol, test::create_args({})));
  const auto capability = cap(*to, carol, key, keystore::Purpose::decap);
  EXPECT_EQ(test::code_of(ask(*to, carol, keystore::DecapArgs{wrapped_for(key).enc, key.id().kid},
                              capability)),
            Code::keystore_timeout);
}

TEST_F(HttpsTest, the_second_implementation_serves_the_same_client) {
  const PythonStore store(files, carol, "");
  ASSERT_NE(store.port(), 0);
  const auto to = link(files.client(store.port()));
  ASSERT_TRUE(ask(*to, carol, keystore::GrantArgs{alice.member()}).has_value());
  const auto shared =
      test::record_of(ask(*to, carol, test::create_args({}, keystore::Profile::modern, true)));
  const auto own = test::record_of(ask(*to, carol, test::create_args({alice.addr, {}})));

  const auto wrapped = wrapped_for(shared);
  const keystore::DecapArgs decap{wrapped.enc, shared.id().kid};
  const auto capability = cap(*to, alice, shared, keystore::Purpose::decap);
  const auto secret = ask(*to, alice, decap, capability);
  ASSERT_TRUE(secret.has_value()) << secret.error().where;
  EXPECT_TRUE(crypto::hpke_open_shared(crypto::Kem::x25519, crypto::Aead::a256gcm,
                                       std::get<keystore::Shared>(*secret).shared.view(), {},
                                       wrapped.ciphertext)
                  .has_value());
  EXPECT_TRUE(ask(*to, alice, keystore::SignArgs{own.id().kid, text()},
                  cap(*to, alice, own, keystore::Purpose::sign), &own)
                  .has_value());
  EXPECT_EQ(test::code_of(ask(*to, alice, keystore::SignArgs{own.id().kid, to_bytes("x")},
                              cap(*to, alice, own, keystore::Purpose::sign), &own)),
            Code::sign_form);
  const auto exported = ask(*to, alice, keystore::ExportArgs{shared.id().kid},
                            cap(*to, alice, shared, keystore::Purpose::export_key));
  ASSERT_TRUE(exported.has_value()) << exported.error().where;
  EXPECT_TRUE(keystore::open_export(std::get<keystore::Exported>(*exported), shared, alice.device)
                  .has_value());

  const auto revoked = ask(*to, carol, keystore::RevokeArgs{alice.addr});
  ASSERT_TRUE(revoked.has_value());
  EXPECT_EQ(std::get<keystore::Revoked>(*revoked).kids, std::vector<Id16>{shared.id().kid});
  EXPECT_EQ(test::code_of(ask(*to, alice, decap, capability)), Code::not_member);
  const auto next = test::record_of(ask(
      *to, carol,
      keystore::RotateArgs{test::now_ms() + test::day_ms, shared.id().kid, test::now_ms() - 1000}));
  Bytes info = to_bytes("AMS1");
  append(info, Hash{});
  append(info, shared.id().kid);
  append(info, shared.id().fp);
  const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 8));
  const auto stored =
      crypto::hpke_seal(shared.encryption(), crypto::Aead::a256gcm, info, Bytes(32, 2), &ephemeral);
  const auto moved =
      ask(*to, carol,
          keystore::RewrapArgs{{{crypto::Aead::a256gcm, stored->enc, Hash{}, stored->ciphertext}},
                               shared.id().kid,
                               next.id().kid});
  ASSERT_TRUE(moved.has_value()) << moved.error().where;
  EXPECT_EQ(std::get<keystore::Rewrapped>(*moved).items[0].index(), 0u);
  const auto page = ask(*to, carol, keystore::AuditArgs{100, 0});
  ASSERT_TRUE(page.has_value());
  const auto& audit = std::get<keystore::AuditPage>(*page);
  const auto head = keystore::follow_chain({}, audit.entries);
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->hash, audit.head);
}

TEST_F(HttpsTest, each_lie_has_its_code) {
  const std::vector<std::pair<std::string, Code>> lies{
      {"kid", Code::kid_mismatch},           {"signature", Code::signature},
      {"id", Code::keystore_answer},         {"form", Code::keystore_answer},
      {"long", Code::keystore_answer},       {"unknown", Code::keystore_answer},
      {"status", Code::keystore_unreachable}};
  for (const auto& [lie, code] : lies) {
    const PythonStore store(files, carol, lie);
    const auto to = link(files.client(store.port()));
    const auto own = test::record_of(ask(*to, carol, test::create_args({carol.addr, {}})));
    const auto signed_text = ask(*to, carol, keystore::SignArgs{own.id().kid, text()},
                                 cap(*to, carol, own, keystore::Purpose::sign), &own);
    EXPECT_EQ(test::code_of(signed_text), code) << lie;
  }
  // A false secret shows where it is used.
  const PythonStore store(files, carol, "secret");
  const auto to = link(files.client(store.port()));
  const auto key = test::record_of(ask(*to, carol, test::create_args({})));
  const auto wrapped = wrapped_for(key);
  const auto secret = ask(*to, carol, keystore::DecapArgs{wrapped.enc, key.id().kid},
                          cap(*to, carol, key, keystore::Purpose::decap));
  ASSERT_TRUE(secret.has_value());
  const auto opened = crypto::hpke_open_shared(crypto::Kem::x25519, crypto::Aead::a256gcm,
                                               std::get<keystore::Shared>(*secret).shared.view(),
                                               {}, wrapped.ciphertext);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Code::unwrap);
}

TEST_F(HttpsTest, settings_that_do_not_fit_are_one_line) {
  HttpsOptions good = files.client(1);
  for (const char* url : {"http://127.0.0.1", "https://", "https://h:port", "https://h/x", "h:1"}) {
    HttpsOptions bad = good;
    bad.url = url;
    const auto made = HttpsLink::make(loop, bad);
    ASSERT_FALSE(made.has_value()) << url;
    EXPECT_NE(made.error().find("expected https://"), std::string::npos);
  }
  HttpsOptions no_key = good;
  no_key.key_file = files.file("server.key");
  EXPECT_FALSE(HttpsLink::make(loop, no_key).has_value());
  HttpsOptions no_file = good;
  no_file.certificate_file = files.file("none.pem");
  EXPECT_FALSE(HttpsLink::make(loop, no_file).has_value());
}

}  // namespace
}  // namespace ams::keystore_net
