#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "crypto_bench/letters.h"
#include "crypto_bench/peers.h"

namespace ams::crypto_bench {
namespace {

void shell(const std::string& folder, const std::string& script) {
  run_program({"sh", "-ec", "cd '" + folder + "'\n" + script}, {});
}

/// The first line that the script prints.
std::string line_of(const std::string& folder, const std::string& script) {
  shell(folder, "{ " + script + "; } > line.txt 2>&1");
  std::ifstream in(folder + "/line.txt");
  std::string out;
  std::getline(in, out);
  return out;
}

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  must(probe >= 0 && bind(probe, any, size) == 0 && getsockname(probe, any, &size) == 0, "port");
  close(probe);
  return ntohs(address.sin_port);
}

Command gpg(const std::string& folder) {
  shell(folder,
        "mkdir -m 700 gpg\n"
        "gpg --homedir gpg --batch --pinentry-mode loopback --passphrase '' "
        "--quick-generate-key bench@example.org future-default default never");
  const std::vector<std::string> common{"gpg",     "--homedir", folder + "/gpg",
                                        "--batch", "--yes",     "--quiet"};
  Command out{"gpg", line_of(folder, "gpg --version"), "", common, common, {}};
  out.note = "signs and encrypts, Ed25519 and Curve25519, no compression; asks gpg-agent";
  for (const char* arg : {"--trust-model", "always", "-z", "0", "--sign", "--encrypt",
                          "--recipient", "bench@example.org", "--output", "OUT", "IN"})
    out.seal_args.push_back(arg);
  for (const char* arg : {"--output", "OUT", "--decrypt", "IN"}) out.open_args.push_back(arg);
  return out;
}

Command age(const std::string& folder) {
  shell(folder, "age-keygen -o age.key 2> /dev/null\nage-keygen -y age.key > age.pub");
  return {"age",
          "age " + line_of(folder, "age --version"),
          "does not sign: nobody knows who sealed",
          {"age", "-R", folder + "/age.pub", "-o", "OUT", "IN"},
          {"age", "-d", "-i", folder + "/age.key", "-o", "OUT", "IN"},
          {}};
}

Command sq(const std::string& folder) {
  shell(folder,
        "sq key generate --userid bench@example.org --export sq.key --rev-cert sq.rev\n"
        "sq key extract-cert --output sq.cert sq.key");
  const std::string key = folder + "/sq.key", cert = folder + "/sq.cert";
  return {"sq",
          line_of(folder, "sq --version"),
          "signs and encrypts, no compression, not armoured",
          {"sq", "--force", "encrypt", "--binary", "--compression", "none", "--recipient-cert",
           cert, "--signer-key", key, "--output", "OUT", "IN"},
          {"sq", "--force", "decrypt", "--recipient-key", key, "--signer-cert", cert, "--output",
           "OUT", "IN"},
          {}};
}

/// An account, which only a server can give; the server ends when it is made.
Command ams(const std::string& folder, const std::string& bin) {
  const std::string port = std::to_string(free_port());
  shell(folder,
        "PATH='" + bin +
            "':$PATH\n"
            "amsd init --domain bench.example --dir amsd --listen 127.0.0.1:" +
            port +
            " --hosts hosts > init.txt\n"
            "grep '^bench.example ' init.txt > hosts\n"
            "token=$(amsd account add bench@bench.example --config amsd/amsd.toml)\n"
            "amsd --config amsd/amsd.toml & server=$!\n"
            "trap 'kill $server; wait $server' EXIT\n"
            "for try in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2\n"
            "  ams account add bench@bench.example --server-hosts hosts --token $token --home ams "
            "&& exit 0; done; exit 1");
  const std::string home = folder + "/ams", program = bin + "/ams";
  return {"ams",
          "ams",
          "signs and encrypts (seal/1), Ed25519 and X25519",
          {program, "seal", "--home", home, "--force", "--output", "OUT", "IN"},
          {program, "open", "--home", home, "--force", "--output", "OUT", "IN"},
          {}};
}

std::vector<std::string> with_files(std::vector<std::string> args, const std::string& in,
                                    const std::string& out) {
  std::replace(args.begin(), args.end(), std::string("IN"), in);
  std::replace(args.begin(), args.end(), std::string("OUT"), out);
  return args;
}

}  // namespace

Commands find_commands(const std::string& folder, const std::string& bin) {
  Commands out;
  const auto add = [&](const std::string& name, const std::string& get,
                       const std::function<Command()>& make) {
    try {
      shell(folder, "PATH='" + bin + "':$PATH\ncommand -v " + name);
    } catch (const std::runtime_error&) {
      out.absent.push_back(name + ": not installed (" + get + ")");
      return;
    }
    try {
      out.present.push_back(make());
    } catch (const std::runtime_error& error) {
      out.absent.push_back(name + ": " + error.what());
    }
  };
  add("ams", "build target ams", [&] { return ams(folder, bin); });
  add("gpg", "Debian package gnupg", [&] { return gpg(folder); });
  add("age", "Debian package age", [&] { return age(folder); });
  add("sq", "Debian package sq", [&] { return sq(folder); });
  return out;
}

paired::Contestant run_command(const Command& command, Direction direction,
                               const std::string& folder, std::size_t size) {
  return {command.name, [=]() -> paired::Operation {
            const std::string base = folder + "/" + command.name + "-file";
            const std::string plain = base + ".txt", sealed = base + ".sealed",
                              opened = base + ".opened";
            const std::string text = mail_text(size);
            std::ofstream(plain, std::ios::binary) << text;
            const auto seal = with_files(command.seal_args, plain, sealed);
            run_program(seal, command.environment);
            if (direction == Direction::seal)
              return [=] { run_program(seal, command.environment); };
            const auto open = with_files(command.open_args, sealed, opened);
            run_program(open, command.environment);
            std::ifstream in(opened, std::ios::binary);
            const std::string back{std::istreambuf_iterator<char>(in), {}};
            must(back == text, "round trip of a command");
            return [=] { run_program(open, command.environment); };
          }};
}

}  // namespace ams::crypto_bench
