// ams-directory: a directory peer without mail. Exit codes: 0 done, 1 failure, 2 wrong
// configuration or command line, 3 cannot listen.
#include "daemon/cli.h"

int main(int argc, char** argv) {
  return ams::daemon::run(
      {"ams-directory", "ams-directory: a peer that holds and serves everyone's key records.",
       false},
      argc, argv);
}
