// `ams keystore audit`, `device` and `use`.
#include <fmt/format.h>

#include "ams_cli/home.h"
#include "keystore_cli/commands.h"
#include "keystore_cli/desk.h"

namespace ams::keystore_cli {
namespace {

int complain_of(int code, const std::string& what) {
  fmt::print(stderr, "ams keystore: {}\n", what);
  return code;
}

int refused_by(const Error& why) {
  const CodeInfo& info = code_info(why.code);
  return complain_of(info.temporary ? cli::exit_unreachable : cli::exit_refused,
                     fmt::format("{}: {} ({})", info.name, why.where, info.clause));
}

std::string text_of(const wire::Value& entry, std::string_view name) {
  const wire::Value* member = entry.find(name);
  if (member == nullptr) return "-";
  if (member->is_integer()) return std::to_string(member->as_integer());
  return member->is_string() && !member->as_string().empty() ? member->as_string() : "-";
}

void print_entry(const wire::Value& entry) {
  fmt::print("{:>6} {} {:<28} {:<7} {:<16} {} {}\n", text_of(entry, "n"), text_of(entry, "ts"),
             text_of(entry, "addr"), text_of(entry, "op"), text_of(entry, "outcome"),
             text_of(entry, "kid"), text_of(entry, "detail"));
}

std::optional<keystore::AuditHead> parse_head(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon > 15 ||
      text.substr(0, colon).find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const auto raw = from_hex(text.substr(colon + 1));
  const auto hash = raw ? to_array<32>(*raw) : std::nullopt;
  if (!hash) return std::nullopt;
  return keystore::AuditHead{std::stoll(text.substr(0, colon)), *hash};
}

/// Pages of the log, oldest first, until `visit` says no or it ends.
Result<keystore::AuditHead> read_log(Desk& desk, std::int64_t from, auto visit) {
  keystore::AuditHead head;
  while (true) {
    AMS_TRY(const keystore::Ok ok,
            desk.ask(keystore::AuditArgs{static_cast<std::int64_t>(keystore::audit_max), from}));
    const auto& page = std::get<keystore::AuditPage>(ok);
    // Reading is in the log too: the end is where it stood when we began.
    if (head.size == 0) head = {page.size, page.head};
    for (const wire::Value& entry : page.entries) {
      if (from == head.size) break;
      AMS_CHECK(visit(entry));
      ++from;
    }
    if (page.entries.empty() || from >= head.size) return head;
  }
}

}  // namespace

int show_audit(const Common& common, std::int64_t from) {
  const auto desk = Desk::open(common.place, common.home);
  if (!desk) return complain_of(cli::exit_bad_input, desk.error());
  const auto head = read_log(**desk, from, [](const wire::Value& entry) {
    print_entry(entry);
    return Result<>();
  });
  return head ? cli::exit_ok : refused_by(head.error());
}

int verify_audit(const Common& common, const std::string& text) {
  std::optional<keystore::AuditHead> remembered;
  if (!text.empty()) {
    remembered = parse_head(text);
    if (!remembered)
      return complain_of(cli::exit_bad_input,
                         text + ": expected SIZE:HEX, as it was printed before");
  }
  const auto desk = Desk::open(common.place, common.home);
  if (!desk) return complain_of(cli::exit_bad_input, desk.error());
  keystore::AuditHead at;
  bool met = !remembered || *remembered == at;
  const auto head = read_log(**desk, 0, [&](const wire::Value& entry) -> Result<> {
    AMS_TRY(at, keystore::follow_chain(at, {entry}));
    met = met || *remembered == at;
    return {};
  });
  if (!head) return refused_by(head.error());
  if (at != *head) return refused_by({Code::audit_chain, "the log does not lead to its head"});
  if (!met) return refused_by({Code::audit_chain, "the head given is not on the way of this log"});
  fmt::print("{}:{}\n", at.size, to_hex(at.hash));
  return cli::exit_ok;
}

int show_device(const Common& common) {
  const auto home = cli::Home::open(common.home);
  if (!home) return complain_of(cli::exit_bad_input, home.error());
  const keystore::Device device = keystore::device_of(home->device());
  fmt::print("{},{}\n", to_base64url(device.sk), to_base64url(*device.ek));
  return cli::exit_ok;
}

int use(const Common& common) {
  auto home = cli::Home::open(common.home);
  if (!home) return complain_of(cli::exit_bad_input, home.error());
  net::Loop loop;
  const auto link = keystore_net::open_place(loop, common.place);
  if (!link) return complain_of(cli::exit_bad_input, link.error());
  storage::WriteBatch writes;
  writes.puts.push_back({cli::table_settings, to_bytes(std::string_view("keystore")),
                         keystore_net::encode_place(common.place)});
  if (!home->storage().apply(writes) || !home->storage().commit())
    return complain_of(cli::exit_bad_input, home->folder() + ": cannot be written");
  fmt::print("{} asks the key store at {}\n", home->settings().addr,
             common.place.local() ? common.place.folder : common.place.url);
  return cli::exit_ok;
}

}  // namespace ams::keystore_cli
