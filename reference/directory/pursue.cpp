// Evidence against a log that was evicted without any (spec DIR-47): whoever shows each side its
// own history tells, in that history, what it was at the size of the other side's checkpoint.
#include "directory/peer.h"
#include "policy/mutant.h"
#include "verifiable/rewrite.h"

namespace ams::directory {
namespace {

Bytes binary(const wire::Value& answer, std::string_view member) {
  const wire::Value* value = answer.find(member);
  if (value == nullptr || !value->is_string()) return {};
  return from_base64url(value->as_string()).value_or(Bytes{});
}

/// The hashes of CKP-13 in an answer; none when they are not in it.
Bytes hashes_of(const Witness::Question& question, const wire::Value& answer) {
  if (!question.last_entry)
    return verifiable::rewrite_hashes(question.size, question.second, binary(answer, "proof"))
        .value_or(Bytes{});
  // All entries but the last are one complete subtree: the last one's path is that root alone.
  Bytes out = binary(answer, "inclusion");
  append(out, verifiable::log_leaf_hash(binary(answer, "epoch")));
  return out;
}

}  // namespace

/// Once in a round.
void Peer::pursue_all() {
  pursued_.clear();
  std::vector<std::string> logs;
  for (const auto& [domain, evidence] : witness_.evidence())
    if (evidence.empty()) logs.push_back(domain);
  for (const std::string& domain : logs) pursue(domain);
}

void Peer::pursue(const std::string& domain) {
  if (!options_.full || !is_peer(domain) || mutant("directory.no_pursuit")) return;
  for (const auto& [cookie, asked] : asked_)
    if (asked.purpose == Purpose::pursuit && asked.domain == domain) return;
  int& questions = pursued_[domain];
  if (questions >= pursuit_questions_max) return;
  auto question = witness_.question(domain);
  if (!question) return;
  ++questions;
  Asked asked{Purpose::pursuit, domain, {}, {}, {}, {}, {}};
  asked.question = *question;
  if (question->last_entry)
    return ask(std::move(asked), "directory.proof", wire::Object{{"kid", to_uuid_text(Id16{})}});
  ask(std::move(asked), "directory.consistency",
      wire::Object{{"first", static_cast<std::int64_t>(question->first)},
                   {"second", static_cast<std::int64_t>(question->second)}});
}

void Peer::handle_pursuit(const Asked& asked, const Result<wire::Value>& outcome) {
  if (!outcome) return;  // the next round asks again
  const wire::Value* note = outcome->find("checkpoint");
  const std::string shown = note != nullptr && note->is_string() ? note->as_string() : "";
  storage::WriteBatch writes;
  const bool more = witness_.convict(asked.domain, asked.question,
                                     hashes_of(asked.question, *outcome), shown, writes);
  write(std::move(writes));
  if (more) pursue(asked.domain);
}

}  // namespace ams::directory
