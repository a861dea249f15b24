// Goal: what `init` writes is what the daemon reads; wrong key files say what is wrong; the hosts
// file is read again when it changes, and a wrong one changes nothing.
// Method: folders made by init, then damaged one file at a time.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/accounts.h"
#include "daemon/domain_keys.h"
#include "daemon/files.h"
#include "daemon/hosts_file.h"
#include "daemon/init.h"
#include "daemon/serve.h"
#include "net/entropy.h"

namespace ams::daemon {
namespace {

namespace fs = std::filesystem;
const Program amsd{"amsd", "", true};

class Daemon : public testing::Test {
 protected:
  Daemon() {
    std::string name = (fs::temp_directory_path() / "ams-daemon-XXXXXX").string();
    AMS_ASSERT(mkdtemp(name.data()) != nullptr);
    folder_ = name;
  }
  ~Daemon() override { fs::remove_all(folder_); }
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  std::string init_a() const {
    InitOptions options;
    options.domain = "a.example";
    options.folder = folder_;
    const auto line = init(amsd, options);
    return line ? *line : "failed: " + line.error().text;
  }
  apps::ServerConfig config() const { return apps::load_server_config(file("amsd.toml")).value(); }
  /// What check-config says, without the folder.
  std::string complaint() const {
    const auto checked = check_config(config());
    if (checked) return "good";
    EXPECT_EQ(checked.error().exit_code, exit_bad_config);
    const std::string prefix = folder_.string() + "/";
    return checked.error().text.substr(checked.error().text.starts_with(prefix) ? prefix.size()
                                                                                : 0);
  }
  void overwrite(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::trunc) << text;
  }

  fs::path folder_;
};

TEST_F(Daemon, init_writes_what_serving_reads) {
  const std::string line = init_a();
  ASSERT_TRUE(line.starts_with("a.example 127.0.0.1 7747 ")) << line;
  EXPECT_EQ(complaint(), "good");
  EXPECT_EQ(hosts_line(config(), "").value(), line);
  EXPECT_TRUE(hosts_line(config(), "mx.a.example")->starts_with("a.example mx.a.example 7747 "));
  for (const char* name : {"data/root.key", "data/op.key", "data/store.key", "server.key"}) {
    struct stat status {};
    ASSERT_EQ(::stat(file(name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
  }
  const auto keys = load_domain_keys(file("data"), "a.example");
  ASSERT_TRUE(keys) << keys.error();
  const auto options = server_options(amsd, config(), *keys);
  EXPECT_EQ(options.index_key.size(), 32U);
  EXPECT_NE(options.index_key, options.row_key);
  EXPECT_EQ(options.chain, keys->chain.value);
  const auto peer = server_options({"ams-directory", "", false}, config(), *keys);
  EXPECT_TRUE(peer.full_directory && !peer.mail);
}

TEST_F(Daemon, init_overwrites_nothing) {
  init_a();
  const std::string before = read_file(file("data/op.key")).value();
  EXPECT_EQ(init_a(), "failed: " + file("amsd.toml") +
                          ": exists already; expected a folder "
                          "without one");
  fs::remove(file("amsd.toml"));
  EXPECT_NE(init_a().find("root.key: cannot be created: File exists"), std::string::npos);
  EXPECT_EQ(read_file(file("data/op.key")).value(), before);
}

TEST_F(Daemon, init_refuses_what_makes_no_sense) {
  const auto refusal = [&](auto change) {
    InitOptions options;
    options.domain = "a.example";
    options.folder = folder_;
    change(options);
    const auto line = init(amsd, options);
    EXPECT_TRUE(!line && line.error().exit_code == exit_bad_config);
    return line ? std::string() : line.error().text;
  };
  EXPECT_EQ(refusal([](auto& o) { o.domain = "A"; }),
            "--domain: expected a domain name in lower case (\"a.example\"), found \"A\"");
  EXPECT_EQ(refusal([](auto& o) { o.listen = "127.0.0.1"; }),
            "--listen: expected HOST:PORT as in 127.0.0.1:7747, found \"127.0.0.1\"");
  EXPECT_EQ(refusal([](auto& o) { o.listen = "a:99999"; }),
            "--listen: expected HOST:PORT as in 127.0.0.1:7747, found \"a:99999\"");
  EXPECT_EQ(refusal([](auto& o) { o.key_file = "k"; }), "--cert and --key: expected both or none");
  EXPECT_FALSE(fs::exists(file("data")));
}

TEST_F(Daemon, wrong_key_files_say_what_is_wrong) {
  init_a();
  const std::string op = read_file(file("data/op.key")).value();
  fs::permissions(file("data/op.key"), fs::perms(0644));
  EXPECT_EQ(complaint(), "data/op.key: expected a file that only its owner may read (chmod 600)");
  fs::permissions(file("data/op.key"), fs::perms(0600));
  overwrite("data/op.key", "{");
  EXPECT_EQ(complaint(), "data/op.key:1: expected one line of AMS-CJ (json_syntax)");
  overwrite("data/op.key", read_file(file("data/root.key")).value());
  EXPECT_EQ(complaint().substr(0, 14), "data/op.key:1:");  // a good key, but not this chain's
  EXPECT_NE(complaint().find("kid_mismatch"), std::string::npos);
  std::string other = op;
  const auto sign = other.find("\"sign\":\"") + 8;
  other[sign] = other[sign] == 'A' ? 'B' : 'A';
  overwrite("data/op.key", other);
  EXPECT_EQ(complaint(), "data/op.key:1: sign: expected the private half of the record's key");
  overwrite("data/op.key", op);
  EXPECT_EQ(complaint(), "good");
  overwrite("data/store.key", R"({"ams":"storekeys/1","index":"AAAA","row":"AAAA"})");
  EXPECT_EQ(complaint().substr(0, 17), "data/store.key:1:");
  fs::remove(file("data/chain.json"));
  EXPECT_EQ(complaint(), "data/chain.json: cannot be read");
}

TEST_F(Daemon, keys_of_another_domain_are_refused) {
  init_a();
  const auto keys = load_domain_keys(file("data"), "b.example");
  ASSERT_FALSE(keys);
  EXPECT_EQ(keys.error(), file("data/chain.json") + ":1: chain: domain: domain_record");
}

TEST_F(Daemon, accounts_are_added_without_a_daemon) {
  init_a();
  const auto token = add_account(amsd, config(), "alice@a.example", "", false);
  ASSERT_TRUE(token) << token.error().text;
  EXPECT_EQ(token->size(), 64U);
  const auto again = add_account(amsd, config(), "alice@a.example", "", false);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().text, "alice@a.example: address_taken");
  EXPECT_EQ(again.error().exit_code, exit_failure);
  const auto foreign = add_account(amsd, config(), "alice@b.example", "", false);
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().exit_code, exit_bad_config);
  const auto further = add_account(amsd, config(), "alice@a.example", "", true);
  ASSERT_TRUE(further) << further.error().text;
  EXPECT_NE(*further, *token);
  const auto nobody = add_account(amsd, config(), "dave@a.example", "", true);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().text, "dave@a.example: no_such_address");
  const std::string given(64, 'a');
  EXPECT_EQ(add_account(amsd, config(), "bob@a.example", given, false).value(), given);
  EXPECT_FALSE(add_account(amsd, config(), "carol@a.example", "beef", false));
}

TEST_F(Daemon, the_hosts_file_is_read_again) {
  const std::string line = init_a();
  auto log = net::Log::open(net::LogLevel::info, file("log")).value();
  auto hosts = HostsFile::load(file("hosts"));
  ASSERT_TRUE(hosts) << hosts.error();
  EXPECT_EQ(hosts->find("a.example", log)->port, 7747);
  EXPECT_FALSE(hosts->find("b.example", log));
  overwrite("hosts", line + "\nb" + line.substr(1) + "\n");
  EXPECT_TRUE(hosts->find("b.example", log));
  overwrite("hosts", "b.example\n");
  EXPECT_TRUE(hosts->find("b.example", log));  // the last good one stays in force
  EXPECT_NE(read_file(file("log"))->find("hosts_not_read"), std::string::npos);
  fs::remove(file("hosts"));
  EXPECT_TRUE(hosts->find("a.example", log));
}

}  // namespace
}  // namespace ams::daemon
