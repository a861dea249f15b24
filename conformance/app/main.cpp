// ams-conform: judges AMS servers, clients and codecs from outside.
#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>

#include "judge/data.h"
#include "report/report.h"
#include "runner/client_target.h"
#include "runner/suite_domain.h"
#include "runner/tls_target.h"
#include "vectors_run/command.h"
#include "vectors_run/explain.h"
#ifdef AMS_CONFORM_MUTANTS
#include "selftest.h"
#endif

namespace {

using namespace ams::conform;

constexpr int exit_usage = 2;
constexpr int exit_nothing = 3;
constexpr int exit_harness = 4;

constexpr const char* footer = R"(Examples:
  The reference server inside this program, in virtual time:
    ams-conform run --role server --simulator
  A server on this machine, with its other-domain side (README.md says how to prepare it):
    ams-conform hosts --listen 127.0.0.1:7799 >> hosts
    ams-conform run --role server --addr 127.0.0.1:7747 --ca ca.pem --domain a.example \
      --root-kid 0123… --root-fp 89ab… --listen 127.0.0.1:7799 \
      --account t1@a.example --token 4f… --account t2@a.example --token 9c… --json out.json
  A directory peer, which needs no accounts; conform.test is one of its peers (README.md):
    ams-conform run --role directory --addr 127.0.0.1:7747 --ca ca.pem --domain d.example \
      --root-kid 0123… --root-fp 89ab… --listen 127.0.0.1:7799
  A client, through its adapter; the suite is its server (README.md):
    ams-conform run --role client --sut ./theirs --listen 127.0.0.1:7799
  The codec of an implementation, through its adapter (conformance/README.md):
    ams-conform vectors --sut ./theirs
  What one case, vector or flag of vectors asks for:
    ams-conform explain srv-frame-kind-unknown
    ams-conform explain from_binding

Exit codes: 0 clean; 1 unexpected result; 2 WARN under --strict, bad usage or case file;
3 nothing or too little ran; 4 harness error.)";

struct Arguments {
  std::string sut, role, addr, domain, root_kid, root_fp, cases_dir, json, junit;
  TlsOptions tls;
  std::string listen;
  std::vector<std::string> accounts, tokens;
  Filter filter;
  std::int64_t patience_ms = 5'000;
  bool simulator = false, strict = false, quiet = false;
  std::string id;
};

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Usage(path + ": cannot be read");
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error(path + ": cannot be written");
}

/// The cases inside, or the *.json of a folder.
std::vector<Case> load_cases(const std::string& folder) {
  std::vector<Case> all;
  const auto add = [&](const std::string& file, const std::string& text) {
    for (Case& one : read_cases(file, text)) all.push_back(std::move(one));
  };
  if (folder.empty()) {
    for (const CaseText& file : case_texts()) add(std::string(file.file), std::string(file.text));
  } else {
    std::error_code error;
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
      if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    if (error) throw Usage("--cases " + folder + ": " + error.message());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) add(file, read_file(file));
  }
  check_together(all);
  return all;
}

std::pair<std::string, std::uint16_t> host_port(const std::string& option,
                                                const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || colon == 0 || std::stoi(port) > 65'535)
    throw Usage(option + ": expected HOST:PORT, found " + text);
  return {text.substr(0, colon), static_cast<std::uint16_t>(std::stoi(port))};
}

/// A client, which comes to us.
std::unique_ptr<Target> await_client(const Arguments& given) {
  if (given.sut.empty() || given.listen.empty())
    throw Usage("run: expected --sut COMMAND and --listen HOST:PORT, or --simulator");
  const auto [host, port] = host_port("--listen", given.listen);
  std::unique_ptr<Target> target;
  try {
    target = make_client_target(given.sut, host, port);
  } catch (const std::runtime_error& error) {
    throw Usage(error.what());
  }
  target->patience = Millis{given.patience_ms};
  return target;
}

std::unique_ptr<Target> reach(const Arguments& given) {
  if (given.role == "client") return await_client(given);
  TlsOptions tls = given.tls;
  if (given.addr.empty() || tls.ca_file.empty())
    throw Usage("run: expected --addr HOST:PORT and --ca FILE, or --simulator");
  if (given.domain.empty()) throw Usage("--domain: expected the target's domain");
  std::tie(tls.host, tls.port) = host_port("--addr", given.addr);
  if (!given.listen.empty())
    std::tie(tls.listen_host, tls.listen_port) = host_port("--listen", given.listen);
  if (given.accounts.size() != given.tokens.size())
    throw Usage("--account, --token: expected one token for each account");
  if (given.role == "directory" && !given.accounts.empty())
    throw Usage("--account: a directory peer has no accounts");
  std::unique_ptr<Target> target;
  try {
    target = make_tls(tls);
  } catch (const std::runtime_error& error) {
    throw Usage(error.what());
  }
  target->patience = Millis{given.patience_ms};
  target->domain = given.domain;
  target->root_kid = given.root_kid;
  target->root_fp = given.root_fp;
  for (std::size_t i = 0; i < given.accounts.size(); ++i) {
    const std::string& text = given.tokens[i];
    auto bytes = ams::from_base64url(text);
    if (!bytes || bytes->size() != 32) bytes = ams::from_hex(text);
    const auto token = bytes ? ams::to_array<32>(*bytes) : std::nullopt;
    if (!token) throw Usage("--token " + text + ": expected 32 bytes in base64url or hexadecimal");
    target->grants.push_back({given.accounts[i], *token});
  }
  return target;
}

int run(const Arguments& given) {
  if (given.role != "server" && given.role != "directory" && given.role != "client")
    throw Usage("--role: expected server, directory or client");
  const std::vector<Case> cases = load_cases(given.cases_dir);
  Filter filter = given.filter;
  filter.role = given.role;
  std::unique_ptr<Target> target;
  std::optional<Runner> runner;
  Report report;
  if (given.simulator) {
    report.sut = "reference " + given.role + ", simulated";
    runner.emplace(cases, given.role);
  } else {
    target = reach(given);
    target->full = given.role == "directory";
    report.sut = target->name();
    runner.emplace(cases, *target, std::to_string(target->unix_ms()));
  }
  for (const Case& one : cases) {
    if (!selected(one, filter) || (target && one.tier > 2)) continue;
    report.cases.push_back({&one, runner->run(one)});
  }
  std::cout << to_console(report);
  if (!given.json.empty()) write_file(given.json, to_json(report).dump(1) + "\n");
  if (!given.junit.empty()) write_file(given.junit, to_junit(report));
  const int code = exit_code(report, given.strict);
  if (code == exit_nothing) std::cerr << "nothing or too little ran\n";
  return code;
}

int list(const Arguments& given) {
  int shown = 0;
  for (const Case& one : load_cases(given.cases_dir)) {
    if (!selected(one, given.filter)) continue;
    std::cout << one.id << "\t" << one.chapter << "\t" << one.kind;
    for (const Clause& clause : one.clauses) std::cout << " " << clause.anchor;
    std::cout << "\t" << one.title << "\n";
    ++shown;
  }
  return shown > 0 ? 0 : exit_nothing;
}

int explain(const Arguments& given) {
  for (const Case& one : load_cases(given.cases_dir)) {
    if (one.id != given.id) continue;
    std::cout << one.id << ": " << one.title << "\n  " << one.kind << ", of a " << one.role
              << ", chapter " << one.chapter << ", tier " << one.tier << ", " << one.keyword
              << "\n  clauses:";
    for (const Clause& clause : one.clauses) std::cout << " " << clause.anchor;
    std::cout << "\n  expects: " << (one.expect.empty() ? "as the steps say" : one.expect.dump());
    if (!one.twin.empty()) std::cout << "\n  control twin: " << one.twin;
    if (!one.mutants.empty()) std::cout << "\n  killed by the mutants:";
    for (const std::string& mutant : one.mutants) std::cout << " " << mutant;
    std::cout << "\n  steps:\n";
    for (const Json& step : one.steps) std::cout << "    " << step.dump() << "\n";
    return 0;
  }
  const std::string vector = explain_vector(load_vectors(vectors_folder("")), given.id);
  if (vector.empty()) throw Usage("explain: no such case, vector or flag: " + given.id);
  std::cout << vector;
  return 0;
}

int hosts(const Arguments& given) {
  const auto [host, port] = host_port("--listen", given.listen);
  for (const char* name : {suite_name, second_suite_name}) {
    const Domain own = make_domain(name, name, 0);
    std::cout << own.name << " " << host << " " << port << " " << own.root.kid << " "
              << ams::to_hex(own.root.fp) << " pin=" << suite_certificate_pin() << "\n";
  }
  return 0;
}

void run_options(CLI::App& command, Arguments& to) {
  command.add_option("--role", to.role, "what is judged: server, directory or client")->required();
  command.add_flag("--simulator", to.simulator, "judge the reference, in this process");
  command.add_option("--sut", to.sut, "of a client: the command of its adapter");
  command.add_option("--addr", to.addr, "HOST:PORT of the server");
  command.add_option("--ca", to.tls.ca_file, "PEM file its certificate is verified with");
  command.add_option("--server-name", to.tls.server_name, "name on its certificate [the host]");
  command.add_option("--domain", to.domain, "its AMS domain");
  command.add_option("--root-kid", to.root_kid, "its root key's kid, as in its hosts line");
  command.add_option("--root-fp", to.root_fp, "its root key's fingerprint, hexadecimal");
  command.add_option("--listen", to.listen, "HOST:PORT where it reaches conform.test");
  command.add_option("--account", to.accounts, "an address of the domain; give eight");
  command.add_option("--token", to.tokens, "that account's unused enrolment token");
  command.add_option("--patience", to.patience_ms, "ms that an answer may take [5000]")
      ->check(CLI::Range(1, 600'000));
  command.add_option("--json", to.json, "write the report as JSON");
  command.add_option("--junit", to.junit, "write the report as JUnit XML");
  command.add_flag("--strict", to.strict, "a broken SHOULD fails the run");
}

int act(int argc, char** argv) {
  Arguments given;
  CLI::App app{"ams-conform: judges AMS servers, clients and codecs from outside.", "ams-conform"};
  app.footer(footer);
  app.require_subcommand(1);
  const auto filters = [&](CLI::App& command) {
    command.add_option("--case", given.filter.id, "only cases whose id has this part");
    command.add_option("--clause", given.filter.clause, "only cases of this clause (WIR-4)");
    command.add_option("--cases", given.cases_dir, "a folder of case files, not those inside");
  };
  CLI::App* run_command = app.add_subcommand("run", "runs the cases against a server");
  run_options(*run_command, given);
  filters(*run_command);
  CLI::App* list_command = app.add_subcommand("list", "one line for each case");
  filters(*list_command);
  list_command->add_option("--role", given.filter.role, "only what run judges in this role")
      ->check(CLI::IsMember({"server", "directory", "client"}));
  CLI::App* explain_command = app.add_subcommand("explain", "what a case, vector or flag is about");
  explain_command->add_option("id", given.id, "of a case or vector, or a flag")->required();
  explain_command->add_option("--cases", given.cases_dir, "a folder of case files");
  CLI::App* hosts_command =
      app.add_subcommand("hosts", "the hosts lines of the suite's domains, for what is judged");
  hosts_command->add_option("--listen", given.listen, "HOST:PORT, as for run")->required();
  const VectorsCommands vectors_commands(app);
#ifdef AMS_CONFORM_MUTANTS
  SelftestOptions selftest_options;
  CLI::App* selftest_command = app.add_subcommand("selftest", "shows that every case can fail");
  selftest_command->add_option("--mutant", selftest_options.mutant, "only this mutant");
  selftest_command->add_option("--json", selftest_options.json, "write the kill matrix");
  selftest_command->add_option("--markdown", selftest_options.markdown, "the same for people");
  selftest_command->add_flag("--full", selftest_options.full, "every mutant against every case");
#endif
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  if (*run_command) return run(given);
  if (*list_command) return list(given);
  if (*explain_command) return explain(given);
  if (*hosts_command) return hosts(given);
  if (const auto code = vectors_commands.run()) return *code;
#ifdef AMS_CONFORM_MUTANTS
  if (*selftest_command) return selftest(load_cases(""), selftest_options);
#endif
  return exit_usage;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return act(argc, argv);
  } catch (const Usage& error) {
    std::cerr << "ams-conform: " << error.what() << "\n";
    return exit_usage;
  } catch (const CaseError& error) {
    std::cerr << "ams-conform: " << error.what() << "\n";
    return exit_usage;
  } catch (const std::exception& error) {
    std::cerr << "ams-conform: " << error.what() << "\n";
    return exit_harness;
  }
}
