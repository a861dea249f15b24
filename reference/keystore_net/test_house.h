// What this room's tests share: a folder with certificates, members with devices, and a client that
// asks over any link and judges what comes back.
#pragma once

#include <chrono>

#include "keystore/asker.h"
#include "keystore/audit.h"
#include "keystore_net/https_link.h"
#include "keystore_net/local_store.h"
#include "net/devcert.h"
#include "net/entropy.h"
#include "net/test_net.h"

namespace ams::keystore_net::test {

inline std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
inline constexpr std::int64_t day_ms = 86'400'000;

inline keystore::Unlock key_file(std::uint8_t fill = 7) {
  return {keystore::Unlock::Kind::file, crypto::Secret::copy_of(Bytes(32, fill))};
}

/// A member at a device.
struct Person {
  std::string addr;
  crypto::SigningKey device;
  explicit Person(std::string a)
      : addr(std::move(a)),
        device(crypto::SigningKey::ed25519_from_seed(crypto::sha256(as_bytes(addr)))) {}

  keystore::Member member(bool admin = false) const {
    return {addr,
            admin,
            {keystore::device_of(device)},
            now_ms() + 300 * day_ms,
            {},
            {keystore::Purpose::decap, keystore::Purpose::export_key, keystore::Purpose::sign}};
  }
  keystore::Request request(keystore::Args args,
                            std::optional<keystore::Capability> capability = {}) const {
    keystore::Request out{addr, std::move(args), std::move(capability), {}, {}, now_ms()};
    out.device = *to_array<32>(device.public_raw());
    const crypto::Secret id = net::entropy_seed();
    std::copy_n(id.view().begin(), 16, out.id.begin());
    return out;
  }
};

/// Asks and waits.
inline Result<keystore::Ok> ask(net::Loop& loop, Link& link, const Person& who,
                                const keystore::Request& request,
                                const keys::KeyRecord* record = nullptr) {
  Result<keystore::Ok> out = fail(Code::undetermined, "no answer");
  link.ask(*keystore::sign_request(request, who.device), [&](Result<Bytes> answer) {
    out = answer ? keystore::judge_answer(request, *answer, record)
                 : Result<keystore::Ok>(fail(answer.error().code, answer.error().where));
    loop.stop();
  });
  net::test::run(loop);
  return out;
}

inline std::optional<keystore::Capability> capability(net::Loop& loop, Link& link,
                                                      const Person& who, const Id16& kid,
                                                      keystore::Purpose purpose) {
  const auto listed = ask(loop, link, who, who.request(keystore::ListArgs{}));
  if (!listed) return std::nullopt;
  for (const auto& key : std::get<keystore::Listed>(*listed).keys)
    for (const auto& each : key.capabilities)
      if (each.kid == kid && each.purpose == purpose) return each;
  return std::nullopt;
}

inline keystore::CreateArgs create_args(keystore::Scope scope,
                                        keystore::Profile profile = keystore::Profile::modern,
                                        bool exportable = false) {
  return {std::move(scope), now_ms() + 100 * day_ms, exportable, now_ms() - 60'000, profile};
}

inline keys::KeyRecord record_of(const Result<keystore::Ok>& made) {
  AMS_ASSERT(made.has_value());
  return *keys::KeyRecord::parse(std::get<keystore::Made>(*made).record);
}

inline Code code_of(const Result<keystore::Ok>& outcome) {
  return outcome ? Code{} : outcome.error().code;
}

}  // namespace ams::keystore_net::test
