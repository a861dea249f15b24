#include "vectors_run/explain.h"

#include <fmt/format.h>

#include <algorithm>

namespace ams::conform {
namespace {

using nlohmann::json;

constexpr std::size_t member_shown_max = 300;  // bytes of an input's member

/// What unpadded base64url holds; vectors hold no other.
std::string decoded(const std::string& text) {
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    static constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bits = bits << 6 | static_cast<unsigned>(alphabet.find(c) & 0x3f);
    if ((count += 6) < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

/// Text as it is, other bytes as hexadecimal; what is long is cut.
std::string preview(const std::string& raw) {
  const bool text =
      std::all_of(raw.begin(), raw.end(), [](char c) { return c >= ' ' && c <= '~'; });
  std::string out;
  for (const char c : raw.substr(0, text ? member_shown_max : member_shown_max / 4))
    out += text ? std::string(1, c) : fmt::format("{:02x}", static_cast<unsigned char>(c));
  const bool cut = raw.size() > (text ? member_shown_max : member_shown_max / 4);
  return fmt::format("{} bytes{} {}{}", raw.size(), text ? ":" : ", hexadecimal:", out,
                     cut ? "…" : "");
}

std::string input_text(const json& input) {
  std::string out;
  for (const auto& [name, value] : input.items()) {
    const bool binary = name.ends_with("_b64") && value.is_string();
    std::string shown = binary ? preview(decoded(value.get<std::string>())) : value.dump();
    if (!binary && shown.size() > member_shown_max) shown = shown.substr(0, member_shown_max) + "…";
    out += fmt::format("    {}: {}\n", name, shown);
  }
  return out;
}

std::string note_text(const Vector& vector, const std::string& flag) {
  const json& note = vector.note;
  return fmt::format("  {}: {}\n    {}: {}\n", flag, note.at("description").get<std::string>(),
                     note.at("bug_type").get<std::string>(), note.at("effect").get<std::string>());
}

std::string whole(const Vector& vector, const std::vector<Vector>& vectors) {
  std::string out =
      fmt::format("{}: {}\n  {}, {}\n", vector.id, vector.comment, vector.op, vector.importance);
  if (vector.valid) {
    out += "  must be accepted, with " + vector.output.dump().substr(0, member_shown_max) + "\n";
  } else {
    out += fmt::format("  must be refused with {}/{}\n", vector.phase,
                       fmt::join(vector.codes, " or "));
  }
  if (!vector.note.is_null()) out += note_text(vector, vector.flags.front());
  out += fmt::format("  clauses: {} (reference/spec)\n", fmt::join(vector.clauses, ", "));
  for (const Vector& twin : vectors)
    if (twin.id == vector.twin) out += fmt::format("  valid twin: {}, {}\n", twin.id, twin.comment);
  if (!vector.check.empty())
    out += "  refused by the second implementation at " + vector.check + "\n";
  return out + "  input:\n" + input_text(vector.input) +
         "  alone: ams-conform vectors --sut … --id " + vector.id + "\n";
}

}  // namespace

std::string explain_vector(const std::vector<Vector>& vectors, const std::string& name) {
  for (const Vector& vector : vectors)
    if (vector.id == name) return whole(vector, vectors);
  std::string out;
  for (const Vector& vector : vectors) {
    if (vector.flags.empty() || vector.flags.front() != name) continue;
    if (out.empty()) out = note_text(vector, name);
    out += fmt::format("    {} {}: {}\n", vector.id, vector.op, vector.comment);
  }
  return out;
}

}  // namespace ams::conform
