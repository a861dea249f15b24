// amsd: the AMS server of a domain. Exit codes: 0 done, 1 failure, 2 wrong configuration or command
// line, 3 cannot listen.
#include "daemon/cli.h"

int main(int argc, char** argv) {
  return ams::daemon::run(
      {"amsd", "amsd: the AMS server of a domain: accounts, mail, relay, directory peer.", true},
      argc, argv);
}
