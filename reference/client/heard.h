// Heard: the client as its driver sees it, with an ear for its reports. Whenever its effects are
// carried out, `on_report` hears what it has to say, and what follows from that is carried out too;
// then `on_ask` hears what it would ask the domain's key store, and `on_idle` that all was carried
// out.
#pragma once

#include <functional>
#include <utility>

#include "client/client.h"

namespace ams::client {

class Heard final : public machine::Machine {
 public:
  using OnReport = std::function<void(Report)>;
  using OnAsk = std::function<void(KeyStoreAsk)>;
  using OnIdle = std::function<void()>;
  /// `client` is borrowed. `on_ask` may be absent where there is no key store, `on_idle` where
  /// nobody waits for what no report says.
  Heard(Client& client, OnReport on_report, OnAsk on_ask = {}, OnIdle on_idle = {})
      : client_(client),
        on_report_(std::move(on_report)),
        on_ask_(std::move(on_ask)),
        on_idle_(std::move(on_idle)) {}

  void handle_accepted(machine::ConnId conn, const Hash& exporter, Instant now) override {
    client_.handle_accepted(conn, exporter, now);
  }
  void handle_connected(machine::Token token, machine::ConnId conn, const Hash& exporter,
                        Instant now) override {
    client_.handle_connected(token, conn, exporter, now);
  }
  void handle_connect_failed(machine::Token token, Instant now) override {
    client_.handle_connect_failed(token, now);
  }
  void handle_resolved(const std::string& domain, const std::optional<keys::Discovery>& found,
                       Instant now) override {
    client_.handle_resolved(domain, found, now);
  }
  void handle_bytes(machine::ConnId conn, ByteView bytes, Instant now) override {
    client_.handle_bytes(conn, bytes, now);
  }
  void handle_closed(machine::ConnId conn, Instant now) override {
    client_.handle_closed(conn, now);
  }
  void handle_durable(machine::BatchId batch, const Result<>& outcome, Instant now) override {
    client_.handle_durable(batch, outcome, now);
  }
  void handle_timeout(Instant now) override { client_.handle_timeout(now); }
  std::optional<machine::Effect> poll() override {
    if (auto effect = client_.poll()) return effect;
    while (auto report = client_.poll_report()) on_report_(std::move(*report));
    if (auto effect = client_.poll()) return effect;
    while (on_ask_) {
      auto ask = client_.poll_key_store();
      if (!ask) break;
      on_ask_(std::move(*ask));
    }
    if (on_idle_) on_idle_();
    return std::nullopt;
  }
  std::optional<Instant> timeout() const override { return client_.timeout(); }

 private:
  Client& client_;
  OnReport on_report_;
  OnAsk on_ask_;
  OnIdle on_idle_;
};

}  // namespace ams::client
