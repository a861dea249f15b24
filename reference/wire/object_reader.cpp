// Schema checks on one object of a decoded text.
#include <algorithm>

#include "policy/mutant.h"
#include "wire/value.h"

namespace ams::wire {
namespace {

constexpr std::string_view base64url_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Only for a mutant.
std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return text;
}

/// Only for the mutant: drops padding and clears the bits that the last character has too many.
std::optional<Bytes> from_lax_base64url(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  const std::size_t index = text.empty() ? std::string::npos : base64url_alphabet.find(text.back());
  if (index != std::string::npos && text.size() % 4 == 2)
    text.back() = base64url_alphabet[index & 0x30];
  if (index != std::string::npos && text.size() % 4 == 3)
    text.back() = base64url_alphabet[index & 0x3c];
  return from_base64url(text);
}

std::optional<Bytes> read_base64url(const std::string& text) {
  auto bytes = from_base64url(text);
  if (!bytes && mutant("wire.accept_base64_trailing")) return from_lax_base64url(text);
  return bytes;
}

}  // namespace

ObjectReader::ObjectReader(const Value& value, std::string_view what, Unknown unknown)
    : value_(&value), what_(what), unknown_(unknown) {
  if (!value.is_object())
    record(mutant("wire.wrong_code_no_object") ? Code::unknown_ams_tag : Code::schema, what);
}

void ObjectReader::record(Code code, std::string_view where) {
  if (!error_) error_ = Error{code, where};
}

void ObjectReader::missing(std::string_view name) {
  record(mutant("wire.wrong_code_missing") ? Code::unknown_member : Code::schema, name);
}

void ObjectReader::wrong_type(std::string_view name) {
  record(mutant("wire.wrong_code_type") ? Code::unknown_ams_tag : Code::schema, name);
}

const Value* ObjectReader::take(std::string_view name) {
  taken_.push_back(name);
  return value_->find(name);
}

const Value* ObjectReader::need(std::string_view name) {
  const Value* member = take(name);
  if (member == nullptr) missing(name);
  return member;
}

std::string ObjectReader::string(std::string_view name, std::size_t size_max) {
  auto text = optional_string(name, size_max);
  if (!text) missing(name);
  return std::move(text).value_or(std::string());
}

std::optional<std::string> ObjectReader::optional_string(std::string_view name,
                                                         std::size_t size_max) {
  const Value* member = take(name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) {
    wrong_type(name);
    return std::nullopt;
  }
  if (member->as_string().size() > size_max && !mutant("wire.accept_size")) {
    record(mutant("wire.wrong_code_size") ? Code::schema : Code::object_too_large, name);
    return std::nullopt;
  }
  return member->as_string();
}

std::int64_t ObjectReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const auto value = optional_integer(name, min, max);
  if (!value) missing(name);
  return value.value_or(min);
}

std::optional<std::int64_t> ObjectReader::optional_integer(std::string_view name, std::int64_t min,
                                                           std::int64_t max) {
  const Value* member = take(name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_integer() && mutant("wire.accept_wrong_type")) return min;
  if (!member->is_integer()) {
    wrong_type(name);
    return std::nullopt;
  }
  const std::int64_t value = member->as_integer();
  if ((value < min || value > max) && !mutant("wire.accept_range")) {
    record(Code::schema, name);
    return std::nullopt;
  }
  return std::clamp(value, min, max);  // a mutant may break the rule, not what builds on it
}

bool ObjectReader::boolean(std::string_view name) {
  const Value* member = need(name);
  if (member == nullptr) return false;
  if (!member->is_bool()) record(Code::schema, name);
  return member->is_bool() && member->as_bool();
}

bool ObjectReader::optional_boolean(std::string_view name, bool otherwise) {
  return value_->find(name) == nullptr ? (take(name), otherwise) : boolean(name);
}

Bytes ObjectReader::binary(std::string_view name, std::size_t size_min, std::size_t size_max) {
  auto bytes = optional_binary(name, size_min, size_max);
  if (!bytes) missing(name);
  return std::move(bytes).value_or(Bytes());
}

std::optional<Bytes> ObjectReader::optional_binary(std::string_view name, std::size_t size_min,
                                                   std::size_t size_max) {
  const Value* member = take(name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) {
    wrong_type(name);
    return std::nullopt;
  }
  auto bytes = read_base64url(member->as_string());
  if (bytes && mutant("wire.accept_length"))
    bytes->resize(std::clamp(bytes->size(), size_min, size_max));
  if (!bytes || bytes->size() < size_min || bytes->size() > size_max) {
    record(Code::base64url, name);
    return std::nullopt;
  }
  return bytes;
}

Id16 ObjectReader::uuid(std::string_view name) {
  const Value* member = need(name);
  if (member == nullptr) return {};
  auto id = member->is_string() ? from_uuid_text(member->as_string()) : std::nullopt;
  if (!id && member->is_string() && mutant("wire.accept_kid_case"))
    id = from_uuid_text(lower(member->as_string()));
  if (!id && !member->is_string()) wrong_type(name);
  if (!id) record(Code::schema, name);
  return id.value_or(Id16{});
}

const Value& ObjectReader::any(std::string_view name) {
  static const Value empty;
  const Value* member = need(name);
  return member == nullptr ? empty : *member;
}

const Value* ObjectReader::optional(std::string_view name) { return take(name); }

const Array& ObjectReader::array(std::string_view name, std::size_t count_max) {
  static const Array empty;
  const Value* member = need(name);
  if (member == nullptr) return empty;
  if (!member->is_array()) {
    wrong_type(name);
    return empty;
  }
  if (member->as_array().size() > count_max && !mutant("wire.accept_large")) {
    record(Code::object_too_large, name);
    return empty;
  }
  return member->as_array();
}

void ObjectReader::tag(std::string_view expected) {
  const Value* member = need("ams");
  if (member == nullptr) return;
  if (!member->is_string()) return wrong_type("ams");
  if (member->as_string() != expected && !mutant("wire.accept_tag"))
    record(Code::unknown_ams_tag, what_);
}

Result<> ObjectReader::finish() {
  if (error_) return tl::unexpected<Error>(*error_);
  for (const auto& [name, member] : value_->as_object()) {
    const bool ignored = unknown_ == Unknown::ignore_x && !mutant("wire.refuse_x_members");
    if (ignored && name.starts_with("x_")) continue;
    if (std::find(taken_.begin(), taken_.end(), name) != taken_.end()) continue;
    if (!mutant("wire.accept_unknown_member")) return fail(Code::unknown_member, what_);
  }
  return {};
}

}  // namespace ams::wire
