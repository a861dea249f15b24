// Property: a grant that is read is written back as it came, and no grant, voucher or message of
// vouchers made of anything at all answers for a key that its domain did not grant.
#include "directory/grants.h"
#include "directory/peers_test.h"

namespace {

using namespace ams;
using namespace ams::directory;

const keys::KeyPair& op() {
  static const keys::KeyPair pair = testing::make_key(3);
  return pair;
}
const Hash& granted_fp() {
  static const Hash fp = crypto::sha256(to_bytes(std::string("granted")));
  return fp;
}
const Granted& genuine() {
  static const Granted granted =
      *make_grant("d.example", std::vector<Hash>{granted_fp(), Hash{1}}, op().signing);
  return granted;
}

/// The genuine grant with members put over its own: the signature stays.
wire::Value mixed(const wire::Value& members) {
  wire::Value out = genuine().grant;
  if (members.is_object())
    for (const auto& [name, member] : members.as_object())
      out.as_object().insert_or_assign(name, member);
  return out;
}

void judge(const wire::Value& value) {
  const auto grant = parse_grant(value);
  if (!grant) return;
  AMS_ASSERT(grant->value == value && grant->hash == crypto::sha256(wire::encode(value)));
  AMS_ASSERT(grant->count >= 1 && grant->count <= grant_keys_max);
  const bool is_genuine = value == genuine().grant;
  AMS_ASSERT(verify_grant(*grant, op().record.signing()).has_value() == is_genuine);
  AMS_ASSERT(!verify_place(*grant, Hash{2}, genuine().places[0]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto voucher = read_voucher(text); voucher && *voucher)
    AMS_ASSERT(voucher_text(**voucher) == text);
  const auto value = wire::decode(ByteView(data, size));
  if (!value) return 0;
  judge(*value);
  judge(mixed(*value));
  const wire::Value* grants = value->find("grants");
  const wire::Value* vouchers = value->find("vouchers");
  auto read = Vouchers::read(grants, vouchers, 1);
  if (read && read->of(0)) (void)read->grant(*read->of(0));
  testing::Node node("a.example", true, {"b.example"});
  wire::Object args{{"records", wire::Array{testing::make_key(1).record.value()}}};
  if (grants != nullptr) args.emplace("grants", *grants);
  if (vouchers != nullptr) args.emplace("vouchers", *vouchers);
  (void)node.publish(wire::Value(std::move(args)), "b.example", &op().record.signing());
  AMS_ASSERT(node.store.count(table_vouched) == 0);  // this key nobody granted
  return 0;
}
