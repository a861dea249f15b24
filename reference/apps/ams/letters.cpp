#include "ams_cli/letters.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "ams_cli/home.h"
#include "base/overload.h"

namespace ams::cli {
namespace {

Bytes letter_key(std::int64_t uid) {
  Bytes out;
  append_u64(out, static_cast<std::uint64_t>(uid));
  return out;
}

Bytes attachment_key(std::int64_t uid, std::size_t i) {
  Bytes out = letter_key(uid);
  append_u32(out, static_cast<std::uint32_t>(i));
  return out;
}

wire::Array texts(const std::vector<std::string>& list) { return {list.begin(), list.end()}; }

wire::Value letter_value(const client::Received& received) {
  const mail::Opened& letter = received.letter;
  wire::Array parts, attachments;
  for (const mail::Part& part : letter.parts)
    parts.push_back(wire::Object{{"type", part.type}, {"text", part.text}});
  for (const mail::AttachmentInfo& a : letter.attachments)
    attachments.push_back(wire::Object{
        {"name", a.name}, {"type", a.type}, {"size", static_cast<std::int64_t>(a.size)}});
  return wire::Object{{"kind", "letter"},
                      {"folder", received.folder},
                      {"ehash", to_base64url(received.ehash)},
                      {"from", letter.from},
                      {"to", texts(letter.to)},
                      {"cc", texts(letter.cc)},
                      {"date", letter.date},
                      {"subject", letter.subject},
                      {"parts", std::move(parts)},
                      {"att", std::move(attachments)}};
}

std::string text_of(const wire::Value& object, std::string_view name) {
  const wire::Value* value = object.find(name);
  return value && value->is_string() ? value->as_string() : std::string();
}

std::string list_of(const wire::Value& object, std::string_view name) {
  std::string out;
  const wire::Value* list = object.find(name);
  if (!list || !list->is_array()) return out;
  for (const wire::Value& item : list->as_array()) {
    if (!out.empty()) out += ", ";
    if (item.is_string()) out += printable(item.as_string(), false);
  }
  return out;
}

std::string date_of(const wire::Value& letter) {
  const wire::Value* date = letter.find("date");
  if (!date || !date->is_integer()) return "-";
  // A stranger's date may be any number: what no calendar holds is shown as it stands.
  constexpr std::int64_t year_10000_ms = 253'402'300'800'000;
  const std::int64_t ms = date->as_integer();
  if (ms < 0 || ms >= year_10000_ms) return std::to_string(ms);
  return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(static_cast<std::time_t>(ms / 1000)));
}

}  // namespace

storage::WriteBatch letter_rows(const client::Report& report) {
  storage::WriteBatch batch;
  const auto put = [&](std::int64_t uid, const wire::Value& value) {
    batch.puts.push_back({table_letters, letter_key(uid), wire::encode(value)});
  };
  std::visit(
      Overload{
          [&](const client::Received& r) {
            put(r.uid, letter_value(r));
            for (std::size_t i = 0; i < r.attachments.size(); ++i)
              batch.puts.push_back({table_attachments, attachment_key(r.uid, i), r.attachments[i]});
          },
          [&](const client::Unreadable& r) {
            put(r.uid, wire::Object{{"kind", "unreadable"},
                                    {"ehash", to_base64url(r.ehash)},
                                    {"code", code_info(r.why.code).name}});
          },
          [&](const client::NoticeReceived& r) {
            const char* verdict = r.notice.failed ? "failed" : "undetermined";
            put(r.uid, wire::Object{{"kind", "notice"},
                                    {"addr", r.notice.addr},
                                    {"verdict", verdict},
                                    {"date", r.notice.ts},
                                    {"code", code_info(r.notice.code).name}});
          },
          [](const auto&) {}},
      report);
  return batch;
}

std::optional<wire::Value> find_letter(const storage::Reader& reader, std::int64_t uid) {
  const auto row = reader.get(table_letters, letter_key(uid));
  if (!row || !*row) return std::nullopt;
  auto value = wire::decode(**row);
  if (!value) return std::nullopt;
  return std::move(*value);
}

std::optional<Bytes> find_attachment(const storage::Reader& reader, std::int64_t uid,
                                     std::size_t i) {
  return reader.get(table_attachments, attachment_key(uid, i)).value_or(std::nullopt);
}

void each_letter(const storage::Reader& reader,
                 const std::function<void(std::int64_t, const wire::Value&)>& visit) {
  const auto row = [&](ByteView key, ByteView bytes) {
    const auto value = wire::decode(bytes);
    if (key.size() == 8 && value) visit(static_cast<std::int64_t>(read_u64(key)), *value);
    return true;
  };
  (void)reader.scan(table_letters, {}, {}, row);
}

std::string printable(std::string_view text, bool lines) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 … U+009F are control characters as well: C2 80 … C2 9F in UTF-8.
    const bool c1 =
        c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if (c1) {
      ++i;
      out += '?';
    } else if (c >= 0x20 && c != 0x7f) {
      out += text[i];
    } else if (lines && (c == '\n' || c == '\t')) {
      out += text[i];
    } else if (c != '\r') {
      out += lines ? '?' : ' ';
    }
  }
  return out;
}

std::string file_name(std::string_view name, std::size_t i) {
  std::string out;
  for (const char c : printable(name, false)) out += c == '/' || c == '\\' ? '_' : c;
  while (!out.empty() && (out.front() == '.' || out.front() == '-')) out.erase(0, 1);
  if (out.size() > 200) out.resize(200);
  return out.empty() ? fmt::format("attachment-{}", i) : out;
}

std::string summary(std::int64_t uid, const wire::Value& letter) {
  const std::string kind = text_of(letter, "kind");
  if (kind == "notice")
    return fmt::format("{:>6}  notices   {:16}  {} to {}: {}", uid, date_of(letter),
                       text_of(letter, "verdict"), printable(text_of(letter, "addr"), false),
                       text_of(letter, "code"));
  if (kind == "unreadable")
    return fmt::format("{:>6}  -         {:16}  does not verify: {}", uid, "-",
                       text_of(letter, "code"));
  return fmt::format("{:>6}  {:8}  {:16}  {}  {}", uid, printable(text_of(letter, "folder"), false),
                     date_of(letter), printable(text_of(letter, "from"), false),
                     printable(text_of(letter, "subject"), false));
}

std::string render(const wire::Value& letter) {
  if (text_of(letter, "kind") != "letter") return summary(0, letter).substr(8) + "\n";
  std::string out = fmt::format("From: {}\nTo: {}\n", printable(text_of(letter, "from"), false),
                                list_of(letter, "to"));
  if (const std::string cc = list_of(letter, "cc"); !cc.empty()) out += "Cc: " + cc + "\n";
  out += fmt::format("Date: {} UTC\nSubject: {}\n", date_of(letter),
                     printable(text_of(letter, "subject"), false));
  const wire::Value* parts = letter.find("parts");
  for (const wire::Value& part : parts ? parts->as_array() : wire::Array()) {
    const std::string type = text_of(part, "type");
    out += type == "text/plain" ? "\n" : fmt::format("\n[{}]\n", printable(type, false));
    out += printable(text_of(part, "text"), true);
    if (!out.ends_with('\n')) out += '\n';
  }
  const wire::Value* attachments = letter.find("att");
  std::size_t i = 0;
  for (const wire::Value& a : attachments ? attachments->as_array() : wire::Array()) {
    out += fmt::format("\nAttachment {}: {} ({}, {} bytes)\n", i, file_name(text_of(a, "name"), i),
                       printable(text_of(a, "type"), false), a.find("size")->as_integer());
    ++i;
  }
  return out;
}

}  // namespace ams::cli
