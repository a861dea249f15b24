// Goal: evidence says to a stranger what the look-up said, and no more than it can show (spec EVD).
// Method: domains peers that witness each other; what one answered is put into evidence, judged,
// bent.
#include "directory/evidence.h"

#include <gtest/gtest.h>

#include "directory/light.h"
#include "directory/peers_test.h"
#include "verifiable/rewrite.h"

namespace ams::directory {
namespace {

using namespace testing;

const std::vector<std::string> domains{"a.example", "b.example", "c.example"};

struct Lookups {
  Node a{domains[0], true, domains}, b{domains[1], true, domains}, c{domains[2], true, domains};
  Net net{{domains[0], &a}, {domains[1], &b}, {domains[2], &c}};
  Instant now = from_unix_ms(1'900'000'000'000);
  keys::KeyPair key = make_key(1);

  Lookups() {
    for (auto& [name, node] : net) node->restart();
    EXPECT_TRUE(
        a.publish(objects_args({key.record.value(), *keys::make_revocation(key)}), "x.example"));
    settle(net, {}, now);
    run_rounds(net, now, 6);
  }
  LookupEvidence lookup(const Id16& kid) const {
    const wire::Value args = wire::Object{{"kid", to_uuid_text(kid)}};
    LookupEvidence out{{a.name, chain_of(a)}, kid, {}, *a.peer.proof(args), {}};
    if (const auto got = a.peer.get(args)) out.objects = objects_of(*got);
    for (const Node* witness : {&b, &c})
      out.witnesses.push_back({witness->name, chain_of(*witness)});
    return out;
  }
};

/// Believes the roots of these domains.
EvidenceTrust trusting(std::vector<std::string> believed, std::size_t quorum) {
  EvidenceTrust out;
  out.quorum = quorum;
  out.root_of = [believed](std::string_view domain,
                           const keys::KeyId& claimed) -> std::optional<keys::KeyId> {
    const bool known = std::find(believed.begin(), believed.end(), domain) != believed.end();
    return known ? std::optional(claimed) : std::nullopt;
  };
  return out;
}

Code verdict_on(const wire::Value& evidence, const EvidenceTrust& trust) {
  const auto judged = judge_evidence(evidence, trust);
  return judged ? Code::bom : judged.error().code;
}

wire::Value with(wire::Value evidence, const char* member, wire::Value value) {
  evidence.as_object()[member] = std::move(value);
  return evidence;
}

TEST(Evidence, of_a_look_up_holds_for_whoever_believes_the_roots) {
  const Lookups w;
  const wire::Value evidence = evidence_of(w.lookup(w.key.record.id().kid));
  const auto judged = judge_evidence(evidence, trusting(domains, 2));
  ASSERT_TRUE(judged) << judged.error().where;
  EXPECT_EQ(judged->domain, "a.example");
  EXPECT_FALSE(judged->two_faces);
  ASSERT_TRUE(judged->entry);
  EXPECT_TRUE(judged->entry->revoked());
  EXPECT_EQ(judged->cosigned, (std::vector<std::string>{"b.example", "c.example"}));
  LookupEvidence repeated = w.lookup(w.key.record.id().kid);
  repeated.witnesses.push_back(repeated.witnesses.front());
  const auto again = judge_evidence(evidence_of(repeated), trusting(domains, 2));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->cosigned, judged->cosigned);
  const auto absent =
      judge_evidence(evidence_of(w.lookup(make_key(2).record.id().kid)), trusting(domains, 2));
  ASSERT_TRUE(absent);
  EXPECT_FALSE(absent->entry);
}

TEST(Evidence, of_a_look_up_shows_no_more_than_it_can) {
  const Lookups w;
  const LookupEvidence lookup = w.lookup(w.key.record.id().kid);
  const wire::Value evidence = evidence_of(lookup);
  EXPECT_EQ(verdict_on(evidence, trusting({"b.example"}, 0)), Code::domain_record);
  // A witness whom the reader does not know does not count, nor does the peer itself.
  EXPECT_EQ(verdict_on(evidence, trusting({"a.example", "b.example"}, 2)), Code::witnesses);
  LookupEvidence own = lookup;
  own.witnesses = {own.peer, own.peer};
  EXPECT_EQ(verdict_on(evidence_of(own), trusting(domains, 1)), Code::witnesses);
  LookupEvidence withheld = lookup;
  withheld.objects.resize(1);
  EXPECT_EQ(verdict_on(evidence_of(withheld), trusting(domains, 0)), Code::proof);
  EXPECT_EQ(verdict_on(with(evidence, "objects", wire::Array{}), trusting(domains, 0)),
            Code::proof);
  EXPECT_EQ(verdict_on(with(evidence, "chain", chain_of(w.b)), trusting(domains, 0)),
            Code::domain_record);
  EXPECT_EQ(verdict_on(with(evidence, "domain", "b.example"), trusting(domains, 0)),
            Code::domain_record);
  EXPECT_EQ(verdict_on(with(evidence, "note", 1), trusting(domains, 0)), Code::unknown_member);
  EXPECT_EQ(verdict_on(with(evidence, "ams", "dproof/2"), trusting(domains, 0)),
            Code::unknown_ams_tag);
  EXPECT_EQ(verdict_on(with(evidence, "witnesses", wire::Array(33, wire::Object{})),
                       trusting(domains, 0)),
            Code::object_too_large);
  EXPECT_EQ(verdict_on(wire::Value("x"), trusting(domains, 0)), Code::schema);
  EvidenceTrust late = trusting(domains, 0);
  late.now = w.now + std::chrono::hours{25};
  EXPECT_EQ(verdict_on(evidence, late), Code::checkpoint_stale);
}

TEST(Evidence, has_a_size_at_which_nobody_looks_further) {
  const Lookups w;
  const wire::Value evidence = evidence_of(w.lookup(w.key.record.id().kid));
  const wire::Value large =
      with(evidence, "proof", wire::Object{{"checkpoint", std::string(evidence_size_max, 'x')}});
  const auto judged = judge_evidence(large, trusting(domains, 0));
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, Code::object_too_large);
  EXPECT_EQ(judged.error().where, "evidence");
}

TEST(Evidence, of_two_faces_convicts_the_domain_of_the_chain_alone) {
  Lookups w;
  Node face(domains[0], true, domains);
  face.tick(Instant{} + std::chrono::seconds{7});
  Node first(domains[0], true, domains);
  first.tick(Instant{} + std::chrono::seconds{1});
  const auto note = [](const Node& node) {
    return node.peer.head()->find("checkpoint")->as_string();
  };
  const auto log = *log_key(domains[0], face.op.record.signing(), verifiable::NoteKeyType::ed25519);
  const auto faces = verifiable::make_equivocation(note(face), note(first), log);
  ASSERT_TRUE(faces);
  const wire::Value evidence = evidence_of({domains[0], chain_of(w.a)}, *faces);
  const auto judged = judge_evidence(evidence, trusting(domains, 0));
  ASSERT_TRUE(judged) << judged.error().where;
  EXPECT_TRUE(judged->two_faces);
  EXPECT_EQ(judged->domain, domains[0]);
  EXPECT_EQ(judged->size, 1u);
  const wire::Value other = evidence_of({domains[1], chain_of(w.b)}, *faces);
  EXPECT_EQ(verdict_on(other, trusting(domains, 0)), Code::proof);
  EXPECT_EQ(verdict_on(evidence, trusting({}, 0)), Code::domain_record);
  EXPECT_EQ(verdict_on(evidence_of({domains[0], chain_of(w.a)}, note(face) + "\n" + note(face)),
                       trusting(domains, 0)),
            Code::proof);
}

TEST(Evidence, of_a_rewritten_history_convicts_the_domain_of_the_chain_alone) {
  Lookups w;
  const auto log = *log_key(domains[0], w.a.op.record.signing(), verifiable::NoteKeyType::ed25519);
  verifiable::Log one, other;
  for (std::uint8_t i = 0; i < 9; ++i) {
    one.append(Hash{i});
    other.append(Hash{i, static_cast<std::uint8_t>(i > 3)});
  }
  const auto note = [&](const verifiable::Log& of, std::uint64_t size) {
    const std::string text =
        verifiable::checkpoint_text({log_origin(domains[0]), size, of.root(size), {}});
    return verifiable::format(
        {text, {*verifiable::sign_note(text, log_origin(domains[0]), w.a.op.signing)}});
  };
  const auto faces =
      verifiable::make_rewrite(note(one, 6), note(other, 9), other.prove_consistency(6, 9), log);
  ASSERT_TRUE(faces);
  const wire::Value evidence = evidence_of({domains[0], chain_of(w.a)}, *faces);
  const auto judged = judge_evidence(evidence, trusting(domains, 0));
  ASSERT_TRUE(judged) << judged.error().where;
  EXPECT_TRUE(judged->two_faces);
  EXPECT_EQ(judged->rewritten_from, 6u);
  EXPECT_EQ(judged->size, 9u);
  EXPECT_EQ(verdict_on(evidence_of({domains[1], chain_of(w.b)}, *faces), trusting(domains, 0)),
            Code::proof);
  EXPECT_EQ(verdict_on(evidence, trusting({}, 0)), Code::domain_record);
  EXPECT_EQ(verdict_on(with(evidence, "ams", "dfaces/1"), trusting(domains, 0)), Code::proof_form);
}

}  // namespace
}  // namespace ams::directory
