#include "keyfile/contents.h"

#include <algorithm>
#include <set>

#include "keys/lineage.h"
#include "policy/mutant.h"
#include "wire/address.h"
#include "wire/value.h"

namespace ams::keyfile {
namespace {

constexpr std::size_t length_size = 4;

/// The text, then the halves, padded.
crypto::Secret lay_out(const wire::Value& list, std::span<const crypto::Secret> halves) {
  const Bytes text = wire::encode(list);
  std::size_t size = length_size + text.size();
  for (const crypto::Secret& half : halves) size += half.size();
  crypto::Secret out(static_cast<std::size_t>(crypto::padme(size)));
  Bytes length;
  append_u32(length, static_cast<std::uint32_t>(text.size()));
  auto* at = std::copy(length.begin(), length.end(), out.data());
  at = std::copy(text.begin(), text.end(), at);
  for (const crypto::Secret& half : halves) {
    const ByteView view = half.view();
    at = std::copy(view.begin(), view.end(), at);
  }
  return out;
}

/// Takes the fields of an opened box one after another; the rest must be zeros up to Padmé's
/// length.
class Layout {
 public:
  explicit Layout(ByteView plain) : plain_(plain), size_(plain.size()) {}
  Result<ByteView> take(std::size_t size) {
    if (size > plain_.size()) return fail(Code::body_layout, "keyfile");
    const ByteView out = plain_.first(size);
    plain_ = plain_.subspan(size);
    return out;
  }
  /// A private half.
  Result<ByteView> half(std::size_t size) {
    return take(mutant("keyfile.skip_length") ? std::min(size, plain_.size()) : size);
  }
  Result<> finish() const {
    const bool zeros = std::all_of(plain_.begin(), plain_.end(), [](auto b) { return b == 0; });
    const bool sized = crypto::padme(size_ - plain_.size()) == size_;
    if ((!zeros || !sized) && !mutant("keyfile.skip_padding"))
      return fail(Code::body_layout, "padding");
    return {};
  }

 private:
  ByteView plain_;
  std::size_t size_;
};

struct Listed {
  keys::KeyRecord record;
  std::optional<wire::Value> revocation;
  std::size_t sk = 0, ek = 0;  // bytes of the private halves
};

Result<Listed> parse_listed(const wire::Value& value) {
  wire::ObjectReader in(value, "pair");
  const wire::Value record_value = in.any("record");
  const auto sk = static_cast<std::size_t>(in.integer("sk", 1, private_size_max));
  const auto ek = static_cast<std::size_t>(in.integer("ek", 1, private_size_max));
  const wire::Value* revocation = in.optional("revocation");
  AMS_CHECK(in.finish());
  AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse(record_value));
  Listed out{std::move(record), std::nullopt, sk, ek};
  if (revocation != nullptr) {
    if (!mutant("keyfile.skip_revocation"))
      AMS_CHECK(keys::verify_revocation(*revocation, out.record));
    out.revocation = *revocation;
  }
  return out;
}

/// KFL-4: the halves are those of the record, or somebody has mixed files up.
Result<keys::KeyPair> join(Listed& listed, ByteView sk, ByteView ek) {
  AMS_TRY(auto signing, crypto::SigningKey::from_private(listed.record.signing().alg(), sk));
  AMS_TRY(auto encryption,
          crypto::DecryptionKey::from_private(listed.record.encryption().kem(), ek));
  const bool same = signing.public_raw() == listed.record.signing().raw() &&
                    encryption.public_raw() == listed.record.encryption().raw();
  if (!same && !mutant("keyfile.skip_halves")) return fail(Code::key_material, "private half");
  return keys::KeyPair{std::move(signing), std::move(encryption), std::move(listed.record)};
}

}  // namespace

crypto::Secret contents_layout(const std::string& addr, std::span<const Source> pairs) {
  wire::Array list;
  std::vector<crypto::Secret> halves;
  for (const Source& source : pairs) {
    halves.push_back(source.pair->signing.private_raw());
    halves.push_back(source.pair->encryption.private_raw());
    wire::Object each{{"record", source.pair->record.value()},
                      {"sk", static_cast<std::int64_t>(halves[halves.size() - 2].size())},
                      {"ek", static_cast<std::int64_t>(halves.back().size())}};
    if (source.revocation) each.emplace("revocation", *source.revocation);
    list.push_back(std::move(each));
  }
  return lay_out(wire::Object{{"ams", "keys/1"}, {"addr", addr}, {"pairs", std::move(list)}},
                 halves);
}

Result<Contents> parse_contents(ByteView plain) {
  Layout layout(plain);
  AMS_TRY(const ByteView length, layout.take(length_size));
  AMS_TRY(const ByteView text, layout.take(read_u32(length)));
  AMS_TRY(const wire::Value value, wire::decode(text));
  wire::ObjectReader in(value, "keys");
  Contents out;
  in.tag("keys/1");
  out.addr = in.string("addr");
  const bool addressed = out.addr.empty() || wire::parse_address(out.addr).has_value();
  in.require(addressed || mutant("keyfile.accept_any_addr"), Code::address_syntax, "addr");
  const wire::Array list = in.array("pairs", pairs_max);
  in.require(!list.empty() || mutant("keyfile.accept_none"), Code::schema, "pairs");
  AMS_CHECK(in.finish());
  std::set<keys::KeyId> seen;
  for (const wire::Value& each : list) {
    AMS_TRY(Listed listed, parse_listed(each));
    if (!seen.insert(listed.record.id()).second && !mutant("keyfile.accept_twice"))
      return fail(Code::schema, "pairs: twice");
    AMS_TRY(const ByteView sk, layout.half(listed.sk));
    AMS_TRY(const ByteView ek, layout.half(listed.ek));
    AMS_TRY(keys::KeyPair pair, join(listed, sk, ek));
    out.pairs.push_back(Held{std::move(pair), std::move(listed.revocation)});
  }
  AMS_CHECK(layout.finish());
  return out;
}

}  // namespace ams::keyfile
