// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a container with that one fault. Exit code: 0 all do, 1 otherwise.
#include "container/test_bench.h"
#include "policy/probe.h"

namespace ams::container {
namespace {

using mutants::Probe;
using testing::reading;
using testing::Sections;
using testing::world;

Sections sample(std::uint8_t seed) {
  return Sections(testing::seal(testing::text_of(30), testing::both(), seed).value());
}

bool other_trailer_refused() {
  Sections sections = sample(1);
  sections.trailer = sample(2).trailer;
  return !testing::open(sections.joined(), reading(world().bob)).result;
}

bool forged_chunk_releases_nothing() {
  Sections sections = sample(1);
  sections.chunks[0].back() ^= 1;
  return testing::open(sections.joined(), reading(world().bob)).released.empty();
}

/// Bob passes alice's container on to mallory with a stanza that he made himself: it must not look
/// as if alice had sealed it to mallory.
bool rewrapped_for_another_refused() {
  Sections sections = sample(1);
  const Header header = parse_header(Sections::value(sections.header)).value();
  const Hash h0 = crypto::sha256(wire::encode(to_value(header)));
  const auto stanzas = mail::parse_stanzas(Sections::value(sections.stanzas)).value();
  const auto& bob = world().bob.pair;
  const crypto::Secret key =
      mail::unwrap_key({header.aead, header.epk, h0}, stanzas, bob.record, bob.encryption).value();
  const keys::KeyRecord* const to = &world().rita.pair.record;  // rsa2048: needs no epk
  const auto forged = mail::wrap_key({&to, 1}, header.aead, h0, key.view(), nullptr).value();
  sections.stanzas = Sections::section(wire::Array{mail::to_value(forged[0])});
  return !testing::open(sections.joined(), reading(world().rita)).result;
}

std::vector<Probe> probes() {
  return {
      {"container.skip_trailer", other_trailer_refused},
      {"container.release_before_verify", forged_chunk_releases_nothing},
      {"container.skip_to", rewrapped_for_another_refused},
  };
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::container

int main() { return ams::container::run_probes(); }
