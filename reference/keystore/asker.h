// The asking side of ams-ks/1: what a client keeps of a question, and what it believes of an answer
// (spec KST-33 … KST-36). A key store may be down, slow or lying; nothing here trusts it.
#pragma once

#include "keystore/messages.h"

namespace ams::keystore {

/// The X25519 key to which `export` seals for a device: derived from its Ed25519 key, so that a
/// device keeps one secret only.
crypto::DecryptionKey device_encryption_key(const crypto::SigningKey& device);
/// The device as an administrator enters it in the access list.
Device device_of(const crypto::SigningKey& device);

/// Judges the answer to `asked`. Fails with the answer's own code when the store refused (an
/// unknown one as keystore_answer), or with
///   keystore_answer  it is malformed, for another request or of another op's form
///   kid_mismatch     it speaks of another key
///   signature        (sign) what it gives is no signature by `record` over the text
///   key_origin, key_material (create, rotate) the record is not of custody corporate, or not of
///                    the profile asked for; KEY-8's codes
/// `record`: the key asked for, where it is known; needed for sign. A wrong shared secret shows
/// only where it is used (`unwrap`).
Result<Ok> judge_answer(const Request& asked, ByteView answer, const keys::KeyRecord* record);

/// Opens what `export` gave. Fails with unwrap, or with key_material when it is not the private
/// half of `record`.
Result<crypto::DecryptionKey> open_export(const Exported& exported, const keys::KeyRecord& record,
                                          const crypto::SigningKey& device);
/// HPKE info of an export (KST-22).
Bytes export_info(const keys::KeyId& key, const Hash& device);

}  // namespace ams::keystore
