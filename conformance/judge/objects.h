// The suite's own AMS objects, built from the spec alone: keys, chains, messages, vouches.
#pragma once

#include <string>
#include <vector>

#include "crypto/crypto.h"
#include "judge/canon.h"

namespace ams::conform {

/// "AMS-SIG/1\0" || tag || \0 || SHA-256(AMS-CJ of the object without sig) (SIG-1).
Bytes signing_text(const std::string& tag, Json object);
Json sign(Json object, const crypto::SigningKey& key);
bool signed_by(const Json& object, const Json& key_record);

/// A key whose private halves come from a name: the same in every run, public, for tests only.
struct KeyMaker {
  crypto::SigningKey signing;
  crypto::DecryptionKey encryption;
  Bytes nonce;
  explicit KeyMaker(const std::string& name);
};
struct Key {
  KeyMaker secret;
  Json record;
  Hash fp{};
  std::string kid;  // UUID text
  Bytes kid_bytes() const;
};
/// fp and kid of a record (KEY-2).
Hash fp_of(Json record);
std::string kid_of_fp(const Hash& fp);
/// `set`: members put over the default ones before the record is signed.
Key make_key(const std::string& name, std::int64_t nbf, const Json& set = Json::object());

/// A domain of the suite's own: root and op keys, chain.
struct Domain {
  std::string name;
  Key root, op;
  Json chain;
};
Domain make_domain(const std::string& name, const std::string& seed, std::int64_t now);
/// Why the chain does not verify for this domain and root (DOM-5); empty: it does.
std::optional<std::string> judge_chain(const Json& chain, const std::string& domain,
                                       const std::string& root_kid, const std::string& root_fp);

Hash merkle(const std::vector<Bytes>& leaves);  // RFC 9162

/// A sealed message: {"env","asig","stanzas","head","body"} and "ehash","vouch_ehash".
struct MessagePlan {
  const Key* from = nullptr;
  std::string sdom;
  std::vector<Json> to;  // key records, one stanza each
  std::int64_t now = 0;
  std::int64_t life_ms = 86'400'000;
  std::int64_t ts_offset_ms = 0;
  std::string tag;                 // makes messages differ
  Json set = Json::object();       // members of env, before asig
  Json set_late = Json::object();  // members of env, after asig
  Json letter;                     // and its leaf 0, for the head; left out: none that opens
};
/// A letter/1 of one text part but for from.binding and proof (MSG-24), and what the header says of
/// it: {"leaves","fc"} (MSG-25).
Json make_letter(const Json& from, const std::string& to, std::int64_t now,
                 const std::string& subject);
Json franking_of(const Json& letter);
/// Leaf 0.
Json leaf_of(Json letter);
Json make_message(const MessagePlan& plan);

struct VouchPlan {
  const Domain* from = nullptr;
  std::string rdom;
  Bytes ehash;
  std::vector<Bytes> rtags;
  std::int64_t day = 0;
  Json set = Json::object();
};
Json make_vouch(const VouchPlan& plan);

}  // namespace ams::conform
