#include "keystore_net/https.h"

namespace ams::keystore_net {

namespace asio = boost::asio;
using boost::system::error_code;

tl::expected<asio::ssl::context, std::string> mutual_tls(const MutualTls& files) {
  asio::ssl::context out(files.server ? asio::ssl::context::tls_server
                                      : asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(out.native_handle(), TLS1_3_VERSION);
  SSL_CTX_set_num_tickets(out.native_handle(), 0);
  SSL_CTX_set_session_cache_mode(out.native_handle(), SSL_SESS_CACHE_OFF);
  error_code error;
  if (files.ca_file.empty() && !files.server) {
    out.set_default_verify_paths(error);
  } else {
    out.load_verify_file(files.ca_file, error);
  }
  if (error) return tl::unexpected(files.ca_file + ": no PEM file of certificate authorities");
  out.use_certificate_chain_file(files.certificate_file, error);
  if (error) return tl::unexpected(files.certificate_file + ": no PEM certificate chain");
  out.use_private_key_file(files.key_file, asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(out.native_handle()) != 1)
    return tl::unexpected(files.key_file + ": not the PEM key of " + files.certificate_file);
  out.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert, error);
  return out;
}

}  // namespace ams::keystore_net
