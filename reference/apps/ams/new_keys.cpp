#include "ams_cli/new_keys.h"

#include <fmt/format.h>

#include "ams_cli/terminal.h"
#include "net/entropy.h"

namespace ams::cli {
namespace {

constexpr std::int64_t clock_slack_ms = 600'000;

/// A sign of life for each step of the search for primes.
class Search {
 public:
  explicit Search(std::string what) : what_(std::move(what)) { progress(what_ + " …"); }
  ~Search() { end_progress(); }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
  void operator()() {
    if (++ticks_ % 16 == 0)
      progress(fmt::format("{} {}", what_, std::string(ticks_ / 16 % 32, '.')));
  }

 private:
  std::string what_;
  std::size_t ticks_ = 0;
};

}  // namespace

keys::Offered offered() {
  // Registered, but of no use before this program implements them, whatever the library has
  // (ALG-10).
  const bool signs = crypto::find_sig_alg("mldsa65+ed25519").has_value();
  const bool seals = crypto::find_kem("mlkem768+x25519").has_value();
  return {seals && crypto::has_ml_kem_768(), signs && crypto::has_ml_dsa_65()};
}

std::vector<std::string> profile_names() {
  std::vector<std::string> out{"auto"};
  for (const keys::Profile& each : keys::profiles(offered())) out.emplace_back(each.name);
  return out;
}

Result<keys::KeyPair> make_profile_pair(const std::string& profile, std::int64_t now_ms, int days) {
  AMS_TRY(const keys::Profile chosen, keys::choose_profile(profile, offered()));
  const auto sig_alg = crypto::find_sig_alg(chosen.sig_alg);
  const auto kem = crypto::find_kem(chosen.kem);
  if (!sig_alg || !kem) return fail(Code::unknown_algorithm, "profile");
  crypto::Drbg drbg(net::entropy_seed().view());
  keys::KeyPairOptions options;
  options.nbf = now_ms - clock_slack_ms;
  options.exp = options.nbf + std::int64_t{days} * 86'400'000;
  if (*sig_alg == crypto::SigAlg::ed25519) {
    Bytes entropy = drbg.bytes(80);
    auto pair = keys::make_modern(entropy, options);
    crypto::wipe(entropy.data(), entropy.size());
    return pair;
  }
  const auto search = [&](const char* which) {
    return std::make_shared<Search>(fmt::format("making the {} key, {}", which, chosen.name));
  };
  const auto tick = [](std::shared_ptr<Search> at) { return [at] { (*at)(); }; };
  AMS_TRY(auto signing, crypto::SigningKey::generate_rsa(*sig_alg, tick(search("signing"))));
  AMS_TRY(auto encryption, crypto::DecryptionKey::generate_rsa(*kem, tick(search("encryption"))));
  return keys::make_pair(std::move(signing), std::move(encryption), drbg.array<16>(), options);
}

std::string profile_of(const keys::KeyRecord& record) {
  const std::string_view sig_alg = crypto::name(record.signing().alg());
  const std::string_view kem = crypto::name(record.encryption().kem());
  for (const keys::Profile& each : keys::profiles({true, true}))
    if (each.sig_alg == sig_alg && each.kem == kem) return std::string(each.name);
  return fmt::format("{} + {}", sig_alg, kem);
}

}  // namespace ams::cli
