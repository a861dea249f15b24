#include "daemon/accounts.h"

#include "daemon/act.h"
#include "net/entropy.h"
#include "net/loop.h"

namespace ams::daemon {
namespace {

constexpr std::string_view request_tag = "account.add/1";

tl::expected<server::NewAccount, Failure> new_account(const std::string& addr,
                                                      const std::string& token_hex, bool further,
                                                      Instant now) {
  crypto::Drbg random(net::entropy_seed().view());
  server::NewAccount out{addr, random.array<16>(), random.array<32>(), to_unix_ms(now), further};
  if (token_hex.empty()) return out;
  const auto raw = from_hex(token_hex);
  const auto token = raw ? to_array<32>(*raw) : std::nullopt;
  if (!token) {
    return tl::unexpected(
        Failure{exit_bad_config, "--token: expected 64 hexadecimal digits in lower case"});
  }
  out.token = *token;
  return out;
}

Failure refused(const std::string& addr, const ActFailure& why) {
  if (why.code.empty()) return why.failure;
  const bool wrong = why.code == "address_syntax" || why.code == "not_local";
  return {wrong ? exit_bad_config : exit_failure, addr + ": " + why.code};
}

}  // namespace

tl::expected<std::string, Failure> add_account(const Program& program,
                                               const apps::ServerConfig& config,
                                               const std::string& addr,
                                               const std::string& token_hex, bool further) {
  auto account = new_account(addr, token_hex, further, net::Loop().now());
  if (!account) return tl::unexpected(account.error());
  const wire::Value request = wire::Object{{"acct", to_base64url(account->acct)},
                                           {"addr", account->addr},
                                           {"ams", request_tag},
                                           {"created", account->created},
                                           {"further", account->further},
                                           {"token", to_base64url(account->token)}};
  const auto rows = [&](const server::Options& options, const storage::Reader& reader) {
    return server::account_rows(options, reader, *account);
  };
  const auto done = act(program, config, request, rows);
  if (done) return to_hex(account->token);
  return tl::unexpected(refused(addr, done.error()));
}

tl::expected<ActRequest, std::string> read_account_request(const server::Options& options,
                                                           const storage::Reader& reader,
                                                           std::string_view line, Instant now) {
  const auto refuse = [](const Error& error) {
    return tl::unexpected(act_answer(fail(error.code)));
  };
  const auto value = wire::decode(as_bytes(line));
  if (!value) return refuse(value.error());
  wire::ObjectReader in(*value, "account.add");
  in.tag(request_tag);
  server::NewAccount account;
  account.acct = in.bytes<16>("acct");
  account.addr = in.string("addr");
  account.created = in.integer("created", 0, to_unix_ms(now) + 600'000);
  account.further = in.boolean("further");
  account.token = in.bytes<32>("token");
  if (auto read = in.finish(); !read) return refuse(read.error());
  auto rows = server::account_rows(options, reader, account);
  if (!rows) return refuse(rows.error());
  return ActRequest{"account_added", account.addr, std::move(*rows)};
}

}  // namespace ams::daemon
