#include "ams_cli/sealing.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "ams_cli/files.h"
#include "ams_cli/home.h"
#include "ams_cli/key_book.h"
#include "ams_cli/recovery.h"
#include "ams_cli/runner.h"
#include "ams_cli/terminal.h"
#include "net/entropy.h"

namespace ams::cli {
namespace {

constexpr std::string_view ending = ".ams";

/// How far a file is, on a terminal only, and not more often than ten times a second.
class Meter {
 public:
  explicit Meter(std::string name) : name_(std::move(name)), on_(isatty(STDERR_FILENO) != 0) {}
  ~Meter() {
    if (on_) fmt::print(stderr, "\r\x1b[K");
  }
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;
  void operator()(std::uint64_t done, std::uint64_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (!on_ || now - last_ < std::chrono::milliseconds(100)) return;
    last_ = now;
    if (of > 0)
      fmt::print(stderr, "\r\x1b[K{}: {} %, {} of {} MiB", name_, done * 100 / of, done >> 20,
                 of >> 20);
    else
      fmt::print(stderr, "\r\x1b[K{}: {} MiB", name_, done >> 20);
  }

 private:
  std::string name_;
  bool on_;
  std::chrono::steady_clock::time_point last_{};
};

/// Whose keys seal and open: the account's, or those of a key file. Empty: the exit code was said.
struct Holder {
  std::optional<Home> home;  // the book borrows from it
  KeyBook book;
};
tl::expected<Holder, int> open_holder(const Common& common, const std::string& keys,
                                      const std::string& passphrase_file) {
  if (!keys.empty()) {
    auto contents = open_key_file(keys, passphrase_file);
    if (!contents) return tl::unexpected<int>(say(contents.error()));
    return Holder{std::nullopt, KeyBook::of(std::move(*contents))};
  }
  auto home = Home::open(common.home);
  if (!home) return tl::unexpected<int>(say(exit_bad_input, home.error()));
  auto book = KeyBook::open(home->storage(), home->settings().addr);
  if (!book) return tl::unexpected<int>(say(exit_bad_input, book.error()));
  return Holder{std::move(*home), std::move(*book)};
}

tl::expected<std::vector<const keys::KeyRecord*>, std::string> recipients_of(
    const std::vector<std::string>& to, KeyBook& book) {
  std::vector<const keys::KeyRecord*> out;
  const auto add = [&](const keys::KeyRecord* record) {
    const auto same = [&](const keys::KeyRecord* other) { return other->id() == record->id(); };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(record);
  };
  for (const std::string& who : to) {
    const auto record = book.find(who);
    if (!record) return tl::unexpected<std::string>(record.error());
    add(*record);
  }
  add(&book.own().record);
  return out;
}

/// Where an opened file goes, or why that cannot be.
tl::expected<std::string, std::string> opened_name(const std::string& file, const OpenFiles& args) {
  std::string to = args.output;
  if (to.empty() && args.unverified_stream) to = "-";
  if (to.empty()) {
    if (!file.ends_with(ending) || file.size() == ending.size())
      return tl::unexpected<std::string>(file + ": its name does not end in " +
                                         std::string(ending) + "; give --output");
    to = file.substr(0, file.size() - ending.size());
  }
  if (to == "-" && !args.unverified_stream)
    return tl::unexpected<std::string>(
        "a pipe gets bytes before the sender's signature was verified; if that is meant, give "
        "--unverified-stream");
  return to;
}

}  // namespace

int seal_files(const Common& common, const SealFiles& args) {
  if (!args.output.empty() && args.files.size() != 1)
    return say(exit_bad_input, "--output is for one file");
  auto account = open_holder(common, args.keys, args.passphrase_file);
  if (!account) return account.error();
  const auto recipients = recipients_of(args.to, account->book);
  if (!recipients) return say(exit_bad_input, recipients.error());
  const auto aead = crypto::find_aead(args.aead);
  if (!aead) return say(exit_bad_input, args.aead + ": no AEAD of that name");
  crypto::Drbg drbg(net::entropy_seed().view());
  for (const std::string& file : args.files) {
    std::string to = args.output;
    if (to.empty()) to = file == "-" ? "-" : file + std::string(ending);
    FileResult<> sealed;
    {
      Meter meter("sealing " + file);
      sealed = seal_file({file, to, args.force}, account->book.own(), *recipients,
                         {*aead, now_ms()}, drbg, std::ref(meter));
    }
    if (!sealed) return say(sealed.error());
    fmt::print(stderr, "{}: sealed for", to == "-" ? file : to);
    for (const keys::KeyRecord* each : *recipients)
      fmt::print(stderr, " {}", account->book.name_of(each->id()));
    fmt::print(stderr, "\n");
  }
  return exit_ok;
}

int open_files(const Common& common, const OpenFiles& args) {
  if (!args.output.empty() && args.files.size() != 1)
    return say(exit_bad_input, "--output is for one file");
  auto account = open_holder(common, args.keys, args.passphrase_file);
  if (!account) return account.error();
  KeyBook& book = account->book;
  const keys::KeyRecord* from = nullptr;
  if (!args.from.empty()) {
    const auto found = book.find(args.from);
    if (!found) return say(exit_bad_input, found.error());
    from = *found;
  }
  std::vector<const keys::KeyPair*> former = book.own_pairs();
  former.erase(former.begin());
  const container::ReadContext context{
      &book.own().record, &book.own().encryption,
      [&](const keys::KeyId& id) { return from ? from : book.find(id); }, now_ms(),
      std::move(former)};
  for (const std::string& file : args.files) {
    const auto to = opened_name(file, args);
    if (!to) return say(exit_bad_input, to.error());
    FileResult<OpenedFile> opened;
    {
      Meter meter("opening " + file);
      opened = open_file({file, *to, args.force}, context, std::ref(meter));
    }
    if (!opened) {
      const int code = say(opened.error());
      if (*to == "-") say(code, "what was written to the pipe is NOT what its sender sealed");
      if (opened.error().refused && opened.error().refused->code == Code::not_found)
        say(code, "its sender is not known here; give --from with a key record");
      return code;
    }
    const auto at = fmt::gmtime(static_cast<std::time_t>(opened->sealed_at / 1000));
    fmt::print(stderr, "{}: sealed by {} at {:%Y-%m-%d %H:%M} UTC\n", *to == "-" ? file : *to,
               from ? args.from : book.name_of(opened->sender), at);
  }
  return exit_ok;
}

}  // namespace ams::cli
