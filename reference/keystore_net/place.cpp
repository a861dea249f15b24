#include "keystore_net/place.h"

#include <array>
#include <filesystem>

#include "keystore_net/https_link.h"

namespace ams::keystore_net {
namespace {

struct Text {
  const char* name;
  std::string Place::*member;
};
constexpr std::array texts{
    Text{"folder", &Place::folder},
    Text{"passphrase_file", &Place::passphrase_file},
    Text{"key_file", &Place::key_file},
    Text{"pin_file", &Place::pin_file},
    Text{"url", &Place::url},
    Text{"ca_file", &Place::ca_file},
    Text{"certificate_file", &Place::certificate_file},
    Text{"client_key_file", &Place::client_key_file},
};

std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

}  // namespace

std::string misfit(const Place& place) {
  if (place.folder.empty() == place.url.empty())
    return "expected one of --dir (a folder here) and --url (https://host:port)";
  if (place.local() && place.passphrase_file.empty() == place.key_file.empty())
    return "--dir: expected one of --passphrase-file and --key-file with it";
  if (!place.local() && (place.certificate_file.empty() || place.client_key_file.empty()))
    return "--url: expected --cert and --cert-key with it, and --ca for a private authority";
  return {};
}

tl::expected<keystore::Unlock, std::string> unlock_of(const Place& place) {
  return place.key_file.empty()
             ? read_unlock(keystore::Unlock::Kind::passphrase, place.passphrase_file)
             : read_unlock(keystore::Unlock::Kind::file, place.key_file);
}

tl::expected<std::unique_ptr<Link>, std::string> open_place(net::Loop& loop, const Place& place) {
  if (const std::string what = misfit(place); !what.empty()) return tl::unexpected(what);
  if (place.local()) {
    auto unlock = unlock_of(place);
    if (!unlock) return tl::unexpected(unlock.error());
    return std::make_unique<LocalLink>(loop, LocalStore::Options{place.folder, place.pin_file, {}},
                                       std::move(*unlock));
  }
  auto link = HttpsLink::make(loop, {place.url, place.ca_file, place.certificate_file,
                                     place.client_key_file, place.deadline});
  if (!link) return tl::unexpected(link.error());
  return std::unique_ptr<Link>(std::move(*link));
}

Bytes encode_place(const Place& place) {
  wire::Object out{{"ams", "ks-place/1"}};
  for (const Text& text : texts) {
    const std::string& value = place.*text.member;
    if (!value.empty())
      out.emplace(text.name, text.member == &Place::url ? value : absolute(value));
  }
  return wire::encode(out);
}

Result<Place> decode_place(ByteView bytes) {
  AMS_TRY(const wire::Value value, wire::decode(bytes));
  wire::ObjectReader in(value, "place");
  in.tag("ks-place/1");
  Place out;
  for (const Text& text : texts)
    out.*text.member = in.optional_string(text.name, 4096).value_or(std::string());
  AMS_CHECK(in.finish());
  return out;
}

}  // namespace ams::keystore_net
