// The inside of a key file (spec KFL-3, KFL-4). Private halves stand outside its JSON, so that they
// are in no tree of values and in no text, only in memory that is wiped.
#pragma once

#include "keyfile/keyfile.h"

namespace ams::keyfile {

crypto::Secret contents_layout(const std::string& addr, std::span<const Source> pairs);
/// Fails with body_layout, encoding and schema codes, those of key records and revocations,
/// key_material. Its inverse on what it takes.
Result<Contents> parse_contents(ByteView plain);

}  // namespace ams::keyfile
