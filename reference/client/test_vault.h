// For tests: a client in a domain with a key store, the real machine of it behind a line that can
// be cut or made to lie.
#pragma once

#include "client/test_bench.h"
#include "keystore/asker.h"
#include "keystore/store.h"

namespace ams::client::testing {

inline constexpr std::int64_t day_ms = 86'400'000;

/// A domain's key store with one key of alice's own and one that is shared.
struct Vault {
  store::MemoryStorage disk;
  keystore::SoftKeys ring;
  Bytes store_key = Bytes(32, 0x5a);
  keystore::Store store;
  std::uint64_t draws = 0;
  explicit Vault(const std::string& domain)
      : store(keystore::StoreOptions{.domain = domain}, store_key, disk, ring) {
    write(store.init(from_unix_ms(start_ms), entropy()).value());
  }
  Bytes entropy() {
    Bytes seed(32, 0x21);
    ++draws;
    for (std::size_t i = 0; i < 8; ++i) seed[i] = static_cast<std::uint8_t>(draws >> (8 * i));
    return seed;
  }
  void write(const storage::WriteBatch& writes) {
    ASSERT_TRUE(disk.apply(writes));
    ASSERT_TRUE(disk.commit());
  }
  keystore::Ok act(const keystore::Args& args, Instant now) {
    auto acted = store.act(args, now, entropy());
    EXPECT_TRUE(acted.ok) << code_info(acted.ok.error().code).name;
    write(acted.writes);
    return std::move(*acted.ok);
  }
  keys::KeyRecord create(keystore::Scope scope, Instant now) {
    const std::int64_t ms = to_unix_ms(now);
    const keystore::Ok made =
        act(keystore::CreateArgs{std::move(scope), ms + 100 * day_ms, false, ms - day_ms}, now);
    return keys::KeyRecord::parse(std::get<keystore::Made>(made).record).value();
  }
  void grant(const std::string& addr, const crypto::SigningKey& device, Instant now) {
    act(keystore::GrantArgs{{addr,
                             false,
                             {keystore::device_of(device)},
                             to_unix_ms(now) + 90 * day_ms,
                             {},
                             {keystore::Purpose::decap, keystore::Purpose::sign}}},
        now);
  }
  Bytes answer(ByteView request, Instant now) {
    keystore::Outcome outcome = store.handle(request, now, entropy());
    write(outcome.writes);
    return std::move(outcome.answer);
  }
};

struct Corporate : Bench {
  Vault vault{"home.example"};
  keys::KeyRecord own = vault.create({alice, std::nullopt}, now);
  keys::KeyRecord shared = vault.create({}, now);
  bool up = true;
  std::function<void(Bytes&)> lie = [](Bytes&) {};
  Bytes heard;  // by the store

  explicit Corporate(bool from_the_start = true) {
    vault.grant(alice, device, now);
    on_ask = [this](const KeyStoreAsk& ask) {
      if (!up) return client->handle_key_store(ask.ticket, fail(Code::keystore_unreachable), now);
      append(heard, ask.request);
      Bytes answer = vault.answer(ask.request, now);
      lie(answer);
      client->handle_key_store(ask.ticket, answer, now);
    };
    options.key_store = true;
    if (from_the_start) {
      home.policy = {to_unix_ms(now), {keys::Policy::corporate, to_unix_ms(now), listed()}, {}};
      home.remake();
      told();
    }
    boot();
  }
  std::vector<keys::SharedKey> listed() const { return {{"", shared.id()}}; }
  void told() { server.chains[home.name] = home.chain; }
  /// The record that follows; the server presents it from the next connection on.
  void publish(keys::Policy mode) {
    home.publish(mode, mode == keys::Policy::isp ? std::vector<keys::SharedKey>() : listed(), now);
    told();
    cut();
    run_for(1min);
  }
  const keys::Binding bound() {
    return keys::parse_binding(*server.lookups.at(alice).find("binding")).value();
  }
  /// Mail from bob to `addr`, sealed to `record`.
  void write_to(const std::string& addr, const keys::KeyRecord& record,
                const std::string& text = "ten bags") {
    mail::Draft letter;
    letter.from = bob.addr;
    letter.to = letter.deliver_to = {addr};
    letter.date = to_unix_ms(now);
    letter.subject = "Seeds";
    letter.parts.push_back({"text/plain", text});
    const keys::KeyRecord* recipients[] = {&record};
    mail::SealOptions seal_options;
    seal_options.ts = to_unix_ms(now);
    seal_options.mid = drbg.array<16>();
    const auto sealed =
        mail::seal(letter, bob.pair, bob.binding, recipients, seal_options, drbg).value();
    server.add_message(server.as_message(sealed, 0, "mail"));
  }
  /// To alice.
  void deliver_to(const keys::KeyRecord& record, const std::string& text) {
    write_to(alice, record, text);
  }
  void expect_private_keys_at_home() {
    for (const crypto::Secret& secret : client->private_bytes()) {
      EXPECT_FALSE(holds(server.received, as_bytes(to_base64url(secret.view()))));
      EXPECT_FALSE(holds(heard, as_bytes(to_base64url(secret.view()))));
      EXPECT_FALSE(holds(server.received, secret.view()));
      EXPECT_FALSE(holds(heard, secret.view()));
    }
  }
};

}  // namespace ams::client::testing
