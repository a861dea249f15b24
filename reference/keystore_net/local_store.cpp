#include "keystore_net/local_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "keystore_net/pkcs11_ring.h"
#include "net/entropy.h"

namespace ams::keystore_net {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t secret_file_size_max = 4096;

Instant now() {
  return Instant(
      std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch()));
}

std::string lock_path(const std::string& folder) {
  return (fs::path(folder) / "lock.json").string();
}

std::string in_words(const Error& error) {
  if (error.code == Code::keystore_sealed)
    return "does not open: another passphrase or key file, or it was changed";
  return std::string(code_info(error.code).name) + " (" + std::string(error.where) + ")";
}

tl::expected<Bytes, std::string> read_file(const std::string& path, std::uintmax_t size_max) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) return tl::unexpected(path + ": " + error.message());
  if (size > size_max) return tl::unexpected(path + ": too large");
  std::ifstream in(path, std::ios::binary);
  Bytes out((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in && !in.eof()) return tl::unexpected(path + ": cannot be read");
  return out;
}

bool write_all(int file, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0;
}

/// A new file, whole or not at all, durable, for its owner alone.
tl::expected<void, std::string> write_new(const std::string& path, ByteView bytes) {
  const std::string part = path + ".new";
  const int file = ::open(part.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return tl::unexpected(part + ": cannot be created");
  const bool written = write_all(file, bytes);
  ::close(file);
  std::error_code error;
  if (written) fs::rename(part, path, error);
  if (!written || error) return tl::unexpected(path + ": cannot be written");
  const int folder = ::open(fs::path(path).parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  const bool kept = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!kept) return tl::unexpected(path + ": cannot be made durable");
  return {};
}

}  // namespace

tl::expected<keystore::Unlock, std::string> read_unlock(keystore::Unlock::Kind kind,
                                                        const std::string& path) {
  auto bytes = read_file(path, secret_file_size_max);
  if (!bytes) return tl::unexpected(bytes.error());
  ByteView secret = *bytes;
  if (kind == keystore::Unlock::Kind::passphrase) {
    const auto line = as_text(secret).substr(0, as_text(secret).find_first_of("\r\n"));
    secret = secret.first(line.size());
  }
  const std::size_t size_min = kind == keystore::Unlock::Kind::file ? 32 : 1;
  if (secret.size() < size_min)
    return tl::unexpected(path + (size_min == 1 ? ": holds no passphrase in its first line"
                                                : ": a key file has at least 32 bytes"));
  keystore::Unlock out{kind, crypto::Secret::copy_of(secret)};
  crypto::wipe(bytes->data(), bytes->size());
  return out;
}

tl::expected<std::unique_ptr<LocalStore>, std::string> LocalStore::unlocked(
    const Options& options, const keystore::Unlock& unlock) {
  const std::string path = lock_path(options.folder);
  const auto text = read_file(path, keystore::lock_size_max);
  if (!text) return tl::unexpected(text.error());
  const auto opened = keystore::open_lock(*text, unlock);
  if (!opened) return tl::unexpected(path + ": " + in_words(opened.error()));
  std::unique_ptr<LocalStore> out(new LocalStore);
  out->domain_ = opened->head.domain;
  if (opened->head.module) {
    auto ring = Pkcs11Ring::open({*opened->head.module, *opened->head.token, options.pin_file});
    if (!ring) return tl::unexpected(ring.error());
    out->ring_ = std::move(*ring);
  } else {
    out->ring_ = std::make_unique<keystore::SoftKeys>();
  }
  const std::string database = (fs::path(options.folder) / "store.db").string();
  // Created with its mode before anything is in it; SQLite's own files take the mode from it.
  const int file = ::open(database.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return tl::unexpected(database + ": cannot be opened");
  ::close(file);
  auto storage = store::SqliteStorage::open(database);
  if (!storage) return tl::unexpected(storage.error());
  out->storage_ = std::move(*storage);
  keystore::StoreOptions rules;
  rules.domain = out->domain_;
  out->store_ = std::make_unique<keystore::Store>(rules, opened->store_key.view(), *out->storage_,
                                                  *out->ring_);
  return out;
}

tl::expected<void, std::string> LocalStore::relock(const Options& options,
                                                   const keystore::Unlock& before,
                                                   const keystore::Unlock& after) {
  const std::string path = lock_path(options.folder);
  const auto text = read_file(path, keystore::lock_size_max);
  if (!text) return tl::unexpected(text.error());
  const auto opened = keystore::open_lock(*text, before);
  if (!opened) return tl::unexpected(path + ": " + in_words(opened.error()));
  const auto lock = keystore::make_lock(opened->head, opened->store_key.view(), after,
                                        net::entropy_seed().view(), options.cost);
  if (!lock) return tl::unexpected(path + ": " + in_words(lock.error()));
  return write_new(path, *lock);
}

tl::expected<std::unique_ptr<LocalStore>, std::string> LocalStore::create(
    const Options& options, const keystore::LockHead& head, const keystore::Unlock& unlock) {
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) return tl::unexpected(options.folder + ": cannot be created: " + error.message());
  ::chmod(options.folder.c_str(), 0700);
  if (!fs::exists(lock_path(options.folder), error)) {
    const crypto::Secret key = net::entropy_seed();
    const auto lock =
        keystore::make_lock(head, key.view(), unlock, net::entropy_seed().view(), options.cost);
    if (!lock) return tl::unexpected(options.folder + ": " + in_words(lock.error()));
    if (auto written = write_new(lock_path(options.folder), *lock); !written)
      return tl::unexpected(written.error());
  }
  auto out = unlocked(options, unlock);
  if (!out) return out;
  LocalStore& store = **out;
  if (store.domain_ != head.domain || store.store_->check())
    return tl::unexpected(options.folder + ": holds the key store of " + store.domain_ +
                          " already");
  const auto writes = store.store_->init(now(), net::entropy_seed().view());
  if (!writes || !store.keep(*writes))
    return tl::unexpected(options.folder + ": cannot be written");
  return out;
}

tl::expected<std::unique_ptr<LocalStore>, std::string> LocalStore::open(
    const Options& options, const keystore::Unlock& unlock) {
  auto out = unlocked(options, unlock);
  if (!out) return out;
  if (const auto checked = (*out)->store_->check(); !checked)
    return tl::unexpected(options.folder + ": " + in_words(checked.error()));
  return out;
}

Result<> LocalStore::keep(const storage::WriteBatch& writes) {
  if (writes.empty()) return {};
  AMS_CHECK(storage_->apply(writes));
  return storage_->commit();
}

Bytes LocalStore::ask(ByteView request) {
  const keystore::Outcome outcome = store_->handle(request, now(), net::entropy_seed().view());
  if (keep(outcome.writes)) return outcome.answer;
  // What was to be kept is undone, and so is the answer that rests on it.
  const auto value = wire::decode(outcome.answer);
  const auto id = value && value->find("id") != nullptr
                      ? from_base64url(value->find("id")->as_string())
                      : std::nullopt;
  return keystore::encode_error(id ? to_array<16>(*id).value_or(Id16{}) : Id16{}, Code::storage);
}

Result<keystore::Ok> LocalStore::act(const keystore::Args& args) {
  keystore::Acted acted = store_->act(args, now(), net::entropy_seed().view());
  AMS_CHECK(keep(acted.writes));
  return std::move(acted.ok);
}

void LocalLink::ask(Bytes request, std::function<void(Result<Bytes>)> done) {
  loop_.post([this, alive = std::weak_ptr<bool>(alive_), request = std::move(request),
              done = std::move(done)] {
    if (alive.expired()) return;
    auto store = LocalStore::open(options_, unlock_);
    if (!store) return done(fail(Code::keystore_unreachable, "folder of the key store"));
    done((*store)->ask(request));
  });
}

}  // namespace ams::keystore_net
