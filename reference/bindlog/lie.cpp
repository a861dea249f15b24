#include "bindlog/lie.h"

#include "base/overload.h"
#include "bindlog/walk.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::bindlog {
namespace {

Sighting read_sighting(wire::ObjectReader& in, std::string_view name, bool needs_value) {
  wire::ObjectReader sighting(in.any(name), "sighting");
  Sighting out;
  out.head = read_head(sighting);
  out.path = sighting.binary("path", 1, verifiable::map_proof_size_max);
  if (needs_value) {
    out.value = sighting.bytes<32>("value");
  } else if (const auto value = sighting.optional_binary("value", 32, 32)) {
    out.value = to_array<32>(*value);
  }
  in.include(sighting.finish());
  return out;
}

wire::Value to_value(const Sighting& sighting) {
  wire::Object out{{"head", to_value(sighting.head)}, {"path", to_base64url(sighting.path)}};
  if (sighting.value) out["value"] = to_base64url(*sighting.value);
  return out;
}

Result<OpenedHead> verify_sighting(const Sighting& sighting, const Id16& label,
                                   const Identity& log) {
  AMS_TRY(const OpenedHead head, open_head(sighting.head, log));
  if (mutant("bindlog.skip_sighting")) return head;
  AMS_CHECK(sighting.value ? verifiable::verify_present(head.epoch.map_root, label, *sighting.value,
                                                        sighting.path)
                           : verifiable::verify_absent(head.epoch.map_root, label, sighting.path));
  return head;
}

Result<> verify(const Fork& lie, const Identity& log) {
  const auto size = verifiable::verify_equivocation(lie.notes, log.log);
  if (!size && !mutant("bindlog.skip_fork")) return tl::unexpected(size.error());
  return {};
}

Result<> verify(const Rewrite& lie, const Identity& log) {
  AMS_TRY(const OpenedHead before, verify_sighting(lie.before, lie.label, log));
  AMS_TRY(const OpenedHead after, verify_sighting(lie.after, lie.label, log));
  if (before.size >= after.size && !mutant("bindlog.accept_rewrite_order"))
    return fail(Code::no_lie, "rewrite.sizes");
  if (lie.before.value == lie.after.value && !mutant("bindlog.accept_equal_sightings"))
    return fail(Code::no_lie, "rewrite.values");
  return {};
}

Result<> verify(const Contradiction& lie, const Identity& log, const keys::Chain* chain) {
  if (chain == nullptr) return fail(Code::domain_record, "contradiction");
  AMS_TRY(const keys::Binding binding, keys::verify_binding(lie.binding, *chain));
  AMS_TRY(const Proven proven, verify_proof(lie.proof, binding.addr, log));
  if (!proven.entry)
    return fail(mutant("bindlog.wrong_code_unbound") ? Code::proof : Code::no_lie,
                "contradiction.entry");
  if (proven.entry->version != binding.version && !mutant("bindlog.accept_other_version"))
    return fail(Code::no_lie, "contradiction.version");
  const Entry& entry = *proven.entry;
  const bool same =
      entry.key == binding.key && entry.custody == binding.custody && entry.enc == binding.enc;
  if (same && !mutant("bindlog.accept_same_key")) return fail(Code::no_lie, "contradiction.key");
  return {};
}

struct Deny {
  std::string addr;
  std::int64_t version = 0;
  Hash value{};
};
Result<Deny> parse_deny(const wire::Value& value) {
  wire::ObjectReader in(value, "deny");
  Deny out;
  in.tag("bdeny/1");
  out.addr = in.string("addr");
  in.require(wire::parse_address(out.addr).has_value(), Code::address_syntax, "deny.addr");
  out.version = in.integer("version", 1, version_max);
  out.value = in.bytes<32>("value");
  in.binary("sig", 1, keys::signature_size_max);
  AMS_CHECK(in.finish());
  return out;
}

Result<> verify(const Denial& lie, const Identity& log) {
  AMS_TRY(const History history, parse_history(lie.history));
  AMS_CHECK(judge_address(log, history.addr, history.addr));
  for (const Item& item : history.items)
    AMS_CHECK(judge_address(log, history.addr, item.entry.addr));
  if (history.items.size() != 2 || !history.above.empty() || !history.consistency.empty())
    return fail(mutant("bindlog.wrong_code_denial") ? Code::schema : Code::proof_form,
                "denial.history");
  const auto values = values_of(history);
  AMS_CHECK(judge_links(history, values));
  AMS_TRY(const OpenedHead head, open_head(history.head, log));
  AMS_CHECK(verify_items(history, values, log, head.epoch.map_root));
  const Entry& first = history.items[0].entry;
  const Entry& second = history.items[1].entry;
  AMS_TRY(const keys::KeyRecord record, keys::KeyRecord::parse_as(lie.record, first.key));
  const auto read = parse_deny(lie.deny);
  if (!read && mutant("bindlog.wrong_code_deny")) return fail(Code::no_lie, "denial.deny");
  if (!read) return tl::unexpected(read.error());
  const Deny& deny = *read;
  const bool about =
      deny.addr == second.addr && deny.version == second.version && deny.value == values[1];
  if (!about && !mutant("bindlog.accept_other_denial")) return fail(Code::no_lie, "denial.deny");
  if (!mutant("bindlog.skip_denial_signature"))
    AMS_CHECK(keys::verify_object(lie.deny, record.signing()));
  const bool endorsed = verify_endorsement(second, first, values[0], record).has_value();
  if (endorsed && !mutant("bindlog.deny_endorsed")) return fail(Code::no_lie, "denial.endorsed");
  return {};
}

Result<Lie> read_lie(const wire::Value& value) {
  wire::ObjectReader in(value, "lie");
  Lie out;
  in.tag("blie/1");
  const std::string kind = in.string("kind");
  const bool known =
      kind == "fork" || kind == "rewrite" || kind == "contradiction" || kind == "denial";
  in.require(known, Code::schema, "lie.kind");
  out.domain = in.string("domain");
  in.require(wire::is_domain(out.domain), Code::address_syntax, "lie.domain");
  if (kind == "fork") {
    out.what = Fork{in.string("notes", verifiable::equivocation_size_max)};
  } else if (kind == "rewrite") {
    Rewrite rewrite;
    rewrite.label = in.bytes<16>("label");
    rewrite.before = read_sighting(in, "before", true);
    rewrite.after = read_sighting(in, "after", false);
    out.what = std::move(rewrite);
  } else if (kind == "contradiction") {
    Contradiction contradiction;
    contradiction.binding = in.any("binding");
    contradiction.proof = in.any("proof");
    out.what = std::move(contradiction);
  } else if (kind == "denial") {
    Denial denial;
    denial.history = in.any("history");
    denial.record = in.any("record");
    denial.deny = in.any("deny");
    out.what = std::move(denial);
  }
  AMS_CHECK(in.finish());
  return out;
}

}  // namespace

Result<Lie> parse_lie(const wire::Value& value) {
  auto lie = read_lie(value);
  if (!lie && mutant("bindlog.wrong_code_lie")) return fail(Code::proof_form, "lie");
  return lie;
}

std::string_view kind_of(const Lie& lie) {
  constexpr std::string_view kinds[] = {"fork", "rewrite", "contradiction", "denial"};
  return kinds[lie.what.index()];
}

wire::Value to_value(const Lie& lie) {
  wire::Object out{{"ams", "blie/1"}, {"kind", kind_of(lie)}, {"domain", lie.domain}};
  std::visit(Overload{[&](const Fork& fork) { out["notes"] = fork.notes; },
                      [&](const Rewrite& rewrite) {
                        out["label"] = to_base64url(rewrite.label);
                        out["before"] = to_value(rewrite.before);
                        out["after"] = to_value(rewrite.after);
                      },
                      [&](const Contradiction& contradiction) {
                        out["binding"] = contradiction.binding;
                        out["proof"] = contradiction.proof;
                      },
                      [&](const Denial& denial) {
                        out["history"] = denial.history;
                        out["record"] = denial.record;
                        out["deny"] = denial.deny;
                      }},
             lie.what);
  return out;
}

Result<> verify_lie(const Lie& lie, const Identity& log, const keys::Chain* chain) {
  if (lie.domain != log.domain && !mutant("bindlog.skip_lie_domain"))
    return fail(Code::domain_mismatch, "lie.domain");
  return std::visit(Overload{[&](const Fork& fork) { return verify(fork, log); },
                             [&](const Rewrite& rewrite) { return verify(rewrite, log); },
                             [&](const Contradiction& contradiction) {
                               return verify(contradiction, log, chain);
                             },
                             [&](const Denial& denial) { return verify(denial, log); }},
                    lie.what);
}

Result<wire::Value> make_denial(const Entry& entry, const Hash& value,
                                const crypto::SigningKey& old_key) {
  return keys::sign_object(wire::Object{{"ams", "bdeny/1"},
                                        {"addr", entry.addr},
                                        {"version", entry.version},
                                        {"value", to_base64url(value)}},
                           old_key);
}

Result<Lie> make_rewrite(std::string domain, const Id16& label, Sighting before, Sighting after) {
  if (!before.value || before.value == after.value) return fail(Code::no_lie, "rewrite.values");
  return Lie{std::move(domain), Rewrite{label, std::move(before), std::move(after)}};
}

}  // namespace ams::bindlog
