// Goal: whoever signed two checkpoints that are not of one history is convicted by them and by what
// the log itself answers, at whatever two sizes; an honest log by nothing at all.
// Method: two logs that part at each place, every pair of sizes up to 40, the answers of
// Log::prove_consistency; hashes of an honest log changed, moved and made up.
#include "verifiable/rewrite.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>

#include "crypto/crypto.h"
#include "verifiable/checkpoint.h"
#include "verifiable/log.h"

namespace ams::verifiable {
namespace {

constexpr std::uint64_t sizes = 40;

const crypto::SigningKey& secret() {
  static const auto key = crypto::SigningKey::ed25519_from_seed(Bytes(32, 7));
  return key;
}
const NoteKey& log_key() {
  static const NoteKey key =
      *NoteKey::make("dir.example/log", NoteKeyType::ed25519,
                     *crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, secret().public_raw()));
  return key;
}

/// A log that is another one from its entry `parted` on, as `face` says.
Log face_of(std::uint64_t size, std::uint64_t parted, std::uint64_t face) {
  Log log;
  for (std::uint64_t i = 0; i < size; ++i) {
    Bytes entry;
    append_u64(entry, i);
    append_u64(entry, i < parted ? 0 : face);
    log.append(log_leaf_hash(entry));
  }
  return log;
}

std::string note_of(const Hash& root, std::uint64_t size) {
  Note note{checkpoint_text({"dir.example/log", size, root, {}}), {}};
  note.signatures.push_back(*sign_note(note.text, "dir.example/log", secret()));
  return format(note);
}
std::string note_of(const Log& log, std::uint64_t size) { return note_of(log.root(size), size); }

Code code_of(const auto& result) { return result ? Code{} : result.error().code; }

/// What the log answers when it is asked as rewrite_question says; empty: nobody can ask it so.
Result<Bytes> hashes_from(const Log& log, std::uint64_t first, std::uint64_t second) {
  const std::uint64_t asked = rewrite_question(first);
  if (asked > second) return Bytes{};
  return rewrite_hashes(first, second, log.prove_consistency(asked, second));
}

TEST(Rewrite, the_logs_own_answers_convict_it_at_all_sizes) {
  for (const std::uint64_t parted : {0u, 1u, 2u, 3u, 5u, 8u, 13u, 16u, 31u}) {
    const Log one = face_of(sizes, parted, 1), other = face_of(sizes, parted, 2);
    for (std::uint64_t first = std::max<std::uint64_t>(2, parted + 1); first < sizes; ++first) {
      for (std::uint64_t second = rewrite_question(first) + 1; second <= sizes; ++second) {
        const auto hashes = hashes_from(other, first, second);
        ASSERT_TRUE(hashes) << first << " to " << second;
        const std::string a = note_of(one, first), b = note_of(other, second);
        const auto evidence = make_rewrite(b, a, *hashes, log_key());
        ASSERT_TRUE(evidence) << first << " to " << second;
        EXPECT_EQ(make_rewrite(a, b, *hashes, log_key()), evidence);
        const auto judged = verify_rewrite(*evidence, log_key());
        ASSERT_TRUE(judged);
        EXPECT_EQ(judged->first, first);
        EXPECT_EQ(judged->second, second);
        EXPECT_LT(evidence->size(), 1'000u);
      }
    }
  }
}

/// Whose hashes they are does not matter, only that they lead to both roots.
TEST(Rewrite, one_who_has_the_whole_log_has_the_hashes_at_powers_of_two_too) {
  const Log one = face_of(sizes, 0, 1), other = face_of(sizes, 0, 2);
  for (const std::uint64_t first : {1u, 2u, 4u, 8u, 16u, 32u}) {
    for (std::uint64_t second = first + 1; second <= sizes; ++second) {
      Bytes hashes = to_bytes(ByteView(other.root(first)));
      append(hashes, other.prove_consistency(first, second));
      const std::string a = note_of(one, first), b = note_of(other, second);
      EXPECT_TRUE(make_rewrite(a, b, hashes, log_key())) << first << " to " << second;
      if (first < 2 || second <= first + 1) continue;
      EXPECT_EQ(hashes_from(other, first, second).value(), hashes) << first << " to " << second;
    }
  }
}

TEST(Rewrite, an_honest_log_is_not_convicted) {
  const Log log = face_of(sizes, 0, 1);
  for (std::uint64_t first = 2; first < sizes; ++first) {
    for (std::uint64_t second = rewrite_question(first) + 1; second <= sizes; ++second) {
      const auto hashes = hashes_from(log, first, second);
      ASSERT_TRUE(hashes);
      EXPECT_EQ(
          code_of(make_rewrite(note_of(log, first), note_of(log, second), *hashes, log_key())),
          Code::proof);
    }
  }
}

RC_GTEST_PROP(Rewrite, no_hashes_convict_an_honest_log, ()) {
  const Log log = face_of(sizes, 0, 1);
  const auto first = *rc::gen::inRange<std::uint64_t>(2, sizes - 2);
  const auto second = *rc::gen::inRange<std::uint64_t>(first + 2, sizes + 1);
  Bytes hashes = hashes_from(log, first, second).value();
  const auto at = *rc::gen::inRange<std::size_t>(0, hashes.size());
  hashes[at] = static_cast<std::uint8_t>(hashes[at] ^ *rc::gen::inRange(0, 256));
  const auto moved = *rc::gen::inRange<std::size_t>(0, 3);
  if (moved == 1) hashes.resize(hashes.size() - 32);
  if (moved == 2) append(hashes, log.root(first));
  RC_ASSERT(!make_rewrite(note_of(log, first), note_of(log, second), hashes, log_key()));
}

TEST(Rewrite, it_must_be_that_log_and_both_of_it) {
  const Log one = face_of(sizes, 0, 1), other = face_of(sizes, 0, 2), third = face_of(sizes, 0, 3);
  const Bytes hashes = hashes_from(other, 7, 20).value();
  const std::string a = note_of(one, 7), b = note_of(other, 20);
  const auto evidence = make_rewrite(a, b, hashes, log_key());
  ASSERT_TRUE(evidence);
  EXPECT_EQ(code_of(make_rewrite(a, note_of(third, 20), hashes, log_key())), Code::proof);
  EXPECT_EQ(code_of(make_rewrite(a, note_of(other, 21), hashes, log_key())), Code::proof);
  EXPECT_EQ(code_of(make_rewrite(note_of(other, 7), b, hashes, log_key())), Code::proof);
  const NoteKey stranger =
      *NoteKey::make("dir.example/log", NoteKeyType::ed25519,
                     *crypto::VerifyKey::from_raw(
                         crypto::SigAlg::ed25519,
                         crypto::SigningKey::ed25519_from_seed(Bytes(32, 8)).public_raw()));
  EXPECT_EQ(code_of(verify_rewrite(*evidence, stranger)), Code::signature);
  for (std::size_t bit = 0; bit < 8 * evidence->size(); ++bit) {
    std::string changed = *evidence;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(verify_rewrite(changed, log_key())) << "bit " << bit;
  }
}

TEST(Rewrite, what_no_answer_tells_is_said_to_be_so) {
  const Log log = face_of(sizes, 0, 1);
  EXPECT_EQ(code_of(rewrite_hashes(0, 9, {})), Code::proof);
  EXPECT_EQ(code_of(rewrite_hashes(1, 9, log.prove_consistency(2, 9))), Code::proof);
  EXPECT_EQ(code_of(rewrite_hashes(8, 9, {})), Code::proof);
  EXPECT_EQ(code_of(rewrite_hashes(9, 9, {})), Code::proof);
  EXPECT_EQ(code_of(rewrite_hashes(9, 12, Bytes(31))), Code::proof_form);
  const Bytes whole = log.prove_consistency(9, 23);
  for (std::size_t size = 0; size < 4 * 32; size += 32)
    EXPECT_EQ(code_of(rewrite_hashes(8, 23, ByteView(whole).first(size))), Code::proof) << size;
}

/// The size is bounded whatever a liar writes: by the texts (CKP-8) and the depth of the tree.
TEST(Rewrite, evidence_is_bounded) {
  const std::string name(note_name_size_max, 'n');
  const NoteKey log =
      *NoteKey::make(name, NoteKeyType::ed25519,
                     *crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, secret().public_raw()));
  const auto note = [&](std::uint64_t size, const Hash& root) {
    Checkpoint checkpoint{name, size, root, {}};
    const std::size_t used = checkpoint_text(checkpoint).size();
    checkpoint.extensions = {std::string(checkpoint_text_size_max - used - 1, 'x')};
    Note out{checkpoint_text(checkpoint), {}};
    out.signatures.push_back(*sign_note(out.text, name, secret()));
    return format(out);
  };
  constexpr std::uint64_t first = note_number_max - 2;  // its path is among the longest
  std::vector<Hash> path(64, Hash{3});
  while (path.size() > 1 && !consistency_roots(first, note_number_max, path)) path.pop_back();
  ASSERT_GT(path.size(), 60u);
  const Hash root = consistency_roots(first, note_number_max, path)->second;
  Bytes hashes;
  for (const Hash& hash : path) append(hashes, hash);
  const auto evidence =
      make_rewrite(note(first, Hash{1}), note(note_number_max, root), hashes, log);
  ASSERT_TRUE(evidence);
  EXPECT_GT(evidence->size(), 3'600u);
  EXPECT_LT(evidence->size(), rewrite_size_max);
}

}  // namespace
}  // namespace ams::verifiable
