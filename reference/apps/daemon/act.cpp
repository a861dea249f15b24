#include "daemon/act.h"

#include <chrono>
#include <thread>

#include "net/control.h"
#include "store/sqlite.h"

namespace ams::daemon {
namespace {

tl::unexpected<ActFailure> broken(int exit_code, std::string text) {
  return tl::unexpected(ActFailure{{}, {exit_code, std::move(text)}});
}
tl::unexpected<ActFailure> refused(std::string_view code) {
  return tl::unexpected(ActFailure{std::string(code), {exit_failure, std::string(code)}});
}

tl::expected<void, ActFailure> write_rows(const server::Options& options, storage::Storage& store,
                                          const MakeRows& rows) {
  auto written = rows(options, store).and_then([&](const auto& batch) {
    return store.apply(batch).and_then([&] { return store.commit(); });
  });
  if (written) return {};
  return refused(code_info(written.error().code).name);
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

std::optional<tl::expected<wire::Value, ActFailure>> ask_daemon(const std::string& path,
                                                                const wire::Value& request) {
  const auto answer = net::ask_control(path, line_of(request));
  if (!answer) {
    if (answer.error().empty()) return std::nullopt;
    return broken(exit_failure, answer.error());
  }
  auto value = wire::decode(as_bytes(*answer));
  if (!value) return broken(exit_failure, path + ": answer not understood");
  const wire::Value* code = value->find("code");
  if (code != nullptr && code->is_string()) return refused(code->as_string());
  return std::move(*value);
}

tl::expected<void, ActFailure> act(const Program& program, const apps::ServerConfig& config,
                                   const wire::Value& request, const MakeRows& rows) {
  auto keys = load_domain_keys(config.data_dir, config.server.domain);
  if (!keys) return broken(exit_bad_config, keys.error());
  // A daemon that starts or stops holds the store without answering: look again for a while.
  constexpr auto patience = std::chrono::seconds(5);
  const auto give_up = std::chrono::steady_clock::now() + patience;
  for (;;) {
    if (const auto answer = ask_daemon(control_path(config), request)) {
      if (!*answer) return tl::unexpected(answer->error());
      return {};
    }
    auto store = store::SqliteStorage::open(store_path(config));
    if (store) return write_rows(server_options(program, config, *keys), **store, rows);
    if (std::chrono::steady_clock::now() > give_up) return broken(exit_failure, store.error());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

std::string line_of(const wire::Value& value) { return to_string(wire::encode(value)); }

std::string act_answer(const Result<>& outcome) {
  if (outcome) return line_of(wire::Object{});
  return line_of(wire::Object{{"code", code_info(outcome.error().code).name}});
}

}  // namespace ams::daemon
