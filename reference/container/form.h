// The objects of a container as values (spec CON-3, CON-9).
#pragma once

#include <vector>

#include "container/container.h"
#include "mail/wrap.h"
#include "wire/value.h"

namespace ams::container {

inline constexpr std::size_t sealed_chunk_size =
    crypto::stream_chunk_size + crypto::aead_tag_size;  // bytes of every chunk but the last

struct Header {  // CON-3
  Id16 id{};
  crypto::Aead aead = crypto::Aead::a256gcm;
  keys::KeyId sender;
  std::int64_t ts = 0;
  std::vector<Hash> to;  // fps, in the order of the stanzas
  std::optional<Hash> epk;
};
wire::Value to_value(const Header& header);
Result<Header> parse_header(const wire::Value& value);

struct Trailer {  // CON-9
  std::uint64_t len = 0;
  Hash hash{};
  Bytes asig;
};
wire::Value to_value(const Trailer& trailer);
Result<Trailer> parse_trailer(const wire::Value& value);

/// What asig signs: the header with the trailer's `body` (CON-10).
wire::Value signed_form(wire::Value header, const Trailer& trailer);
/// Context of the stream (CON-7).
Bytes stream_context(const Hash& h0);

}  // namespace ams::container
