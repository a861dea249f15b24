#include "net/devcert.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/result.h"
#include "net/tls.h"

namespace ams::net {
namespace {

template <auto free_function>
struct Free {
  template <class T>
  void operator()(T* pointer) const {
    free_function(pointer);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

enum class Role { self_signed, authority, leaf };

Bio read_only(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}
std::string contents(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}
tl::unexpected<std::string> refuse(const std::string& step) {
  return tl::unexpected(step + ": " + tls_error(nullptr));
}

/// `DNS:a.example,IP:127.0.0.1`; empty when a name is none, so that no name can add another entry.
std::string alternative_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    std::array<unsigned char, 16> address;
    const bool is_ip = inet_pton(AF_INET, name.c_str(), address.data()) == 1 ||
                       inet_pton(AF_INET6, name.c_str(), address.data()) == 1;
    const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
    if (name.empty() || (!is_ip && !is_name)) return {};
    if (!out.empty()) out += ',';
    out += (is_ip ? "IP:" : "DNS:") + name;
  }
  return out;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_head(X509* certificate, const CertificateOptions& options) {
  // Sixteen random octets, positive: unique without a counter to keep.
  std::array<unsigned char, 16> serial;
  if (RAND_bytes(serial.data(), serial.size()) != 1) return false;
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7f) | 0x40);
  std::unique_ptr<BIGNUM, Free<BN_free>> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) == nullptr) {
    return false;
  }
  const time_t from = to_unix_ms(options.valid_from) / 1000;
  const time_t until = to_unix_ms(options.valid_from + options.valid_for) / 1000;
  const std::string name = options.names.front().substr(0, 64);  // X.520's bound on a common name
  return X509_set_version(certificate, X509_VERSION_3) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), from) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until) != nullptr &&
         X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                    MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(name.data()),
                                    static_cast<int>(name.size()), -1, 0) == 1;
}

bool set_extensions(X509* certificate, X509* issuer, Role role, const std::string& names) {
  const bool is_authority = role == Role::authority;
  return add_extension(certificate, issuer, NID_basic_constraints,
                       is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
         add_extension(
             certificate, issuer, NID_key_usage,
             is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature") &&
         (is_authority ||
          add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
         (is_authority || add_extension(certificate, issuer, NID_subject_alt_name, names)) &&
         add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         (role != Role::leaf ||
          add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always"));
}

/// `issuer`, `issuer_key`: null when the certificate signs itself.
tl::expected<PemCertificate, std::string> make(const CertificateOptions& options, Role role,
                                               X509* issuer, EVP_PKEY* issuer_key) {
  const std::string names = alternative_names(options.names);
  if (names.empty()) {
    return tl::unexpected<std::string>(
        "certificate: expected host names in lower case or IP addresses");
  }
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const X509Ptr certificate(X509_new());
  if (!key || !certificate || !set_head(certificate.get(), options)) return refuse("certificate");
  X509* signer = issuer != nullptr ? issuer : certificate.get();
  if (X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) != 1 ||
      X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      !set_extensions(certificate.get(), signer, role, names) ||
      X509_sign(certificate.get(), issuer_key != nullptr ? issuer_key : key.get(), nullptr) == 0) {
    return refuse("certificate");
  }
  const Bio certificate_out(BIO_new(BIO_s_mem()));
  const Bio key_out(BIO_new(BIO_s_secmem()));
  if (PEM_write_bio_X509(certificate_out.get(), certificate.get()) != 1 ||
      PEM_write_bio_PKCS8PrivateKey(key_out.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                    nullptr) != 1) {
    return refuse("certificate");
  }
  return PemCertificate{contents(certificate_out), contents(key_out)};
}

X509Ptr read_certificate(std::string_view pem) {
  return X509Ptr(PEM_read_bio_X509(read_only(pem).get(), nullptr, nullptr, nullptr));
}

tl::expected<void, std::string> write_new_file(const std::string& path, std::string_view text,
                                               mode_t mode) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return tl::unexpected(path + ": cannot be created, or exists already");
  const auto wrote = ::write(file, text.data(), text.size());
  const bool done = ::fsync(file) == 0 && wrote == static_cast<ssize_t>(text.size());
  ::close(file);
  if (!done) return tl::unexpected(path + ": cannot be written");
  return {};
}

}  // namespace

tl::expected<PemCertificate, std::string> make_self_signed(const CertificateOptions& options) {
  return make(options, Role::self_signed, nullptr, nullptr);
}

tl::expected<PemCertificate, std::string> make_authority(const CertificateOptions& options) {
  return make(options, Role::authority, nullptr, nullptr);
}

tl::expected<PemCertificate, std::string> make_signed_by(const PemCertificate& authority,
                                                         const CertificateOptions& options) {
  const X509Ptr issuer = read_certificate(authority.certificate);
  const Key key(PEM_read_bio_PrivateKey(read_only(authority.key).get(), nullptr, nullptr, nullptr));
  if (!issuer || !key) return refuse("authority");
  return make(options, Role::leaf, issuer.get(), key.get());
}

tl::expected<Hash, std::string> certificate_pin(std::string_view pem) {
  const X509Ptr certificate = read_certificate(pem);
  Hash digest{};
  if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest.data(), nullptr) != 1) {
    return refuse("certificate");
  }
  return digest;
}

tl::expected<void, std::string> write_certificate(const PemCertificate& pem,
                                                  const std::string& certificate_file,
                                                  const std::string& key_file) {
  if (auto key = write_new_file(key_file, pem.key, 0600); !key) return key;
  return write_new_file(certificate_file, pem.certificate, 0644);
}

}  // namespace ams::net
