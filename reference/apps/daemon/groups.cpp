#include "daemon/groups.h"

#include "keys/policy.h"
#include "store/sqlite.h"

namespace ams::daemon {
namespace {

constexpr std::string_view change_tag = "group.change/1";
constexpr std::string_view list_tag = "group.list/1";
constexpr std::size_t page_max = 100;  // members in one answer

Failure refused(const server::GroupChange& change, const ActFailure& why) {
  if (why.code.empty()) return why.failure;
  if (why.code == "schema")
    return {exit_bad_config, change.group + ": expected a group's name of [a-z0-9-] (POL-4)"};
  const bool wrong = why.code == "address_syntax" || why.code == "not_local";
  return {wrong ? exit_bad_config : exit_failure, change.addr + ": " + why.code};
}

wire::Array page_of(const std::vector<std::string>& members, const std::string& after) {
  wire::Array out;
  for (const std::string& member : members)
    if (member > after && out.size() < page_max) out.push_back(member);
  return out;
}

std::string joined(const std::vector<std::string>& members) {
  std::string out;
  for (const std::string& member : members) out += (out.empty() ? "" : "\n") + member;
  return out;
}

/// Every member, asked for page by page; empty optional: no daemon runs.
std::optional<tl::expected<std::vector<std::string>, Failure>> ask_members(
    const std::string& path, const std::string& group) {
  std::vector<std::string> out;
  for (;;) {
    const std::string after = out.empty() ? "" : out.back();
    const auto answer =
        ask_daemon(path, wire::Object{{"after", after}, {"ams", list_tag}, {"group", group}});
    if (!answer) return std::nullopt;
    if (!*answer) return tl::unexpected((*answer).error().failure);
    const wire::Value* page = (*answer)->find("members");
    if (!page || !page->is_array())
      return tl::unexpected(Failure{exit_failure, path + ": answer not understood"});
    for (const wire::Value& member : page->as_array()) out.push_back(member.as_string());
    if (page->as_array().size() < page_max) return out;
  }
}

}  // namespace

tl::expected<std::string, Failure> change_group(const Program& program,
                                                const apps::ServerConfig& config,
                                                const server::GroupChange& change) {
  const wire::Value request = wire::Object{{"addr", change.addr},
                                           {"ams", change_tag},
                                           {"group", change.group},
                                           {"member", change.member}};
  const auto rows = [&](const server::Options& options, const storage::Reader& reader) {
    return server::member_rows(options, reader, change);
  };
  if (const auto done = act(program, config, request, rows); !done)
    return tl::unexpected(refused(change, done.error()));
  return change.member
             ? "mail to " + change.group + "@" + config.server.domain + " reaches " + change.addr
             : "mail to " + change.group + "@" + config.server.domain + " reaches " + change.addr +
                   " no more";
}

tl::expected<std::string, Failure> list_group(const apps::ServerConfig& config,
                                              const std::string& group) {
  if (!keys::is_group(group))
    return tl::unexpected(Failure{exit_bad_config, group + ": expected a group's name (POL-4)"});
  if (const auto members = ask_members(control_path(config), group)) {
    if (!*members) return tl::unexpected(members->error());
    return joined(**members);
  }
  auto store = store::SqliteStorage::open(store_path(config));
  if (!store) return tl::unexpected(Failure{exit_failure, store.error()});
  const auto members = server::group_members(**store, group);
  if (!members)
    return tl::unexpected(Failure{exit_failure, std::string(code_info(members.error().code).name)});
  return joined(*members);
}

bool is_group_request(std::string_view line) {
  const auto value = wire::decode(as_bytes(line));
  const wire::Value* tag = value ? value->find("ams") : nullptr;
  return tag && (*tag == wire::Value(change_tag) || *tag == wire::Value(list_tag));
}

tl::expected<ActRequest, std::string> read_group_request(const server::Options& options,
                                                         const storage::Reader& reader,
                                                         std::string_view line) {
  const auto refuse = [](const Error& error) {
    return tl::unexpected(act_answer(fail(error.code)));
  };
  const auto value = wire::decode(as_bytes(line));
  if (!value) return refuse(value.error());
  if (*value->find("ams") == wire::Value(list_tag)) {
    wire::ObjectReader in(*value, "group.list");
    in.tag(list_tag);
    const std::string after = in.string("after");
    const std::string group = in.string("group");
    if (auto read = in.finish(); !read) return refuse(read.error());
    const auto members = server::group_members(reader, group);
    if (!members) return refuse(members.error());
    return tl::unexpected(line_of(wire::Object{{"members", page_of(*members, after)}}));
  }
  wire::ObjectReader in(*value, "group.change");
  in.tag(change_tag);
  server::GroupChange change;
  change.addr = in.string("addr");
  change.group = in.string("group");
  change.member = in.boolean("member");
  if (auto read = in.finish(); !read) return refuse(read.error());
  auto rows = server::member_rows(options, reader, change);
  if (!rows) return refuse(rows.error());
  return ActRequest{change.member ? "group_member_added" : "group_member_removed", change.addr,
                    std::move(*rows)};
}

}  // namespace ams::daemon
