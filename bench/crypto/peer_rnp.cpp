#include "crypto_bench/letters.h"
#include "crypto_bench/peers.h"

#ifdef AMS_HAVE_RNP
#include <rnp/rnp.h>
#include <rnp/rnp_err.h>

namespace ams::crypto_bench {
namespace {

void check(rnp_result_t result, const char* what) { must(result == RNP_SUCCESS, what); }

/// A keyring with a sender and recipients, not shared between threads.
class Ring {
 public:
  explicit Ring(std::size_t recipient_count) {
    check(rnp_ffi_create(&ffi_, "GPG", "GPG"), "rnp_ffi_create");
    sender_ = make_key("alice@alpha.example");
    for (std::size_t i = 0; i < recipient_count; ++i)
      recipients_.push_back(make_key("bob" + std::to_string(i) + "@beta.example"));
  }
  ~Ring() {
    for (rnp_key_handle_t key : recipients_) rnp_key_handle_destroy(key);
    rnp_key_handle_destroy(sender_);
    rnp_ffi_destroy(ffi_);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  Bytes seal(ByteView plain) const {
    Streams streams(plain);
    rnp_op_encrypt_t op = nullptr;
    check(rnp_op_encrypt_create(&op, ffi_, streams.in, streams.out), "rnp encrypt");
    for (rnp_key_handle_t key : recipients_)
      check(rnp_op_encrypt_add_recipient(op, key), "rnp recipient");
    check(rnp_op_encrypt_add_signature(op, sender_, nullptr), "rnp signature");
    check(rnp_op_encrypt_set_hash(op, "SHA256"), "rnp hash");
    check(rnp_op_encrypt_set_cipher(op, "AES256"), "rnp cipher");
    check(rnp_op_encrypt_set_compression(op, "Uncompressed", 0), "rnp compression");
    check(rnp_op_encrypt_execute(op), "rnp encrypt");
    rnp_op_encrypt_destroy(op);
    return streams.result();
  }

  Bytes open(ByteView sealed) const {
    Streams streams(sealed);
    rnp_op_verify_t op = nullptr;
    check(rnp_op_verify_create(&op, ffi_, streams.in, streams.out), "rnp verify");
    check(rnp_op_verify_execute(op), "rnp decrypt and verify");
    std::size_t signatures = 0;
    check(rnp_op_verify_get_signature_count(op, &signatures), "rnp signatures");
    must(signatures == 1, "rnp signature");
    rnp_op_verify_destroy(op);
    return streams.result();
  }

 private:
  struct Streams {
    explicit Streams(ByteView data) {
      check(rnp_input_from_memory(&in, data.data(), data.size(), false), "rnp input");
      check(rnp_output_to_memory(&out, 0), "rnp output");
    }
    ~Streams() {
      rnp_input_destroy(in);
      rnp_output_destroy(out);
    }
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;
    Bytes result() const {
      std::uint8_t* data = nullptr;
      std::size_t size = 0;
      check(rnp_output_memory_get_buf(out, &data, &size, false), "rnp result");
      return {data, data + size};
    }
    rnp_input_t in = nullptr;
    rnp_output_t out = nullptr;
  };

  rnp_key_handle_t make_key(const std::string& user) {
    rnp_key_handle_t key = nullptr;
    check(rnp_generate_key_25519(ffi_, user.c_str(), nullptr, &key), "rnp key");
    return key;
  }

  rnp_ffi_t ffi_ = nullptr;
  rnp_key_handle_t sender_ = nullptr;
  std::vector<rnp_key_handle_t> recipients_;
};

}  // namespace

std::string rnp_version() { return rnp_version_string(); }

std::optional<paired::Contestant> rnp(Direction direction, std::size_t size,
                                      std::size_t recipients) {
  return paired::Contestant{"librnp", [=]() -> paired::Operation {
                              const auto ring = std::make_shared<const Ring>(recipients);
                              const Bytes plain = to_bytes(mail_text(size));
                              if (direction == Direction::seal)
                                return [ring, plain] { ring->seal(plain); };
                              return [ring, plain, sealed = ring->seal(plain)] {
                                must(ring->open(sealed) == plain, "rnp round trip");
                              };
                            }};
}

}  // namespace ams::crypto_bench

#else

namespace ams::crypto_bench {

std::string rnp_version() { return {}; }

std::optional<paired::Contestant> rnp(Direction, std::size_t, std::size_t) { return std::nullopt; }

}  // namespace ams::crypto_bench

#endif
