// Goal: notes, checkpoints and cosignatures are those of C2SP, and a log that shows two faces is
// convicted by less than 1,000 bytes.
// Method: a published note, re-signed byte for byte; a checkpoint that a running log and a running
// witness signed; every byte of our own changed; each fault with its code.
#include "verifiable/checkpoint.h"

#include <gtest/gtest.h>

namespace ams::verifiable {
namespace {

using crypto::SigningKey;

// From the tests of Go's sumdb/note package.
constexpr std::string_view peter_key =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view peter_seed = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
constexpr std::string_view peter_note =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvq"
    "fqdngotpRZb6KE6RyyBwJnAM=\n";

// Published by a running log and cosigned by a running witness (2026). Its first signature is of
// RFC 6962's type, which we do not know.
constexpr std::string_view arche_key =
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+"
    "AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f";
constexpr std::string_view remora_key =
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2";
constexpr std::string_view arche_note =
    "arche2025h1.staging.ct.transparency.dev\n"
    "1432088532\n"
    "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n"
    "\n"
    "\xe2\x80\x94 arche2025h1.staging.ct.transparency.dev "
    "zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJX"
    "Fbon5Ch9MNL5zRNZ55lvGt0=\n"
    "\xe2\x80\x94 arche2025h1.staging.ct.transparency.dev "
    "ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ="
    "\n"
    "\xe2\x80\x94 remora.n621.de "
    "2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxt"
    "qB0DrAWfBw==\n";

template <class T>
Code code_of(const Result<T>& result) {
  return result ? Code{} : result.error().code;
}

/// A log and two witnesses.
struct World {
  SigningKey log_secret = SigningKey::ed25519_from_seed(Bytes(32, 1));
  SigningKey w1_secret = SigningKey::ed25519_from_seed(Bytes(32, 2));
  SigningKey w2_secret = SigningKey::ed25519_from_seed(Bytes(32, 3));
  NoteKey log = key("peer.example/log", NoteKeyType::ed25519, log_secret);
  std::vector<NoteKey> witnesses{key("w1.example", NoteKeyType::cosignature_v1, w1_secret),
                                 key("w2.example", NoteKeyType::cosignature_v1, w2_secret)};

  static NoteKey key(std::string name, NoteKeyType type, const SigningKey& secret) {
    auto verifier = *crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, secret.public_raw());
    return *NoteKey::make(std::move(name), type, std::move(verifier));
  }
  static Checkpoint checkpoint(std::uint8_t root, std::uint64_t size = 7) {
    Checkpoint out{"peer.example/log", size, Hash{}, {}};
    out.root[0] = root;
    return out;
  }
  Note signed_by_log(const Checkpoint& checkpoint) const {
    Note note{checkpoint_text(checkpoint), {}};
    note.signatures.push_back(*sign_note(note.text, "peer.example/log", log_secret));
    return note;
  }
  Note witnessed(const Checkpoint& checkpoint) const {
    Note note = signed_by_log(checkpoint);
    note.signatures.push_back(*cosign(note.text, "w1.example", w1_secret, 1000));
    note.signatures.push_back(*cosign(note.text, "w2.example", w2_secret, 1001));
    return note;
  }
  WitnessPolicy both() const { return {witnesses, 2}; }
};

TEST(Note, known_answer_of_sumdb_note) {
  const auto key = NoteKey::parse(peter_key);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->format(), peter_key);
  const auto note = parse_note(peter_note);
  ASSERT_TRUE(note);
  EXPECT_EQ(format(*note), peter_note);
  EXPECT_TRUE(verify_note(*note, *key));
  const Bytes seed = *from_base64(peter_seed);
  const auto secret = SigningKey::ed25519_from_seed(ByteView(seed).subspan(1));
  EXPECT_EQ(*sign_note(note->text, "PeterNeumann", secret), note->signatures[0]);
}

TEST(Note, verifier_keys_are_judged) {
  for (const std::string bad :
       {"PeterNeumann", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+BRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "+c74f20a3+"})
    EXPECT_EQ(code_of(NoteKey::parse(bad)), Code::proof_form) << bad;
}

TEST(Note, form_is_strict) {
  const std::string sig = "\xe2\x80\x94 n AAAAAAA=\n";  // 5 bytes
  EXPECT_TRUE(parse_note("a\n\n" + sig));
  EXPECT_TRUE(parse_note("a\n\nb\n\n" + sig));  // the last empty line parts
  const std::vector<std::string> bad{"",
                                     "a\n",
                                     "a\n\n",
                                     sig,
                                     "a\n" + sig,
                                     "a\n\n- n AAAAAAA=\n",
                                     "a\n\n" + sig + "x\n",
                                     "a\t\n\n" + sig,
                                     "\xc3\xa9\n\n" + sig,
                                     "a\r\n\n" + sig,
                                     "a\n\n" + sig + " ",
                                     "a\n\n\xe2\x80\x94 n AAAAAA==\n",  // 4 bytes: a key id alone
                                     "a\n\n\xe2\x80\x94 n AAAAAAB=\n",  // bits beyond the last byte
                                     "a\n\n\xe2\x80\x94 n AAAAAAA\n",   // no padding
                                     "a\n\n\xe2\x80\x94 n AAAA_AA=\n",  // the other alphabet
                                     "a\n\n\xe2\x80\x94 n+m AAAAAAA=\n",  // plus
                                     "a\n\n\xe2\x80\x94  AAAAAAA=\n",     // no name
                                     "a\n\n\xe2\x80\x94 " + std::string(101, 'n') + " AAAAAAA=\n",
                                     "a\n\n\xe2\x80\x94 n AAAAAAA="};
  for (const std::string& text : bad)
    EXPECT_EQ(code_of(parse_note(text)), Code::proof_form) << text;
  std::string many = "a\n\n";
  for (std::size_t i = 0; i < note_signatures_max; ++i) many += sig;
  EXPECT_TRUE(parse_note(many));
  EXPECT_EQ(code_of(parse_note(many + sig)), Code::object_too_large);
  EXPECT_EQ(code_of(parse_note(std::string(note_size_max + 1, 'a'))), Code::object_too_large);
}

TEST(Checkpoint, one_of_a_running_log_and_witness_verifies) {
  const NoteKey log = *NoteKey::parse(arche_key);
  const std::vector<NoteKey> witnesses{*NoteKey::parse(remora_key)};
  const auto opened = open_checkpoint(arche_note, log, {witnesses, 1});
  ASSERT_TRUE(opened) << opened.error().where;
  EXPECT_EQ(opened->checkpoint.size, 1432088532u);
  EXPECT_EQ(to_base64(opened->checkpoint.root), "U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=");
  EXPECT_EQ(opened->times_s, std::vector<std::uint64_t>{0x6a122120});
  std::string changed(arche_note);
  changed[changed.find("1432088532")] = '2';
  EXPECT_EQ(code_of(open_checkpoint(changed, log)), Code::signature);
}

TEST(Checkpoint, the_example_of_tlog_cosignature_is_read) {
  const std::string example =
      "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
      "\xe2\x80\x94 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4UR"
      "YN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
      "\xe2\x80\x94 witness.example.com/w1 "
      "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB"
      "9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
  const auto note = parse_note(example);
  ASSERT_TRUE(note);
  EXPECT_EQ(format(*note), example);
  EXPECT_EQ(read_u64(note->signatures[1].blob), 1679315147u);
  const auto checkpoint = parse_checkpoint(note->text);
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->origin, "example.com/behind-the-sofa");
  EXPECT_EQ(checkpoint->size, 20852163u);
  EXPECT_EQ(checkpoint_text(*checkpoint), note->text);
}

TEST(Checkpoint, text_is_strict) {
  const std::string root(43, 'A');
  const std::string good = "o\n7\n" + root + "=\n";
  EXPECT_TRUE(parse_checkpoint(good));
  EXPECT_EQ(parse_checkpoint(good + "ext one\n")->extensions, std::vector<std::string>{"ext one"});
  EXPECT_EQ(checkpoint_text(*parse_checkpoint(good + "ext one\n")), good + "ext one\n");
  EXPECT_EQ(parse_checkpoint("o\n9223372036854775807\n" + root + "=\n")->size, note_number_max);
  const std::vector<std::string> bad{"",
                                     "\n",
                                     "o\n7\n",
                                     "o\n7\n" + root + "=",
                                     "\n7\n" + root + "=\n",
                                     "o o\n7\n" + root + "=\n",
                                     "o+\n7\n" + root + "=\n",
                                     "o\n07\n" + root + "=\n",
                                     "o\n\n" + root + "=\n",
                                     "o\n-7\n" + root + "=\n",
                                     "o\n7 \n" + root + "=\n",
                                     "o\n7\n" + root + "\n",
                                     "o\n9223372036854775808\n" + root + "=\n",
                                     "o\n99999999999999999999\n" + root + "=\n",
                                     "o\n7\nAAAA\n",
                                     "o\n7\n" + root + "=\n\n",
                                     "o\n7\n" + root + "=\na\n\nb\n",
                                     "o\n7\n" + root + "=\n\x7f\n"};
  for (const std::string& text : bad)
    EXPECT_EQ(code_of(parse_checkpoint(text)), Code::proof_form) << text;
  const std::string filler(checkpoint_text_size_max - good.size() - 1, 'x');
  EXPECT_TRUE(parse_checkpoint(good + filler + "\n"));
  EXPECT_EQ(code_of(parse_checkpoint(good + filler + "x\n")), Code::object_too_large);
}

TEST(Checkpoint, witnesses_are_counted) {
  const World world;
  const Note note = world.witnessed(World::checkpoint(1));
  const auto opened = open_checkpoint(format(note), world.log, world.both());
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->checkpoint, World::checkpoint(1));
  EXPECT_EQ(opened->times_s, (std::vector<std::uint64_t>{1000, 1001}));

  Note one = note;
  one.signatures.pop_back();
  EXPECT_EQ(code_of(open_checkpoint(format(one), world.log, world.both())), Code::witnesses);
  EXPECT_TRUE(open_checkpoint(format(one), world.log, {world.witnesses, 1}));
  one.signatures.push_back(one.signatures[1]);  // the same cosignature twice
  EXPECT_EQ(code_of(open_checkpoint(format(one), world.log, world.both())), Code::witnesses);
  // One key under two names is one witness.
  std::vector<NoteKey> twins{
      world.witnesses[0], World::key("w1b.example", NoteKeyType::cosignature_v1, world.w1_secret)};
  one.signatures.back() = *cosign(one.text, "w1b.example", world.w1_secret, 1002);
  EXPECT_EQ(code_of(open_checkpoint(format(one), world.log, {twins, 2})), Code::witnesses);
  // A plain signature of the witness's key is no cosignature.
  one.signatures.back() = *sign_note(one.text, "w2.example", world.w2_secret);
  EXPECT_EQ(code_of(open_checkpoint(format(one), world.log, world.both())), Code::witnesses);
}

TEST(Checkpoint, each_fault_has_its_code_in_order) {
  const World world;
  const Note good = world.witnessed(World::checkpoint(1));
  const auto judged = [&](const Note& note) {
    return code_of(open_checkpoint(format(note), world.log, world.both()));
  };
  Note bad = good;
  bad.signatures[2].blob[71] ^= 1;  // a known witness's signature fails
  EXPECT_EQ(judged(bad), Code::signature);
  bad = good;
  bad.signatures[2].blob[7] ^= 1;  // another time
  EXPECT_EQ(judged(bad), Code::signature);
  bad = good;
  bad.signatures[2].blob[0] = 0x80;  // a time above 2^63 - 1
  EXPECT_EQ(judged(bad), Code::signature);
  bad = good;
  bad.signatures.erase(bad.signatures.begin());
  EXPECT_EQ(judged(bad), Code::signature);
  Checkpoint foreign = World::checkpoint(1);
  foreign.origin = "other.example/log";
  EXPECT_EQ(judged(world.witnessed(foreign)), Code::proof);
  bad = good;
  bad.signatures.push_back({"someone.example", {1, 2, 3, 4}, Bytes(64)});  // unknown: passed over
  EXPECT_EQ(judged(bad), Code{});
  bad.signatures.push_back(good.signatures[0]);
  bad.signatures.back().blob[0] ^= 1;  // one good signature does not cure a bad one
  EXPECT_EQ(judged(bad), Code::signature);
}

TEST(Checkpoint, no_changed_bit_passes) {
  const World world;
  const std::string good = format(world.witnessed(World::checkpoint(1)));
  ASSERT_TRUE(open_checkpoint(good, world.log, world.both()));
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string changed = good;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(open_checkpoint(changed, world.log, world.both())) << "bit " << bit;
  }
}

TEST(Equivocation, two_roots_for_one_size_convict) {
  const World world;
  const std::string a = format(world.witnessed(World::checkpoint(1)));
  const std::string b = format(world.signed_by_log(World::checkpoint(2)));
  const auto evidence = make_equivocation(a, b, world.log);
  ASSERT_TRUE(evidence);
  EXPECT_LT(evidence->size(), 1000u);
  EXPECT_EQ(make_equivocation(b, a, world.log), evidence);
  EXPECT_EQ(verify_equivocation(*evidence, world.log), 7u);
  const NoteKey other = World::key("peer.example/log", NoteKeyType::ed25519, world.w1_secret);
  EXPECT_EQ(code_of(verify_equivocation(*evidence, other)), Code::signature);
  for (std::size_t bit = 0; bit < 8 * evidence->size(); ++bit) {
    std::string changed = *evidence;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify_equivocation(changed, world.log)) << "bit " << bit;
  }
}

TEST(Equivocation, an_honest_log_is_not_convicted) {
  const World world;
  const std::string a = format(world.signed_by_log(World::checkpoint(1)));
  const std::string later = format(world.signed_by_log(World::checkpoint(2, 8)));
  Checkpoint extended = World::checkpoint(1);
  extended.extensions = {"x"};
  const std::string same_root = format(world.signed_by_log(extended));
  EXPECT_EQ(code_of(make_equivocation(a, later, world.log)), Code::proof);
  EXPECT_EQ(code_of(make_equivocation(a, a, world.log)), Code::proof);
  EXPECT_EQ(code_of(make_equivocation(a, same_root, world.log)), Code::proof);
  EXPECT_EQ(code_of(verify_equivocation(a + "\n" + later, world.log)), Code::proof);
  EXPECT_EQ(code_of(verify_equivocation(a + "\n" + a, world.log)), Code::proof);
  EXPECT_EQ(code_of(verify_equivocation(a, world.log)), Code::proof_form);
}

TEST(Equivocation, evidence_has_one_form) {
  const World world;
  const std::string a = format(world.signed_by_log(World::checkpoint(1)));
  const std::string b = format(world.signed_by_log(World::checkpoint(2)));
  const std::string witnessed = format(world.witnessed(World::checkpoint(1)));
  EXPECT_TRUE(verify_equivocation(a + "\n" + b, world.log));
  EXPECT_EQ(code_of(verify_equivocation(b + "\n" + a, world.log)), Code::proof_form);
  EXPECT_EQ(code_of(verify_equivocation(witnessed + "\n" + b, world.log)), Code::proof_form);
  EXPECT_EQ(code_of(verify_equivocation(a + "\n" + b + std::string(1000, 'x'), world.log)),
            Code::object_too_large);
}

TEST(Equivocation, evidence_is_small_whatever_the_liar_writes) {
  const std::string name(note_name_size_max, 'n');
  const auto secret = SigningKey::ed25519_from_seed(Bytes(32, 1));
  const NoteKey log = World::key(name, NoteKeyType::ed25519, secret);
  const auto face = [&](std::uint8_t root) {
    Checkpoint checkpoint{name, note_number_max, Hash{}, {}};
    checkpoint.root[0] = root;
    const std::size_t used = checkpoint_text(checkpoint).size();
    checkpoint.extensions = {std::string(checkpoint_text_size_max - used - 1, 'x')};
    Note note{checkpoint_text(checkpoint), {}};
    EXPECT_EQ(note.text.size(), checkpoint_text_size_max);
    note.signatures.push_back(*sign_note(note.text, name, secret));
    return format(note);
  };
  const auto evidence = make_equivocation(face(1), face(2), log);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->size(), 999u);
  EXPECT_TRUE(verify_equivocation(*evidence, log));
}

}  // namespace
}  // namespace ams::verifiable
