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
#include "ams_cli/runner.h"
#include "net/dns.h"
#include "net/entropy.h"
#include "wire/address.h"
#include "wire/utf8.h"

namespace ams::cli {
namespace {

int complain(int code, const std::string& what) {
  fmt::print(stderr, "ams: {}\n", what);
  return code;
}

/// What takes long says how far it is, on a terminal only.
void progress(const std::string& what) {
  if (isatty(STDERR_FILENO) != 0) fmt::print(stderr, "\r\x1b[K{}", what);
}
void end_progress() { progress(""); }

std::optional<Hash> parse_token(const std::string& text) {
  const auto raw = text.size() == 64 ? from_hex(text) : from_base64url(text);
  return raw ? to_array<32>(*raw) : std::nullopt;
}

Result<std::optional<keys::KeyPair>> make_account_pair(const std::string& profile, Instant now) {
  if (profile == "modern") return std::optional<keys::KeyPair>();  // the client makes it
  progress("making two RSA keys of 2048 bits …");
  AMS_TRY(auto signing, crypto::SigningKey::generate_rsa(crypto::SigAlg::rsa2048pss));
  AMS_TRY(auto encryption, crypto::DecryptionKey::generate_rsa(crypto::Kem::rsa2048kem));
  crypto::Drbg drbg(net::entropy_seed().view());
  keys::KeyPairOptions options;
  options.nbf = to_unix_ms(now) - 600'000;  // others' clocks may be behind
  options.exp = options.nbf + keys::key_life_ms_max;
  AMS_TRY(auto pair,
          keys::make_pair(std::move(signing), std::move(encryption), drbg.array<16>(), options));
  return std::optional<keys::KeyPair>(std::move(pair));
}

std::string absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

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

int account_add(const Common& common, const AccountAdd& args) {
  if (!wire::parse_address(args.addr))
    return complain(exit_bad_input, args.addr + ": expected local@domain in lower case");
  const auto token = parse_token(args.token);
  if (!token)
    return complain(exit_bad_input, "--token: expected 43 characters of base64url or 64 of hex");
  for (const std::string& server : args.name_servers) {
    if (net::is_name_server(server)) continue;
    return complain(
        exit_bad_input,
        "--name-server: expected an IP address with or without a port, found \"" + server + "\"");
  }
  auto home = Home::create(common.home, Settings{args.addr, absolute(args.hosts_file),
                                                 absolute(args.ca_file), args.name_servers});
  if (!home) return complain(exit_bad_input, home.error());
  auto runner = Runner::make(*home, RunnerOptions{common.verbose});
  if (!runner) return complain(exit_bad_input, runner.error());
  client::Client& client = (*runner)->client();
  if (client.ready()) return complain(exit_bad_input, args.addr + " is set up here already");
  auto pair = make_account_pair(args.profile, (*runner)->now());
  if (!pair) return complain(exit_refused, "cannot make keys: " + explain(pair.error()));
  progress("enrolling …");
  client.enrol(*token, std::move(*pair), (*runner)->now());
  std::optional<client::AccountReady> ready;
  std::optional<Error> refused;
  const auto ended = (*runner)->run([&](const client::Report& report) {
    if (const auto* done = std::get_if<client::AccountReady>(&report)) ready = *done;
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && !code_info(failed->why.code).temporary) refused = failed->why;
    return ready || refused;
  });
  end_progress();
  if (refused) return complain(exit_refused, args.addr + ": refused: " + explain(*refused));
  if (!ready) return complain(exit_unreachable, ended.value_or("no answer"));
  fmt::print("{} is ready. Its key is {}.\n", args.addr, to_uuid_text(ready->key.kid));
  fmt::print("The private keys are in {} and nowhere else: keep a copy in a safe place.\n",
             home->folder());
  return exit_ok;
}

int send(const Common& common, const Send& args) {
  auto home = Home::open(common.home);
  if (!home) return complain(exit_bad_input, home.error());
  auto runner = Runner::make(*home, RunnerOptions{common.verbose});
  if (!runner) return complain(exit_bad_input, runner.error());
  client::Client& client = (*runner)->client();
  if (!client.ready())
    return complain(exit_bad_input, "the account is not enrolled yet; run `ams account add` again");
  auto draft = compose(args, home->settings().addr, (*runner)->now());
  if (!draft) return complain(exit_bad_input, draft.error());
  progress("sending …");
  const std::uint64_t ticket = client.submit(std::move(*draft), (*runner)->now());
  std::optional<client::Submitted> sent;
  std::vector<client::SubmitFailed> failures;
  const auto ended = (*runner)->run([&](const client::Report& report) {
    const auto* done = std::get_if<client::Submitted>(&report);
    const auto* failed = std::get_if<client::SubmitFailed>(&report);
    if (done && done->ticket == ticket) sent = *done;
    if (failed && failed->ticket == ticket) failures.push_back(*failed);
    return sent || (!failures.empty() && client.unsent() == 0);
  });
  end_progress();
  for (const client::SubmitFailed& failed : failures)
    complain(exit_refused, (failed.addr.empty() ? "not sent" : failed.addr + ": not sent") + ": " +
                               explain(failed.why));
  if (sent) fmt::print("accepted by the server: {}\n", to_hex(ByteView(sent->ehash).first(8)));
  if (!failures.empty()) return exit_refused;
  if (sent) return exit_ok;
  return complain(exit_unreachable, ended.value_or("no answer") +
                                        "; the message is kept and goes with the next `ams sync`");
}

int sync(const Common& common) {
  auto home = Home::open(common.home);
  if (!home) return complain(exit_bad_input, home.error());
  auto runner = Runner::make(*home, RunnerOptions{common.verbose});
  if (!runner) return complain(exit_bad_input, runner.error());
  client::Client& client = (*runner)->client();
  if (!client.ready())
    return complain(exit_bad_input, "the account is not enrolled yet; run `ams account add` again");
  client.sync((*runner)->now());
  int letters = 0, notices = 0, unreadable = 0, sent = 0;
  bool synced = false;
  std::optional<Error> refused;
  const auto ended = (*runner)->run([&](const client::Report& report) {
    if (const auto* failed = std::get_if<client::SubmitFailed>(&report))
      complain(exit_refused, "not sent: " + failed->addr + ": " + explain(failed->why));
    letters += std::holds_alternative<client::Received>(report) ? 1 : 0;
    notices += std::holds_alternative<client::NoticeReceived>(report) ? 1 : 0;
    unreadable += std::holds_alternative<client::Unreadable>(report) ? 1 : 0;
    sent += std::holds_alternative<client::Submitted>(report) ? 1 : 0;
    synced = synced || std::holds_alternative<client::SyncDone>(report);
    const auto* failed = std::get_if<client::CommandFailed>(&report);
    if (failed && !code_info(failed->why.code).temporary) refused = failed->why;
    progress(fmt::format("{} letters …", letters));
    return refused || (synced && client.unsent() == 0);
  });
  end_progress();
  fmt::print("{} new letters, {} notices, {} that do not verify, {} sent, {} still to be sent\n",
             letters, notices, unreadable, sent, client.unsent());
  if (refused) return complain(exit_refused, "refused: " + explain(*refused));
  if (!synced) return complain(exit_unreachable, ended.value_or("no answer"));
  return exit_ok;
}

int list(const Common& common) {
  auto home = Home::open(common.home);
  if (!home) return complain(exit_bad_input, home.error());
  each_letter(home->storage(), [](std::int64_t uid, const wire::Value& letter) {
    fmt::print("{}\n", summary(uid, letter));
  });
  return exit_ok;
}

int read(const Common& common, std::int64_t uid, const std::string& save_folder) {
  auto home = Home::open(common.home);
  if (!home) return complain(exit_bad_input, home.error());
  if (uid == 0)  // the newest
    each_letter(home->storage(), [&](std::int64_t each, const wire::Value&) { uid = each; });
  const auto letter = find_letter(home->storage(), uid);
  if (!letter)
    return complain(exit_refused,
                    fmt::format("no letter {}; `ams sync` fetches, `ams list` lists", uid));
  fmt::print("{}", render(*letter));
  const wire::Value* attachments = letter->find("att");
  if (save_folder.empty() || !attachments) return exit_ok;
  for (std::size_t i = 0; i < attachments->as_array().size(); ++i) {
    const auto data = find_attachment(home->storage(), uid, i);
    const std::string name = file_name(attachments->as_array()[i].find("name")->as_string(), i);
    const auto path = std::filesystem::path(save_folder) / name;
    if (!data || std::filesystem::exists(path))
      return complain(exit_bad_input, path.string() + ": exists, or the data is missing");
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(data->data()),
              static_cast<std::streamsize>(data->size()));
    if (!out) return complain(exit_bad_input, path.string() + ": cannot write");
    fmt::print("saved {}\n", path.string());
  }
  return exit_ok;
}

}  // namespace ams::cli
