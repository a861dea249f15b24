// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// a probe for each switch. Exit code: 0 all do, 1 otherwise.
#include "discovery/test_dns.h"
#include "policy/probe.h"

namespace ams::discovery {
namespace {

using mutants::Probe;
using test::Bench;

std::string good() { return to_record(test::root_of(7)); }

std::vector<Probe> probes() {
  return {
      {"discovery.skip_version", [] { return !parse_record("v=ams2" + good().substr(6)); }},
      {"discovery.accept_tag_twice", [] { return !parse_record(good() + "; x=1; x=2"); }},
      {"discovery.skip_kid",
       [] {
         return !parse_record("v=ams1; k=" + to_uuid_text(test::root_of(8).kid) +
                              "; fp=" + to_hex(test::root_of(7).fp));
       }},
      {"discovery.take_one_of_many",
       [] {
         const std::string both[] = {to_record(test::root_of(8)), good()};
         return !parse_records(both);
       }},
      {"discovery.ignore_priority",
       [] {
         crypto::Drbg drbg(Hash{});
         return in_order({{2, 0, 2, "b.example"}, {1, 0, 1, "a.example"}}, drbg)[0].port == 1;
       }},
      {"discovery.ignore_ttl",
       [] {
         Bench bench;
         bench.answer(bench.find(), test::server(60), test::text(60, test::root_of(7)));
         bench.now += std::chrono::seconds(60);
         return !bench.knows();
       }},
      {"discovery.certificate_of_host",
       [] {
         Bench bench;
         const auto& outcome =
             bench.answer(bench.find(), test::server(60), test::text(60, test::root_of(7)));
         return outcome.site->servers.at(0).certificate_name == "a.example";
       }},
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::discovery

int main() { return ams::discovery::run_probes(); }
