// A key store with members on a disk in memory, for the tests and mutants of this room.
#pragma once

#include <map>
#include <string>

#include "keystore/asker.h"
#include "keystore/store.h"
#include "store/memory.h"

namespace ams::keystore::bench {

inline constexpr std::int64_t start_ms = 1'893'456'000'000;
inline constexpr std::int64_t day_ms = 86'400'000;
inline const std::string alice = "alice@corp.example";
inline const std::string bob = "bob@corp.example";
inline const std::string carol = "carol@corp.example";

struct Bench {
  store::MemoryStorage disk;
  SoftKeys ring;
  StoreOptions options{.domain = "corp.example"};
  Bytes store_key = Bytes(32, 0x5a);
  std::optional<Store> store;
  Instant now = from_unix_ms(start_ms);
  std::uint64_t draws = 0;
  std::map<std::string, crypto::SigningKey> devices;

  Bench() {
    start();
    write(*store->init(now, entropy()));
  }
  void start() { store.emplace(options, store_key, disk, ring); }

  Bytes entropy() {
    Bytes seed(32, 0x11);
    ++draws;
    for (std::size_t i = 0; i < 8; ++i) seed[i] = static_cast<std::uint8_t>(draws >> (8 * i));
    return seed;
  }
  void write(const storage::WriteBatch& writes) {
    AMS_ASSERT(disk.apply(writes).has_value() && disk.commit().has_value());
  }

  const crypto::SigningKey& device(const std::string& addr) {
    const auto found = devices.find(addr);
    if (found != devices.end()) return found->second;
    return devices
        .emplace(addr, crypto::SigningKey::ed25519_from_seed(crypto::sha256(as_bytes(addr))))
        .first->second;
  }
  Member member(const std::string& addr, std::vector<std::string> groups = {}) {
    return {addr,
            false,
            {device_of(device(addr))},
            start_ms + 300 * day_ms,
            std::move(groups),
            {Purpose::decap, Purpose::export_key, Purpose::sign}};
  }
  Result<Ok> act(const Args& args) {
    Acted acted = store->act(args, now, entropy());
    write(acted.writes);
    return std::move(acted.ok);
  }
  void grant(const Member& member) { AMS_ASSERT(act(GrantArgs{member}).has_value()); }
  keys::KeyRecord create(Scope scope, bool exportable = false, Profile profile = Profile::modern) {
    auto made = act(CreateArgs{std::move(scope), start_ms + 100 * day_ms, exportable,
                               start_ms - day_ms, profile});
    AMS_ASSERT(made.has_value());
    return *keys::KeyRecord::parse(std::get<Made>(*made).record);
  }

  Request request(const std::string& addr, Args args, std::optional<Capability> capability = {}) {
    Request out{addr, std::move(args), std::move(capability), {}, {}, to_unix_ms(now)};
    out.device = *to_array<32>(device(addr).public_raw());
    const Bytes id = entropy();
    std::copy_n(id.begin(), 16, out.id.begin());
    return out;
  }
  Bytes bytes_of(const Request& request) { return *sign_request(request, device(request.addr)); }
  Bytes tell(ByteView bytes) {
    const Outcome outcome = store->handle(bytes, now, entropy());
    write(outcome.writes);
    return outcome.answer;
  }
  Result<Ok> ask(const Request& request, const keys::KeyRecord* record = nullptr) {
    return judge_answer(request, tell(bytes_of(request)), record);
  }
  /// The capability that list gives `addr` for this key and purpose.
  std::optional<Capability> capability(const std::string& addr, const Id16& kid, Purpose purpose) {
    const auto listed = ask(request(addr, ListArgs{}));
    AMS_ASSERT(listed.has_value());
    for (const ListedKey& key : std::get<Listed>(*listed).keys)
      for (const Capability& each : key.capabilities)
        if (each.kid == kid && each.purpose == purpose) return each;
    return std::nullopt;
  }
  Result<Ok> decap(const std::string& addr, const keys::KeyRecord& key,
                   const std::optional<Capability>& capability, const Bytes& enc) {
    return ask(request(addr, DecapArgs{enc, key.id().kid}, capability));
  }
};

/// A content key wrapped to `to` as a stanza does (MSG-15).
struct Stanza {
  Hash h0{};
  Bytes content_key = Bytes(32, 0x77);
  Bytes enc, wk;

  explicit Stanza(const keys::KeyRecord& to) {
    h0.fill(0x33);
    const auto ephemeral = crypto::Ephemeral::from_seed(Bytes(32, 0x44));
    auto wrapped = crypto::hpke_seal(to.encryption(), crypto::Aead::a256gcm, info(to.id()),
                                     content_key, &ephemeral);
    enc = wrapped->enc;
    wk = wrapped->ciphertext;
  }
  Bytes info(const keys::KeyId& to) const {
    Bytes out = to_bytes("AMS1");
    append(out, h0);
    append(out, to.kid);
    append(out, to.fp);
    return out;
  }
};

/// The text of a header's signature (SIG-1, SIG-4).
inline Bytes header_text(std::string_view tag = "env/1") {
  return keys::signing_input(tag, wire::Object{{"ams", tag}, {"n", 1}});
}

}  // namespace ams::keystore::bench
