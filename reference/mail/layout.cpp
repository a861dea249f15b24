#include "mail/layout.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::mail {

namespace {

std::size_t prefix_size(LengthField field) { return static_cast<std::size_t>(field); }

void append_length(Bytes& out, std::size_t size, LengthField field) {
  AMS_ASSERT(field == LengthField::u64 || size <= 0xffffffffu);
  if (field == LengthField::u32) {
    append_u32(out, static_cast<std::uint32_t>(size));
  } else {
    append_u64(out, size);
  }
}

}  // namespace

Bytes lay_out(ByteView content, LengthField field) {
  Bytes out = begin_layout(field, content.size());
  append(out, content);
  finish_layout(out, field);
  return out;
}

Bytes begin_layout(LengthField field, std::size_t content_size) {
  Bytes out;
  out.reserve(crypto::padme(prefix_size(field) + content_size));
  out.resize(prefix_size(field));
  return out;
}

void finish_layout(Bytes& out, LengthField field) {
  const std::size_t prefix = prefix_size(field);
  Bytes length;
  append_length(length, out.size() - prefix, field);
  std::copy(length.begin(), length.end(), out.begin());
  const std::uint64_t size = crypto::padme(out.size());
  if (size > out.capacity()) {
    Bytes larger;
    larger.reserve(size);
    append(larger, out);
    crypto::wipe(out.data(), out.size());
    out = std::move(larger);
  }
  out.resize(size);
}

Bytes seal_layout(crypto::StreamSealer sealer, ByteView content, LengthField field) {
  Bytes length;
  append_length(length, content.size(), field);
  const std::uint64_t used = length.size() + content.size();
  const std::uint64_t size = crypto::padme(used);
  Bytes out;
  out.reserve(crypto::sealed_size(size));
  sealer.push(length, out);
  sealer.push(content, out);
  const Bytes zeros(std::min<std::uint64_t>(size - used, crypto::stream_chunk_size));
  for (std::uint64_t left = size - used; left > 0;) {
    const std::size_t take = std::min<std::uint64_t>(left, zeros.size());
    sealer.push(ByteView(zeros).first(take), out);
    left -= take;
  }
  sealer.finish(out);
  return out;
}

Result<ByteView> take_out(ByteView plain, LengthField field) {
  const std::size_t prefix = prefix_size(field);
  if (plain.size() < prefix) return fail(Code::body_layout, "length");
  std::uint64_t size = field == LengthField::u32 ? read_u32(plain) : read_u64(plain);
  // Compared without a sum: a hostile length must not wrap.
  if (size > plain.size() - prefix && mutant("mail.accept_layout_length"))
    size = plain.size() - prefix;
  if (size > plain.size() - prefix) return fail(Code::body_layout, "length");
  const ByteView content = plain.subspan(prefix, size);
  if (mutant("mail.skip_layout")) return content;
  if (plain.size() != crypto::padme(prefix + size)) return fail(Code::body_layout, "padded size");
  const ByteView padding = plain.subspan(prefix + size);
  const bool zero =
      std::all_of(padding.begin(), padding.end(), [](auto byte) { return byte == 0; });
  if (!zero) return fail(Code::body_layout, "padding");
  return content;
}

}  // namespace ams::mail
