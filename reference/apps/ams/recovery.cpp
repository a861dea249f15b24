#include "ams_cli/recovery.h"

#include <unistd.h>

#include "ams_cli/runner.h"
#include "ams_cli/terminal.h"
#include "client/tables.h"
#include "keys/lineage.h"
#include "net/entropy.h"

namespace ams::cli {

tl::expected<void, std::string> write_key_file(const KeyFileTarget& to, const std::string& addr,
                                               const std::vector<const keys::KeyPair*>& pairs,
                                               const crypto::Secret& passphrase) {
  if (to.path == "-" && isatty(STDOUT_FILENO) != 0)
    return tl::unexpected<std::string>("a key file is not for a terminal; give a file");
  auto file = NewFile::create(to.path, to.replace);
  if (!file) return tl::unexpected<std::string>(file.error().what);
  std::vector<keyfile::Source> sources;
  for (const keys::KeyPair* pair : pairs) {
    auto revocation = keys::make_revocation(*pair);
    if (!revocation) return tl::unexpected<std::string>(explain(revocation.error()));
    sources.push_back({pair, std::move(*revocation)});
  }
  crypto::Drbg drbg(net::entropy_seed().view());
  const auto sealed =
      keyfile::seal(addr, sources, passphrase.view(), keyfile::cost_n_default, drbg);
  if (!sealed) return tl::unexpected<std::string>(to.path + ": " + explain(sealed.error()));
  if (auto put = file->write(*sealed); !put) return tl::unexpected<std::string>(put.error().what);
  if (auto kept = file->commit(); !kept) return tl::unexpected<std::string>(kept.error().what);
  return {};
}

FileResult<keyfile::Contents> open_key_file(const std::string& path,
                                            const std::string& passphrase_file) {
  const auto bytes = read_some(path, keyfile::file_size_max + 2);
  if (!bytes) return tl::unexpected<FileError>(bytes.error());
  const auto passphrase = read_passphrase(passphrase_file, "The passphrase of " + path,
                                          Passphrase::of_a_file_that_exists);
  if (!passphrase) return tl::unexpected<FileError>({{}, passphrase.error()});
  auto contents = keyfile::open(*bytes, passphrase->view());
  if (!contents) return tl::unexpected<FileError>({contents.error(), path});
  return std::move(*contents);
}

tl::expected<std::size_t, std::string> import_pairs(storage::Storage& storage, const KeyBook& book,
                                                    const keyfile::Contents& contents) {
  storage::WriteBatch batch;
  std::size_t added = 0;
  for (const keyfile::Held& held : contents.pairs) {
    const keys::KeyId& id = held.pair.record.id();
    if (book.own_pair(id) != nullptr) continue;
    batch.puts.push_back(client::put_pair(client::OtherPair::State::former, now_ms(), held.pair));
    if (held.revocation)
      batch.puts.push_back(client::put_row(client::table_revocations, client::key_of(id),
                                           wire::encode(*held.revocation)));
    ++added;
  }
  if (added > 0 && (!storage.apply(batch) || !storage.commit()))
    return tl::unexpected<std::string>("the account's folder cannot be written");
  return added;
}

}  // namespace ams::cli
