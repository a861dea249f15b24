#include "ams_cli/key_book.h"

#include <fstream>
#include <iterator>

#include "ams_cli/runner.h"
#include "client/tables.h"

namespace ams::cli {
namespace {

constexpr std::size_t record_file_size_max = 16'384;  // bytes; a record of RSA-4096 keys has 2,500

tl::expected<keys::KeyRecord, std::string> read_record(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return tl::unexpected<std::string>(path + ": cannot read");
  std::string text(record_file_size_max, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto read = [&]() -> Result<keys::KeyRecord> {
    AMS_TRY(const wire::Value value, wire::decode(as_bytes(text)));
    return keys::KeyRecord::parse(value);
  };
  auto record = read();
  if (!record)
    return tl::unexpected<std::string>(path + ": no key record: " + explain(record.error()));
  return std::move(*record);
}

std::optional<client::BindingRow> binding_row(ByteView bytes) {
  auto row = client::parse_binding_row(bytes);
  if (!row) return std::nullopt;
  return std::move(*row);
}

}  // namespace

tl::expected<KeyBook, std::string> KeyBook::open(const storage::Reader& storage,
                                                 const std::string& own_addr) {
  KeyBook out;
  out.storage_ = &storage;
  out.own_addr_ = own_addr;
  auto pair = client::read_account_pair(storage);
  if (!pair) return tl::unexpected<std::string>("the account's keys: " + explain(pair.error()));
  if (!*pair)
    return tl::unexpected<std::string>("the account has no keys yet; run `ams account add` again");
  out.own_ = std::move(*pair);
  return out;
}

tl::expected<const keys::KeyRecord*, std::string> KeyBook::find(const std::string& who) {
  if (who == own_addr_) return &own_->record;
  if (who.find('@') == std::string::npos || who.find('/') != std::string::npos) {
    auto record = read_record(who);
    if (!record) return tl::unexpected<std::string>(record.error());
    return &found_.emplace_back(std::move(*record));
  }
  const auto bytes = storage_->get(client::table_bindings, as_bytes(who)).value_or(std::nullopt);
  const auto row = bytes ? binding_row(*bytes) : std::nullopt;
  auto record = row ? keys::KeyRecord::parse(row->key) : fail(Code::not_found);
  if (!record)
    return tl::unexpected<std::string>(
        who + ": no key known here; give a file with the key record, as " + who +
        " gets it from `ams keys export-record`, or write to " + who + " first");
  return &found_.emplace_back(std::move(*record));
}

const keys::KeyRecord* KeyBook::find(const keys::KeyId& id) {
  if (id == own_->record.id()) return &own_->record;
  const auto bytes =
      storage_->get(client::table_records, client::key_of(id)).value_or(std::nullopt);
  if (!bytes) return nullptr;
  const auto value = wire::decode(*bytes);
  auto record = value ? keys::KeyRecord::parse_as(*value, id) : fail(Code::not_found);
  return record ? &found_.emplace_back(std::move(*record)) : nullptr;
}

std::string KeyBook::name_of(const keys::KeyId& id) const {
  if (id == own_->record.id()) return own_addr_;
  std::string out = "key " + to_uuid_text(id.kid);
  const auto seen = [&](ByteView, ByteView value) {
    const auto row = binding_row(value);
    const auto binding = row ? keys::parse_binding(row->binding) : fail(Code::not_found);
    if (!binding || binding->key != id) return true;
    out = binding->addr;
    return false;
  };
  if (!storage_->scan(client::table_bindings, {}, {}, seen)) return out;
  return out;
}

}  // namespace ams::cli
