// Goal: a store whose keys are on a token decapsulates and signs with them, and never gives one
// out. Method: Debian's SoftHSM with a token directory of the test's own. Skipped, saying so, where
// it is not installed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "crypto/external.h"
#include "keystore_net/pkcs11_ring.h"
#include "keystore_net/test_house.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace ams::keystore_net {
namespace {

constexpr const char* module_path = "/usr/lib/softhsm/libsofthsm2.so";

/// A token of this test's own: SoftHSM reads its place from the environment once.
struct Token {
  net::test::Folder folder;
  Token() {
    std::filesystem::create_directory(folder.file("tokens"));
    std::ofstream(folder.file("softhsm2.conf"))
        << "directories.tokendir = " << folder.file("tokens") << "\nobjectstore.backend = file\n"
        << "log.level = ERROR\n";
    std::ofstream(folder.file("pin")) << "4711\n";
    ::setenv("SOFTHSM2_CONF", folder.file("softhsm2.conf").c_str(), 1);
    const int made = std::system(
        "softhsm2-util --init-token --free --label ams --so-pin 0815 --pin 4711 > /dev/null");
    AMS_ASSERT(made == 0);
  }
  Pkcs11Ring::Options options() const { return {module_path, "ams", folder.file("pin")}; }
};

struct Pkcs11Test : ::testing::Test {
  static std::unique_ptr<Token> token;
  static void SetUpTestSuite() {
    if (std::filesystem::exists(module_path)) token = std::make_unique<Token>();
  }
  static void TearDownTestSuite() { token.reset(); }
  void SetUp() override {
    if (!token) GTEST_SKIP() << module_path << " is not installed (Debian: softhsm2)";
  }
};
std::unique_ptr<Token> Pkcs11Test::token;

/// SoftHSM 2.6.1 leaks a string of OpenSSL's with each Ed25519 signature. Nothing names it in the
/// report once the module is unloaded, so what a token's signature allocates is not looked for.
struct TokenLeaksAside {
#ifdef __SANITIZE_ADDRESS__
  __lsan::ScopedDisabler disabler;
#endif
};

keystore::RingOptions options_of(keystore::Profile profile) {
  return {profile, test::now_ms() - 1000, test::now_ms() + test::day_ms};
}

TEST_F(Pkcs11Test, keys_of_a_token_open_and_sign_and_stay_there) {
  const auto ring = net::test::must(Pkcs11Ring::open(token->options()));
  for (const auto profile : {keystore::Profile::rsa2048, keystore::Profile::ed25519_rsa3072}) {
    [[maybe_unused]] const TokenLeaksAside aside;
    const crypto::Secret entropy = crypto::hkdf({}, net::entropy_seed().view(), {}, 80);
    const auto made = ring->create(options_of(profile), entropy.view());
    ASSERT_TRUE(made.has_value()) << keystore::name(profile) << made.error().where;
    const keys::KeyRecord& record = made->record;
    EXPECT_EQ(record.custody(), keys::Custody::corporate);
    EXPECT_EQ(record.signing().alg(), keystore::sig_alg(profile));
    EXPECT_EQ(record.encryption().kem(), keystore::kem(profile));

    const auto wrapped =
        crypto::hpke_seal(record.encryption(), crypto::Aead::a256gcm, {}, Bytes(32, 1), nullptr);
    const auto shared = ring->decap(record, made->handle.view(), wrapped->enc);
    ASSERT_TRUE(shared.has_value()) << shared.error().where;
    EXPECT_TRUE(crypto::hpke_open_shared(record.encryption().kem(), crypto::Aead::a256gcm,
                                         shared->view(), {}, wrapped->ciphertext)
                    .has_value());
    const auto signature = ring->sign(record, made->handle.view(), as_bytes("text"));
    ASSERT_TRUE(signature.has_value()) << signature.error().where;
    EXPECT_TRUE(record.signing().verify(as_bytes("text"), *signature).has_value());
    EXPECT_FALSE(record.signing().verify(as_bytes("texT"), *signature).has_value());

    EXPECT_EQ(ring->decap(record, made->handle.view(), Bytes(31)).error().code, Code::unwrap);
    const Bytes above(record.encryption().raw().size(), 0xff);
    EXPECT_EQ(ring->decap(record, made->handle.view(), above).error().code, Code::unwrap);
    EXPECT_EQ(ring->decap(record, Bytes(16, 1), wrapped->enc).error().code, Code::keystore_token);
    EXPECT_EQ(ring->sign(record, Bytes(3), as_bytes("text")).error().code, Code::keystore_sealed);
    EXPECT_EQ(ring->export_private(record, made->handle.view()).error().code, Code::not_exportable);
  }
  const auto none = ring->create(options_of(keystore::Profile::modern), Bytes(80));
  ASSERT_FALSE(none.has_value());
  EXPECT_EQ(none.error().code, Code::unknown_algorithm);
}

TEST_F(Pkcs11Test, a_store_over_a_token_outlives_the_process) {
  const LocalStore::Options options{token->folder.file("store"), token->folder.file("pin"), {}};
  const test::Person alice("alice@corp.example");
  std::optional<keys::KeyRecord> key;
  {
    const auto store = net::test::must(
        LocalStore::create(options, {"corp.example", module_path, "ams"}, test::key_file()));
    ASSERT_TRUE(store->act(keystore::GrantArgs{alice.member()}).has_value());
    key = test::record_of(store->act(test::create_args({}, keystore::Profile::rsa2048, true)));
  }
  net::Loop loop;
  LocalLink link(loop, options, test::key_file());
  const auto capability =
      test::capability(loop, link, alice, key->id().kid, keystore::Purpose::decap);
  ASSERT_TRUE(capability.has_value());
  const auto wrapped =
      crypto::hpke_seal(key->encryption(), crypto::Aead::a256gcm, {}, Bytes(32, 1), nullptr);
  EXPECT_TRUE(test::ask(loop, link, alice,
                        alice.request(keystore::DecapArgs{wrapped->enc, key->id().kid}, capability))
                  .has_value());
  // Even a key that was to be exportable does not leave a token.
  const auto exporting =
      test::capability(loop, link, alice, key->id().kid, keystore::Purpose::export_key);
  EXPECT_EQ(test::code_of(test::ask(loop, link, alice,
                                    alice.request(keystore::ExportArgs{key->id().kid}, exporting))),
            Code::not_exportable);
}

TEST_F(Pkcs11Test, settings_that_do_not_fit_are_one_line) {
  const auto words = [&](const Pkcs11Ring::Options& options) {
    const auto ring = Pkcs11Ring::open(options);
    return ring ? std::string() : ring.error();
  };
  auto bad = token->options();
  bad.module = "/usr/lib/none.so";
  EXPECT_NE(words(bad).find("cannot be loaded"), std::string::npos);
  bad = token->options();
  bad.token = "other";
  EXPECT_NE(words(bad).find("has no token"), std::string::npos);
  std::ofstream(token->folder.file("false-pin")) << "4712\n";
  bad = token->options();
  bad.pin_file = token->folder.file("false-pin");
  EXPECT_NE(words(bad).find("PIN is wrong"), std::string::npos);
  bad.pin_file = token->folder.file("none");
  EXPECT_NE(words(bad).find("PIN of the token"), std::string::npos);
}

}  // namespace
}  // namespace ams::keystore_net
