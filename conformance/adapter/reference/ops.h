// The ops, each the judgement of one object.
#pragma once

#include <string_view>
#include <vector>

#include "adapter/args.h"
#include "verifiable/note.h"

namespace ams::adapter {

struct Op {
  std::string_view name;
  Answer (*run)(const Args& args);
};
/// Sorted by name. hello is not among them.
const std::vector<Op>& ops();

/// Parts of that table: messages, containers and franking; primitives; the binding log; the key
/// store; key files; map, log and notes; what a directory says.
std::vector<Op> message_ops();
std::vector<Op> crypto_ops();
std::vector<Op> bindlog_ops();
std::vector<Op> keystore_ops();
std::vector<Op> keyfile_ops();
std::vector<Op> verifiable_ops();
std::vector<Op> directory_ops();

/// chain_b64, root_kid, root_fp and, where it is given, domain: verified (DOM-5).
Result<keys::Chain> chain_of(const Args& args);
/// A verifier key as CKP-3 writes it, of this type.
Result<verifiable::NoteKey> note_key(const std::string& text, verifiable::NoteKeyType type);
/// witnesses and quorum, where they are given.
Result<std::vector<verifiable::NoteKey>> witnesses_of(const Args& args);
std::size_t quorum_of(const Args& args);

}  // namespace ams::adapter
