#include "sim_world/corpus.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace ams::sim {
namespace {

// RFC 4648 section 4 (with padding), as Python writes it; AMS's own binary is base64url.
std::optional<Bytes> from_base64(std::string text) {
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return from_base64url(text);
}

/// Cuts at most `size` bytes without splitting a UTF-8 sequence.
std::string cut(std::string text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  text.resize(size);
  return text;
}

CorpusMail read_mail(const nlohmann::json& line) {
  CorpusMail mail;
  mail.source = line.at("source").get<std::string>();
  mail.subject = cut(line.at("subject").get<std::string>(), 4'096);
  for (const auto& part : line.at("parts"))
    mail.parts.push_back({part.at("type").get<std::string>(), part.at("text").get<std::string>()});
  for (const auto& att : line.at("att")) {
    auto data = from_base64(att.at("data_b64").get<std::string>());
    if (!data) throw std::runtime_error("att.data_b64: expected base64");
    mail.attachments.push_back({cut(att.at("name").get<std::string>(), 1'024),
                                cut(att.at("type").get<std::string>(), 255), std::move(*data)});
  }
  return mail;
}

}  // namespace

tl::expected<std::vector<CorpusMail>, FileError> load_corpus(const std::string& path) {
  std::ifstream in(path);
  if (!in)
    return tl::unexpected(
        FileError{path + ": cannot be read; make it with tools/corpus/prepare.py"});
  std::vector<CorpusMail> mails;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    try {
      mails.push_back(read_mail(nlohmann::json::parse(line)));
    } catch (const std::exception& error) {
      return tl::unexpected(FileError{path + ":" + std::to_string(number) + ": " + error.what()});
    }
  }
  if (mails.empty()) return tl::unexpected(FileError{path + ": expected at least one mail"});
  return mails;
}

}  // namespace ams::sim
