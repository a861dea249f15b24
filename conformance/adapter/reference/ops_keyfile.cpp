// Ops of key files and of fingerprints for people.
#include "adapter/ops.h"
#include "keyfile/contents.h"
#include "keys/fingerprint.h"

namespace ams::adapter {
namespace {

Json shown(const keyfile::Contents& contents) {
  Json list = Json::array();
  for (const keyfile::Held& held : contents.pairs)
    list.push_back(Json{{"kid", to_uuid_text(held.pair.record.id().kid)},
                        {"revocation", held.revocation.has_value()}});
  return Json{{"addr", contents.addr}, {"keys", std::move(list)}};
}

Answer keyfile_contents(const Args& args) {
  AMS_TRY(const keyfile::Contents contents, keyfile::parse_contents(args.bytes("plain_b64")));
  return shown(contents);
}

Answer keyfile_open(const Args& args) {
  AMS_TRY(const keyfile::Contents contents,
          keyfile::open(args.bytes("file_b64"), args.bytes("passphrase_b64")));
  return shown(contents);
}

Answer fingerprint_words(const Args& args) {
  const auto fp = args.fixed<32>("fp_b64");
  return Json{{"words", keys::fingerprint_words(fp)}, {"code", keys::fingerprint_code(fp)}};
}

Answer fingerprint_read(const Args& args) {
  AMS_TRY(const keys::PartialFingerprint read, keys::read_fingerprint(args.text("text")));
  return Json{{"bytes_b64", to_base64url(read.bytes)}};
}

}  // namespace

std::vector<Op> keyfile_ops() {
  return {{"fingerprint.read", fingerprint_read},
          {"fingerprint.words", fingerprint_words},
          {"keyfile.contents", keyfile_contents},
          {"keyfile.open", keyfile_open}};
}

}  // namespace ams::adapter
