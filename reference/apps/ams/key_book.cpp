#include "ams_cli/key_book.h"

#include <algorithm>

#include "ams_cli/files.h"
#include "ams_cli/runner.h"
#include "client/tables.h"

namespace ams::cli {
namespace {

constexpr std::size_t record_file_size_max = 16'384;  // bytes; a record of RSA-4096 keys has 2,500

std::optional<client::BindingRow> binding_row(ByteView bytes) {
  auto row = client::parse_binding_row(bytes);
  if (!row) return std::nullopt;
  return std::move(*row);
}

}  // namespace

tl::expected<keys::KeyRecord, std::string> read_record(const std::string& path) {
  auto text = read_some(path, record_file_size_max);
  if (!text) return tl::unexpected<std::string>(text.error().what);
  while (!text->empty() && text->back() == '\n') text->pop_back();
  const auto read = [&]() -> Result<keys::KeyRecord> {
    AMS_TRY(const wire::Value value, wire::decode(*text));
    return keys::KeyRecord::parse(value);
  };
  auto record = read();
  if (!record)
    return tl::unexpected<std::string>(path + ": no key record: " + explain(record.error()));
  return std::move(*record);
}

tl::expected<KeyBook, std::string> KeyBook::open(const storage::Reader& storage,
                                                 const std::string& own_addr) {
  KeyBook out;
  out.storage_ = &storage;
  out.own_addr_ = own_addr;
  auto pair = client::read_account_pair(storage);
  if (!pair) return tl::unexpected<std::string>("the account's keys: " + explain(pair.error()));
  if (!*pair)
    return tl::unexpected<std::string>("the account has no keys yet; run `ams account add` again");
  out.own_ = std::move(**pair);
  auto others = client::read_other_pairs(storage);
  if (!others) return tl::unexpected<std::string>("the account's keys: " + explain(others.error()));
  for (client::OtherPair& other : *others) out.others_.push_back(std::move(other));
  std::sort(out.others_.begin(), out.others_.end(), [](const auto& a, const auto& b) {
    return a.pair.record.nbf() > b.pair.record.nbf();  // the newest first
  });
  return out;
}

KeyBook KeyBook::of(keyfile::Contents contents) {
  KeyBook out;
  out.own_addr_ = contents.addr;
  for (keyfile::Held& held : contents.pairs) {
    if (!out.own_) {
      out.own_ = std::move(held.pair);
    } else {
      out.others_.push_back({client::OtherPair::State::former, 0, std::move(held.pair)});
    }
  }
  return out;
}

std::vector<const keys::KeyPair*> KeyBook::own_pairs() const {
  std::vector<const keys::KeyPair*> out{&*own_};
  for (const client::OtherPair& other : others_) out.push_back(&other.pair);
  return out;
}

const keys::KeyPair* KeyBook::own_pair(const keys::KeyId& id) const {
  for (const keys::KeyPair* pair : own_pairs())
    if (pair->record.id() == id) return pair;
  return nullptr;
}

Whose KeyBook::whose(const keys::KeyId& id) const {
  if (own_->record.id() == id) return Whose::in_use;
  for (const client::OtherPair& other : others_)
    if (other.pair.record.id() == id)
      return other.state == client::OtherPair::State::next ? Whose::next : Whose::former;
  return Whose::others;
}

KeyView KeyBook::view_of(const keys::KeyRecord& record) const {
  KeyView out{record, addr_of(record.id()).value_or(""), whose(record.id()), {}};
  if (storage_ != nullptr && !out.addr.empty() && out.whose == Whose::others)
    out.verified = verified_of(*storage_, out.addr, record.id());
  return out;
}

std::vector<KeyView> KeyBook::own_views() const {
  std::vector<KeyView> out;
  for (const keys::KeyPair* pair : own_pairs()) out.push_back(view_of(pair->record));
  return out;
}

tl::expected<const keys::KeyRecord*, std::string> KeyBook::find(const std::string& who) {
  if (!who.empty() && who == own_addr_) return &own_->record;
  for (const keys::KeyPair* pair : own_pairs())
    if (to_uuid_text(pair->record.id().kid) == who) return &pair->record;
  if (who.find('@') == std::string::npos || who.find('/') != std::string::npos) {
    auto record = read_record(who);
    if (!record) return tl::unexpected<std::string>(record.error());
    return &found_.emplace_back(std::move(*record));
  }
  const auto bytes =
      storage_ ? storage_->get(client::table_bindings, as_bytes(who)).value_or(std::nullopt)
               : std::nullopt;
  const auto row = bytes ? binding_row(*bytes) : std::nullopt;
  auto record = row ? keys::KeyRecord::parse(row->key) : fail(Code::not_found);
  if (!record)
    return tl::unexpected<std::string>(
        who + ": no key known here; give a file with the key record, as " + who +
        " gets it from `ams keys export-record`, or write to " + who + " first");
  return &found_.emplace_back(std::move(*record));
}

const keys::KeyRecord* KeyBook::find(const keys::KeyId& id) {
  if (const keys::KeyPair* own = own_pair(id)) return &own->record;
  if (storage_ == nullptr) return nullptr;
  const auto bytes =
      storage_->get(client::table_records, client::key_of(id)).value_or(std::nullopt);
  if (!bytes) return nullptr;
  const auto value = wire::decode(*bytes);
  auto record = value ? keys::KeyRecord::parse_as(*value, id) : fail(Code::not_found);
  return record ? &found_.emplace_back(std::move(*record)) : nullptr;
}

std::string KeyBook::name_of(const keys::KeyId& id) const {
  return addr_of(id).value_or("key " + to_uuid_text(id.kid));
}

std::optional<std::string> KeyBook::addr_of(const keys::KeyId& id) const {
  std::optional<std::string> out;
  if (own_pair(id) != nullptr) {
    if (!own_addr_.empty()) out = own_addr_;
    return out;
  }
  if (storage_ == nullptr) return out;
  const auto seen = [&](ByteView, ByteView value) {
    const auto row = binding_row(value);
    const auto binding = row ? keys::parse_binding(row->binding) : fail(Code::not_found);
    if (!binding || binding->key != id) return true;
    out = binding->addr;
    return false;
  };
  if (!storage_->scan(client::table_bindings, {}, {}, seen)) return std::nullopt;
  return out;
}

}  // namespace ams::cli
