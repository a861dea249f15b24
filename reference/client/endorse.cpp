#include "client/endorse.h"

#include "policy/mutant.h"

namespace ams::client {

bindlog::Seen seen_of_own(const Core& core) {
  const auto row = core.row(table_account, as_bytes(row_log_seen));
  return row ? parse_seen_row(*row).value_or(bindlog::Seen{}) : bindlog::Seen{};
}

std::optional<wire::Value> endorsed_entry(const Core& core, const keys::Chain& chain,
                                          const NextVersion& next, const keys::KeyPair& old) {
  const bindlog::Seen seen = seen_of_own(core);
  const bool known = chain.record.log && seen.version > 0 && seen.version + 1 == next.version;
  if (!known || !old.record.valid_at(core.now) || mutant("client.skip_own_endorsement"))
    return std::nullopt;
  bindlog::Entry entry;
  entry.addr = core.options.addr;
  entry.version = next.version;
  entry.at = to_unix_ms(core.now);
  entry.key = next.key;
  entry.custody = next.custody;
  entry.policy = keys::policy_at(chain.record, core.now).mode;
  entry.enc = next.enc;
  entry.prev = seen.value;
  auto endorsed = bindlog::endorse(std::move(entry), old.signing);
  if (!endorsed) return std::nullopt;
  return bindlog::to_value(*endorsed);
}

}  // namespace ams::client
