// The letter as text (spec MSG-24), written without a tree: it is as large as the mail, and it
// holds the letter's keys, which must not lie about in copies.
#pragma once

#include <span>
#include <vector>

#include "crypto/crypto.h"
#include "mail/letter.h"
#include "wire/value.h"

namespace ams::mail {

/// All that leaf 0 says. Precondition: check_draft passed.
struct LetterSource {
  const Draft& draft;
  const Id16& mid;
  const keys::KeyId& sender;
  const wire::Value& binding;
  const wire::Value& proof;  // {}: none
};

/// AMS-CJ of leaf 0: the letter without fk, parts and att.
Bytes leaf0_text(const LetterSource& source);

/// The whole letter, laid out for sealing (MSG-21), and where its parts stand in that.
struct LetterText {
  crypto::Secret laid_out;
  std::vector<ByteView> parts;  // AMS-CJ of each, in `laid_out`
};
LetterText letter_text(const LetterSource& source, std::span<const AttachmentInfo> attachments,
                       ByteView fk);

/// AMS-CJ of an attachment's leaf: what the letter says of it but its key (MSG-25).
Bytes attachment_leaf_text(const AttachmentInfo& attachment);

}  // namespace ams::mail
