// Goal: what was wiped is nowhere in the value, and nothing else is touched. Method: objects with
// and without the member, and values that are no objects.
#include "wire/wipe.h"

#include <gtest/gtest.h>

namespace ams::wire {
namespace {

TEST(Wipe, leaves_zeros_of_the_same_length) {
  Value value = Object{{"key", "secret"}, {"name", "kept"}};
  wipe_member(value, "key");
  EXPECT_EQ(value.find("key")->as_string(), std::string(6, '\0'));
  EXPECT_EQ(value.find("name")->as_string(), "kept");
}

TEST(Wipe, of_what_is_not_there_changes_nothing) {
  for (Value value : {Value(Object{{"key", 7}}), Value(Object{{"name", "kept"}}), Value("key"),
                      Value(Array{"key"})}) {
    const Value before = value;
    wipe_member(value, "key");
    EXPECT_EQ(value, before);
  }
}

}  // namespace
}  // namespace ams::wire
