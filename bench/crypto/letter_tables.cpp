#include "crypto_bench/letters.h"
#include "crypto_bench/tables.h"

namespace ams::crypto_bench {
namespace {

using paired::Contestant;
using paired::Row;
using paired::Table;

constexpr std::array<std::size_t, 4> text_sizes{256, 4096, 65'536, 1 << 20};
constexpr std::array<std::size_t, 3> attachment_sizes{65'536, 1 << 20, 25'000'000};
constexpr std::array<std::size_t, 3> recipient_counts{1, 10, 100};

/// The letter three ways, then the peer that works with the same kind of keys.
std::vector<Contestant> letter_row(const LetterPlan& plan, Direction direction) {
  const bool seal = direction == Direction::seal;
  const auto letters = std::make_shared<const Letters>(plan);
  std::vector<Contestant> out{
      {"ams", [=] { return seal ? letters->seal() : letters->open(); }},
      {"ams, crypto alone", [=] { return seal ? letters->seal_crypto() : letters->open_crypto(); }},
      {"primitives",
       [=] { return seal ? letters->seal_primitives() : letters->open_primitives(); }}};
  const std::size_t size = plan.text_size + plan.attachment_size;
  if (plan.profile == Profile::rsa2048) {
    out.push_back(cms(direction, size, plan.recipients));
  } else if (auto peer = rnp(direction, size, plan.recipients)) {
    out.push_back(*peer);
  }
  return out;
}

Row row_of(std::int64_t x, const LetterPlan& plan, Direction direction) {
  Row out;
  out.x = x;
  out.contestants = [=] { return letter_row(plan, direction); };
  return out;
}

std::string verb(Direction direction) {
  return direction == Direction::seal ? "Sealing" : "Opening";
}
std::string word(Direction direction) { return direction == Direction::seal ? "seal" : "open"; }

Table by_size(Profile profile, Direction direction) {
  const std::string keys(name(profile));
  Table out{
      "letter_" + word(direction) + "/" + keys,
      verb(direction) + " a letter, keys " + keys + ", by the size of its text",
      "A letter with JSON, franking, head and binding; its cryptography alone; the sum of the "
      "primitives.",
      "bytes",
      "primitives",
      {},
      {}};
  for (const std::size_t size : text_sizes) {
    LetterPlan plan;
    plan.profile = profile;
    plan.text_size = size;
    out.rows.push_back(row_of(static_cast<std::int64_t>(size), plan, direction));
  }
  const std::string what = word(direction) + " 4 KiB, " + keys;
  out.targets = {
      {4096, "ams, crypto alone", "primitives", 0.9, what + ", crypto alone: 90 % of the limit"},
      {4096, "ams", "primitives", 0.75, what + ", with JSON: 75 % of the limit"}};
  if (profile == Profile::rsa2048) {
    out.targets.push_back({4096, "ams", "OpenSSL CMS", 1.3, what + ": 1.3 times OpenSSL CMS"});
  } else if (!rnp_version().empty()) {
    out.targets.push_back({4096, "ams", "librnp", 1.5, what + ": 1.5 times librnp"});
  }
  return out;
}

Table by_attachment(Direction direction) {
  Table out{"letter_attachment_" + word(direction),
            verb(direction) + " a letter with one attachment, by its size",
            "4 KiB of text and an attachment that lies in memory; keys modern.",
            "bytes",
            "primitives",
            {},
            {}};
  for (const std::size_t size : attachment_sizes) {
    LetterPlan plan;
    plan.attachment_size = size;
    Row row = row_of(static_cast<std::int64_t>(size), plan, direction);
    row.bytes = static_cast<double>(size);
    out.rows.push_back(std::move(row));
  }
  return out;
}

Table by_recipients(Profile profile, Direction direction) {
  const std::string keys(name(profile));
  Table out{"recipients_" + word(direction) + "/" + keys,
            verb(direction) + " 4 KiB for many recipients, keys " + keys,
            direction == Direction::seal ? "How does the cost grow with the number of stanzas?"
                                         : "Does it cost the reader that others read it too?",
            "recipients",
            "primitives",
            {},
            {}};
  for (const std::size_t count : recipient_counts) {
    LetterPlan plan;
    plan.profile = profile;
    plan.recipients = count;
    out.rows.push_back(row_of(static_cast<std::int64_t>(count), plan, direction));
  }
  if (profile == Profile::modern && direction == Direction::seal)
    out.targets = {{100, "ams", "", 220, "100-recipient seal: 220 a second"}};
  return out;
}

Table by_threads(Profile profile, Direction direction) {
  const std::string keys(name(profile));
  Table out{"threads_" + word(direction) + "/" + keys,
            verb(direction) + " 4 KiB on several threads, keys " + keys,
            "Do threads get in each other's way? Operations of all threads together, wall clock.",
            "threads",
            "primitives",
            {},
            {}};
  for (const int threads : {1, 2}) {
    LetterPlan plan;
    plan.profile = profile;
    Row row = row_of(threads, plan, direction);
    row.threads = threads;
    row.clock = paired::Clock::wall;
    out.rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::vector<Table> letter_tables() {
  std::vector<Table> out;
  constexpr std::array profiles{Profile::modern, Profile::rsa2048};
  constexpr std::array directions{Direction::seal, Direction::open};
  for (const Profile profile : profiles)
    for (const Direction direction : directions) out.push_back(by_size(profile, direction));
  for (const Direction direction : directions) out.push_back(by_attachment(direction));
  for (const Profile profile : profiles)
    for (const Direction direction : directions) out.push_back(by_recipients(profile, direction));
  for (const Profile profile : profiles)
    for (const Direction direction : directions) out.push_back(by_threads(profile, direction));
  return out;
}

}  // namespace ams::crypto_bench
