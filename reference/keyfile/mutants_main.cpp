// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a file with that one fault. Exit code: 0 all do, 1 otherwise.
#include "keyfile/test_bench.h"
#include "policy/probe.h"

namespace ams::keyfile {
namespace {

using mutants::Probe;
using testing::changed_contents;
using testing::modern;
using testing::source_of;

/// True when the contents with `change` made are refused.
bool refused(const std::vector<Source>& pairs, const std::function<void(wire::Object&)>& change) {
  return !parse_contents(changed_contents(pairs, change));
}

bool small_cost_refused() {
  const keys::KeyPair pair = modern(1);
  const std::vector<Source> one{source_of(pair)};
  crypto::Drbg drbg(Bytes(32, 5));
  return !seal("", one, testing::passphrase, 1'024, drbg);
}

bool foreign_revocation_refused() {
  const keys::KeyPair pair = modern(1), other = modern(2);
  return refused({source_of(pair)}, [&](wire::Object& o) {
    o["pairs"].as_array()[0].as_object()["revocation"] = keys::make_revocation(other).value();
  });
}

bool foreign_record_refused() {
  const keys::KeyPair pair = modern(1), other = modern(2);
  return refused({source_of(pair, false)}, [&](wire::Object& o) {
    o["pairs"].as_array()[0].as_object()["record"] = other.record.value();
  });
}

bool longer_padding_refused() {
  const keys::KeyPair pair = modern(1);
  Bytes layout = changed_contents({source_of(pair)}, [](wire::Object&) {});
  layout.push_back(0);
  return !parse_contents(layout);
}

bool a_key_twice_refused() {
  const keys::KeyPair pair = modern(1);
  return refused({source_of(pair), source_of(pair)}, [](wire::Object&) {});
}

bool no_pairs_refused() {
  return refused({}, [](wire::Object&) {});
}

bool no_address_refused() {
  const keys::KeyPair pair = modern(1);
  return refused({source_of(pair)}, [](wire::Object& o) { o["addr"] = "Alice"; });
}

bool other_kdf_refused() {
  const keys::KeyPair pair = modern(1);
  const Bytes file = testing::changed(testing::seal_file({source_of(pair)}), [](wire::Object& o) {
    o["kdf"].as_object()["name"] = "argon2id";
  });
  return testing::code_of(file) == Code::unknown_algorithm;
}

std::vector<Probe> probes() {
  return {
      {"keyfile.accept_any_addr", no_address_refused},
      {"keyfile.accept_twice", a_key_twice_refused},
      {"keyfile.accept_none", no_pairs_refused},
      {"keyfile.accept_any_kdf", other_kdf_refused},
      {"keyfile.skip_cost", small_cost_refused},
      {"keyfile.skip_revocation", foreign_revocation_refused},
      {"keyfile.skip_halves", foreign_record_refused},
      {"keyfile.skip_padding", longer_padding_refused},
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::keyfile

int main() { return ams::keyfile::run_probes(); }
