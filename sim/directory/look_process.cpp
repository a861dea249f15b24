#include "sim_directory/look_process.h"

#include "directory/light.h"
#include "directory/peer.h"
#include "sim_world/host.h"
#include "sim_world/internet.h"

namespace ams::sim {
namespace {

constexpr std::size_t quorum = 2;  // DIR-22

std::string name_of(Code code) { return std::string(code_info(code).name); }

}  // namespace

LookProcess::LookProcess(std::shared_ptr<const DirectoryWorld> world, LpId self, std::size_t number)
    : world_(std::move(world)),
      spec_(world_->scenario.looks[number]),
      kid_(world_->owners[static_cast<std::size_t>(spec_.key)].record.id().kid),
      self_(self),
      calls_(world_->net, world_->scenario.seed, self) {
  for (LpId lp = 0; lp < world_->peer_count(); ++lp)
    if (world_->honest(lp))
      witnesses_.push_back(*directory::log_key(world_->names[lp], world_->ops[lp].record.signing(),
                                               verifiable::NoteKeyType::cosignature_v1));
}

void LookProcess::plan(Engine& engine) {
  for (std::int64_t i = 0; i < spec_.times; ++i)
    engine.schedule(self_, world_start + std::chrono::seconds{spec_.from_s + i * spec_.every_s},
                    message(kind_look, static_cast<std::uint64_t>(i)));
}

void LookProcess::handle(const Event& event, Context& context) {
  if (event.kind == kind_look) return ask(event.a, context);
  AMS_ASSERT(Calls::owns(event));
  calls_.handle(event, context);
  while (auto outcome = calls_.poll_outcome()) {
    const std::size_t look = outcome->token / (2 * look_peers);
    const std::size_t which = outcome->token % (2 * look_peers);
    auto& asked = open_.at(look);
    (which % 2 == 0 ? asked[which / 2].got : asked[which / 2].proof) = std::move(outcome->value);
    bool all = true;
    for (const Asked& one : asked) all &= one.got && one.proof;
    if (all) judge(look, context.now());
  }
}

void LookProcess::ask(std::size_t look, Context& context) {
  open_[look];
  ledger_.looks.push_back({context.now(), {}, "nothing verified"});
  const wire::Value args = wire::Object{{"kid", to_uuid_text(kid_)}};
  for (std::size_t i = 0; i < look_peers; ++i) {
    const std::uint64_t token = (look * look_peers + i) * 2;
    calls_.ask(peer(i), token, "directory.get", args, context);
    calls_.ask(peer(i), token + 1, "directory.proof", args, context);
  }
}

void LookProcess::judge(std::size_t number, Instant now) {
  const auto asked = open_.extract(number).mapped();
  Look& look = ledger_.looks[number];
  std::vector<directory::Looked> verified;
  std::vector<keys::Entry> unproven;
  for (std::size_t i = 0; i < look_peers; ++i) {
    const Result<wire::Value>&got = *asked[i].got, &proof = *asked[i].proof;
    LookAnswer answer{world_->names[peer(i)], {}, {}, {}};
    std::optional<keys::Entry> said;
    const bool absent = !got && got.error().code == Code::not_found;
    if (got) {
      const auto entry = directory::entry_of(kid_, directory::objects_of(*got));
      answer.state = entry ? std::string(keys::name(entry->state())) : "refused";
      if (entry) said = *entry;
    }
    if (!got && !absent) {
      answer.code = name_of(got.error().code);
    } else if (!proof) {
      answer.code = name_of(proof.error().code);
      answer.where = "directory.proof";
    } else {
      const auto log = directory::log_key(answer.peer, world_->ops[peer(i)].record.signing(),
                                          verifiable::NoteKeyType::ed25519);
      auto looked = directory::verify_lookup(kid_, got ? &*got : nullptr, *proof,
                                             {&*log, {witnesses_, quorum}, now});
      if (looked) {
        verified.push_back(std::move(*looked));
      } else {
        answer.code = name_of(looked.error().code);
        answer.where = std::string(looked.error().where);
      }
    }
    if (said && !answer.code.empty()) unproven.push_back(std::move(*said));
    look.answers.push_back(std::move(answer));
  }
  for (const LookAnswer& answer : look.answers)
    if (verified.empty() && answer.code == name_of(Code::kid_quarantined))
      look.verdict = answer.code;
  if (verified.empty()) return;
  const auto usable = directory::usable_by(verified, unproven);
  look.verdict = usable ? "usable" : name_of(usable.error().code);
}

const LookLedger& LookProcess::finish() {
  ledger_.net = calls_.stats();
  return ledger_;
}

}  // namespace ams::sim
