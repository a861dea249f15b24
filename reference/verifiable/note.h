// Signed notes (c2sp.org/signed-note) with Ed25519 signatures and witness cosignatures
// (c2sp.org/tlog-cosignature, cosignature/v1), restricted to ASCII: spec CKP-1 to CKP-6.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/crypto.h"

namespace ams::verifiable {

inline constexpr std::size_t note_size_max = 128 * 1024;  // room for 16 post-quantum signatures
inline constexpr std::size_t note_signatures_max = 32;
inline constexpr std::size_t note_name_size_max = 100;
inline constexpr std::uint64_t note_number_max = (std::uint64_t{1} << 63) - 1;

struct NoteSignature {
  std::string name;
  std::array<std::uint8_t, 4> key_id;
  Bytes blob;  // what follows the key id: 64 bytes of Ed25519; a cosignature has 8 of time before
  friend bool operator==(const NoteSignature&, const NoteSignature&) = default;
};

struct Note {
  std::string text;  // with its final newline
  std::vector<NoteSignature> signatures;
  friend bool operator==(const Note&, const Note&) = default;
};

/// The text, an empty line, a line "— name base64" for each signature. Inverse of parse_note.
std::string format(const Note& note);
/// Fails with object_too_large, then proof_form. What it accepts, format writes back byte for byte.
Result<Note> parse_note(std::string_view in);
/// 1 to 100 printable ASCII characters without space and plus.
bool is_note_name(std::string_view name);
/// An ASCII decimal without leading zeros, at most 2^63-1; fails with proof_form.
Result<std::uint64_t> parse_note_number(std::string_view digits);

/// Strict base64 of RFC 4648 section 4, with padding.
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);

enum class NoteKeyType : std::uint8_t { ed25519 = 0x01, cosignature_v1 = 0x04 };

/// Who may sign: a name, a type and an Ed25519 key. The key id follows from all three.
class NoteKey {
 public:
  /// Fails with proof_form (name), unknown_algorithm (not Ed25519).
  static Result<NoteKey> make(std::string name, NoteKeyType type, crypto::VerifyKey key);
  /// "name+hex of the key id+base64 of type and key". Fails with proof_form, key_material.
  static Result<NoteKey> parse(std::string_view vkey);
  std::string format() const;
  const std::string& name() const { return name_; }
  NoteKeyType type() const { return type_; }
  const std::array<std::uint8_t, 4>& id() const { return id_; }
  const crypto::VerifyKey& key() const { return key_; }

 private:
  NoteKey(std::string name, NoteKeyType type, crypto::VerifyKey key);
  std::string name_;
  NoteKeyType type_;
  crypto::VerifyKey key_;
  std::array<std::uint8_t, 4> id_;
};

std::array<std::uint8_t, 4> note_key_id(std::string_view name, NoteKeyType type, ByteView key);

/// `key`: Ed25519. `text` ends in a newline.
Result<NoteSignature> sign_note(std::string_view text, std::string name,
                                const crypto::SigningKey& key);
Result<NoteSignature> cosign(std::string_view text, std::string name, const crypto::SigningKey& key,
                             std::uint64_t time_s);

/// All signatures under the key's name and id must verify and there must be one, else `signature`.
/// Gives the latest time of a cosignature, 0 for a plain signature.
Result<std::uint64_t> verify_note(const Note& note, const NoteKey& key);

}  // namespace ams::verifiable
