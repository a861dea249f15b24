#include "client/tables.h"

#include "keys/lineage.h"

namespace ams::client {
namespace {

/// A row as its fields one after another: integers as u64, strings with their length before them.
class RowWriter {
 public:
  RowWriter& number(std::uint64_t value) {
    append_u64(out_, value);
    return *this;
  }
  RowWriter& field(ByteView bytes) {
    append_u64(out_, bytes.size());
    append(out_, bytes);
    return *this;
  }
  RowWriter& field(std::string_view text) { return field(as_bytes(text)); }
  RowWriter& value(const wire::Value& v) { return field(wire::encode(v)); }
  RowWriter& strings(const std::vector<std::string>& list) {
    number(list.size());
    for (const std::string& s : list) field(s);
    return *this;
  }
  template <class T>
  RowWriter& maybe(const std::optional<T>& v) {
    number(v ? 1 : 0);
    if (v) field(*v);
    return *this;
  }
  Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

/// Its inverse. Errors are sticky: read all, then ask ok(). A row is ours; only a broken disk fails
/// it.
class RowReader {
 public:
  explicit RowReader(ByteView in) : in_(in) {}
  std::uint64_t number() {
    if (in_.size() < 8) return broken();
    const std::uint64_t value = read_u64(in_);
    in_ = in_.subspan(8);
    return value;
  }
  std::int64_t integer() { return static_cast<std::int64_t>(number()); }
  ByteView field() {
    const std::uint64_t size = number();
    if (size > in_.size()) {
      broken();
      return {};
    }
    const ByteView out = in_.first(static_cast<std::size_t>(size));
    in_ = in_.subspan(static_cast<std::size_t>(size));
    return out;
  }
  std::string text() { return to_string(field()); }
  Bytes bytes() { return to_bytes(field()); }
  wire::Value value() {
    auto decoded = wire::decode(field());
    if (decoded) return std::move(*decoded);
    broken();
    return {};
  }
  /// A number of things that follow; each takes at least one u64, so a broken count ends the
  /// reading.
  std::uint64_t count() {
    const std::uint64_t n = number();
    return n <= in_.size() / 8 ? n : broken();
  }
  std::vector<std::string> strings() {
    std::vector<std::string> out;
    for (std::uint64_t n = count(); n > 0; --n) out.push_back(text());
    return out;
  }
  std::optional<std::string> maybe_text() {
    if (number() == 0) return std::nullopt;
    return text();
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    const auto out = to_array<N>(field());
    if (!out) broken();
    return out.value_or(std::array<std::uint8_t, N>{});
  }
  std::optional<Id16> maybe_id() {
    if (number() == 0) return std::nullopt;
    return array<16>();
  }
  Result<> finish() const {
    if (!ok_ || !in_.empty()) return fail(Code::storage, "client row");
    return {};
  }

 private:
  std::uint64_t broken() {
    ok_ = false;
    in_ = {};
    return 0;
  }
  ByteView in_;
  bool ok_ = true;
};

/// The private halves with the record they belong to; fails when they do not.
Result<keys::KeyPair> assemble(ByteView signing, ByteView encryption, const wire::Value& value) {
  AMS_TRY(keys::KeyRecord record, keys::KeyRecord::parse(value));
  AMS_TRY(auto sign, crypto::SigningKey::from_private(record.signing().alg(), signing));
  AMS_TRY(auto decrypt, crypto::DecryptionKey::from_private(record.encryption().kem(), encryption));
  return keys::KeyPair{std::move(sign), std::move(decrypt), std::move(record)};
}

}  // namespace

Result<std::optional<keys::KeyPair>> read_account_pair(const storage::Reader& in) {
  AMS_TRY(const auto signing, in.get(table_account, as_bytes(row_signing)));
  AMS_TRY(const auto encryption, in.get(table_account, as_bytes(row_encryption)));
  AMS_TRY(const auto record_bytes, in.get(table_account, as_bytes(row_record)));
  if (!signing || !encryption || !record_bytes) return std::nullopt;
  AMS_TRY(const wire::Value value, wire::decode(*record_bytes));
  AMS_TRY(keys::KeyPair pair, assemble(*signing, *encryption, value));
  return pair;
}

void put_account_pair(storage::WriteBatch& batch, const keys::KeyPair& pair) {
  const auto put = [&](std::string_view key, ByteView value) {
    batch.puts.push_back(put_row(table_account, key, to_bytes(value)));
  };
  put(row_signing, pair.signing.private_raw().view());
  put(row_encryption, pair.encryption.private_raw().view());
  put(row_record, wire::encode(pair.record.value()));
}

storage::Put put_pair(OtherPair::State state, std::int64_t at, const keys::KeyPair& pair) {
  RowWriter out;
  out.number(static_cast<std::uint64_t>(state)).number(static_cast<std::uint64_t>(at));
  out.field(pair.signing.private_raw().view()).field(pair.encryption.private_raw().view());
  out.value(pair.record.value());
  return put_row(table_pairs, key_of(pair.record.id()), out.take());
}

Result<std::vector<OtherPair>> read_other_pairs(const storage::Reader& in) {
  std::vector<OtherPair> out;
  Result<> read;
  const auto visit = [&](ByteView, ByteView value) {
    read = [&]() -> Result<> {
      RowReader row(value);
      const auto state = row.number() == 0 ? OtherPair::State::next : OtherPair::State::former;
      const std::int64_t at = row.integer();
      const ByteView signing = row.field();
      const ByteView encryption = row.field();
      const wire::Value record = row.value();
      AMS_CHECK(row.finish());
      AMS_TRY(keys::KeyPair pair, assemble(signing, encryption, record));
      out.push_back(OtherPair{state, at, std::move(pair)});
      return {};
    }();
    return read.has_value();
  };
  AMS_CHECK(in.scan(table_pairs, {}, {}, visit));
  AMS_CHECK(read);
  return out;
}

Result<> put_revocation(storage::WriteBatch& batch, const keys::KeyPair& pair) {
  AMS_TRY(const wire::Value revocation, keys::make_revocation(pair));
  batch.puts.push_back(
      put_row(table_revocations, key_of(pair.record.id()), wire::encode(revocation)));
  return {};
}

Result<std::optional<wire::Value>> read_revocation(const storage::Reader& in,
                                                   const keys::KeyId& id) {
  AMS_TRY(const auto row, in.get(table_revocations, key_of(id)));
  if (!row) return std::nullopt;
  AMS_TRY(wire::Value revocation, wire::decode(*row));
  return revocation;
}

Bytes key_of(std::uint64_t number) {
  Bytes out;
  append_u64(out, number);
  return out;
}

Bytes key_of(const keys::KeyId& id) {
  Bytes out = to_bytes(ByteView(id.kid));
  append(out, id.fp);
  return out;
}

storage::Put put_row(storage::Table table, ByteView key, Bytes value) {
  return storage::Put{table, to_bytes(key), std::move(value)};
}

storage::Erase erase_row(storage::Table table, ByteView key) {
  return storage::Erase{table, to_bytes(key)};
}

Bytes to_row(const DraftRow& row) {
  const mail::Draft& draft = row.draft;
  RowWriter out;
  out.number(static_cast<std::uint64_t>(row.created)).field(draft.from).strings(draft.deliver_to);
  out.strings(draft.to).strings(draft.cc).number(static_cast<std::uint64_t>(draft.date));
  out.field(draft.subject).maybe(draft.in_reply_to).maybe(draft.thread).maybe(draft.reply_to_addr);
  out.number(draft.parts.size());
  for (const mail::Part& part : draft.parts) out.field(part.type).field(part.text);
  out.number(draft.attachments.size());
  for (const mail::Attachment& a : draft.attachments) out.field(a.name).field(a.type).field(a.data);
  return out.take();
}

Result<DraftRow> parse_draft_row(ByteView bytes) {
  RowReader in(bytes);
  DraftRow row;
  mail::Draft& draft = row.draft;
  row.created = in.integer();
  draft.from = in.text();
  draft.deliver_to = in.strings();
  draft.to = in.strings();
  draft.cc = in.strings();
  draft.date = in.integer();
  draft.subject = in.text();
  draft.in_reply_to = in.maybe_id();
  draft.thread = in.maybe_id();
  draft.reply_to_addr = in.maybe_text();
  for (std::uint64_t n = in.count(); n > 0; --n) {
    mail::Part part;
    part.type = in.text();
    part.text = in.text();
    draft.parts.push_back(std::move(part));
  }
  for (std::uint64_t n = in.count(); n > 0; --n) {
    mail::Attachment attachment;
    attachment.name = in.text();
    attachment.type = in.text();
    attachment.data = in.bytes();
    draft.attachments.push_back(std::move(attachment));
  }
  AMS_CHECK(in.finish());
  return row;
}

Bytes to_row(const std::vector<SealedRow>& rows) {
  RowWriter out;
  out.number(rows.size());
  for (const SealedRow& row : rows) {
    const mail::Sealed& sealed = row.sealed;
    out.value(sealed.header).field(sealed.asig);
    out.number(sealed.stanzas.size());
    for (const mail::Stanza& stanza : sealed.stanzas) out.value(mail::to_value(stanza));
    out.field(sealed.head).field(sealed.body);
    out.number(sealed.blobs.size());
    for (const Bytes& blob : sealed.blobs) out.field(blob);
    out.number(row.recipients.size());
    for (const auto& [addr, stanza] : row.recipients)
      out.field(addr).number(static_cast<std::uint64_t>(stanza));
    out.number(row.sent ? static_cast<std::uint64_t>(*row.sent) + 1 : 0);
  }
  return out.take();
}

Result<std::vector<SealedRow>> parse_sealed_rows(ByteView bytes) {
  RowReader in(bytes);
  std::vector<SealedRow> rows;
  for (std::uint64_t n = in.count(); n > 0; --n) {
    SealedRow row;
    row.sealed.header = in.value();
    row.sealed.asig = in.bytes();
    for (std::uint64_t s = in.count(); s > 0; --s) {
      AMS_TRY(mail::Stanza stanza, mail::parse_stanza(in.value()));
      row.sealed.stanzas.push_back(std::move(stanza));
    }
    row.sealed.head = in.bytes();
    row.sealed.body = in.bytes();
    for (std::uint64_t b = in.count(); b > 0; --b) row.sealed.blobs.push_back(in.bytes());
    for (std::uint64_t r = in.count(); r > 0; --r) {
      std::string addr = in.text();
      const std::int64_t stanza = in.integer();
      row.recipients.emplace_back(std::move(addr), stanza);
    }
    if (const std::int64_t sent = in.integer(); sent > 0) row.sent = sent - 1;
    rows.push_back(std::move(row));
  }
  AMS_CHECK(in.finish());
  return rows;
}

Bytes to_row(const FailedRow& row) {
  return RowWriter().field(row.addr).number(static_cast<std::uint64_t>(row.code)).take();
}

Result<FailedRow> parse_failed_row(ByteView bytes) {
  RowReader in(bytes);
  FailedRow row;
  row.addr = in.text();
  row.code = static_cast<Code>(in.number());
  AMS_CHECK(in.finish());
  return row;
}

Bytes to_row(const MailboxRow& row) {
  return RowWriter().number(row.told ? 1 : 0).field(row.folder).value(row.message).take();
}

Result<MailboxRow> parse_mailbox_row(ByteView bytes) {
  RowReader in(bytes);
  MailboxRow row;
  row.told = in.number() != 0;
  row.folder = in.text();
  row.message = in.value();
  AMS_CHECK(in.finish());
  return row;
}

Bytes to_row(const ChainRow& row) {
  return RowWriter()
      .number(static_cast<std::uint64_t>(row.at))
      .field(row.root.kid)
      .field(row.root.fp)
      .value(row.chain)
      .take();
}

Result<ChainRow> parse_chain_row(ByteView bytes) {
  RowReader in(bytes);
  ChainRow row;
  row.at = in.integer();
  row.root.kid = in.array<16>();
  row.root.fp = in.array<32>();
  row.chain = in.value();
  AMS_CHECK(in.finish());
  return row;
}

Result<std::optional<KeptChain>> read_chain(const storage::Reader& in, const std::string& domain) {
  AMS_TRY(const auto bytes, in.get(table_chains, as_bytes(domain)));
  if (!bytes) return std::nullopt;
  AMS_TRY(const ChainRow row, parse_chain_row(*bytes));
  AMS_TRY(keys::Chain chain, keys::verify_chain(row.chain, domain, row.root));
  return KeptChain{row.at, std::move(chain)};
}

Bytes to_row(const BindingRow& row) {
  return RowWriter()
      .number(static_cast<std::uint64_t>(row.at))
      .value(row.binding)
      .value(row.key)
      .value(row.enc)
      .value(row.proof)
      .field(row.seen)
      .take();
}

Result<BindingRow> parse_binding_row(ByteView bytes) {
  RowReader in(bytes);
  BindingRow row;
  row.at = in.integer();
  row.binding = in.value();
  row.key = in.value();
  row.enc = in.value();
  row.proof = in.value();
  row.seen = in.bytes();
  AMS_CHECK(in.finish());
  return row;
}

Bytes to_row(const bindlog::Seen& seen) {
  Bytes row;
  append_u64(row, seen.size);
  append(row, ByteView(seen.log_root));
  append_u64(row, static_cast<std::uint64_t>(seen.version));
  append(row, ByteView(seen.value));
  return row;
}

std::optional<bindlog::Seen> parse_seen_row(ByteView in) {
  if (in.size() != 8 + 32 + 8 + 32) return std::nullopt;
  return bindlog::Seen{read_u64(in), *to_array<32>(in.subspan(8, 32)),
                       static_cast<std::int64_t>(read_u64(in.subspan(40))),
                       *to_array<32>(in.subspan(48, 32))};
}

Bytes to_row(const StoredKeys& keys) {
  return RowWriter().value(keys.record.value()).value(keys.shared.value()).take();
}

Result<StoredKeys> parse_stored_keys(ByteView bytes) {
  RowReader in(bytes);
  const wire::Value record = in.value(), shared = in.value();
  AMS_CHECK(in.finish());
  AMS_TRY(keys::KeyRecord own, keys::KeyRecord::parse(record));
  AMS_TRY(keys::KeyRecord common, keys::KeyRecord::parse(shared));
  return StoredKeys{std::move(own), std::move(common)};
}

Bytes to_row(const PolicyRow& row) {
  return RowWriter()
      .number(static_cast<std::uint64_t>(row.at))
      .number(static_cast<std::uint64_t>(row.seq))
      .value(row.policy)
      .take();
}

Result<PolicyRow> parse_policy_row(ByteView bytes) {
  RowReader in(bytes);
  PolicyRow row;
  row.at = in.integer();
  row.seq = in.integer();
  row.policy = in.value();
  AMS_CHECK(in.finish());
  return row;
}

}  // namespace ams::client
