// The client's connection: back-off, pings, silence, and what a server may ask of a client.
#include "client/test_bench.h"

namespace ams::client::testing {
namespace {

TEST(ClientLink, comes_back_with_growing_pauses) {
  Bench bench;
  bench.enrol();
  bench.reachable = false;
  bench.cut();
  bench.run_for(1h);
  // 0.5..1, 1..2, … s up to 2.5..5 min: between 12 and 30 attempts in an hour.
  EXPECT_GT(bench.resolves, 12);
  EXPECT_LT(bench.resolves, 40);
  EXPECT_EQ(bench.count<CommandFailed>(), 1) << "an outage is told once";
  bench.reachable = true;
  bench.run_for(6min);
  EXPECT_TRUE(bench.server.online());
}

TEST(ClientLink, a_server_of_another_root_is_refused) {
  Bench bench;
  bench.discovered[bench.home.name] = bench.away.discovery();
  bench.client->enrol(bench.server.token, std::nullopt, bench.now);
  bench.settle();
  EXPECT_EQ(bench.last<CommandFailed>()->what, "connect");
  EXPECT_EQ(bench.last<CommandFailed>()->why.code, Code::domain_record);
  EXPECT_EQ(bench.server.calls["account.enrol"], 0);
}

TEST(ClientLink, whatever_the_server_asks_is_unsupported) {
  Bench bench;
  bench.enrol();
  bench.server.session().request("keys.export", wire::Object{{"kid", "x"}});
  const Bytes blob(100, 1);
  bench.server.session().put_blob(crypto::sha256(blob), blob);
  bench.settle();
  ASSERT_EQ(bench.server.answers_of_client.size(), 2u);
  for (const auto& answer : bench.server.answers_of_client)
    EXPECT_EQ(answer.error().code, Code::unsupported);
  EXPECT_TRUE(bench.server.online());
}

TEST(ClientLink, pings_when_idle_and_leaves_a_silent_server) {
  Bench bench;
  bench.enrol();
  bench.run_for(16min);
  EXPECT_EQ(bench.server.connections, 1);
  bench.server.silent_on = "mail.sync";
  bench.client->sync(bench.now);
  bench.run_for(3min);
  EXPECT_EQ(bench.server.connections, 2) << "two minutes of silence end the connection";
}

TEST(ClientLink, without_stay_connected_it_leaves_when_done) {
  Bench bench(1, false);
  bench.enrol();
  EXPECT_FALSE(bench.conn);
  EXPECT_EQ(bench.server.calls["mail.sync"], 0);
  bench.client->submit(bench.draft({bench.bob.addr}), bench.now);
  bench.run_for(1min);
  EXPECT_EQ(bench.count<Submitted>(), 1);
  EXPECT_FALSE(bench.conn);
  bench.client->sync(bench.now);
  bench.run_for(1min);
  EXPECT_EQ(bench.count<SyncDone>(), 1);
  EXPECT_EQ(bench.count<Received>(), 1);  // the Sent copy
  EXPECT_FALSE(bench.conn);
}

}  // namespace
}  // namespace ams::client::testing
