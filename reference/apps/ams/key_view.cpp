#include "ams_cli/key_view.h"

#include <fmt/format.h>

#include "ams_cli/home.h"
#include "ams_cli/new_keys.h"
#include "ams_cli/qr.h"
#include "ams_cli/terminal.h"
#include "keys/fingerprint.h"

namespace ams::cli {
namespace {

std::string_view name_of(Whose whose) {
  switch (whose) {
    case Whose::in_use:
      return "in use";
    case Whose::next:
      return "next";
    case Whose::former:
      return "former";
    case Whose::others:
      break;
  }
  return "others'";
}

bool expired(const KeyView& view) { return now_ms() >= view.record.exp(); }

/// Words in rows of four, hexadecimal digits in groups of eight: to be read aloud.
std::string in_rows(const std::string& text, char between, std::size_t group, std::size_t groups,
                    const std::string& margin) {
  std::string out;
  std::size_t count = 0, at = 0;
  while (at < text.size()) {
    std::size_t end = between == '\0' ? at + group : text.find(between, at);
    end = std::min(end, text.size());
    if (count > 0) out += count % groups == 0 ? "\n" + margin : " ";
    out += text.substr(at, end - at);
    at = end + (between == '\0' ? 0 : 1);
    ++count;
  }
  return out;
}

std::string setting_of(const std::string& addr) { return "verified " + addr; }

}  // namespace

std::string line_of(const KeyView& view) {
  return fmt::format("{}  {:<6}  {:<8}  {} to {}{}", to_uuid_text(view.record.id().kid),
                     name_of(view.whose), profile_of(view.record), date_of(view.record.nbf()),
                     date_of(view.record.exp()), expired(view) ? "  EXPIRED" : "");
}

std::string text_of(const KeyView& view) {
  const std::string margin(13, ' ');
  const Hash& fp = view.record.id().fp;
  std::string out;
  const auto add = [&](std::string_view name, const std::string& what) {
    out += fmt::format("{:<13}{}\n", std::string(name) + ":", what);
  };
  if (!view.addr.empty()) add("Address", view.addr);
  add("Key", to_uuid_text(view.record.id().kid));
  add("Words", in_rows(keys::fingerprint_words(fp), '-', 0, 4, margin));
  add("Fingerprint", in_rows(to_hex(fp), '\0', 8, 4, margin));
  add("Kind",
      fmt::format("{} ({}, {})", profile_of(view.record), crypto::name(view.record.signing().alg()),
                  crypto::name(view.record.encryption().kem())));
  add("Valid", fmt::format("{} to {}{}", date_of(view.record.nbf()), date_of(view.record.exp()),
                           expired(view) ? ", EXPIRED" : ""));
  add("Custody", std::string(keys::name(view.record.custody())));
  if (view.whose != Whose::others)
    add("Private key", fmt::format("on this device, {}", name_of(view.whose)));
  if (view.verified && view.verified->this_key)
    add("Compared", "on " + date_of(view.verified->at) + ", the same");
  if (view.verified && !view.verified->this_key)
    add("Compared", "NOT this key: another one was compared on " + date_of(view.verified->at));
  return out;
}

std::string text_of(const keys::Card& card) {
  std::string out;
  const auto add = [&](std::string_view name, const std::optional<std::string>& what) {
    if (!what) return;
    std::string lines;
    for (const char c : *what) lines += c == '\n' ? "\n" + std::string(13, ' ') : std::string(1, c);
    out += fmt::format("{:<13}{}\n", std::string(name) + ":", lines);
  };
  add("Name", card.name);
  add("E-mail", card.email);
  add("Organisation", card.org);
  add("Description", card.desc);
  if (out.empty()) return out;
  return "Its owner says of itself, and nobody has verified it:\n" + out;
}

wire::Value json_of(const keys::Card& card) {
  wire::Object out;
  const auto add = [&](const char* name, const std::optional<std::string>& what) {
    if (what) out.emplace(name, *what);
  };
  add("name", card.name);
  add("email", card.email);
  add("org", card.org);
  add("desc", card.desc);
  return wire::Value(std::move(out));
}

wire::Value json_of(const KeyView& view) {
  const keys::KeyRecord& record = view.record;
  wire::Object out{{"kid", to_uuid_text(record.id().kid)},
                   {"fp", to_hex(record.id().fp)},
                   {"words", keys::fingerprint_words(record.id().fp)},
                   {"profile", profile_of(record)},
                   {"sig_alg", crypto::name(record.signing().alg())},
                   {"kem", crypto::name(record.encryption().kem())},
                   {"nbf", record.nbf()},
                   {"exp", record.exp()},
                   {"custody", keys::name(record.custody())},
                   {"whose", name_of(view.whose)}};
  if (!view.addr.empty()) out.emplace("addr", view.addr);
  if (view.verified)
    out.emplace("compared",
                wire::Object{{"at", view.verified->at}, {"same", view.verified->this_key}});
  return out;
}

std::string qr_of(const KeyView& view) {
  return qr_code(keys::fingerprint_code(view.record.id().fp));
}

bool remember_verified(storage::Storage& storage, const std::string& addr, const keys::KeyId& key,
                       std::int64_t now_ms) {
  const wire::Value row = wire::Object{{"at", now_ms}, {"fp", to_base64url(key.fp)}};
  storage::WriteBatch batch;
  batch.puts.push_back(
      storage::Put{table_settings, to_bytes(as_bytes(setting_of(addr))), wire::encode(row)});
  return storage.apply(batch).has_value() && storage.commit().has_value();
}

std::optional<Verified> verified_of(const storage::Reader& reader, const std::string& addr,
                                    const keys::KeyId& key) {
  const auto row = reader.get(table_settings, as_bytes(setting_of(addr))).value_or(std::nullopt);
  if (!row) return std::nullopt;
  const auto value = wire::decode(*row);
  const wire::Value* at = value ? value->find("at") : nullptr;
  const wire::Value* fp = value ? value->find("fp") : nullptr;
  if (!at || !fp) return std::nullopt;
  return Verified{at->as_integer(), fp->as_string() == to_base64url(key.fp)};
}

}  // namespace ams::cli
