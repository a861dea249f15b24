#include "judge/log.h"

#include <algorithm>
#include <bit>
#include <span>

namespace ams::conform {
namespace {

using Leaf = std::pair<const Id16*, Hash>;

bool bit_of(const Id16& kid, std::size_t depth) {
  return (kid[depth / 8] & (0x80 >> (depth % 8))) != 0;
}

Hash map_leaf(const Id16& kid, const Hash& value) {
  Bytes text{2};
  append(text, kid);
  append(text, value);
  return crypto::sha256(text);
}

Hash map_branch(std::size_t depth, const Hash& left, const Hash& right) {
  Bytes text{3, static_cast<std::uint8_t>(depth)};
  append(text, left);
  append(text, right);
  return crypto::sha256(text);
}

Hash log_node(const Hash& left, const Hash& right) {
  Bytes text{1};
  append(text, left);
  append(text, right);
  return crypto::sha256(text);
}

Hash hash_at(ByteView hashes, std::size_t index) {
  return *to_array<32>(hashes.subspan(32 * index, 32));
}

/// Sorted, so that a range is a span.
Hash root_of(std::span<const Leaf> leaves, std::size_t depth) {
  if (leaves.empty()) return {};
  if (leaves.size() == 1) return map_leaf(*leaves[0].first, leaves[0].second);
  const auto middle = std::partition_point(
      leaves.begin(), leaves.end(), [&](const Leaf& leaf) { return !bit_of(*leaf.first, depth); });
  const auto left = leaves.first(static_cast<std::size_t>(middle - leaves.begin()));
  const auto right = leaves.subspan(left.size());
  if (left.empty() || right.empty()) return root_of(leaves, depth + 1);
  return map_branch(depth, root_of(left, depth + 1), root_of(right, depth + 1));
}

Hash log_root_of(std::span<const Hash> leaves) {
  if (leaves.empty()) return crypto::sha256(Bytes{});
  if (leaves.size() == 1) return leaves[0];
  const std::size_t split = std::bit_floor(leaves.size() - 1);
  return log_node(log_root_of(leaves.first(split)), log_root_of(leaves.subspan(split)));
}

/// SUBPROOF(m, D[n], b) of RFC 9162 section 2.1.4.1.
void sub_proof(std::span<const Hash> leaves, std::size_t first, bool whole, Bytes& out) {
  if (first == leaves.size()) {
    if (!whole) append(out, log_root_of(leaves));
    return;
  }
  const std::size_t split = std::bit_floor(leaves.size() - 1);
  if (first <= split) {
    sub_proof(leaves.first(split), first, whole, out);
    append(out, log_root_of(leaves.subspan(split)));
  } else {
    sub_proof(leaves.subspan(split), first - split, false, out);
    append(out, log_root_of(leaves.first(split)));
  }
}

// --- notes ---------------------------------------------------------------------------------------

constexpr std::string_view dash = "\xe2\x80\x94 ";
constexpr std::uint8_t type_signature = 1, type_cosignature = 4;

std::string base64(ByteView bytes) {
  std::string out = to_base64url(bytes);
  for (char& c : out) c = c == '-' ? '+' : c == '_' ? '/' : c;
  out.append((4 - out.size() % 4) % 4, '=');
  return out;
}

std::optional<Bytes> unbase64(std::string text) {
  if (text.size() % 4 != 0) return std::nullopt;
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return from_base64url(text);
}

Bytes key_id(const std::string& name, std::uint8_t type, ByteView key) {
  Bytes text = to_bytes(std::string_view(name));
  text.push_back('\n');
  text.push_back(type);
  append(text, key);
  const Hash hash = crypto::sha256(text);
  return Bytes(hash.begin(), hash.begin() + 4);
}

struct Signature {
  std::string name;
  Bytes id, blob;
};
struct Note {
  std::string text;
  std::vector<Signature> signatures;
};

std::optional<Note> split_note(const std::string& note) {
  const std::size_t gap = note.rfind("\n\n");
  if (gap == std::string::npos || !note.ends_with('\n')) return std::nullopt;
  Note out{note.substr(0, gap + 1), {}};
  for (std::size_t at = gap + 2; at < note.size();) {
    const std::size_t end = note.find('\n', at);
    const std::string line = note.substr(at, end - at);
    at = end + 1;
    const std::size_t space = line.rfind(' ');
    if (!line.starts_with(dash) || space < dash.size()) return std::nullopt;
    const auto blob = unbase64(line.substr(space + 1));
    if (!blob || blob->size() < 5) return std::nullopt;
    out.signatures.push_back({line.substr(dash.size(), space - dash.size()),
                              Bytes(blob->begin(), blob->begin() + 4),
                              Bytes(blob->begin() + 4, blob->end())});
  }
  return out;
}

}  // namespace

// --- map -----------------------------------------------------------------------------------------

Hash map_root(const std::map<Id16, Hash>& leaves) {
  std::vector<Leaf> all;
  for (const auto& [kid, value] : leaves) all.emplace_back(&kid, value);
  return root_of(all, 0);
}

Hash joined_digests(const std::vector<Hash>& parts, std::size_t depth) {
  std::vector<Hash> row = parts;
  for (std::size_t level = depth; row.size() > 1; --level) {
    std::vector<Hash> above;
    for (std::size_t i = 0; i + 1 < row.size(); i += 2) {
      const bool both = row[i] != Hash{} && row[i + 1] != Hash{};
      above.push_back(both               ? map_branch(level - 1, row[i], row[i + 1])
                      : row[i] != Hash{} ? row[i]
                                         : row[i + 1]);
    }
    row = std::move(above);
  }
  return row.empty() ? Hash{} : row[0];
}

std::optional<std::string> judge_map_proof(const Hash& root, const Id16& kid,
                                           const std::optional<Hash>& value, ByteView proof) {
  if (proof.size() < 2 || proof.size() < 2u + proof[1]) return "the map proof is too short";
  const std::uint8_t kind = proof[0];
  if (kind > 2 || proof[1] > sizeof(Id16)) return "the map proof's form (MAP-5)";
  const ByteView bits = proof.subspan(2, proof[1]);
  if (!bits.empty() && (bits.back() == 0 || kind == 2)) return "the map proof's form (MAP-5)";
  std::vector<std::size_t> depths;
  for (std::size_t i = 0; i < 8 * bits.size(); ++i)
    if (bits[i / 8] & (0x80 >> (i % 8))) depths.push_back(i);
  const ByteView rest = proof.subspan(2u + bits.size());
  if (rest.size() != 32 * depths.size() + (kind == 1 ? 48 : 0)) return "the map proof's size";
  if (value.has_value() != (kind == 0)) return "the map proof is of another kind";
  if (kind == 2) return root == Hash{} ? std::nullopt : std::optional("the map is not empty");
  Hash hash{};
  if (kind == 0) {
    hash = map_leaf(kid, *value);
  } else {
    const ByteView tail = rest.subspan(32 * depths.size());
    const Id16 other = *to_array<16>(tail.first(16));
    if (other == kid) return "the other leaf is the kid's own";
    for (const std::size_t depth : depths)
      if (bit_of(other, depth) != bit_of(kid, depth)) return "the other leaf lies elsewhere";
    hash = map_leaf(other, *to_array<32>(tail.subspan(16)));
  }
  for (std::size_t i = depths.size(); i-- > 0;)
    hash = bit_of(kid, depths[i]) ? map_branch(depths[i], hash_at(rest, i), hash)
                                  : map_branch(depths[i], hash, hash_at(rest, i));
  return hash == root ? std::nullopt : std::optional("the map proof leads to another root");
}

Bytes map_proof(const std::map<Id16, Hash>& leaves, const Id16& kid) {
  Bytes bits(sizeof(Id16)), siblings;
  std::map<Id16, Hash> way = leaves;
  for (std::size_t depth = 0; way.size() > 1; ++depth) {
    std::map<Id16, Hash> sides[2];
    for (const auto& leaf : way) sides[bit_of(leaf.first, depth) ? 1 : 0].insert(leaf);
    if (sides[0].empty() || sides[1].empty()) continue;
    const int own = bit_of(kid, depth) ? 1 : 0;
    bits[depth / 8] |= static_cast<std::uint8_t>(0x80 >> (depth % 8));
    append(siblings, map_root(sides[1 - own]));
    way = std::move(sides[own]);
  }
  while (!bits.empty() && bits.back() == 0) bits.pop_back();
  const bool present = way.contains(kid);
  const std::uint8_t kind = present ? 0 : way.empty() ? 2 : 1;
  Bytes out{kind, static_cast<std::uint8_t>(bits.size())};
  append(out, bits);
  append(out, siblings);
  if (kind == 1) {
    append(out, way.begin()->first);
    append(out, way.begin()->second);
  }
  return out;
}

// --- log -----------------------------------------------------------------------------------------

Hash log_leaf(ByteView entry) {
  Bytes text{0};
  append(text, entry);
  return crypto::sha256(text);
}

Hash log_root(const std::vector<Hash>& leaves) { return log_root_of(leaves); }

Bytes consistency_proof(const std::vector<Hash>& leaves, std::size_t first) {
  Bytes out;
  if (first > 0) sub_proof(leaves, first, true, out);
  return out;
}

std::string rewrite_lines(const std::vector<Hash>& leaves, std::size_t first) {
  Bytes hashes;
  sub_proof(leaves, first, false, hashes);
  std::string out;
  for (std::size_t at = 0; at < hashes.size(); at += 32)
    out += base64(ByteView(hashes).subspan(at, 32)) + "\n";
  return out;
}

Bytes inclusion_path(const std::vector<Hash>& leaves, std::size_t index) {
  std::vector<Hash> siblings;  // from the root down
  std::span<const Hash> rest(leaves);
  while (rest.size() > 1) {
    const std::size_t split = std::bit_floor(rest.size() - 1);
    const bool right = index >= split;
    siblings.push_back(log_root_of(right ? rest.first(split) : rest.subspan(split)));
    rest = right ? rest.subspan(split) : rest.first(split);
    if (right) index -= split;
  }
  Bytes out;
  for (auto at = siblings.rbegin(); at != siblings.rend(); ++at) append(out, *at);
  return out;
}

bool is_last_leaf(const Hash& leaf, std::uint64_t size, const Hash& root, ByteView path) {
  if (size == 0 || path.size() % 32 != 0) return false;
  Hash hash = leaf;
  std::size_t used = 0;
  // The last leaf is the right child wherever it has a sibling: one for each bit of its index.
  for (std::uint64_t index = size - 1; index > 0; index >>= 1) {
    if ((index & 1) == 0) continue;
    if (32 * (used + 1) > path.size()) return false;
    hash = log_node(hash_at(path, used++), hash);
  }
  return 32 * used == path.size() && hash == root;
}

bool extends(std::uint64_t first, const Hash& first_root, std::uint64_t second,
             const Hash& second_root, ByteView proof) {
  if (first > second || proof.size() % 32 != 0) return false;
  if (first == second) return proof.empty() && first_root == second_root;
  if (first == 0) return proof.empty() && first_root == crypto::sha256(Bytes{});
  std::vector<Hash> path;
  if (std::has_single_bit(first)) path.push_back(first_root);
  for (std::size_t i = 0; i < proof.size() / 32; ++i) path.push_back(hash_at(proof, i));
  if (path.empty()) return false;
  std::uint64_t fn = first - 1, sn = second - 1;
  while (fn & 1) fn >>= 1, sn >>= 1;
  Hash fr = path[0], sr = path[0];
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (sn == 0) return false;
    if ((fn & 1) || fn == sn) {
      fr = log_node(path[i], fr);
      sr = log_node(path[i], sr);
      while (fn != 0 && !(fn & 1)) fn >>= 1, sn >>= 1;
    } else {
      sr = log_node(sr, path[i]);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && fr == first_root && sr == second_root;
}

std::optional<EpochEntry> read_epoch(ByteView entry) {
  const std::string_view tag("AMS-EPOCH/1\0", 12);
  if (entry.size() != 60 || as_text(entry.first(12)) != tag) return std::nullopt;
  return EpochEntry{*to_array<32>(entry.subspan(12, 32)), read_u64(entry.subspan(44, 8)),
                    read_u64(entry.subspan(52, 8))};
}

// --- checkpoints ---------------------------------------------------------------------------------

std::string directory_origin(const std::string& domain) { return domain + "/ams-directory"; }

std::string make_checkpoint(const std::string& origin, std::uint64_t size, const Hash& root,
                            const crypto::SigningKey& key) {
  const std::string text = origin + "\n" + std::to_string(size) + "\n" + base64(root) + "\n";
  Bytes blob = key_id(origin, type_signature, key.public_raw());
  append(blob, *key.sign(as_bytes(text)));
  return text + "\n" + std::string(dash) + origin + " " + base64(blob) + "\n";
}

std::optional<Checkpoint> open_checkpoint(const std::string& note, const std::string& origin,
                                          const Json& key_record, std::string& why) {
  const auto split = split_note(note);
  why = "is no note (CKP-1)";
  if (!split) return std::nullopt;
  const Bytes raw = unb64(key_record.at("sk"));
  const auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, raw);
  const Bytes id = key_id(origin, type_signature, raw);
  why = "is not signed by the log's key (CKP-9)";
  const bool good =
      key && std::any_of(split->signatures.begin(), split->signatures.end(), [&](const auto& one) {
        return one.name == origin && one.id == id && key->verify(as_bytes(split->text), one.blob);
      });
  if (!good) return std::nullopt;
  why = "is no checkpoint of this origin (CKP-7)";
  const std::size_t first = split->text.find('\n'), second = split->text.find('\n', first + 1);
  if (second == std::string::npos || split->text.substr(0, first) != origin) return std::nullopt;
  const std::string size = split->text.substr(first + 1, second - first - 1);
  const std::size_t third = split->text.find('\n', second + 1);
  if (size.empty() || size.size() > 18 || third == std::string::npos ||
      size.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const auto root = unbase64(split->text.substr(second + 1, third - second - 1));
  if (!root || root->size() != 32) return std::nullopt;
  why.clear();
  return Checkpoint{std::stoull(size), *to_array<32>(ByteView(*root)), split->text};
}

std::optional<EpochEntry> open_head(const Json& head, const std::string& origin,
                                    const Json& key_record, std::string& why) {
  const auto checkpoint = open_checkpoint(head.at("checkpoint"), origin, key_record, why);
  if (!checkpoint) {
    why = "the checkpoint " + why;
    return std::nullopt;
  }
  const Bytes entry = unb64(head.at("epoch"));
  const auto epoch = read_epoch(entry);
  if (!epoch) {
    why = "the epoch is no entry of a log (LOG-2)";
    return std::nullopt;
  }
  if (!is_last_leaf(log_leaf(entry), checkpoint->size, checkpoint->root,
                    unb64(head.at("inclusion")))) {
    why = "the epoch is not the last leaf of the log (LOG-5)";
    return std::nullopt;
  }
  return epoch;
}

bool has_cosignature(const std::string& note, const std::string& text, const std::string& name,
                     const Json& key_record) {
  const auto split = split_note(note);
  const Bytes raw = unb64(key_record.at("sk"));
  const auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, raw);
  if (!split || !key || split->text != text) return false;
  const Bytes id = key_id(name, type_cosignature, raw);
  return std::any_of(split->signatures.begin(), split->signatures.end(), [&](const auto& one) {
    if (one.name != name || one.id != id || one.blob.size() != 72) return false;
    Bytes message = to_bytes(std::string_view("cosignature/v1\ntime "));
    append(message, std::to_string(read_u64(ByteView(one.blob).first(8))) + "\n" + text);
    return key->verify(message, ByteView(one.blob).subspan(8)).has_value();
  });
}

}  // namespace ams::conform
