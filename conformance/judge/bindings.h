// The suite's own binding log (spec BLG), written from the spec alone: what a domain's server keeps
// and shows, and the pieces that a judge of it needs. Only the VRF's primitive is shared with the
// reference.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/vrf.h"
#include "judge/log.h"

namespace ams::conform {

/// BLG-9.
std::string binding_origin(const std::string& domain);
/// BLG-5's input of the VRF.
Bytes label_input(const std::string& addr, std::int64_t version);
/// BLG-6; r is 32 bytes in base64url.
Hash binding_value(const Json& entry, const Json& r);
/// BLG-11: N(version), and P(version) without its last.
std::vector<std::int64_t> version_gaps(std::int64_t version);
std::vector<std::int64_t> version_steps(std::int64_t version);

class BindingLog {
 public:
  static constexpr std::int64_t version_max = 65'535;
  /// Its keys follow from the seed: public, for tests only.
  BindingLog(std::string domain, const std::string& seed);

  /// {"vrf_key","log_key"}, as the domain's record has them (DOM-16).
  Json keys() const;
  /// Epochs.
  std::uint64_t size() const { return leaves_.size(); }
  /// All versions of an address, ascending.
  std::vector<Json> entries(const std::string& addr) const;
  /// BLG-6 of an entry that was added.
  std::string value(const Json& entry) const;

  /// Under the label that the entry's addr and version give; nothing is judged: a liar may replace.
  void add(const Json& entry);
  /// Ends an epoch (BLG-8).
  void seal(std::int64_t time_s);
  /// Forgets all epochs and entries: a log begun anew under the same keys.
  void begin_anew();

  // Against the newest epoch. Precondition: size() > 0.
  /// bproof/1 (BLG-12) of the highest version up to `last`, or of none.
  Json prove(const std::string& addr, std::int64_t last = version_max) const;
  /// bhist/1 (BLG-16) of the versions from one to another, for who keeps a checkpoint of `known`
  /// epochs.
  Json history(const std::string& addr, std::int64_t from, std::uint64_t known,
               std::int64_t last = version_max) const;
  Json head() const { return head_of(size() - 1); }
  /// The newest checkpoint, and an epoch that need not be its last.
  Json head_of(std::size_t epoch) const;
  /// {"path","vrf"} of a version, there or not.
  Json place(const std::string& addr, std::int64_t version) const;

 private:
  using Version = std::pair<std::string, std::int64_t>;
  std::string opening(const Version& version) const;
  const Bytes& proof_of(const Version& version) const;
  Id16 label(const Version& version) const;

  std::string domain_;
  Bytes secret_;
  crypto::VrfKey vrf_;
  crypto::SigningKey signing_;
  std::map<Version, Json> entries_;
  std::map<Id16, Hash> map_, sealed_;  // with what waits for an epoch; of the newest one
  std::vector<Hash> leaves_;
  std::vector<Bytes> epochs_;
  std::string checkpoint_;
  mutable std::map<Version, Bytes> proofs_;  // what the VRF costs, kept
};

}  // namespace ams::conform
