// RAND_METHOD is deprecated since OpenSSL 3.0 in favour of providers; a method is still the one
// hook that a default-provider RSA consults and that needs no provider of ours to be loaded.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "sim_rand/rand_hook.h"

#include <openssl/rand.h>

#include "base/result.h"

namespace ams::sim {
namespace {

thread_local RandomSequence* current = nullptr;

int draw(unsigned char* out, int size) {
  if (!current || size < 0) return 0;
  current->fill({out, static_cast<std::size_t>(size)});
  return 1;
}
int seed(const void*, int) { return 1; }
int add(const void*, int, double) { return 1; }
int status() { return 1; }

const RAND_METHOD method = {seed, draw, nullptr, add, draw, status};

}  // namespace

void install_rand_hook() {
  static const bool installed = RAND_set_rand_method(&method) == 1;
  AMS_ASSERT(installed);
}

RandScope::RandScope(RandomSequence& sequence) : outer_(current) { current = &sequence; }
RandScope::~RandScope() { current = outer_; }

}  // namespace ams::sim
