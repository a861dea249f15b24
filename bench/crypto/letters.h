// A letter, sealed and opened in three ways: whole (mail::seal, mail::open), its cryptography alone
// (the same calls of the crypto room, on bytes of the same sizes), and the primitives beneath.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto_bench/primitives.h"
#include "mail/letter.h"

namespace ams::crypto_bench {

inline constexpr std::int64_t now_ms = 1'900'000'000'000;
inline constexpr keys::KeyPairOptions one_year{.nbf = now_ms - 1,
                                               .exp = now_ms + 300 * 86'400'000LL};

enum class Profile { modern, rsa2048 };  // of keys: design 02
std::string_view name(Profile);

/// PKCS#8 of an RSA key of nobody. Made once for each size: 3072 and 4096 take seconds.
Bytes rsa_pkcs8(std::size_t bits);

/// A sender, recipients, and the domain that binds the sender.
struct People {
  People(Profile profile, std::size_t recipient_count);
  keys::KeyPair sender;
  std::optional<keys::Chain> chain;
  wire::Value binding;
  keys::KeyPair reader;  // the first recipient
  std::vector<keys::KeyRecord> others;
  std::vector<const keys::KeyRecord*> recipients() const;
  static constexpr std::string_view sender_addr = "alice@alpha.example";
  static constexpr std::string_view reader_addr = "bob@beta.example";
};

struct LetterPlan {
  Profile profile = Profile::modern;
  crypto::Aead aead = crypto::Aead::a256gcm;
  std::size_t recipients = 1;
  std::size_t text_size = 4096;
  std::size_t attachment_size = 0;  // 0: none
};

/// Text that reads like mail: lines, quotes, some words beyond ASCII.
std::string mail_text(std::size_t size);

class Letters {
 public:
  explicit Letters(const LetterPlan& plan);

  paired::Operation seal() const;         // letter to header, asig, stanzas, head, body
  paired::Operation open() const;         // decoded JSON of header and stanzas to letter
  paired::Operation seal_crypto() const;  // the cryptography of seal alone
  paired::Operation open_crypto() const;
  paired::Operation seal_primitives() const;
  paired::Operation open_primitives() const;
  /// What stands on the wire: header, asig, stanzas and body, as JSON and bytes.
  std::size_t sealed_size() const;

 private:
  /// What is hashed and encrypted, in bytes.
  struct Shape {
    std::size_t header = 0, header_less_body = 0, binding = 0;
    std::size_t body = 0, head = 0;  // padded plaintext
    std::size_t attachment = 0;
    std::vector<std::size_t> leaves;
  };
  Shape shape_of(const mail::Sealed& sealed) const;
  std::vector<Step> seal_steps() const;
  std::vector<Step> open_steps() const;
  void add_streams(std::vector<Step>& steps, Primitive primitive) const;
  void add_franking(std::vector<Step>& steps) const;

  LetterPlan plan_;
  std::shared_ptr<const People> people_;
  mail::Draft draft_;
  std::shared_ptr<const mail::Sealed> sealed_;
  Shape shape_;
};

}  // namespace ams::crypto_bench
