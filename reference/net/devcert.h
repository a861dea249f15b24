// Certificates without a certificate authority: what `amsd init` and the tests create. Ed25519.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"

namespace ams::net {

struct PemCertificate {
  std::string certificate;
  std::string key;  // PKCS#8, not encrypted: write it with mode 0600
};

struct CertificateOptions {
  std::vector<std::string> names;  // host names and IP literals; the first is the subject's CN
  Instant valid_from;              // to the second
  Duration valid_for;
};

/// A certificate that signs itself and nothing else; peers know it by pin or as their CA file.
/// Fails when a name is neither a host name nor an IP literal.
tl::expected<PemCertificate, std::string> make_self_signed(const CertificateOptions& options);
/// A certificate authority named options.names[0], and a server's certificate under it.
tl::expected<PemCertificate, std::string> make_authority(const CertificateOptions& options);
tl::expected<PemCertificate, std::string> make_signed_by(const PemCertificate& authority,
                                                         const CertificateOptions& options);

/// SHA-256 of the first certificate's DER: the pin in a hosts file.
tl::expected<Hash, std::string> certificate_pin(std::string_view pem);

/// Writes both files, the key with mode 0600; never over an existing file.
tl::expected<void, std::string> write_certificate(const PemCertificate& pem,
                                                  const std::string& certificate_file,
                                                  const std::string& key_file);

}  // namespace ams::net
