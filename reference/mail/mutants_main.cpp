// Goal: every mutant switch of this room really breaks its rule, and only when it is on. Method:
// for each switch a message or object with that one fault; it must be refused with all switches
// off, taken with the switch on, and the switch must have been asked. Exit code: 0 all do, 1
// otherwise.

#include "mail/forge_test.h"
#include "mail/franking.h"
#include "policy/probe.h"

namespace ams::mail {
namespace {

using testing::Forge;
using testing::World;

using mutants::Probe;

const World& world() {
  static const World the_world;
  return the_world;
}

/// Probe of a message with one fault.
std::function<bool()> refused(const std::function<void(Forge&)>& change) {
  return [change] {
    Forge forge;
    change(forge);
    return !testing::open(forge.make(world()), world().reading(world().bob));
  };
}

bool other_account_refused() {
  Sealed sealed = Forge().make(world());
  sealed.asig = sign_header(sealed.header, world().mallory.pair.signing).value();
  return !testing::open(sealed, world().reading(world().bob));
}

bool other_reader_refused() {
  OpenContext context = world().reading(world().bob);
  context.reader = "someone@beta.example";
  return !testing::open(Forge().make(world()), context);
}

bool other_group_refused() {
  OpenContext context = world().reading(world().bob);
  context.reader = "someone@beta.example";
  context.group = "sales@beta.example";
  return !testing::open(Forge().make(world()), context);
}

bool many_stanzas_refused() {
  return !parse_stanzas(
      wire::Array(101, to_value(Stanza{world().bob.pair.record.id(), Bytes(48), std::nullopt})));
}

bool other_attachment_refused() {
  Draft draft = world().draft();
  draft.attachments = {{"a", "text/plain", Bytes(9)}};
  const Sealed sealed = world().seal(draft, {&world().bob.pair.record}).value();
  Opened opened = testing::open(sealed, world().reading(world().bob)).value();
  opened.attachments[0].blob = Hash{};
  return !open_attachment(sealed.header, opened.attachments[0], sealed.blobs[0]);
}

bool unordered_blobs_refused() {
  Header header = parse_header(Forge().make(world()).header).value();
  header.blobs = {Hash{2}, Hash{1}};
  return !parse_header(to_value(header));
}

bool out_of_force(std::int64_t now_ms) {
  return !in_force(parse_header(Forge().make(world()).header).value(), from_unix_ms(now_ms));
}

bool vouch_refused(const crypto::SigningKey& signer, std::string_view rdom) {
  Vouch vouch;
  vouch.sdom = world().alpha.name;
  vouch.rdom = world().beta.name;
  vouch.dkid = world().alpha.op.record.id().kid;
  vouch.rroot = merkle_root({Bytes(32)});
  const VouchCover cover{Hash{}, world().alpha.name, rdom, {Hash{}}};
  return !verify_vouch(make_vouch(vouch, signer).value(), *world().alpha.chain, cover);
}

bool receipt_of_another_refused() {
  const Receipt receipt{{}, world().beta.name, world().beta.op.record.id().kid, {}, true,
                        {}, testing::now_ms};
  const auto value = make_receipt(receipt, world().alpha.op.signing).value();
  return !verify_receipt(value, *world().beta.chain);
}

bool notice_of_another_refused() {
  const Notice notice{{},
                      {},
                      world().bob.addr,
                      true,
                      Code::expired,
                      testing::now_ms,
                      world().alpha.op.record.id().kid,
                      {}};
  const auto value = make_notice(notice, world().beta.op.signing).value();
  return !verify_notice(value, *world().alpha.chain);
}

bool leaf_refused(std::int64_t leaves, std::uint8_t flip) {
  const std::vector<Bytes> all{Bytes{1}, Bytes{2}, Bytes{3}};
  LeafOpening opening = open_leaf(Bytes(32), all, 2);
  opening.leaf[0] ^= flip;
  return !check_leaf(opening, leaves, franking_commitment(Bytes(32), all));
}

/// The path of another tree fits, so only the index gives it away.
bool leaf_outside_refused() {
  LeafOpening opening = open_leaf(Bytes(32), {Bytes{1}}, 0);
  const Hash fc = franking_commitment(Bytes(32), {Bytes{1}});
  opening.index = 0;
  return !check_leaf(opening, 0, fc);
}

std::vector<Probe> message_probes() {
  return {
      {"mail.skip_asig", other_account_refused},
      {"mail.skip_header_life", refused([](Forge& forge) {
         forge.header_before_h0 = [](Header& header) { header.exp = header.ts; };
       })},
      {"mail.skip_blob_order", unordered_blobs_refused},
      {"mail.skip_fc", refused([](Forge& forge) {
         forge.letter_after_fc = [](wire::Object& letter) { letter["subject"] = "other"; };
       })},
      {"mail.skip_leaf_count", refused([](Forge& forge) {
         forge.header_before_h0 = [](Header& header) { header.leaves += 1; };
       })},
      {"mail.skip_blob_set", refused([](Forge& forge) {
         forge.header_before_asig = [](Header& header) { header.blobs = {Hash{1}}; };
       })},
      {"mail.skip_from_binding", refused([](Forge& forge) {
         forge.letter_before_fc = [](wire::Object& letter) {
           letter["from"].as_object()["addr"] = "anna@alpha.example";
         };
       })},
      {"mail.skip_deliver_to", other_reader_refused},
      {"mail.any_group", other_group_refused},
      {"mail.skip_layout", refused([](Forge& forge) {
         forge.body_plaintext = [](Bytes& plain) { plain.push_back(0); };
       })},
      {"mail.skip_body_hash", refused([](Forge& forge) {
         forge.header_before_asig = [](Header& header) { header.body.hash = {}; };
       })},
      {"mail.accept_enc_mix", refused([](Forge& forge) {
         forge.stanzas = [](std::vector<Stanza>& stanzas) { stanzas[0].enc = Bytes(32); };
       })},
  };
}

std::vector<Probe> probes() {
  std::vector<Probe> out = message_probes();
  out.push_back({"mail.accept_many_stanzas", many_stanzas_refused});
  out.push_back(
      {"mail.accept_expired", [] { return out_of_force(testing::now_ms + 2 * testing::day_ms); }});
  out.push_back(
      {"mail.accept_future", [] { return out_of_force(testing::now_ms - testing::day_ms); }});
  out.push_back({"mail.skip_blob_hash", other_attachment_refused});
  out.push_back({"mail.skip_vouch_signature",
                 [] { return vouch_refused(world().beta.op.signing, "beta.example"); }});
  out.push_back({"mail.skip_vouch_cover",
                 [] { return vouch_refused(world().alpha.op.signing, "gamma.example"); }});
  out.push_back({"mail.skip_leaf_index", leaf_outside_refused});
  out.push_back({"mail.skip_leaf_path", [] { return leaf_refused(3, 1); }});
  out.push_back({"mail.skip_receipt_signature", receipt_of_another_refused});
  out.push_back({"mail.skip_notice_signature", notice_of_another_refused});
  return out;
}

}  // namespace

int run_probes() { return mutants::run(probes()); }

}  // namespace ams::mail

int main() { return ams::mail::run_probes(); }
