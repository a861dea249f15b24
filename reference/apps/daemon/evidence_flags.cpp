#include "daemon/evidence_flags.h"

#include <CLI/CLI.hpp>

#include "daemon/evidence.h"
#include "daemon/publication.h"

namespace ams::daemon {
namespace {

constexpr const char* exits =
    "Exit codes: 0 honest, or the evidence holds; 1 not honest, or it does not hold; 2 wrong\n"
    "configuration, option or file; 4 the peer did not answer.";

void add_peer(CLI::App* command, std::string& peer, std::string& hosts) {
  command->add_option("--peer", peer, "Whom to ask: a domain, or HOST:PORT of the hosts file")
      ->required();
  command->add_option("--hosts", hosts, "The hosts file [the configuration's]");
}

}  // namespace

struct EvidenceCommands::Impl {
  CLI::App *audit = nullptr, *prove = nullptr, *verify = nullptr, *publish = nullptr;
  PublishOptions publish_options;
  AuditOptions audit_options;
  ProveOptions prove_options;
  VerifyOptions verify_options;
};

EvidenceCommands::EvidenceCommands(CLI::App& app, const Program& program, std::string& config)
    : impl_(std::make_unique<Impl>()) {
  const std::string with = " --config a/" + program.name + ".toml";
  const auto add_config = [&](CLI::App* command) {
    command->add_option("--config", config, "Ask as the domain of this configuration file")
        ->required();
  };
  CLI::App* audit = impl_->audit = app.add_subcommand(
      "audit", "Replay a directory peer's whole history; say whether its root is honest");
  AuditOptions& a = impl_->audit_options;
  add_config(audit);
  add_peer(audit, a.peer, a.hosts_file);
  audit->add_option("--keep", a.keep_file,
                    "A file for its checkpoint: the next audit shows whether the log went on");
  audit->add_option("--out", a.out_file, "Where evidence goes when it showed two faces");
  audit->footer("Examples:\n  " + program.name + " audit --peer dir.example" + with +
                " --keep dir.example.checkpoint\n\n" + exits);

  CLI::App* prove = impl_->prove = app.add_subcommand(
      "prove", "Write what a directory peer says of a key, with proof, into a file for others");
  ProveOptions& p = impl_->prove_options;
  add_config(prove);
  prove->add_option("KID", p.kid, "The key's kid; one that is in no entry is proven absent")
      ->required();
  add_peer(prove, p.peer, p.hosts_file);
  prove->add_option("--witness", p.witnesses, "A domain that must have cosigned; may be repeated");
  prove->add_option("--out", p.out_file, "The file to write")->required();
  prove->footer("Example:\n  " + program.name +
                " prove 01234567-89ab-8def-8101-020304050607 --peer dir.example" + with +
                " \\\n    --witness b.example --out key.proof\n\n" + exits);

  add_publish(app, program.name, config);
  CLI::App* verify = impl_->verify = app.add_subcommand(
      "verify", "Check a file of `prove`, or evidence of two faces, without any network");
  VerifyOptions& v = impl_->verify_options;
  verify->add_option("FILE", v.file, "The evidence")->required();
  verify->add_option("--hosts", v.hosts_file, "Believe the root keys of this hosts file");
  verify->add_option("--root-fp", v.root_fp, "Believe the root key of this fingerprint");
  verify->add_option("--quorum", v.quorum, "How many witnesses must have cosigned [0]")
      ->check(CLI::Range(0, 32));
  verify->add_option("--age", v.age_max_h, "Refuse an epoch older than so many hours")
      ->check(CLI::PositiveNumber);
  verify->footer("Example:\n  " + program.name + " verify key.proof --hosts hosts --quorum 2\n\n" +
                 exits);
}

void EvidenceCommands::add_publish(CLI::App& app, const std::string& name, std::string& config) {
  CLI::App* publish = impl_->publish = app.add_subcommand(
      "publish", "Give a directory peer objects from files: records, revocations, events, cards");
  PublishOptions& p = impl_->publish_options;
  publish->add_option("FILE", p.files, "Files with one object a line")->required();
  publish->add_option("--config", config, "Publish as the domain of this configuration file")
      ->required();
  add_peer(publish, p.peer, p.hosts_file);
  publish
      ->add_option("--work", p.work_bits_max,
                   "Beyond the quota pay with work of at most so many bits (26); 0: none")
      ->check(CLI::Range(0, 40));
  publish->footer("Example, the revocation of a key whose home is lost:\n  " + name +
                  " publish revocation --peer dir.example --config a/" + name +
                  ".toml\n\nExit codes: 0 all published; 1 some refused; 2 wrong configuration, "
                  "option or\nfile; 4 the peer did not answer.");
}

EvidenceCommands::~EvidenceCommands() = default;

std::optional<tl::expected<std::string, Failure>> EvidenceCommands::run_alone() const {
  if (!impl_->verify->parsed()) return std::nullopt;
  return verify(impl_->verify_options);
}

std::optional<tl::expected<std::string, Failure>> EvidenceCommands::run(
    const apps::ServerConfig& config) const {
  if (impl_->audit->parsed()) return audit(config, impl_->audit_options);
  if (impl_->prove->parsed()) return prove(config, impl_->prove_options);
  if (impl_->publish->parsed()) return publish(config, impl_->publish_options);
  return std::nullopt;
}

}  // namespace ams::daemon
