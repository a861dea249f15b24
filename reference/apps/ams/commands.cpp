#include "ams_cli/commands.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include "ams_cli/home.h"
#include "ams_cli/letters.h"
#include "ams_cli/new_keys.h"
#include "ams_cli/online.h"
#include "ams_cli/terminal.h"
#include "net/entropy.h"
#include "wire/address.h"
#include "wire/utf8.h"

namespace ams::cli {
namespace {

tl::expected<Bytes, std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return tl::unexpected<std::string>(path + ": cannot read");
  return Bytes(std::istreambuf_iterator<char>(in), {});
}

std::string media_type(const std::string& path) {
  const std::string ending = std::filesystem::path(path).extension().string();
  if (ending == ".txt") return "text/plain";
  if (ending == ".html") return "text/html";
  if (ending == ".pdf") return "application/pdf";
  if (ending == ".png") return "image/png";
  if (ending == ".jpg" || ending == ".jpeg") return "image/jpeg";
  return "application/octet-stream";
}

/// A key that ends unnoticed is one that nobody can write to any more (KEY-7).
void warn_of_expiry(const keys::KeyRecord& record) {
  constexpr std::int64_t day_ms = 86'400'000;
  if (record.exp() - now_ms() >= key_days_warned * day_ms) return;
  say(exit_ok, "your key ends on " + date_of(record.exp()) + "; `ams keys rotate` makes another");
}

tl::expected<mail::Draft, std::string> compose(const Send& args, const std::string& from,
                                               Instant now) {
  mail::Draft draft;
  draft.from = from;
  draft.to = args.to;
  draft.cc = args.cc;
  for (const auto* list : {&args.to, &args.cc, &args.bcc})
    for (const std::string& addr : *list) {
      if (!wire::parse_address(addr))
        return tl::unexpected<std::string>(addr +
                                           ": not an address; expected local@domain in lower case");
      draft.deliver_to.push_back(addr);
    }
  draft.date = to_unix_ms(now);
  draft.subject = args.subject;
  std::string text(std::istreambuf_iterator<char>(std::cin), {});
  if (!wire::is_utf8(text) || !wire::is_utf8(args.subject))
    return tl::unexpected<std::string>("the text or the subject is not UTF-8");
  draft.parts.push_back({"text/plain", std::move(text)});
  for (const std::string& path : args.attach) {
    auto data = read_file(path);
    if (!data) return tl::unexpected<std::string>(data.error());
    draft.attachments.push_back(
        {std::filesystem::path(path).filename().string(), media_type(path), std::move(*data)});
  }
  return draft;
}

}  // namespace

int send(const Common& common, const Send& args) {
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  Runner& runner = *(*online)->runner;
  client::Client& client = runner.client();
  auto draft = compose(args, (*online)->home.settings().addr, runner.now());
  if (!draft) return say(exit_bad_input, draft.error());
  progress("sending …");
  const std::uint64_t ticket = client.submit(std::move(*draft), runner.now());
  std::optional<client::Submitted> sent;
  std::vector<client::SubmitFailed> failures;
  const auto ended = runner.run([&](const client::Report& report) {
    const auto* done = std::get_if<client::Submitted>(&report);
    const auto* failed = std::get_if<client::SubmitFailed>(&report);
    if (done && done->ticket == ticket) sent = *done;
    if (failed && failed->ticket == ticket) failures.push_back(*failed);
    return sent || (!failures.empty() && client.unsent() == 0);
  });
  end_progress();
  for (const client::SubmitFailed& failed : failures)
    say(exit_refused, (failed.addr.empty() ? "not sent" : failed.addr + ": not sent") + ": " +
                          explain(failed.why));
  if (sent) fmt::print("accepted by the server: {}\n", to_hex(ByteView(sent->ehash).first(8)));
  if (!failures.empty()) return exit_refused;
  if (sent) return exit_ok;
  return say(exit_unreachable, ended.value_or("no answer") +
                                   "; the message is kept and goes with the next `ams sync`");
}

int sync(const Common& common) {
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  Runner& runner = *(*online)->runner;
  client::Client& client = runner.client();
  client.sync(runner.now());
  int letters = 0, notices = 0, unreadable = 0, sent = 0;
  bool synced = false;
  std::optional<Error> refused;
  const auto ended = runner.run([&](const client::Report& report) {
    if (const auto* failed = std::get_if<client::SubmitFailed>(&report))
      say(exit_refused, "not sent: " + failed->addr + ": " + explain(failed->why));
    letters += std::holds_alternative<client::Received>(report) ? 1 : 0;
    notices += std::holds_alternative<client::NoticeReceived>(report) ? 1 : 0;
    unreadable += std::holds_alternative<client::Unreadable>(report) ? 1 : 0;
    sent += std::holds_alternative<client::Submitted>(report) ? 1 : 0;
    synced = synced || std::holds_alternative<client::SyncDone>(report);
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && !code_info(failed->why.code).temporary) refused = failed->why;
    progress(fmt::format("{} letters …", letters));
    return refused || (synced && client.unsent() == 0 && !client.changing_keys());
  });
  end_progress();
  fmt::print("{} new letters, {} notices, {} that do not verify, {} sent, {} still to be sent\n",
             letters, notices, unreadable, sent, client.unsent());
  if (refused) return say(exit_refused, "refused: " + explain(*refused));
  if (!synced) return say(exit_unreachable, ended.value_or("no answer"));
  if (const keys::KeyRecord* used = client.key_record()) warn_of_expiry(*used);
  return exit_ok;
}

int rewrap_mailbox(const Common& common) {
  auto online = go_online(common);
  if (!online) return say(exit_bad_input, online.error());
  Runner& runner = *(*online)->runner;
  client::Client& client = runner.client();
  client.rewrap(runner.now());
  std::optional<client::MailRewrapped> done;
  std::optional<Error> refused;
  const auto ended = runner.run([&](const client::Report& report) {
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && failed->what == "rewrap") refused = failed->why;
    if (const auto* rewrapped = std::get_if<client::MailRewrapped>(&report)) done = *rewrapped;
    return refused || done;
  });
  if (refused) {
    const int code = code_info(refused->code).temporary ? exit_unreachable : exit_refused;
    return say(code, "refused: " + explain(*refused) + "; what is done is done, ask again");
  }
  if (!done) return say(exit_unreachable, ended.value_or("no answer"));
  fmt::print("{} letters rewrapped, {} left as they were\n", done->count, done->failed);
  return done->failed > 0 ? exit_refused : exit_ok;
}

int list(const Common& common) {
  auto home = Home::open(common.home);
  if (!home) return say(exit_bad_input, home.error());
  each_letter(home->storage(), [](std::int64_t uid, const wire::Value& letter) {
    fmt::print("{}\n", summary(uid, letter));
  });
  return exit_ok;
}

int read(const Common& common, std::int64_t uid, const std::string& save_folder) {
  auto home = Home::open(common.home);
  if (!home) return say(exit_bad_input, home.error());
  if (uid == 0)  // the newest
    each_letter(home->storage(), [&](std::int64_t each, const wire::Value&) { uid = each; });
  const auto letter = find_letter(home->storage(), uid);
  if (!letter)
    return say(exit_refused,
               fmt::format("no letter {}; `ams sync` fetches, `ams list` lists", uid));
  fmt::print("{}", render(*letter));
  const wire::Value* attachments = letter->find("att");
  if (save_folder.empty() || !attachments) return exit_ok;
  for (std::size_t i = 0; i < attachments->as_array().size(); ++i) {
    const auto data = find_attachment(home->storage(), uid, i);
    const std::string name = file_name(attachments->as_array()[i].find("name")->as_string(), i);
    const auto path = std::filesystem::path(save_folder) / name;
    if (!data || std::filesystem::exists(path))
      return say(exit_bad_input, path.string() + ": exists, or the data is missing");
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(data->data()),
              static_cast<std::streamsize>(data->size()));
    if (!out) return say(exit_bad_input, path.string() + ": cannot write");
    fmt::print("saved {}\n", path.string());
  }
  return exit_ok;
}

}  // namespace ams::cli
