// Session: one end of one AMS connection (spec chapter 02: framing, requests, authentication,
// blobs). The same machine serves client-server, server-server and directory links, on either end.
//
//   connector                                     acceptor
//   hello_sent --hello ok, chain verifies-->       fresh --hello--> greeted (answers, proves it)
//   proof_wait --auth event verifies-->            greeted --authenticate--> open | closed
//   auth_sent  --authenticate ok--> open
//   any state --bad frame, timeout, bye--> closed
//
// Inputs are start(), handle_* and the owner's calls; outputs are poll(), oldest first, none may be
// dropped. Not thread-safe: one owner. Every call returns in bounded time. Memory is bounded by the
// limits announced in hello: frames, requests in flight, transfers times blob size.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/instant.h"
#include "base/result.h"
#include "crypto/crypto.h"
#include "keys/records.h"
#include "wire/frame.h"
#include "wire/message.h"

namespace ams::session {

struct Limits {  // announced in hello (SES-2)
  std::int64_t in_flight = 64;                 // requests of the peer not answered yet
  std::int64_t blob = 32 << 20;                // bytes of one blob
  std::int64_t transfers = 4;                  // blobs of the peer in flight
  std::int64_t batch = 64;                     // deliveries or records in one request
};
inline constexpr Duration auth_timeout = std::chrono::seconds{30};  // SES-11
inline constexpr int bad_payloads_max = 16;                         // OPS-9

enum class PeerKind : std::uint8_t { client, server };  // what the connector says it is

/// What the connector's hello said; the acceptor's owner sees it in Greeted.
struct HelloInfo {
  PeerKind kind = PeerKind::client;
  std::string domain;                // of the connector
  std::string addr;                  // client only
  Bytes device;                      // client only: raw Ed25519 key
  std::optional<wire::Value> chain;  // server only, unverified
};

// --- outputs ----------------------------------------------------------------------------
struct SendBytes {
  Bytes bytes;
};
struct Close {  // perform after what was sent before; the session takes no more input
  std::optional<Code> why;
};
/// Acceptor: hello has arrived. For a server the owner must call admit_server() or deny() when it
/// has resolved the domain; a client is admitted by the session itself (its device key proves
/// itself).
struct Greeted {
  HelloInfo hello;
};
/// Both ends: the peer proved its key. On the connector `chain` is the acceptor's verified chain.
struct Opened {
  std::optional<keys::Chain> chain;
};
/// A request of the peer that the owner must answer exactly once: answer(), fail() or send_blob().
struct RequestIn {
  std::int64_t id = 0;
  std::string op;
  wire::Value args;
};
/// The answer to a request() of ours.
struct AnswerIn {
  std::int64_t id = 0;
  std::string op;                 // of the request
  Result<wire::Value> outcome;    // error: its code when registered, else `unsupported`
  std::optional<std::int64_t> retry_after_s;
};
struct EventIn {
  std::string event;
  wire::Value data;
};
/// The peer put a whole blob, its hash verified; answer(id, {}) when it is durable.
struct BlobPut {
  std::int64_t id = 0;
  Hash hash{};
  Bytes bytes;
};
/// The outcome of get_blob(): the bytes, their hash verified.
struct BlobGot {
  std::int64_t id = 0;
  Hash hash{};
  Result<Bytes> outcome;
};
using Effect =
    std::variant<SendBytes, Close, Greeted, Opened, RequestIn, AnswerIn, EventIn, BlobPut, BlobGot>;

// --- the machine ------------------------------------------------------------------------
struct ConnectorOptions {
  HelloInfo hello;                      // kind, domain, addr/device or chain
  std::string peer_domain;              // whom we mean to reach
  keys::KeyId peer_root;                // what discovery said of it
  Limits limits;
  // Verified before: the same bytes need no second verification.
  std::optional<keys::Chain> known_chain = {};
};
struct AcceptorOptions {
  std::string domain;
  wire::Value chain;                    // our own
  std::vector<std::string> ops;         // announced, sorted
  Limits limits;
};

class Session {
 public:
  /// `proof_key` is the device key (client) or the domain's op key (server); borrowed, must outlive
  /// the session. `exporter`: 32 bytes of the TLS exporter, the same on both ends (SES-4).
  Session(ConnectorOptions options, const crypto::SigningKey& proof_key, const Hash& exporter,
          Instant now);
  Session(AcceptorOptions options, const crypto::SigningKey& proof_key, const Hash& exporter,
          Instant now);

  void handle_bytes(ByteView in, Instant now);  // any split of the stream
  void handle_timeout(Instant now);             // early or repeated calls are harmless
  std::optional<Effect> poll();
  std::optional<Instant> timeout() const;

  /// Acceptor, after Greeted of a server: the chain verified for the discovered root, or why not.
  void admit_server(keys::Chain chain);
  void deny(Error why);
  /// Acceptor: every op but account.enrol is answered with auth_key while this is on (SES-8).
  void restrict_to_enrolment(bool on) { enrolment_only_ = on; }

  /// Preconditions of the next four: open() is true. Return the request's id.
  std::int64_t request(std::string op, wire::Value args);
  std::int64_t put_blob(const Hash& hash, ByteView bytes);
  std::int64_t get_blob(const Hash& hash, std::uint64_t len_max);
  void event(std::string name, wire::Value data);

  void answer(std::int64_t id, wire::Value ok);
  void fail(std::int64_t id, const Error& why, std::optional<std::int64_t> retry_after_s = {});
  /// Answers a blob.get request: chunks, then {"len"}. `args` are the request's.
  void answer_blob(std::int64_t id, const wire::Value& args, ByteView bytes);
  /// Sends the event `error` and closes; for instance shutting_down, too_many_connections.
  void close(std::optional<Code> why);

  bool open() const { return state_ == State::open; }
  bool closed() const { return state_ == State::closed; }
  const HelloInfo& hello() const { return hello_; }         // acceptor: after Greeted
  const std::optional<keys::Chain>& peer_chain() const { return peer_chain_; }
  /// Connector: the acceptor has proved that it holds the op key of peer_chain() (SES-5).
  bool peer_proven() const {
    return connector_ && (state_ == State::auth_sent || state_ == State::open);
  }
  const wire::Value& peer_limits() const { return peer_limits_; }

 private:
  enum class State : std::uint8_t {
    fresh,
    hello_sent,
    proof_wait,
    auth_sent,
    greeted,
    open,
    closed
  };
  struct Pending {  // a request of ours
    std::string op;
    std::optional<Hash> blob;  // blob.get
    std::uint64_t transfer = 0;
  };
  struct Transfer {  // blob bytes on their way to us
    bool put = false;
    std::int64_t request_id = 0;
    Hash hash{};
    std::uint64_t len_max = 0;
    Bytes bytes;
    crypto::Sha256 digest;
  };

  void emit(Effect effect) { effects_.push_back(std::move(effect)); }
  void send(wire::Message message);
  void send_chunks(std::uint64_t transfer, ByteView bytes);
  std::int64_t send_request(std::string op, wire::Value args, Pending pending);
  void report(Code code);
  void handle_frame(const wire::Frame& frame, Instant now);
  void handle_payload(ByteView payload);
  void handle_request(wire::Request request, ByteView payload);
  void handle_hello(const wire::Request& request, ByteView payload);
  void handle_authenticate(const wire::Request& request);
  void finish_authenticate();
  Result<> check_proof(ByteView signature) const;
  void handle_open_request(wire::Request request);
  void handle_blob_put(const wire::Request& request);
  void handle_answer(wire::Answer answer, ByteView payload);
  void handle_hello_answer(const wire::Answer& answer, ByteView payload);
  void handle_get_answer(const Pending& pending, std::int64_t id,
                         const Result<wire::Value>& outcome);
  void handle_event(wire::Event event);
  void handle_chunk(const wire::BlobChunk& chunk);
  void end_transfer(std::uint64_t number, Code code);
  Bytes proof_input(std::uint8_t role) const;
  bool foreign_parity(std::uint64_t transfer) const { return (transfer % 2 == 1) != connector_; }

  bool connector_;
  State state_;
  const crypto::SigningKey* proof_key_;
  Hash exporter_;
  Limits limits_;
  HelloInfo hello_;
  std::string peer_domain_;             // connector
  keys::KeyId peer_root_{};             // connector
  std::optional<keys::Chain> known_chain_;  // connector
  AcceptorOptions acceptor_;
  Hash hello_c_hash_{}, hello_s_hash_{};
  std::optional<keys::Chain> peer_chain_;
  wire::Value peer_limits_;
  std::optional<crypto::VerifyKey> peer_key_;  // acceptor: what must have signed authenticate
  std::optional<Error> denied_;                         // acceptor
  std::optional<std::int64_t> authenticate_id_;         // waiting for admit_server
  Bytes authenticate_sig_;
  bool enrolment_only_ = false;

  wire::FrameReader reader_;
  std::deque<Effect> effects_;
  std::map<std::int64_t, Pending> pending_;             // ours, unanswered
  std::map<std::int64_t, std::string> unanswered_;      // the peer's
  std::map<std::uint64_t, Transfer> transfers_;         // incoming bytes
  std::int64_t next_id_ = 1;
  std::uint64_t next_transfer_;
  int bad_payloads_ = 0;
  Instant deadline_;
};

}  // namespace ams::session
