// Properties: a note, a checkpoint text and a verifier key that are accepted are written back byte
// for byte.
#include <cstdlib>

#include "verifiable/checkpoint.h"
#include "verifiable/rewrite.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ams::verifiable;
  const std::string_view in = ams::as_text({data, size});
  if (const auto note = parse_note(in); note && format(*note) != in) std::abort();
  if (const auto checkpoint = parse_checkpoint(in);
      checkpoint && checkpoint_text(*checkpoint) != in)
    std::abort();
  if (const auto key = NoteKey::parse(in); key && key->format() != in) std::abort();
  static const NoteKey log =
      *NoteKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  if (verify_conviction(in, log) || verify_rewrite(in, log))
    std::abort();  // nobody has its second signature
  return 0;
}
