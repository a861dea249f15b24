#include "verifiable/note.h"

#include <algorithm>

#include "policy/mutant.h"

namespace ams::verifiable {
namespace {

constexpr std::string_view dash = "\xe2\x80\x94 ";  // an em dash and a space

bool is_printable(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

/// The first line of `in`, without its newline, which must be there.
Result<std::string_view> next_line(std::string_view& in) {
  const auto end = in.find('\n');
  if (end == std::string_view::npos) return fail(Code::proof_form, "note line");
  const std::string_view line = in.substr(0, end);
  in.remove_prefix(end + 1);
  return line;
}

Code note_form() {
  return ams::mutant("verifiable.wrong_code_note") ? Code::signature : Code::proof_form;
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(dash)) return fail(note_form(), "signature line");
  line.remove_prefix(dash.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return fail(note_form(), "signature line");
  const std::string_view name = line.substr(0, space);
  const auto blob = from_base64(line.substr(space + 1));
  if (!is_note_name(name) && !ams::mutant("verifiable.accept_any_name"))
    return fail(Code::proof_form, "signature line");
  const std::size_t least = ams::mutant("verifiable.accept_empty_signature") ? 4 : 5;
  if (!blob || blob->size() < least) return fail(note_form(), "signature line");
  const ByteView bytes(*blob);
  return NoteSignature{std::string(name), *to_array<4>(bytes.first(4)), to_bytes(bytes.subspan(4))};
}

Bytes cosigned_message(std::string_view text, std::uint64_t time_s) {
  Bytes out = to_bytes(std::string_view("cosignature/v1\ntime "));
  append(out, std::to_string(time_s));
  append(out, "\n");
  append(out, text);
  return out;
}

/// The time, 0 for a plain signature.
Result<std::uint64_t> verify_one(const Note& note, const NoteSignature& signature,
                                 const NoteKey& key) {
  const ByteView blob(signature.blob);
  if (key.type() == NoteKeyType::ed25519) {
    if (!ams::mutant("verifiable.skip_note_signature"))
      AMS_CHECK(key.key().verify(as_bytes(note.text), blob));
    return 0;
  }
  if (blob.size() != 8 + 64) return fail(Code::signature, "cosignature size");
  const std::uint64_t time_s = read_u64(blob);
  if (time_s > note_number_max && !ams::mutant("verifiable.accept_any_time"))
    return fail(Code::signature, "cosignature time");
  if (!ams::mutant("verifiable.skip_cosignature"))
    AMS_CHECK(key.key().verify(cosigned_message(note.text, time_s), blob.subspan(8)));
  return time_s;
}

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string out = to_base64url(bytes);
  std::replace(out.begin(), out.end(), '-', '+');
  std::replace(out.begin(), out.end(), '_', '/');
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  std::string url(text);
  for (char& c : url) {
    if (c == '-' || c == '_') return std::nullopt;
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return from_base64url(url);
}

bool is_note_name(std::string_view name) {
  return !name.empty() && name.size() <= note_name_size_max &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > 0x20 && c <= 0x7e && c != '+'; });
}

Result<std::uint64_t> parse_note_number(std::string_view digits) {
  const bool zero_first = digits.size() > 1 && digits[0] == '0';
  const bool zero_refused = zero_first && !ams::mutant("verifiable.accept_leading_zero");
  if (digits.empty() || digits.size() > 19 || zero_refused) return fail(Code::proof_form, "number");
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return fail(Code::proof_form, "number");
    value = value * 10 + static_cast<std::uint64_t>(c - '0');  // 19 digits fit
  }
  if (value > note_number_max) return fail(Code::proof_form, "number");
  return value;
}

std::string format(const Note& note) {
  std::string out = note.text + "\n";
  for (const NoteSignature& signature : note.signatures) {
    Bytes blob = to_bytes(ByteView(signature.key_id));
    append(blob, signature.blob);
    out.append(dash).append(signature.name).append(" ").append(to_base64(blob)).append("\n");
  }
  return out;
}

Result<Note> parse_note(std::string_view in) {
  if (in.size() > note_size_max && !ams::mutant("verifiable.accept_large_note"))
    return fail(Code::object_too_large, "note");
  // The last empty line parts text and signatures: the text may have some of its own.
  const auto gap = in.rfind("\n\n");
  if (gap == std::string_view::npos) return fail(note_form(), "note");
  if (gap + 2 == in.size()) return fail(note_form(), "no signature");
  if (!in.ends_with('\n')) return fail(note_form(), "signature line");
  // CKP-1 before CKP-2: how many lines there are before any of them is looked into.
  const auto lines = std::count(in.begin() + static_cast<std::ptrdiff_t>(gap) + 2, in.end(), '\n');
  if (static_cast<std::size_t>(lines) > note_signatures_max &&
      !ams::mutant("verifiable.accept_many_signatures"))
    return fail(Code::object_too_large, "note signatures");
  Note note;
  note.text = std::string(in.substr(0, gap + 1));
  for (std::string_view rest = note.text; !rest.empty();) {
    AMS_TRY(const auto line, next_line(rest));
    if (!is_printable(line) && !ams::mutant("verifiable.accept_any_text"))
      return fail(Code::proof_form, "note text");
  }
  in.remove_prefix(gap + 2);
  while (!in.empty()) {
    AMS_TRY(const auto line, next_line(in));
    AMS_TRY(auto signature, parse_signature(line));
    note.signatures.push_back(std::move(signature));
  }
  return note;
}

std::array<std::uint8_t, 4> note_key_id(std::string_view name, NoteKeyType type, ByteView key) {
  Bytes input = to_bytes(name);
  input.push_back('\n');
  input.push_back(static_cast<std::uint8_t>(type));
  append(input, key);
  return *to_array<4>(ByteView(crypto::sha256(input)).first(4));
}

NoteKey::NoteKey(std::string name, NoteKeyType type, crypto::VerifyKey key)
    : name_(std::move(name)),
      type_(type),
      key_(std::move(key)),
      id_(note_key_id(name_, type_, key_.raw())) {}

Result<NoteKey> NoteKey::make(std::string name, NoteKeyType type, crypto::VerifyKey key) {
  if (!is_note_name(name) && !ams::mutant("verifiable.accept_key_of_any_name"))
    return fail(Code::proof_form, "key name");
  if (key.alg() != crypto::SigAlg::ed25519 && !ams::mutant("verifiable.accept_any_algorithm"))
    return fail(Code::unknown_algorithm, "note key");
  return NoteKey(std::move(name), type, std::move(key));
}

Result<NoteKey> NoteKey::parse(std::string_view vkey) {
  const auto plus = vkey.find('+');  // base64 may have more of them
  const Code code =
      ams::mutant("verifiable.wrong_code_note_key") ? Code::signature : Code::proof_form;
  if (plus == std::string_view::npos || vkey.size() < plus + 10 || vkey[plus + 9] != '+')
    return fail(code, "verifier key");
  const auto id = from_hex(vkey.substr(plus + 1, 8));
  const auto material = from_base64(vkey.substr(plus + 10));
  const std::string_view name = vkey.substr(0, plus);
  if (!is_note_name(name) || !id || !material || material->size() != 33 ||
      (material->at(0) != 1 && material->at(0) != 4))
    return fail(code, "verifier key");
  const auto type = static_cast<NoteKeyType>(material->at(0));
  const ByteView raw = ByteView(*material).subspan(1);
  const bool own_id = to_bytes(ByteView(note_key_id(name, type, raw))) == *id;
  if (!own_id && !ams::mutant("verifiable.accept_any_key_id"))
    return fail(Code::proof_form, "verifier key id");
  AMS_TRY(auto key, crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, raw));
  return make(std::string(name), type, std::move(key));
}

std::string NoteKey::format() const {
  Bytes material{static_cast<std::uint8_t>(type_)};
  append(material, key_.raw());
  return name_ + "+" + to_hex(id_) + "+" + to_base64(material);
}

Result<NoteSignature> sign_note(std::string_view text, std::string name,
                                const crypto::SigningKey& key) {
  AMS_TRY(auto signature, key.sign(as_bytes(text)));
  const auto id = note_key_id(name, NoteKeyType::ed25519, key.public_raw());
  return NoteSignature{std::move(name), id, std::move(signature)};
}

Result<NoteSignature> cosign(std::string_view text, std::string name, const crypto::SigningKey& key,
                             std::uint64_t time_s) {
  AMS_TRY(const auto signature, key.sign(cosigned_message(text, time_s)));
  const auto id = note_key_id(name, NoteKeyType::cosignature_v1, key.public_raw());
  Bytes blob;
  append_u64(blob, time_s);
  append(blob, signature);
  return NoteSignature{std::move(name), id, std::move(blob)};
}

Result<std::uint64_t> verify_note(const Note& note, const NoteKey& key) {
  bool found = false;
  std::uint64_t latest = 0;
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name != key.name() || signature.key_id != key.id()) continue;
    AMS_TRY(const auto time_s, verify_one(note, signature, key));
    latest = std::max(latest, time_s);
    found = true;
  }
  if (!found && !ams::mutant("verifiable.accept_unsigned_note"))
    return fail(Code::signature, "no signature of this key");
  return latest;
}

}  // namespace ams::verifiable
