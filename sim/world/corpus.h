// The real mails that simulated users send: tools/corpus/prepare.py's mails.jsonl.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mail/letter.h"
#include "sim_world/scenario.h"

namespace ams::sim {

struct CorpusMail {
  std::string source;
  std::string subject;
  std::vector<mail::Part> parts;
  std::vector<mail::Attachment> attachments;
};

/// In the file's order. At least one mail.
tl::expected<std::vector<CorpusMail>, FileError> load_corpus(const std::string& path);

}  // namespace ams::sim
