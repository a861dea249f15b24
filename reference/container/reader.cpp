// Reading a container, section by section: whatever is judged is judged as soon as it is in
// (CON-11).
#include <algorithm>

#include "container/form.h"
#include "policy/mutant.h"

namespace ams::container {
namespace {

constexpr std::size_t length_size = 4, chunk_length_size = 2;

/// What the next bytes are. The order is that of the file.
enum class Section : std::uint8_t {
  magic,
  header_length,
  header,
  stanzas_length,
  stanzas,
  stream_header,
  chunk_length,
  chunk,
  trailer_length,
  trailer,
  end,
};

}  // namespace

struct Reader::Impl {
  explicit Impl(ReadContext c) : context(std::move(c)) {}

  /// One whole section. Appends plaintext to `out`, and says in `section` and `wanted` what comes
  /// next.
  Result<> take(ByteView bytes, Bytes& out);
  Result<> take_length(ByteView bytes, std::size_t size_max);
  Result<> take_header(ByteView bytes);
  Result<> take_stanzas(ByteView bytes);
  Result<> take_chunk_length(ByteView bytes);
  Result<> take_chunk(ByteView bytes, Bytes& out);
  Result<> take_trailer(ByteView bytes);
  Result<> check_sender();

  void expect(Section next, std::size_t size) {
    section = next;
    wanted = size;
  }

  ReadContext context;
  Section section = Section::magic;
  std::size_t wanted = magic.size();  // bytes of the section
  Bytes kept;                         // of a section that is not whole yet
  wire::Value header_value;
  std::optional<Header> header;
  const keys::KeyRecord* sender = nullptr;
  std::optional<crypto::StreamOpener> opener;
  crypto::Sha256 hash;
  std::uint64_t len = 0;
};

Result<> Reader::Impl::take(ByteView bytes, Bytes& out) {
  switch (section) {
    case Section::magic:
      if (as_text(bytes) != magic && !mutant("container.skip_magic"))
        return fail(Code::unknown_ams_tag, "magic");
      expect(Section::header_length, length_size);
      return {};
    case Section::header_length:
      return take_length(bytes, header_size_max);
    case Section::header:
      return take_header(bytes);
    case Section::stanzas_length:
      return take_length(bytes, stanzas_size_max);
    case Section::stanzas:
      return take_stanzas(bytes);
    case Section::stream_header:
      hash.update(bytes);
      len += bytes.size();
      expect(Section::chunk_length, chunk_length_size);
      return opener->push(bytes, out);
    case Section::chunk_length:
      return take_chunk_length(bytes);
    case Section::chunk:
      return take_chunk(bytes, out);
    case Section::trailer_length:
      return take_length(bytes, trailer_size_max);
    case Section::trailer:
      return take_trailer(bytes);
    case Section::end:
      break;
  }
  if (mutant("container.accept_trailing")) return {};
  return fail(Code::schema, "bytes after the trailer");
}

/// A hostile length must not make us buffer.
Result<> Reader::Impl::take_length(ByteView bytes, std::size_t size_max) {
  const std::uint32_t size = read_u32(bytes);
  if (size > size_max && !mutant("container.accept_large_section"))
    return fail(Code::object_too_large, "section");
  expect(static_cast<Section>(static_cast<int>(section) + 1), size);
  return {};
}

Result<> Reader::Impl::take_header(ByteView bytes) {
  AMS_TRY(header_value, wire::decode(bytes));
  AMS_TRY(header, parse_header(header_value));
  AMS_CHECK(check_sender());
  expect(Section::stanzas_length, length_size);
  return {};
}

Result<> Reader::Impl::check_sender() {
  sender = context.sender ? context.sender(header->sender) : nullptr;
  if (sender == nullptr)
    return fail(mutant("container.wrong_code_sender") ? Code::no_stanza : Code::not_found,
                "sender's record");
  if (sender->id().kid != header->sender.kid && !mutant("container.skip_sender_kid"))
    return fail(Code::kid_mismatch, "sender's record");
  if (sender->id().fp != header->sender.fp && !mutant("container.skip_sender_fp"))
    return fail(Code::fp_mismatch, "sender's record");
  AMS_CHECK(sender->valid_at(from_unix_ms(header->ts)));
  if (header->ts > context.now + clock_tolerance_ms && !mutant("container.accept_future"))
    return fail(Code::not_yet_valid, "ts");
  return {};
}

Result<> Reader::Impl::take_stanzas(ByteView bytes) {
  AMS_TRY(const wire::Value value, wire::decode(bytes));
  AMS_TRY(const std::vector<mail::Stanza> stanzas, mail::parse_stanzas(value));
  const auto same = [](const mail::Stanza& stanza, const Hash& fp) { return stanza.to.fp == fp; };
  const bool listed =
      std::equal(stanzas.begin(), stanzas.end(), header->to.begin(), header->to.end(), same);
  if (!listed && !mutant("container.skip_to")) return fail(Code::deliver_to, "stanzas");
  const auto addressed = [&](const keys::KeyId& id) {
    const auto names_it = [&](const mail::Stanza& stanza) { return stanza.to == id; };
    return std::any_of(stanzas.begin(), stanzas.end(), names_it);
  };
  const keys::KeyRecord* own = context.own_record;
  const crypto::DecryptionKey* own_key = context.own_key;
  for (const keys::KeyPair* pair : context.former) {
    if (addressed(own->id())) break;
    own = &pair->record;
    own_key = &pair->encryption;
  }
  const mail::WrapHeader wrapped{header->aead, header->epk,
                                 crypto::sha256(wire::encode(header_value))};
  AMS_TRY(const crypto::Secret key, mail::unwrap_key(wrapped, stanzas, *own, *own_key));
  opener.emplace(header->aead, key.view(), stream_context(wrapped.h0));
  expect(Section::stream_header, crypto::stream_header_size);
  return {};
}

Result<> Reader::Impl::take_chunk_length(ByteView bytes) {
  const std::size_t size = std::size_t{bytes[0]} << 8 | bytes[1];
  if (size < crypto::aead_tag_size || size > sealed_chunk_size)
    return fail(mutant("container.wrong_code_chunk_length") ? Code::stream_truncated : Code::chunk,
                "length");
  expect(Section::chunk, size);
  return {};
}

Result<> Reader::Impl::take_chunk(ByteView bytes, Bytes& out) {
  const bool last = bytes.size() < sealed_chunk_size;
  hash.update(bytes);
  len += bytes.size();
  Result<> opened = opener->push(bytes, out);
  if (opened && last) opened = opener->finish(out);
  if (!opened && mutant("container.release_before_verify")) append(out, bytes);
  AMS_CHECK(opened);
  if (last) {
    expect(Section::trailer_length, length_size);
  } else {
    expect(Section::chunk_length, chunk_length_size);
  }
  return {};
}

Result<> Reader::Impl::take_trailer(ByteView bytes) {
  AMS_TRY(const wire::Value value, wire::decode(bytes));
  AMS_TRY(const Trailer trailer, parse_trailer(value));
  expect(Section::end, 1);
  if (mutant("container.skip_trailer")) return {};
  if (trailer.len != len && !mutant("container.skip_len")) return fail(Code::blob_hash, "length");
  if (trailer.hash != hash.finish() && !mutant("container.skip_hash"))
    return fail(Code::blob_hash, "hash");
  return keys::verify_beside(signed_form(header_value, trailer), trailer.asig, sender->signing());
}

Reader::Reader(ReadContext context) : impl_(std::make_unique<Impl>(std::move(context))) {
  AMS_ASSERT(impl_->context.own_record != nullptr && impl_->context.own_key != nullptr);
}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

Result<> Reader::push(ByteView in, Bytes& out) {
  Impl& impl = *impl_;
  while (!in.empty() || impl.wanted == 0) {  // a section of no bytes is whole at once
    const std::size_t more = std::min(impl.wanted - impl.kept.size(), in.size());
    if (impl.kept.empty() && more == impl.wanted) {
      AMS_CHECK(impl.take(in.first(more), out));
    } else {
      append(impl.kept, in.first(more));
      if (impl.kept.size() == impl.wanted) {
        const Bytes whole = std::exchange(impl.kept, {});
        AMS_CHECK(impl.take(whole, out));
      }
    }
    in = in.subspan(more);
  }
  return {};
}

Result<> Reader::finish() {
  if (impl_->section != Section::end && !mutant("container.accept_truncated"))
    return fail(Code::stream_truncated, "container");
  return {};
}

std::optional<keys::KeyId> Reader::sender() const {
  if (!impl_->header) return std::nullopt;
  return impl_->header->sender;
}
std::int64_t Reader::sealed_at() const { return impl_->header ? impl_->header->ts : 0; }

}  // namespace ams::container
