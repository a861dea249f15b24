#include "daemon/domain_keys.h"

#include "daemon/files.h"
#include "server/server.h"

namespace ams::daemon {
namespace {

template <class T>
using Loaded = tl::expected<T, std::string>;

constexpr std::string_view key_file_tag = "keyfile/1";
constexpr std::string_view store_file_tag = "storekeys/1";
constexpr Duration clock_slack = std::chrono::minutes(10);  // peers' clocks may be behind

std::string text_of(const wire::Value& value) { return to_string(wire::encode(value)) + '\n'; }

std::string key_file_text(const keys::KeyPair& pair) {
  return text_of(wire::Object{{"ams", key_file_tag},
                              {"open", to_base64url(pair.encryption.private_raw().view())},
                              {"record", pair.record.value()},
                              {"sign", to_base64url(pair.signing.private_raw().view())}});
}

/// The file's one line as a value.
Loaded<wire::Value> parse_line(const std::string& path, std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  auto value = wire::decode(as_bytes(text));
  if (!value) {
    return tl::unexpected(path + ":1: expected one line of AMS-CJ (" +
                          std::string(code_info(value.error().code).name) + ")");
  }
  return std::move(*value);
}

template <class T>
Loaded<T> in_file(const std::string& path, Result<T> result) {
  if constexpr (std::is_void_v<T>) {
    if (result) return {};
  } else {
    if (result) return std::move(*result);
  }
  return tl::unexpected(path + ":1: " + std::string(result.error().where) + ": " +
                        std::string(code_info(result.error().code).name));
}

Loaded<keys::Chain> load_chain(const std::string& path, const std::string& domain) {
  auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  auto value = parse_line(path, std::move(*text));
  if (!value) return tl::unexpected(value.error());
  const wire::Value* root = value->find("root");
  if (root == nullptr) return tl::unexpected(path + ":1: root: is missing; expected a key record");
  auto record = in_file(path, keys::KeyRecord::parse(*root));
  if (!record) return tl::unexpected(record.error());
  return in_file(path, keys::verify_chain(*value, domain, record->id()));
}

/// The signing half in a key file, which must be of the key `expected`.
Loaded<crypto::SigningKey> load_signing(const std::string& path, const keys::KeyId& expected) {
  auto text = read_private_file(path);
  if (!text) return tl::unexpected(text.error());
  auto value = parse_line(path, std::move(*text));
  if (!value) return tl::unexpected(value.error());
  wire::ObjectReader in(*value, "keyfile");
  in.tag(key_file_tag);
  const Bytes raw = in.binary("sign", 32, 8192);
  in.binary("open", 32, 8192);
  const wire::Value record_value = in.any("record");
  if (auto read = in.finish(); !read) {
    return tl::unexpected(in_file<int>(path, tl::unexpected(read.error())).error());
  }
  auto record = in_file(path, keys::KeyRecord::parse_as(record_value, expected));
  if (!record) return tl::unexpected(record.error());
  auto key = in_file(path, crypto::SigningKey::from_private(record->signing().alg(), raw));
  if (key && key->public_raw() != record->signing().raw()) {
    return tl::unexpected(path + ":1: sign: expected the private half of the record's key");
  }
  return key;
}

Loaded<std::vector<keys::SharedKey>> load_shared(const PolicyChange& change, Instant now) {
  std::vector<keys::SharedKey> out;
  for (const auto& [group, path] : change.shared) {
    auto text = read_file(path);
    if (!text) return tl::unexpected(text.error());
    auto value = parse_line(path, std::move(*text));
    if (!value) return tl::unexpected(value.error());
    auto record = in_file(path, keys::KeyRecord::parse(*value));
    if (!record) return tl::unexpected(record.error());
    if (record->custody() != keys::Custody::corporate)
      return tl::unexpected(path + ":1: custody: expected corporate; a client's key is not shared");
    if (auto valid = in_file(path, record->valid_at(now)); !valid)
      return tl::unexpected(valid.error());
    out.push_back({group, record->id()});
  }
  return out;
}

}  // namespace

tl::expected<keys::DomainRecord, std::string> change_policy(const std::string& folder,
                                                            const std::string& domain,
                                                            const PolicyChange& change,
                                                            Instant now) {
  const std::string path = folder + "/chain.json";
  auto chain = load_chain(path, domain);
  if (!chain) return tl::unexpected(chain.error());
  const std::string root_path =
      change.root_key_file.empty() ? folder + "/root.key" : change.root_key_file;
  auto root = load_signing(root_path, chain->root.id());
  if (!root) return tl::unexpected(root.error());
  auto shared = load_shared(change, now);
  if (!shared) return tl::unexpected(shared.error());
  keys::DomainRecord next = chain->record;
  ++next.seq;
  next.policy = keys::next_policy(chain->record.policy, change.mode, std::move(*shared), now);
  if (auto fits = keys::parse_policy(keys::to_value(next.policy), next.seq); !fits)
    return tl::unexpected(
        std::string("the keys do not fit the mode (POL-4): isp has none, corporate one --shared, "
                    "groups one --group for each group"));
  auto record = in_file(path, keys::make_domain_record(next, *root));
  if (!record) return tl::unexpected(record.error());
  const wire::Value value = keys::chain_value(*record, chain->root, chain->op);
  if (auto verified = in_file(path, keys::verify_chain(value, domain, chain->root.id())); !verified)
    return tl::unexpected(verified.error());
  if (auto wrote = replace_file(path, text_of(value), 0644); !wrote)
    return tl::unexpected(wrote.error());
  return next;
}

tl::expected<void, std::string> create_domain_keys(const std::string& folder,
                                                   const std::string& domain, ByteView entropy32,
                                                   const PolicyChange& first, Instant now) {
  auto shared = load_shared(first, now);
  if (!shared) return tl::unexpected(shared.error());
  keys::DomainPolicy policy = keys::isp_policy();
  if (first.mode != keys::Policy::isp)
    policy.published = policy.terms.effective = to_unix_ms(now - clock_slack);
  policy.terms.mode = first.mode;
  policy.terms.keys = std::move(*shared);
  if (auto fits = in_file(folder, keys::parse_policy(keys::to_value(policy), 1)); !fits)
    return tl::unexpected(fits.error());
  crypto::Drbg random(entropy32);
  const std::int64_t from = to_unix_ms(now - clock_slack);
  const keys::KeyPairOptions life{from, from + keys::key_life_ms_max};
  const Bytes root_entropy = random.bytes(80);
  const Bytes op_entropy = random.bytes(80);
  auto root = in_file(folder, keys::make_modern(root_entropy, life));
  auto op = in_file(folder, keys::make_modern(op_entropy, life));
  if (!root) return tl::unexpected(root.error());
  if (!op) return tl::unexpected(op.error());
  const Bytes index = random.bytes(32);
  const keys::DomainRecord wanted{
      domain, root->record.id(), op->record.id(), policy, 1, server::binding_log_keys(index)};
  auto record = in_file(folder, keys::make_domain_record(wanted, root->signing));
  if (!record) return tl::unexpected(record.error());
  const wire::Value chain = keys::chain_value(*record, root->record, op->record);
  const std::string index_key = to_base64url(index);
  const std::string row_key = to_base64url(random.bytes(32));
  const struct {
    const char* name;
    std::string text;
    mode_t mode;
  } files[] = {
      {"root.key", key_file_text(*root), 0600},
      {"op.key", key_file_text(*op), 0600},
      {"store.key",
       text_of(wire::Object{{"ams", store_file_tag}, {"index", index_key}, {"row", row_key}}),
       0600},
      {"chain.json", text_of(chain), 0644}};
  for (const auto& file : files) {
    if (auto wrote = write_new_file(folder + "/" + file.name, file.text, file.mode); !wrote) {
      return wrote;
    }
  }
  return {};
}

tl::expected<DomainKeys, std::string> load_domain_keys(const std::string& folder,
                                                       const std::string& domain) {
  auto chain = load_chain(folder + "/chain.json", domain);
  if (!chain) return tl::unexpected(chain.error());
  auto op = load_signing(folder + "/op.key", chain->op.id());
  if (!op) return tl::unexpected(op.error());
  const std::string path = folder + "/store.key";
  auto text = read_private_file(path);
  if (!text) return tl::unexpected(text.error());
  auto value = parse_line(path, std::move(*text));
  if (!value) return tl::unexpected(value.error());
  wire::ObjectReader in(*value, "storekeys");
  in.tag(store_file_tag);
  Bytes index_key = in.binary("index", 32, 32);
  Bytes row_key = in.binary("row", 32, 32);
  if (auto read = in.finish(); !read) {
    return tl::unexpected(in_file<int>(path, tl::unexpected(read.error())).error());
  }
  return DomainKeys{std::move(*op), std::move(*chain), std::move(index_key), std::move(row_key)};
}

}  // namespace ams::daemon
