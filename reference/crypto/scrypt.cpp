// scrypt (RFC 7914): OpenSSL's.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/evp.h"
#include "crypto/external.h"

namespace ams::crypto {

Result<Secret> scrypt(ByteView passphrase, ByteView salt, const ScryptCost& cost,
                      std::size_t size) {
  constexpr std::uint64_t memory_max = 1ULL << 30;
  std::uint64_t n = cost.n;
  std::uint32_t r = cost.r;
  std::uint32_t p = cost.p;
  Secret out(size);
  // The limit that OpenSSL takes bounds n, r and p together.
  if (EVP_PBE_scrypt(reinterpret_cast<const char*>(passphrase.data()), passphrase.size(),
                     salt.data(), salt.size(), n, r, p, memory_max, out.data(), out.size()) != 1) {
    return evp::refuse(Code::schema, "scrypt cost");
  }
  return out;
}

}  // namespace ams::crypto
