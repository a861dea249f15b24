#include "daemon/cards.h"

#include "directory/holdings.h"

namespace ams::daemon {
namespace {

constexpr std::string_view drop_tag = "card.drop/1";

}  // namespace

tl::expected<std::string, Failure> drop_card(const Program& program,
                                             const apps::ServerConfig& config,
                                             const std::string& kid) {
  const auto id = from_uuid_text(kid);
  if (!id) return tl::unexpected(Failure{exit_bad_config, kid + ": expected a kid (KEY-2)"});
  const auto rows = [&](const server::Options&,
                        const storage::Reader& reader) -> Result<storage::WriteBatch> {
    storage::WriteBatch out;
    AMS_CHECK(directory::Holdings(reader).drop_card(*id, out));
    return out;
  };
  const wire::Value request = wire::Object{{"ams", drop_tag}, {"kid", kid}};
  if (const auto done = act(program, config, request, rows); !done) {
    if (done.error().code == "not_found")
      return tl::unexpected(Failure{exit_failure, kid + ": no card of it is held"});
    return tl::unexpected(done.error().failure);
  }
  return kid + ": its card is dropped here, for good; the map's root stays";
}

bool is_card_request(std::string_view line) {
  const auto value = wire::decode(as_bytes(line));
  const wire::Value* tag = value ? value->find("ams") : nullptr;
  return tag && *tag == wire::Value(drop_tag);
}

tl::expected<Id16, std::string> read_card_request(std::string_view line) {
  const auto value = wire::decode(as_bytes(line));
  if (!value) return tl::unexpected(act_answer(fail(value.error().code)));
  wire::ObjectReader in(*value, "card.drop");
  in.tag(drop_tag);
  const Id16 kid = in.uuid("kid");
  if (auto read = in.finish(); !read) return tl::unexpected(act_answer(fail(read.error().code)));
  return kid;
}

}  // namespace ams::daemon
