// The ops, each the judgement of one object.
#pragma once

#include <string_view>
#include <vector>

#include "adapter/args.h"

namespace ams::adapter {

struct Op {
  std::string_view name;
  Answer (*run)(const Args& args);
};
/// Sorted by name. hello is not among them.
const std::vector<Op>& ops();

}  // namespace ams::adapter
