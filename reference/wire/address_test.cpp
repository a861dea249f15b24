// Goal: an address has one spelling. Method: addresses at and over each limit of ENC-14.
#include "wire/address.h"

#include <gtest/gtest.h>

namespace ams::wire {
namespace {

TEST(Address, canonical_form) {
  const auto address = parse_address("ann.b+tag@mail.example.org");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->local, "ann.b+tag");
  EXPECT_EQ(address->domain, "mail.example.org");
  EXPECT_EQ(address->text(), "ann.b+tag@mail.example.org");
  for (const std::string text :
       {"a@b.c", "!#$%&'*+/=?^_`{|}~-@xn--bcher-kva.example", "0@1.2", "a@a--b.example"})
    EXPECT_TRUE(parse_address(text)) << text;
  EXPECT_TRUE(parse_address(std::string(64, 'a') + "@" + std::string(63, 'b') + ".c"));
}

TEST(Address, everything_else_is_refused) {
  for (const std::string text : {"",
                                 "@",
                                 "a",
                                 "a@",
                                 "@b.c",
                                 "a@b",
                                 "A@b.c",
                                 "a@B.c",
                                 "a@b.c.",
                                 "a@.b.c",
                                 "a@b..c",
                                 ".a@b.c",
                                 "a.@b.c",
                                 "a..a@b.c",
                                 "a@@b.c",
                                 "a@b@c.d",
                                 "a b@c.d",
                                 " a@b.c",
                                 "a@b.c ",
                                 "a@-b.c",
                                 "a@b-.c",
                                 "a@b_c.d",
                                 "\"a\"@b.c",
                                 "a,b@c.d",
                                 "a@[1.2.3.4]",
                                 "j\xc3\xbcrgen@b.c",
                                 "a@b\xc3\xbc.c",
                                 "a\n@b.c"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Code::address_syntax);
  }
  EXPECT_FALSE(parse_address(std::string(65, 'a') + "@b.c"));
  EXPECT_FALSE(parse_address("a@" + std::string(64, 'b') + ".c"));
}

TEST(Address, a_domain_is_at_most_253_bytes) {
  std::string domain =
      std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c') + ".";
  EXPECT_TRUE(is_domain(domain + std::string(61, 'd')));
  EXPECT_FALSE(is_domain(domain + std::string(62, 'd')));
}

}  // namespace
}  // namespace ams::wire
