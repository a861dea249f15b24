#include "daemon/accounts.h"

#include <chrono>
#include <thread>

#include "net/control.h"
#include "net/entropy.h"
#include "net/loop.h"
#include "store/sqlite.h"

namespace ams::daemon {
namespace {

constexpr std::string_view request_tag = "account.add/1";

std::string line_of(const wire::Value& value) { return to_string(wire::encode(value)); }

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

Failure refused(const std::string& addr, std::string_view code) {
  const bool wrong = code == "address_syntax" || code == "not_local";
  return {wrong ? exit_bad_config : exit_failure, addr + ": " + std::string(code)};
}

/// Empty optional: no daemon runs on this data.
std::optional<tl::expected<void, Failure>> ask_daemon(const std::string& path,
                                                      const server::NewAccount& account) {
  const auto answer =
      net::ask_control(path, line_of(wire::Object{{"acct", to_base64url(account.acct)},
                                                  {"addr", account.addr},
                                                  {"ams", request_tag},
                                                  {"created", account.created},
                                                  {"further", account.further},
                                                  {"token", to_base64url(account.token)}}));
  if (!answer) {
    if (answer.error().empty()) return std::nullopt;
    return tl::unexpected(Failure{exit_failure, answer.error()});
  }
  const auto value = wire::decode(as_bytes(*answer));
  const wire::Value* code = value ? value->find("code") : nullptr;
  if (code != nullptr && code->is_string()) {
    return tl::unexpected(refused(account.addr, code->as_string()));
  }
  if (!value) return tl::unexpected(Failure{exit_failure, path + ": answer not understood"});
  return tl::expected<void, Failure>{};
}

tl::expected<void, Failure> write_rows(const server::Options& options, storage::Storage& store,
                                       const server::NewAccount& account) {
  auto written = server::account_rows(options, store, account).and_then([&](const auto& rows) {
    return store.apply(rows).and_then([&] { return store.commit(); });
  });
  if (written) return {};
  return tl::unexpected(refused(account.addr, code_info(written.error().code).name));
}

}  // namespace

std::string control_path(const apps::ServerConfig& config) { return config.data_dir + "/control"; }
std::string store_path(const apps::ServerConfig& config) {
  return config.data_dir + "/store.sqlite";
}

server::Options server_options(const Program& program, const apps::ServerConfig& config,
                               const DomainKeys& keys) {
  server::Options out = config.server;
  out.chain = keys.chain.value;
  out.index_key = keys.index_key;
  out.row_key = keys.row_key;
  out.mail = program.mail;
  out.full_directory = out.full_directory || !program.mail;
  return out;
}

tl::expected<std::string, Failure> add_account(const Program& program,
                                               const apps::ServerConfig& config,
                                               const std::string& addr,
                                               const std::string& token_hex, bool further) {
  auto account = new_account(addr, token_hex, further, net::Loop().now());
  if (!account) return tl::unexpected(account.error());
  auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return tl::unexpected(Failure{exit_bad_config, keys.error()});
  const std::string token = to_hex(account->token);
  // A daemon that starts or stops holds the store without answering: look again for a while.
  constexpr auto patience = std::chrono::seconds(5);
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto answer = ask_daemon(control_path(config), *account)) {
      if (!*answer) return tl::unexpected(answer->error());
      return token;
    }
    auto store = store::SqliteStorage::open(store_path(config));
    if (store) {
      const auto options = server_options(program, config, *keys);
      if (auto wrote = write_rows(options, **store, *account); !wrote) {
        return tl::unexpected(wrote.error());
      }
      return token;
    }
    if (std::chrono::steady_clock::now() > give_up) {
      return tl::unexpected(Failure{exit_failure, store.error()});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

tl::expected<AccountRequest, std::string> read_account_request(const server::Options& options,
                                                               const storage::Reader& reader,
                                                               std::string_view line, Instant now) {
  const auto refuse = [](const Error& error) {
    return tl::unexpected(account_answer(fail(error.code)));
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
  return AccountRequest{account.addr, std::move(*rows)};
}

std::string account_answer(const Result<>& outcome) {
  if (outcome) return line_of(wire::Object{});
  return line_of(wire::Object{{"code", code_info(outcome.error().code).name}});
}

}  // namespace ams::daemon
