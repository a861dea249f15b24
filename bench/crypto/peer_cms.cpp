#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "crypto/test_keys.h"
#include "crypto_bench/letters.h"
#include "crypto_bench/peers.h"

namespace ams::crypto_bench {
namespace {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
void free_certificates(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using PrivateKey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Certificates = std::unique_ptr<STACK_OF(X509), Free<free_certificates>>;
using Message = std::unique_ptr<CMS_ContentInfo, Free<CMS_ContentInfo_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

PrivateKey test_key(std::size_t index) {
  const Bytes der = from_base64url(crypto::test_keys::rsa2048[index]).value();
  const unsigned char* cursor = der.data();
  PrivateKey key(d2i_PrivateKey(EVP_PKEY_RSA, nullptr, &cursor, static_cast<long>(der.size())));
  must(key != nullptr, "RSA key");
  return key;
}

Certificate self_signed(EVP_PKEY* key, long serial) {
  Certificate out(X509_new());
  must(X509_set_version(out.get(), 2) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(out.get()), serial) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(out.get()), -60) != nullptr &&
           X509_gmtime_adj(X509_getm_notAfter(out.get()), 86'400) != nullptr &&
           X509_set_pubkey(out.get(), key) == 1,
       "certificate");
  X509_NAME* name = X509_get_subject_name(out.get());
  const auto* text = reinterpret_cast<const unsigned char*>("bench");
  must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
           X509_set_issuer_name(out.get(), name) == 1 &&
           X509_sign(out.get(), key, EVP_sha256()) != 0,
       "certificate");
  return out;
}

Bio reading(ByteView data) {
  return Bio(BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
}

Bytes written(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return to_bytes(std::string_view(data, static_cast<std::size_t>(size)));
}

class Cms {
 public:
  explicit Cms(std::size_t recipient_count)
      : sender_key_(test_key(0)),
        reader_key_(test_key(2)),
        sender_(self_signed(sender_key_.get(), 1)),
        recipients_(sk_X509_new_null()) {
    for (std::size_t i = 0; i < recipient_count; ++i) {
      const auto serial = static_cast<long>(i) + 2;
      sk_X509_push(recipients_.get(), self_signed(reader_key_.get(), serial).release());
    }
  }

  Bytes seal(ByteView plain) const {
    const Bio in = reading(plain);
    const Message signed_data(
        CMS_sign(sender_.get(), sender_key_.get(), nullptr, in.get(), CMS_BINARY | CMS_NOSMIMECAP));
    must(signed_data != nullptr, "CMS sign");
    const Bio middle(BIO_new(BIO_s_mem()));
    must(i2d_CMS_bio(middle.get(), signed_data.get()) == 1, "CMS DER");
    const Message sealed(
        CMS_encrypt(recipients_.get(), middle.get(), EVP_aes_256_gcm(), CMS_BINARY));
    must(sealed != nullptr, "CMS encrypt");
    const Bio out(BIO_new(BIO_s_mem()));
    must(i2d_CMS_bio(out.get(), sealed.get()) == 1, "CMS DER");
    return written(out.get());
  }

  Bytes open(ByteView der) const {
    const Bio in = reading(der);
    const Message sealed(d2i_CMS_bio(in.get(), nullptr));
    const Bio middle(BIO_new(BIO_s_mem()));
    must(sealed && CMS_decrypt(sealed.get(), reader_key_.get(), sk_X509_value(recipients_.get(), 0),
                               nullptr, middle.get(), CMS_BINARY) == 1,
         "CMS decrypt");
    const Message signed_data(d2i_CMS_bio(middle.get(), nullptr));
    const Bio out(BIO_new(BIO_s_mem()));
    must(signed_data && CMS_verify(signed_data.get(), nullptr, nullptr, nullptr, out.get(),
                                   CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1,
         "CMS verify");
    return written(out.get());
  }

 private:
  PrivateKey sender_key_, reader_key_;
  Certificate sender_;
  Certificates recipients_;
};

}  // namespace

paired::Contestant cms(Direction direction, std::size_t size, std::size_t recipients) {
  return {"OpenSSL CMS", [=]() -> paired::Operation {
            const auto people = std::make_shared<const Cms>(recipients);
            const Bytes plain = to_bytes(mail_text(size));
            if (direction == Direction::seal) return [people, plain] { people->seal(plain); };
            return [people, plain, sealed = people->seal(plain)] {
              must(people->open(sealed) == plain, "CMS round trip");
            };
          }};
}

}  // namespace ams::crypto_bench
