// Goal: what a letter's keys were is nowhere in memory once sealing and opening are over and their
// results dropped: neither as bytes nor as the text that the letter holds them in (MSG-20, MSG-24).
// Method: the keys are drawn beforehand from the same seed, kept masked, and searched for.
#include <gtest/gtest.h>

#include "crypto/test_memory.h"
#include "mail/forge_test.h"

namespace ams::mail {
namespace {

using crypto::testing::Needle;
using namespace testing;

constexpr std::uint8_t seed_byte = 77;

/// The keys of a letter with one attachment, in the order in which seal draws them.
struct Keys {
  Keys() {
    crypto::Drbg drbg(Bytes(32, seed_byte));
    drbg.array<16>();  // env id
    content = take(drbg);
    drbg.bytes(48);  // salts
    ephemeral = take(drbg);
    fk = take(drbg);
    attachment = take(drbg);
  }
  static std::vector<Needle> take(crypto::Drbg& drbg) {
    crypto::Secret secret(32);
    drbg.fill({secret.data(), secret.size()});
    return {Needle(secret.view()), Needle::base64url_of(secret.view())};
  }
  std::size_t copies() const {
    std::size_t out = 0;
    for (const auto* each : {&content, &ephemeral, &fk, &attachment})
      for (const Needle& needle : *each) out += needle.copies();
    return out;
  }
  std::vector<Needle> content, ephemeral, fk, attachment;
};

class MailMemory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!AMS_MEMORY_CAN_BE_SEARCHED) GTEST_SKIP() << "not under a sanitizer";
  }
  const World world{};
  const Keys keys;

  Result<Sealed> seal(const std::vector<const keys::KeyRecord*>& to, std::size_t text_size) const {
    Draft draft = world.draft();
    draft.parts.push_back({"text/plain", std::string(text_size, '\n')});  // grows when escaped
    draft.attachments = {{"a.txt", "text/plain", Bytes(100, 1)}};
    crypto::Drbg drbg(Bytes(32, seed_byte));
    return mail::seal(draft, world.alice.pair, world.alice.binding, to, {.ts = now_ms}, drbg);
  }
};

TEST_F(MailMemory, the_keys_are_the_ones_that_are_drawn) {
  const auto sealed = seal({&world.bob.pair.record}, 10);
  const auto opened = mail::open(sealed->header, sealed->asig, sealed->stanzas, sealed->body,
                                 world.reading(world.bob));
  ASSERT_TRUE(opened);
  EXPECT_EQ(keys.attachment[0].copies(), 2u);  // both halves of the one that Opened holds
}

TEST_F(MailMemory, nothing_stays_of_sealing) {
  for (const std::size_t text_size : {10u, 300'000u}) {
    ASSERT_TRUE(seal({&world.bob.pair.record, &world.rita.pair.record}, text_size));
    EXPECT_EQ(keys.copies(), 0u) << text_size;
  }
}

TEST_F(MailMemory, nothing_stays_of_opening) {
  const auto sealed = seal({&world.bob.pair.record, &world.rita.pair.record}, 1000);
  for (const Person* reader : {&world.bob, &world.rita}) {
    const auto opened = mail::open(sealed->header, sealed->asig, sealed->stanzas, sealed->body,
                                   world.reading(*reader));
    ASSERT_TRUE(opened);
    ASSERT_TRUE(open_attachment(sealed->header, opened->attachments[0], sealed->blobs[0]));
    ASSERT_TRUE(open_head(sealed->header, sealed->asig, sealed->stanzas, sealed->head,
                          world.reading(*reader)));
  }
  EXPECT_EQ(keys.copies(), 0u);
}

TEST_F(MailMemory, nothing_stays_of_a_letter_that_is_refused) {
  const auto sealed = seal({&world.bob.pair.record}, 1000);
  OpenContext context = world.reading(world.bob);
  context.reader = "someone-else@beta.example";  // the last check of all
  const auto opened =
      mail::open(sealed->header, sealed->asig, sealed->stanzas, sealed->body, context);
  EXPECT_EQ(code_of(opened), Code::deliver_to);
  EXPECT_EQ(keys.copies(), 0u);
}

TEST_F(MailMemory, nothing_stays_of_a_key_pair) {
  crypto::Secret entropy(80);
  for (std::size_t i = 0; i < entropy.size(); ++i)
    entropy.data()[i] = static_cast<std::uint8_t>(5 + i * 29 + i * i * 7);
  const Needle signing(entropy.view().first(32)), encryption(entropy.view().subspan(32, 32));
  {
    const auto pair = keys::make_modern(entropy.view(), a_year);
    entropy = {};
    ASSERT_TRUE(pair);
    EXPECT_EQ(pair->signing.private_raw().size() + pair->encryption.private_raw().size(), 64u);
    EXPECT_GT(signing.copies(), 0u);
  }
  EXPECT_EQ(signing.copies(), 0u);
  EXPECT_EQ(encryption.copies(), 0u);
}

}  // namespace
}  // namespace ams::mail
