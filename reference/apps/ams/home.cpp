#include "ams_cli/home.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "net/entropy.h"

namespace ams::cli {
namespace {

std::string default_folder() {
  const char* home = std::getenv("HOME");
  return (std::filesystem::path(home ? home : ".") / ".ams").string();
}

storage::Put setting(std::string_view name, ByteView value) {
  return storage::Put{table_settings, to_bytes(name), to_bytes(value)};
}

}  // namespace

tl::expected<void, std::string> Home::open_storage(bool create) {
  namespace fs = std::filesystem;
  const std::string path = (fs::path(folder_) / "ams.db").string();
  std::error_code error;
  if (!create && !fs::exists(path, error))
    return tl::unexpected<std::string>("no account in " + folder_ +
                                       "; make one with `ams account add`");
  if (create) {
    fs::create_directories(folder_, error);
    if (error) return tl::unexpected<std::string>(folder_ + ": cannot create: " + error.message());
    chmod(folder_.c_str(), 0700);
    // Created with its mode before anything is in it; SQLite's own files take the mode from it.
    const int file = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) return tl::unexpected<std::string>(path + ": cannot create");
    close(file);
  }
  auto opened = store::SqliteStorage::open(path);
  if (!opened) return tl::unexpected<std::string>(opened.error());
  storage_ = std::move(*opened);
  return {};
}

tl::expected<Home, std::string> Home::create(const std::string& folder, const Settings& settings) {
  Home home;
  home.folder_ = folder.empty() ? default_folder() : folder;
  home.settings_ = settings;
  if (auto opened = home.open_storage(true); !opened)
    return tl::unexpected<std::string>(opened.error());
  const auto get = [&](std::string_view name) {
    return home.storage_->get(table_settings, as_bytes(name)).value_or(std::nullopt);
  };
  if (const auto held = get("addr"); held && to_string(*held) != settings.addr)
    return tl::unexpected<std::string>(home.folder_ + " holds the account " + to_string(*held) +
                                       "; give another folder with --home");
  storage::WriteBatch batch;
  batch.puts.push_back(setting("addr", as_bytes(settings.addr)));
  batch.puts.push_back(setting("hosts", as_bytes(settings.hosts_file)));
  batch.puts.push_back(setting("ca", as_bytes(settings.ca_file)));
  std::string name_servers;
  for (const std::string& server : settings.name_servers) name_servers += server + ' ';
  batch.puts.push_back(setting("name_servers", as_bytes(name_servers)));
  crypto::Secret seed = net::entropy_seed();
  if (const auto held = get("device")) {
    seed = crypto::Secret::copy_of(*held);  // a second attempt keeps its device
  } else {
    batch.puts.push_back(setting("device", seed.view()));
  }
  if (!home.storage_->apply(batch) || !home.storage_->commit())
    return tl::unexpected<std::string>(home.folder_ + ": " + home.storage_->last_message());
  home.device_ =
      std::make_unique<crypto::SigningKey>(crypto::SigningKey::ed25519_from_seed(seed.view()));
  return home;
}

tl::expected<void, std::string> Home::set_witnesses(std::int64_t count,
                                                    const std::vector<std::string>& domains) {
  std::string text = std::to_string(count);
  for (const std::string& domain : domains) text += ' ' + domain;
  storage::WriteBatch batch;
  batch.puts.push_back(setting("witnesses", as_bytes(text)));
  if (!storage_->apply(batch) || !storage_->commit())
    return tl::unexpected<std::string>(folder_ + ": " + storage_->last_message());
  settings_.log_witnesses = count;
  settings_.witnesses = domains;
  return {};
}

tl::expected<Home, std::string> Home::open(const std::string& folder) {
  Home home;
  home.folder_ = folder.empty() ? default_folder() : folder;
  if (auto opened = home.open_storage(false); !opened)
    return tl::unexpected<std::string>(opened.error());
  const auto get = [&](std::string_view name) {
    return home.storage_->get(table_settings, as_bytes(name)).value_or(std::nullopt);
  };
  const auto addr = get("addr");
  const auto hosts = get("hosts");
  const auto ca = get("ca");
  const auto device = get("device");
  if (!addr || !hosts || !ca || !device || device->size() != 32)
    return tl::unexpected<std::string>(home.folder_ +
                                       ": the account is incomplete; run `ams account add` again");
  home.settings_ = Settings{to_string(*addr), to_string(*hosts), to_string(*ca)};
  std::istringstream witnesses(to_string(get("witnesses").value_or(Bytes())));
  witnesses >> home.settings_.log_witnesses;
  for (std::string domain; witnesses >> domain;) home.settings_.witnesses.push_back(domain);
  std::istringstream name_servers(to_string(get("name_servers").value_or(Bytes())));
  for (std::string server; name_servers >> server;) home.settings_.name_servers.push_back(server);
  home.device_ =
      std::make_unique<crypto::SigningKey>(crypto::SigningKey::ed25519_from_seed(*device));
  return home;
}

}  // namespace ams::cli
