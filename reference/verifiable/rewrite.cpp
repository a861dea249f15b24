#include "verifiable/rewrite.h"

#include <bit>
#include <vector>

#include "policy/mutant.h"
#include "verifiable/log.h"
#include "verifiable/own_note.h"

namespace ams::verifiable {
namespace {

constexpr std::size_t rewrite_hash_size = 32;

Code rewrite_form() {
  return ams::mutant("verifiable.wrong_code_rewrite") ? Code::proof : Code::proof_form;
}

/// Two notes and the lines behind them.
struct RewriteParts {
  std::string_view first, second, lines;
};

/// No text has an empty line, so that each second empty line ends a note.
Result<RewriteParts> split(std::string_view evidence) {
  std::size_t at = 0;
  const auto note = [&]() -> std::optional<std::string_view> {
    const auto gap = evidence.find("\n\n", at);
    const auto end = gap == std::string_view::npos ? gap : evidence.find("\n\n", gap + 2);
    if (end == std::string_view::npos) return std::nullopt;
    const auto out = evidence.substr(at, end + 1 - at);
    at = end + 2;
    return out;
  };
  const auto first = note();
  const auto second = first ? note() : std::nullopt;
  if (!second) return fail(rewrite_form(), "rewrite");
  return RewriteParts{*first, *second, evidence.substr(at)};
}

/// One hash a line, at least one.
Result<std::vector<Hash>> read_lines(std::string_view lines) {
  std::vector<Hash> out;
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    if (end == std::string_view::npos) return fail(rewrite_form(), "rewrite.hashes");
    const auto raw = from_base64(lines.substr(0, end));
    const auto hash = raw ? to_array<rewrite_hash_size>(*raw) : std::nullopt;
    if (!hash) return fail(rewrite_form(), "rewrite.hashes");
    out.push_back(*hash);
    lines.remove_prefix(end + 1);
  }
  if (out.empty()) return fail(rewrite_form(), "rewrite.hashes");
  return out;
}

/// CKP-13: that the hashes lead to the later root, and at the size of the earlier to another one.
Result<> contradict(const Checkpoint& first, const Checkpoint& second,
                    const std::vector<Hash>& hashes) {
  const bool ascending = first.size < second.size || ams::mutant("verifiable.rewrite_any_sizes");
  if (first.size < 1 || !ascending) return fail(Code::proof, "sizes of a rewritten history");
  AMS_TRY(const ConsistencyRoots roots, consistency_roots(first.size, second.size, hashes));
  if (roots.second != second.root && !ams::mutant("verifiable.rewrite_any_second"))
    return fail(Code::proof, "not the history of the second");
  if (roots.first == first.root && !ams::mutant("verifiable.rewrite_of_nothing"))
    return fail(Code::proof, "one history");
  return {};
}

}  // namespace

std::uint64_t rewrite_question(std::uint64_t size) {
  return std::has_single_bit(size) && !ams::mutant("verifiable.ask_at_power") ? size + 1 : size;
}

Result<Bytes> rewrite_hashes(std::uint64_t first, std::uint64_t second, ByteView proof) {
  if (proof.size() % rewrite_hash_size != 0) return fail(Code::proof_form, "log proof size");
  if (first < 2 || second <= rewrite_question(first))
    return fail(Code::proof, "no such proof tells that root");
  if (!std::has_single_bit(first)) return to_bytes(proof);
  // The proof of first + 1 begins with the entry at `first` and climbs the subtree that begins
  // there; its first sibling to the left is all that was before: the root at `first`.
  std::vector<Hash> path;
  for (; !proof.empty(); proof = proof.subspan(rewrite_hash_size))
    path.push_back(*to_array<rewrite_hash_size>(proof.first(rewrite_hash_size)));
  const int height = std::countr_zero(first);
  std::uint64_t at = first, last = second - 1;
  std::size_t next = 1;
  int level = 0;
  if (path.empty()) return fail(Code::proof, "consistency proof too short");
  Hash right = path[0];
  while (level < height && at != last) {  // alone at its level, it moves up as it is
    if (next == path.size()) return fail(Code::proof, "consistency proof too short");
    right = log_node_hash(right, path[next++]);
    at >>= 1;
    last >>= 1;
    ++level;
  }
  if (next == path.size()) return fail(Code::proof, "consistency proof too short");
  Bytes out = to_bytes(ByteView(path[next++]));
  append(out, right);
  for (; next < path.size(); ++next) append(out, path[next]);
  return out;
}

Result<std::string> make_rewrite(std::string_view a, std::string_view b, ByteView hashes,
                                 const NoteKey& log) {
  AMS_TRY(Note first, parse_note(a));
  AMS_TRY(Note second, parse_note(b));
  AMS_TRY(const auto first_checkpoint, open_own(first, log));
  AMS_TRY(const auto second_checkpoint, open_own(second, log));
  if (second_checkpoint.size < first_checkpoint.size) std::swap(first, second);
  std::string out = format(first) + "\n" + format(second) + "\n";
  for (; hashes.size() >= rewrite_hash_size; hashes = hashes.subspan(rewrite_hash_size))
    out += to_base64(hashes.first(rewrite_hash_size)) + "\n";
  AMS_CHECK(verify_rewrite(out, log));
  return out;
}

Result<Rewrite> verify_rewrite(std::string_view evidence, const NoteKey& log) {
  if (evidence.size() >= rewrite_size_max && !ams::mutant("verifiable.accept_large_rewrite"))
    return fail(Code::object_too_large, "rewrite");
  AMS_TRY(const RewriteParts parts, split(evidence));
  AMS_TRY(const Note first, parse_note(parts.first));
  AMS_TRY(const Note second, parse_note(parts.second));
  const bool one_each = first.signatures.size() == 1 && second.signatures.size() == 1;
  if (!one_each && !ams::mutant("verifiable.accept_cosigned_rewrite"))
    return fail(Code::proof_form, "more than one signature");
  AMS_TRY(const auto hashes, read_lines(parts.lines));
  AMS_TRY(const Checkpoint earlier, parse_checkpoint(first.text));
  AMS_TRY(const Checkpoint later, parse_checkpoint(second.text));
  AMS_CHECK(check_own(earlier, first, log));
  AMS_CHECK(check_own(later, second, log));
  AMS_CHECK(contradict(earlier, later, hashes));
  return Rewrite{earlier.size, later.size};
}

bool is_rewrite(std::string_view evidence) { return split(evidence).has_value(); }

Result<> verify_conviction(std::string_view evidence, const NoteKey& log) {
  if (is_rewrite(evidence)) {
    AMS_CHECK(verify_rewrite(evidence, log));
  } else {
    AMS_CHECK(verify_equivocation(evidence, log));
  }
  return {};
}

}  // namespace ams::verifiable
