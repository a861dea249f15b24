#include "wire/value.h"

#include "wire/wipe.h"

namespace ams::wire {

const Value* Value::find(std::string_view name) const {
  const Object* members = std::get_if<Object>(&data_);
  if (members == nullptr) return nullptr;
  const auto found = members->find(name);
  return found == members->end() ? nullptr : &found->second;
}

void wipe_member(Value& object, std::string_view name) {
  if (!object.is_object()) return;
  const auto member = object.as_object().find(name);
  if (member == object.as_object().end() || !member->second.is_string()) return;
  std::string& text = member->second.as_string();
  wipe(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
}

}  // namespace ams::wire
