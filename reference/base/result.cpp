#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace ams {

const CodeInfo& code_info(Code code) {
  for (const CodeInfo& info : code_table)
    if (info.code == code) return info;
  assert_failed("the code is in the registry", __FILE__, __LINE__);
}

const CodeInfo* find_code(std::string_view name) {
  for (const CodeInfo& info : code_table)
    if (info.name == name) return &info;
  return nullptr;
}

void assert_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace ams
