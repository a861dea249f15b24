// Goal: a key store in a folder keeps what it acknowledged, opens with its own secret alone, and a
// crash in the middle of making it does no harm. Method: real files, several openings.
#include "keystore_net/local_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "keystore_net/test_house.h"

namespace ams::keystore_net {
namespace {

using test::key_file;
using test::Person;

struct LocalStoreTest : ::testing::Test {
  net::test::Folder folder;
  LocalStore::Options options{folder.file("store"), {}, {keystore::scrypt_n_min, 8, 1}};
  keystore::LockHead head{"corp.example", {}, {}};
  net::Loop loop;
  Person alice{"alice@corp.example"};

  std::unique_ptr<LocalStore> open() {
    return net::test::must(LocalStore::open(options, key_file()));
  }
  void make() {
    auto store = LocalStore::create(options, head, key_file());
    ASSERT_TRUE(store.has_value()) << store.error();
    ASSERT_TRUE((*store)->act(keystore::GrantArgs{alice.member()}).has_value());
  }
};

TEST_F(LocalStoreTest, what_was_acknowledged_is_there_after_each_opening) {
  make();
  const auto key = test::record_of(open()->act(test::create_args({})));
  LocalLink link(loop, options, key_file());
  const auto capability =
      test::capability(loop, link, alice, key.id().kid, keystore::Purpose::decap);
  ASSERT_TRUE(capability.has_value());
  const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 9));
  const auto wrapped =
      crypto::hpke_seal(key.encryption(), crypto::Aead::a256gcm, {}, Bytes(32, 1), &ephemeral);
  const auto request = alice.request(keystore::DecapArgs{wrapped->enc, key.id().kid}, capability);
  const auto shared = test::ask(loop, link, alice, request);
  ASSERT_TRUE(shared.has_value()) << shared.error().where;
  EXPECT_TRUE(crypto::hpke_open_shared(crypto::Kem::x25519, crypto::Aead::a256gcm,
                                       std::get<keystore::Shared>(*shared).shared.view(), {},
                                       wrapped->ciphertext)
                  .has_value());
  ASSERT_TRUE(open()->act(keystore::RevokeArgs{alice.addr}).has_value());
  EXPECT_EQ(test::code_of(test::ask(loop, link, alice, request)), Code::not_member);
  EXPECT_TRUE(open()->store().audit().verify({}).has_value());
}

TEST_F(LocalStoreTest, another_secret_does_not_open_it) {
  make();
  const auto refused = LocalStore::open(options, key_file(8));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().find("another passphrase or key file"), std::string::npos);
  net::Loop other;
  LocalLink link(other, options, key_file(8));
  EXPECT_EQ(test::code_of(test::ask(other, link, alice, alice.request(keystore::ListArgs{}))),
            Code::keystore_unreachable);
}

TEST_F(LocalStoreTest, a_passphrase_is_the_first_line_of_its_file) {
  const auto write = [&](const std::string& text) {
    std::ofstream(folder.file("words")) << text;
    return read_unlock(keystore::Unlock::Kind::passphrase, folder.file("words"));
  };
  auto unlock = write("correct horse\nnot this\n");
  ASSERT_TRUE(unlock.has_value());
  EXPECT_EQ(as_text(unlock->secret.view()), "correct horse");
  ASSERT_TRUE(LocalStore::create(options, head, *unlock).has_value());
  EXPECT_TRUE(LocalStore::open(options, *unlock).has_value());
  EXPECT_FALSE(LocalStore::open(options, *write("Correct horse\n")).has_value());
  EXPECT_FALSE(write("\n").has_value());
  EXPECT_FALSE(read_unlock(keystore::Unlock::Kind::file, folder.file("words")).has_value());
  EXPECT_FALSE(read_unlock(keystore::Unlock::Kind::file, folder.file("none")).has_value());
}

TEST_F(LocalStoreTest, one_folder_holds_one_store_and_for_its_owner_alone) {
  make();
  const auto again = LocalStore::create(options, head, key_file());
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().find("already"), std::string::npos);
  for (const char* name : {"", "/lock.json", "/store.db"}) {
    struct stat info {};
    ASSERT_EQ(stat((options.folder + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0077, 0u) << name;
  }
}

TEST_F(LocalStoreTest, a_crash_before_the_first_row_is_made_good) {
  make();
  std::filesystem::remove(options.folder + "/store.db");
  const auto lost = LocalStore::open(options, key_file());
  ASSERT_FALSE(lost.has_value());
  EXPECT_TRUE(LocalStore::create(options, head, key_file()).has_value());
  EXPECT_TRUE(LocalStore::open(options, key_file()).has_value());
}

TEST_F(LocalStoreTest, two_take_turns) {
  make();
  const auto held = open();
  EXPECT_FALSE(LocalStore::open(options, key_file()).has_value());
  LocalLink link(loop, options, key_file());
  EXPECT_EQ(test::code_of(test::ask(loop, link, alice, alice.request(keystore::ListArgs{}))),
            Code::keystore_unreachable);
}

}  // namespace
}  // namespace ams::keystore_net
