// Goal: this room's tests see every mutant switch. Method: the same tests over the room built with
// run-time switches; with all off they pass, with any one on some test fails.
//
// usage: server_mutants                              every switch, each in a process of its own
//        server_mutants --one NAME [gtest flags]     exit 0: all passed; 3: NAME was never asked
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "policy/mutant.h"

namespace {

constexpr const char* switches[] = {
    "server.ack_before_durable",
    "server.skip_asig_submit",
    "server.skip_asig_relay",
    "server.skip_vouch",
    "server.skip_dedup",
    "server.skip_sdom",
    "server.skip_not_local",
    "server.skip_times",
    "server.skip_missing_blob",
    "server.skip_blob_party",
    "server.skip_enrol_token",
    "server.reuse_enrol_token",
    "server.skip_version",
    "server.skip_custody",
    "server.accept_ended_key",
    "server.skip_corporate_custody",
    "server.skip_enc_listed",
    "server.keep_old_shared_key",
    "server.account_over_group",
    "server.group_ignores_full",
    "server.skip_log",
    "server.stale_log_epoch",
    "server.skip_entry_match",
    "server.redirect_anyone",
    "server.skip_entry_time",
    "server.skip_endorsement",
    "server.lookup_without_history",
    "server.skip_lookup_budget",
    "server.skip_lookup_pad",
    "server.skip_role",
    "server.skip_batch_limit",
    "server.skip_sync_token",
    "server.skip_queue_limit",
    "server.lose_queue_on_restart",
    "server.dseq_reuse_after_crash",
    "server.no_notice",
    "server.failed_on_timeout",
    "server.skip_address_taken",
    "server.status_to_anyone",
    "server.skip_head_hash",
    "server.skip_stanza_index",
    "server.wrong_code_no_such_address",
    "server.plain_rows",
    "server.skip_submit_dedup",
    "server.skip_chain",
    "server.admit_unproven",
    "server.skip_connections_max",
    "server.domain_without_log",
    "server.show_no_log",
    "server.show_before_durable",
    "server.believe_cosignature",
};

int run_tests(const std::string& program, const std::string& name, const std::string& filter) {
  const std::string command = "'" + program + "' --one '" + name +
                              "' --gtest_brief=1 --gtest_fail_fast --gtest_filter='" + filter +
                              "' >/dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/// The dear tests come last: most switches are seen before.
int run_one(const std::string& program, const std::string& name) {
  const int cheap = run_tests(program, name, "-Strangers.*:PowerCut.*:*.many_mails_*");
  if (cheap != 0 && cheap != 3) return cheap;
  const int dear = run_tests(program, name, "PowerCut.*:*.many_mails_*");
  return dear == 3 ? cheap : dear;
}

int run_all(const std::string& program) {
  int survivors = 0;
  if (run_one(program, "") != 0) {
    std::printf("the tests fail with all switches off\n");
    return 1;
  }
  for (const char* name : switches) {
    const int status = run_one(program, name);
    if (status != 0 && status != 3) continue;
    std::printf("%s: %s\n", name, status == 3 ? "never asked" : "no test fails");
    ++survivors;
  }
  return survivors == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc < 3) return run_all(argv[0]);
  ams::mutants::activate(argv[2]);
  const bool failed = RUN_ALL_TESTS() != 0;
  if (!failed && *argv[2] != '\0' && ams::mutants::asked() == 0) return 3;
  return failed ? 1 : 0;
}
