// Property: an event, revocation or card is taken only with the key's own signature, and an entry
// that took some is rebuilt from its objects with the same value.
#include "keys/lineage.h"

namespace {

const ams::keys::KeyPair& owner() {
  static const ams::keys::KeyPair pair =
      ams::keys::make_modern(ams::Bytes(80, 1), {.nbf = 0, .exp = 1'000}).value();
  return pair;
}

/// The object with a signature that fits, so that the fuzzer reaches what stands behind it.
std::optional<ams::wire::Value> signed_again(const ams::wire::Value& value) {
  if (!value.is_object() || value.find("ams") == nullptr) return std::nullopt;
  ams::wire::Value out = value;
  if (out.find("kid") != nullptr)
    out.as_object()["kid"] = ams::to_uuid_text(owner().record.id().kid);
  out.as_object().erase("sig");
  auto done = ams::keys::sign_object(std::move(out), owner().signing);
  if (!done) return std::nullopt;
  return *done;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = ams::wire::decode(ams::ByteView(data, size));
  if (!value) return 0;
  ams::keys::Entry entry(owner().record);
  const ams::Hash bare = entry.value();
  const auto as_it_came = entry.add(*value);
  AMS_ASSERT(!as_it_came || *as_it_came == (entry.value() != bare));
  if (const auto again = signed_again(*value)) (void)entry.add(*again);
  ams::keys::Entry rebuilt(owner().record);
  for (const ams::wire::Value& object : entry.objects())
    AMS_ASSERT(rebuilt.add(object).has_value());
  AMS_ASSERT(rebuilt.value() == entry.value());
  return 0;
}
