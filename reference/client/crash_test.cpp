// Crashes of the client at every effect.
#include "client/test_bench.h"

namespace ams::client::testing {
namespace {

/// Enrols, sends to bob with carol in Bcc and an attachment, receives one letter; crashes once
/// after `crash_at` steps. Gives the number of steps it took.
int life(int crash_at) {
  Bench bench(3);
  int steps = 0;
  const auto run = [&] {
    for (int quiet = 0; quiet < 40; ++quiet) {
      while (bench.step()) {
        if (++steps != crash_at) continue;
        bench.crash();
        // The owner heard of no account and no saved draft: it does again what left no trace.
        if (!bench.disk.get(table_account, as_bytes(row_record)).value())
          bench.client->enrol(bench.server.token, std::nullopt, bench.now);
      }
      if (const auto due = bench.client->timeout(); due && *due < bench.now + 2s) {
        bench.now = std::max(bench.now, *due);
        bench.client->handle_timeout(bench.now);
      }
    }
  };
  bench.client->enrol(bench.server.token, std::nullopt, bench.now);
  run();
  EXPECT_TRUE(bench.client->ready()) << crash_at;
  mail::Draft draft = bench.draft({bench.bob.addr}, {bench.carol.addr});
  draft.attachments.push_back({"a", "text/plain", to_bytes("attached")});
  const auto digest = mail::content_digest(draft);
  bench.client->submit(draft, bench.now);
  run();
  if (!bench.disk.get(table_account, as_bytes(row_ticket))
           .value()) {  // crashed before it was saved
    bench.client->submit(draft, bench.now);
    run();
  }
  EXPECT_EQ(bench.server.submissions.size(), 2u) << crash_at;
  std::set<Hash> acknowledged;
  for (const Report& report : bench.reports)
    if (const auto* done = std::get_if<Submitted>(&report)) acknowledged.insert(done->ehash);
  EXPECT_EQ(acknowledged.size(), 1u) << crash_at;
  EXPECT_EQ(bench.count<SubmitFailed>(), 0) << crash_at;
  bench.deliver(bench.bob, "answer");
  if (bench.server.online()) bench.server.push_changed();
  run();
  std::map<std::int64_t, Hash> told;
  for (const Report& report : bench.reports) {
    const auto* got = std::get_if<Received>(&report);
    if (!got) continue;
    const auto [at, is_new] = told.emplace(got->uid, got->ehash);
    EXPECT_EQ(at->second, got->ehash) << crash_at;
    if (got->folder == "sent") {
      EXPECT_EQ(mail::content_digest(got->letter, got->attachments), digest);
    }
  }
  EXPECT_EQ(told.size(), 2u) << crash_at;
  EXPECT_LE(bench.count<Received>(), 2 + (crash_at > 0 ? 2 : 0)) << crash_at;
  EXPECT_EQ(bench.count<Unreadable>(), 0) << crash_at;
  for (const crypto::Secret& secret : bench.client->private_bytes())
    EXPECT_FALSE(holds(bench.server.received, secret.view()));
  return steps;
}

// Goal: a crash anywhere loses nothing, doubles nothing on the server, and tells the owner nothing
// new twice. Method: the same life once for each step at which it can be cut off.
TEST(ClientCrash, at_every_effect) {
  const int steps = life(0);
  EXPECT_GT(steps, 60);
  for (int at = 1; at <= steps; ++at) {
    life(at);
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace ams::client::testing
