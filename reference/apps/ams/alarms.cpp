#include "ams_cli/alarms.h"

#include <fmt/format.h>

#include <filesystem>

#include "ams_cli/files.h"
#include "ams_cli/terminal.h"
#include "bindlog/lie.h"
#include "client/tables.h"

namespace ams::cli {
namespace {

constexpr std::size_t evidence_size_max = 1 << 20;  // bytes; a lie has two proofs at most

std::string_view what_it_says(Code code) {
  switch (code) {
    case Code::binding_contradiction:
      return "says another key than its log commits to";
    case Code::binding_foreign:
      return "has bound the address to a key that its owner did not make";
    case Code::log_rewritten:
      return "has rewritten what its log said";
    case Code::not_found:
      return "does not show the address's history";
    default:
      return "shows a history that does not hold";
  }
}

constexpr std::string_view answer_end = "-answer.json";

std::string file_name_of(const client::Alarm& alarm) {
  const std::string about = alarm.addr + ' ' + std::string(code_info(alarm.why.code).name);
  return "alarm-" + to_hex(ByteView(crypto::sha256(as_bytes(about))).first(6)) +
         std::string(alarm.lie ? ".json" : answer_end);
}

/// The file is there already, or there are fewer of its kind than a folder may have.
bool has_room_for(const std::filesystem::path& file, bool convicts) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) return true;
  std::size_t of_kind = 0;
  std::filesystem::directory_iterator at(file.parent_path(), error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with("alarm-") && name.ends_with(answer_end) != convicts) ++of_kind;
  }
  return of_kind < alarm_files_max;
}

Result<bindlog::Lie> read_lie(ByteView text) {
  AMS_TRY(const wire::Value value, wire::decode(text));
  return bindlog::parse_lie(value);
}

}  // namespace

std::string text_of(const client::KeyChanged& change) {
  return fmt::format("{} has another key: {} in place of {}; {}", change.addr,
                     to_uuid_text(change.to.kid), to_uuid_text(change.from.kid),
                     change.endorsed
                         ? "the old key vouches for it"
                         : "the old key does NOT vouch for it: compare fingerprints before you "
                           "write (`ams keys verify`)");
}

std::string warn_of(const Home& home, const client::Alarm& alarm) {
  const std::string domain = alarm.addr.substr(alarm.addr.find('@') + 1);
  const std::string what =
      fmt::format("WARNING: {} {} ({}: {})", domain, what_it_says(alarm.why.code), alarm.addr,
                  code_info(alarm.why.code).name);
  const wire::Value& shown = alarm.lie ? *alarm.lie : alarm.shown;
  if (shown == wire::Value()) return what;
  const std::string path = home.folder() + "/" + file_name_of(alarm);
  if (!has_room_for(path, alarm.lie.has_value()))
    return fmt::format("{}; its answer is not kept: {} files of alarms are in {}", what,
                       alarm_files_max, home.folder());
  Bytes text = wire::encode(shown);
  text.push_back('\n');
  auto file = NewFile::create(path, true);
  if (!file || !file->write(text) || !file->commit())
    return what + "; its answer cannot be written to " + path;
  return what + (alarm.lie ? "; " + path + " shows it to anyone: `ams keys evidence` judges it"
                           : "; what its server answered is in " + path);
}

int keys_evidence(const std::string& folder, const std::string& file) {
  auto text = read_some(file, evidence_size_max + 1);
  if (!text) return say(text.error());
  if (text->size() > evidence_size_max) return say(exit_bad_input, file + ": too large");
  if (!text->empty() && text->back() == '\n') text->pop_back();
  const auto lie = read_lie(*text);
  if (!lie)
    return say(exit_bad_input,
               file + ": no evidence (blie/1): " + std::string(code_info(lie.error().code).name) +
                   " at " + std::string(lie.error().where));
  auto home = Home::open(folder);
  if (!home) return say(exit_bad_input, home.error());
  const auto kept = client::read_chain(home->storage(), lie->domain);
  const keys::Chain* chain = kept && *kept ? &(*kept)->chain : nullptr;
  if (chain == nullptr || !chain->record.log)
    return say(exit_refused, lie->domain +
                                 ": no record with a binding log is known here; `ams "
                                 "keys lookup someone@" +
                                 lie->domain + "` asks for it");
  const auto log = bindlog::identity_of(chain->record);
  const Result<> judged =
      log ? bindlog::verify_lie(*lie, *log, chain) : tl::unexpected(log.error());
  if (!judged)
    return say(exit_refused,
               file + ": shows nothing: " + std::string(code_info(judged.error().code).name) +
                   " at " + std::string(judged.error().where));
  fmt::print("{} lied: {}. Whoever has its keys can check this file.\n", lie->domain,
             bindlog::kind_of(*lie));
  return exit_ok;
}

}  // namespace ams::cli
