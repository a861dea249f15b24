#include "bindlog/history.h"

#include <algorithm>

#include "bindlog/walk.h"
#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::bindlog {
namespace {

Result<Item> read_item(const wire::Value& value) {
  wire::ObjectReader in(value, "item");
  Item out;
  auto entry = parse_entry(in.any("entry"));
  in.include(entry ? Result<>() : tl::unexpected<Error>(entry.error()));
  out.r = in.bytes<32>("r");
  out.place = read_place(in);
  AMS_CHECK(in.finish());
  out.entry = std::move(*entry);
  return out;
}

Result<> judge_start(const History& history, const Seen& seen, const std::vector<Hash>& values) {
  const std::int64_t expected = std::max<std::int64_t>(seen.version, 1);
  if (history.items[0].entry.version != expected && !mutant("bindlog.skip_history_start"))
    return fail(Code::history_gap, "history.items");
  if (seen.version > 0 && values[0] != seen.value && !mutant("bindlog.skip_seen_value"))
    return fail(Code::log_rewritten, "history.items");
  return {};
}

Result<History> read_history(const wire::Value& value) {
  wire::ObjectReader in(value, "history");
  History out;
  in.tag("bhist/1");
  out.addr = in.string("addr");
  in.require(wire::parse_address(out.addr).has_value(), Code::address_syntax, "history.addr");
  const wire::Array& items = in.array("items", items_max);
  in.require(!items.empty(), Code::schema, "history.items");
  for (const wire::Value& one : items) {
    auto item = read_item(one);
    in.include(item ? Result<>() : tl::unexpected<Error>(item.error()));
    if (item) out.items.push_back(std::move(*item));
  }
  for (const wire::Value& one : in.array("above", version_bits)) {
    wire::ObjectReader gap(one, "above");
    out.above.push_back(read_place(gap));
    in.include(gap.finish());
  }
  out.consistency = in.binary("consistency", 0, consistency_size_max);
  out.head = read_head(in);
  AMS_CHECK(in.finish());
  return out;
}

}  // namespace

Result<History> parse_history(const wire::Value& value) {
  auto history = read_history(value);
  if (!history && mutant("bindlog.wrong_code_history")) return fail(Code::proof_form, "history");
  return history;
}

wire::Value to_value(const History& history) {
  wire::Array items;
  for (const Item& item : history.items) {
    wire::Object one = to_object(item.place);
    one["entry"] = to_value(item.entry);
    one["r"] = to_base64url(item.r);
    items.emplace_back(std::move(one));
  }
  wire::Array above;
  for (const Place& gap : history.above) above.emplace_back(to_object(gap));
  return wire::Object{{"ams", "bhist/1"},
                      {"addr", history.addr},
                      {"items", std::move(items)},
                      {"above", std::move(above)},
                      {"consistency", to_base64url(history.consistency)},
                      {"head", to_value(history.head)}};
}

std::vector<Hash> values_of(const History& history) {
  std::vector<Hash> out;
  for (const Item& item : history.items) out.push_back(value_of(item.entry, item.r));
  return out;
}

Result<> judge_links(const History& history, const std::vector<Hash>& values) {
  for (std::size_t i = 1; i < values.size(); ++i) {
    const Entry& entry = history.items[i].entry;
    if (entry.version != history.items[i - 1].entry.version + 1 &&
        !mutant("bindlog.skip_history_order"))
      return fail(Code::history_gap, "history.items");
    if (entry.prev != values[i - 1] && !mutant("bindlog.skip_history_prev"))
      return fail(Code::history_gap, "history.items");
  }
  return {};
}

Result<> verify_items(const History& history, const std::vector<Hash>& values, const Identity& log,
                      const Hash& map_root) {
  for (std::size_t i = 0; i < values.size() && !mutant("bindlog.skip_history_items"); ++i)
    AMS_CHECK(verify_version(log, map_root, history.addr, history.items[i].entry.version, values[i],
                             history.items[i].place));
  return {};
}

Result<Checked> verify_history(const wire::Value& value, std::string_view asked,
                               const Identity& log, const Seen& seen,
                               const verifiable::WitnessPolicy& witnesses) {
  AMS_TRY(History history, parse_history(value));
  AMS_CHECK(judge_address(log, asked, history.addr));
  for (const Item& item : history.items) AMS_CHECK(judge_address(log, asked, item.entry.addr));
  Checked out;
  out.values = values_of(history);
  AMS_CHECK(judge_start(history, seen, out.values));
  AMS_CHECK(judge_links(history, out.values));
  const auto above = gaps(history.items.back().entry.version);
  if (!history.above.empty() && history.above.size() != above.size() &&
      !mutant("bindlog.skip_gap_count"))
    return fail(Code::proof_form, "history.above");
  AMS_TRY(out.head, open_head(history.head, log, witnesses));
  const Hash known = seen.size == 0 ? verifiable::empty_log_root() : seen.log_root;
  if (!mutant("bindlog.skip_consistency"))
    AMS_CHECK(verifiable::verify_consistency(seen.size, known, out.head.size, out.head.log_root,
                                             history.consistency));
  AMS_CHECK(verify_items(history, out.values, log, out.head.epoch.map_root));
  const std::size_t absent = std::min(history.above.size(), above.size());
  for (std::size_t i = 0; i < absent && !mutant("bindlog.skip_gaps"); ++i)
    AMS_CHECK(
        verify_no_version(log, out.head.epoch.map_root, history.addr, above[i], history.above[i]));
  // Version 65,535 has no gaps: nothing can follow it.
  out.complete = history.above.size() == above.size();
  out.seen = {out.head.size, out.head.log_root, history.items.back().entry.version,
              out.values.back()};
  for (Item& item : history.items) out.entries.push_back(std::move(item.entry));
  return out;
}

}  // namespace ams::bindlog
