#include "wire/value.h"

namespace ams::wire {

const Value* Value::find(std::string_view name) const {
  const Object* members = std::get_if<Object>(&data_);
  if (members == nullptr) return nullptr;
  const auto found = members->find(name);
  return found == members->end() ? nullptr : &found->second;
}

}  // namespace ams::wire
