// ams-codec: the reference behind the codec adapter's JSON lines.
// Exit codes: 0 at the end of input, 2 for a wrong command line.
#include <iostream>

#include "adapter/codec.h"
#ifdef AMS_ADAPTER_MUTANTS
#include "policy/mutant.h"
#endif

namespace {

constexpr const char* usage =
    "usage: ams-codec\n"
    "Reads one JSON request a line from stdin and answers each with one line on stdout, as\n"
    "conformance/adapter/adapter.schema.json says. For instance:\n"
    "  echo '{\"id\":1,\"op\":\"hello\",\"args\":{}}' | ams-codec\n"
#ifdef AMS_ADAPTER_MUTANTS
    "  --mutant NAME   breaks one rule on purpose; at the end stderr tells how often it was asked\n"
#endif
    ;

int refuse_usage() {
  std::cerr << usage;
  return 2;
}

void serve() {
  for (std::string line; std::getline(std::cin, line);)
    std::cout << ams::adapter::answer(line) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--help") {
    std::cout << usage;
    return 0;
  }
#ifdef AMS_ADAPTER_MUTANTS
  if (argc == 3 && std::string(argv[1]) == "--mutant") {
    ams::mutants::activate(argv[2]);
    serve();
    std::cerr << "asked " << ams::mutants::asked() << "\n";
    return 0;
  }
#endif
  if (argc != 1) return refuse_usage();
  serve();
  return 0;
}
