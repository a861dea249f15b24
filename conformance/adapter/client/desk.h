// The ops of a client's adapter (adapter/client.schema.json) on the reference's client: what to ask
// it for, and which of its reports is the answer. Pure: the same under `ams-client`, over sockets,
// and in the simulator.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/instant.h"
#include "client/client.h"

namespace ams::client_adapter {

using Json = nlohmann::json;

/// What an answer to `hello` says; whether that names the op.
Json hello();
bool knows(const std::string& op);
/// {"id","error"}; {"id","fault"}: the request itself was unusable.
Json refusal(const Json& id, const Error& why);
Json fault(const Json& id, const std::string& why);

class Desk {
 public:
  /// Which request client.open is: answered when the account is ready.
  Desk(client::Client& client, const Json& open_id);

  /// A request other than hello, client.open and client.close. The one before was answered.
  void ask(const Json& id, const std::string& op, const Json& args, Instant now);
  void hear(client::Report report);
  /// What no report says; call it when the client has nothing more to do, and when due.
  void look(Instant now);
  /// The answer, once.
  std::optional<Json> poll();
  std::optional<Instant> due() const { return due_; }

 private:
  void answer(Json ok);
  void refuse(const Error& why);
  void send(const Json& args, Instant now);
  void looked(const client::LookedUp& found);

  client::Client& client_;
  Json id_;            // of the request that waits
  std::string op_;     // empty: none does
  std::string about_;  // the address that client.lookup asks for
  std::uint64_t ticket_ = 0, check_ = 0;
  std::optional<Error> alarmed_;  // of our own address, since client.check
  std::optional<Instant> due_;
  Json told_, mail_;
  std::optional<Json> ready_;
};

}  // namespace ams::client_adapter
