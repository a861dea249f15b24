#include "session/session.h"

#include <algorithm>

#include "policy/mutant.h"
#include "wire/address.h"

namespace ams::session {
namespace {

constexpr std::uint8_t role_server_proof = 0;
constexpr std::uint8_t role_client = 1;
constexpr std::uint8_t role_server = 2;

wire::Value hello_args(const HelloInfo& hello) {
  wire::Object args{{"role", hello.kind == PeerKind::client ? "client" : "server"},
                    {"domain", hello.domain}};
  if (hello.kind == PeerKind::client) {
    args.emplace("addr", hello.addr);
    args.emplace("device", to_base64url(hello.device));
  } else {
    args.emplace("chain", *hello.chain);
  }
  return args;
}

Result<HelloInfo> parse_hello(const wire::Value& args) {
  wire::ObjectReader in(args, "hello", wire::ObjectReader::Unknown::ignore_x);
  HelloInfo hello;
  const std::string role = in.string("role", 16);
  hello.domain = in.string("domain", wire::domain_size_max);
  if (role == "client") {
    hello.kind = PeerKind::client;
    hello.addr = in.string("addr", 320);
    hello.device = in.binary("device", 32, 32);
  } else if (role == "server") {
    hello.kind = PeerKind::server;
    hello.chain = in.any("chain");
  } else if (mutant("session.accept_any_role")) {
    hello.addr = in.string("addr", 320);
    hello.device = in.binary("device", 32, 32);
  } else if (in.ok()) {
    return fail(Code::schema, "hello.role");
  }
  AMS_CHECK(in.finish());
  if (!wire::is_domain(hello.domain)) return fail(Code::address_syntax, "hello.domain");
  if (hello.kind == PeerKind::client) {
    AMS_TRY(const wire::Address address, wire::parse_address(hello.addr));
    if (address.domain != hello.domain) return fail(Code::address_syntax, "hello.addr");
  }
  return hello;
}

wire::Value limits_value(const Limits& limits) {
  return wire::Object{{"in_flight", limits.in_flight},
                      {"frame", static_cast<std::int64_t>(wire::json_payload_size_max)},
                      {"blob", limits.blob},
                      {"transfers", limits.transfers},
                      {"batch", limits.batch}};
}

/// No op carries a private key (POL-1): the names under which one would be offered.
bool offers_private_key(const wire::Value& args) {
  for (const std::string_view name : {"private_key", "sk_private", "ek_private", "seed"})
    if (args.find(name)) return true;
  return false;
}

}  // namespace

Session::Session(ConnectorOptions options, const crypto::SigningKey& proof_key,
                 const Hash& exporter, Instant now)
    : connector_(true),
      state_(State::hello_sent),
      proof_key_(&proof_key),
      exporter_(exporter),
      limits_(options.limits),
      hello_(std::move(options.hello)),
      peer_domain_(std::move(options.peer_domain)),
      peer_root_(options.peer_root),
      known_chain_(std::move(options.known_chain)),
      next_transfer_(1),
      deadline_(now + auth_timeout) {
  const std::int64_t id = next_id_++;
  pending_.emplace(id, Pending{"hello", {}, 0});
  const Bytes payload = wire::encode_message(wire::Request{id, "hello", hello_args(hello_)});
  hello_c_hash_ = crypto::sha256(payload);
  Bytes out;
  AMS_ASSERT(wire::append_frame(out, wire::FrameKind::json, payload));
  emit(SendBytes{std::move(out)});
}

Session::Session(AcceptorOptions options, const crypto::SigningKey& proof_key, const Hash& exporter,
                 Instant now)
    : connector_(false),
      state_(State::fresh),
      proof_key_(&proof_key),
      exporter_(exporter),
      limits_(options.limits),
      acceptor_(std::move(options)),
      next_transfer_(2),
      deadline_(now + auth_timeout) {}

// --- output -----------------------------------------------------------------------------

std::optional<Effect> Session::poll() {
  if (effects_.empty()) return std::nullopt;
  Effect effect = std::move(effects_.front());
  effects_.pop_front();
  return effect;
}

std::optional<Instant> Session::timeout() const {
  if (state_ == State::open || state_ == State::closed || mutant("session.no_auth_timeout"))
    return std::nullopt;
  return deadline_;
}

void Session::handle_timeout(Instant now) {
  if (timeout() && now >= deadline_) close(Code::auth_timeout);
}

void Session::send(wire::Message message) {
  if (state_ == State::closed) return;
  Bytes out;
  const bool is_answer = std::holds_alternative<wire::Answer>(message);
  const std::int64_t id = is_answer ? std::get<wire::Answer>(message).id : 0;
  if (auto sent = wire::append_message(out, std::move(message)); !sent) {
    // An answer of ours outgrew the frame: the peer still gets exactly one answer (OPS-2).
    AMS_ASSERT(is_answer);
    AMS_ASSERT(
        wire::append_message(out, wire::error_answer(id, Error{Code::object_too_large, "answer"})));
  }
  emit(SendBytes{std::move(out)});
}

/// Something the peer sent could not be read, or has no request to answer to (OPS-9).
void Session::report(Code code) {
  const CodeInfo& info = code_info(code);
  send(wire::Event{"error", wire::Object{{"code", info.name}, {"phase", info.phase}}});
}

void Session::close(std::optional<Code> why) {
  if (state_ == State::closed) return;
  if (why) report(*why);
  state_ = State::closed;
  transfers_.clear();
  emit(Close{why});
}

void Session::send_chunks(std::uint64_t transfer, ByteView bytes) {
  Bytes out;
  for (std::size_t at = 0; at < bytes.size(); at += wire::blob_chunk_size_max) {
    const std::size_t size = std::min(wire::blob_chunk_size_max, bytes.size() - at);
    wire::append_blob_frame(out, transfer, at, bytes.subspan(at, size));
  }
  if (!out.empty()) emit(SendBytes{std::move(out)});
}

// --- input ------------------------------------------------------------------------------

void Session::handle_bytes(ByteView in, Instant now) {
  // Piece by piece, so that a large read never makes the reader hold more than a frame and a piece.
  while (!in.empty() && state_ != State::closed) {
    const std::size_t size = std::min<std::size_t>(in.size(), 65'536);
    reader_.push(in.first(size));
    in = in.subspan(size);
    while (state_ != State::closed) {
      auto frame = reader_.next();
      if (!frame) return close(frame.error().code);  // WIR-8
      if (!*frame) break;
      handle_frame(**frame, now);
    }
  }
}

void Session::handle_frame(const wire::Frame& frame, Instant) {
  if (frame.kind == wire::FrameKind::blob)
    return handle_chunk(wire::parse_blob_payload(frame.payload));
  handle_payload(frame.payload);
}

void Session::handle_payload(ByteView payload) {
  auto message = wire::decode_message(payload);
  if (!message) {
    report(message.error().code);
    if (++bad_payloads_ >= bad_payloads_max && !mutant("session.endless_bad_payloads")) close({});
    return;
  }
  if (auto* request = std::get_if<wire::Request>(&*message))
    return handle_request(std::move(*request), payload);
  if (auto* answer = std::get_if<wire::Answer>(&*message))
    return handle_answer(std::move(*answer), payload);
  handle_event(std::get<wire::Event>(std::move(*message)));
}

void Session::handle_request(wire::Request request, ByteView payload) {
  const auto refuse = [&](Code code) {
    send(wire::error_answer(request.id, Error{code, "session"}));
  };
  if (unanswered_.contains(request.id)) return refuse(Code::request_shape);
  if (request.op == "ping" && (open() || !mutant("session.ping_needs_session")))
    return send(wire::ok_answer(request.id, wire::Object{}));
  if (request.op == "bye") {
    send(wire::ok_answer(request.id, wire::Object{}));
    if (mutant("session.bye_stays")) return;
    return close({});
  }
  if (offers_private_key(request.args) && !mutant("session.accept_private_key"))
    return refuse(Code::private_key_refused);
  if (!connector_ && request.op == "hello") return handle_hello(request, payload);
  if (!connector_ && request.op == "authenticate") return handle_authenticate(request);
  if (!open() && !mutant("session.skip_authentication")) return refuse(Code::not_authenticated);
  handle_open_request(std::move(request));
}

// --- hello and authentication -----------------------------------------------------------

void Session::handle_hello(const wire::Request& request, ByteView payload) {
  if (state_ != State::fresh && !mutant("session.accept_second_hello"))
    return send(wire::error_answer(request.id, Error{Code::auth_order, "hello"}));
  auto hello = parse_hello(request.args);
  if (!hello) return send(wire::error_answer(request.id, hello.error()));
  hello_ = std::move(*hello);
  if (hello_.kind == PeerKind::client) {
    auto key = crypto::VerifyKey::from_raw(crypto::SigAlg::ed25519, hello_.device);
    if (!key) return send(wire::error_answer(request.id, key.error()));
    peer_key_ = std::move(*key);
  } else if (hello_.domain == acceptor_.domain) {
    return send(
        wire::error_answer(request.id, Error{Code::domain_mismatch, "hello.domain"}));  // SES-1
  }
  wire::Array ops;
  for (const std::string& op : acceptor_.ops) ops.emplace_back(op);
  if (mutant("session.ops_unsorted")) std::reverse(ops.begin(), ops.end());
  const Bytes answer = wire::encode_message(wire::ok_answer(
      request.id, wire::Object{{"domain", acceptor_.domain},
                               {"chain", acceptor_.chain},
                               {"limits", limits_value(limits_)},
                               {"ops", std::move(ops)}}));
  hello_c_hash_ = crypto::sha256(payload);
  hello_s_hash_ = crypto::sha256(answer);
  Bytes out;
  AMS_ASSERT(wire::append_frame(out, wire::FrameKind::json, answer));
  emit(SendBytes{std::move(out)});
  auto proof = proof_key_->sign(
      proof_input(mutant("session.server_proof_role") ? role_client : role_server_proof));
  if (!proof) return close(Code::storage);
  send(wire::Event{"auth", wire::Object{{"sig", to_base64url(*proof)}}});
  state_ = State::greeted;
  emit(Greeted{hello_});
}

void Session::handle_authenticate(const wire::Request& request) {
  if (state_ == State::fresh)
    return send(wire::error_answer(
        request.id, Error{mutant("session.authenticate_first") ? Code::auth_order
                                                               : Code::not_authenticated,
                          "authenticate"}));
  if ((state_ != State::greeted || authenticate_id_) &&
      !mutant("session.accept_second_authenticate"))
    return send(wire::error_answer(request.id, Error{Code::auth_order, "authenticate"}));
  wire::ObjectReader in(request.args, "authenticate", wire::ObjectReader::Unknown::ignore_x);
  authenticate_sig_ = in.binary("sig", 1, 512);
  if (auto read = in.finish(); !read) return send(wire::error_answer(request.id, read.error()));
  authenticate_id_ = request.id;
  if (peer_key_ || denied_) finish_authenticate();
}

void Session::admit_server(keys::Chain chain) {
  if (state_ != State::greeted) return;
  peer_key_ = chain.op.signing();
  peer_chain_ = std::move(chain);
  if (authenticate_id_) finish_authenticate();
}

void Session::deny(Error why) {
  if (state_ != State::greeted) return;
  denied_ = why;
  if (authenticate_id_) finish_authenticate();
}

Result<> Session::check_proof(ByteView signature) const {
  const bool as_client = hello_.kind == PeerKind::client || mutant("session.server_as_client");
  const std::uint8_t role = as_client ? role_client : role_server;
  if (mutant("session.skip_proof")) return {};
  if (!peer_key_->verify(proof_input(role), signature)) 
    return ams::fail(Code::auth_signature, "authenticate.sig");
  return {};
}

void Session::finish_authenticate() {
  const std::int64_t id = *authenticate_id_;
  if (denied_) {
    send(wire::error_answer(id, *denied_));
    return close({});
  }
  if (auto proof = check_proof(authenticate_sig_); !proof) {
    send(wire::error_answer(id, proof.error()));
    if (mutant("session.keep_after_bad_proof")) return;
    return close({});  // SES-6
  }
  state_ = State::open;
  send(wire::ok_answer(id, wire::Object{}));
  emit(Opened{peer_chain_});
}

Bytes Session::proof_input(std::uint8_t role) const {
  Bytes out = to_bytes(std::string_view("AMS-AUTH/1\0", 11));
  out.push_back(role);
  append(out, exporter_);
  append(out, hello_c_hash_);
  append(out, hello_s_hash_);
  return out;
}

void Session::handle_hello_answer(const wire::Answer& answer, ByteView payload) {
  if (!answer.is_ok()) return close({});
  wire::ObjectReader in(answer.ok(), "hello", wire::ObjectReader::Unknown::ignore_x);
  const std::string domain = in.string("domain", wire::domain_size_max);
  const wire::Value& chain_value = in.any("chain");
  peer_limits_ = in.any("limits");
  in.array("ops", 256);
  if (!in.finish() || domain != peer_domain_) return close(Code::domain_mismatch);
  const bool known = known_chain_ && known_chain_->value == chain_value &&
                     known_chain_->root.id() == peer_root_;
  if (known) {
    peer_chain_ = std::move(known_chain_);
  } else {
    auto chain = keys::verify_chain(chain_value, peer_domain_, peer_root_);
    if (!chain) return close(chain.error().code);
    peer_chain_ = std::move(*chain);
  }
  hello_s_hash_ = crypto::sha256(payload);
  state_ = State::proof_wait;
}

void Session::handle_event(wire::Event event) {
  if (connector_ && state_ == State::proof_wait && event.event == "auth") {
    wire::ObjectReader in(event.data, "auth");
    const Bytes sig = in.binary("sig", 1, 512);
    const bool proven =
        in.finish() && peer_chain_->op.signing().verify(proof_input(role_server_proof), sig);
    if (!proven && !mutant("session.skip_server_proof"))
      return close(Code::auth_signature);  // SES-5
    const bool as_client =
        hello_.kind == PeerKind::client || mutant("session.connector_proof_role");
    auto proof = proof_key_->sign(proof_input(as_client ? role_client : role_server));
    if (!proof) return close(Code::auth_signature);
    state_ = State::auth_sent;
    send_request("authenticate", wire::Object{{"sig", to_base64url(*proof)}},
                 Pending{"authenticate", {}, 0});
    return;
  }
  emit(EventIn{std::move(event.event), std::move(event.data)});
}

// --- open session -----------------------------------------------------------------------

void Session::handle_open_request(wire::Request request) {
  const auto refuse = [&](Code code) {
    send(wire::error_answer(request.id, Error{code, "session"}));
  };
  if (static_cast<std::int64_t>(unanswered_.size()) >= limits_.in_flight &&
      !mutant("session.accept_in_flight"))
    return refuse(Code::too_many_requests);  // OPS-7
  if (enrolment_only_ && request.op != "account.enrol" && !mutant("session.accept_unenrolled"))
    return refuse(Code::auth_key);
  // Who announces no transfers takes no blobs: the op is then its owner's to refuse, like any
  // other.
  if (request.op == "blob.put" && limits_.transfers > 0) return handle_blob_put(request);
  unanswered_.emplace(request.id, request.op);
  emit(RequestIn{request.id, std::move(request.op), std::move(request.args)});
}

void Session::handle_blob_put(const wire::Request& request) {
  wire::ObjectReader in(request.args, "blob.put", wire::ObjectReader::Unknown::ignore_x);
  const Hash hash = in.bytes<32>("hash");
  const std::int64_t len = in.integer("len", 1);
  const std::int64_t number = in.integer("transfer", 1);
  const auto refuse = [&](Error error) { send(wire::error_answer(request.id, error)); };
  if (auto read = in.finish(); !read) return refuse(read.error());
  if (len > limits_.blob && !mutant("session.accept_large_blob"))
    return refuse(Error{Code::object_too_large, "blob.put.len"});
  const auto transfer = static_cast<std::uint64_t>(number);
  const bool parity = foreign_parity(transfer) || mutant("session.accept_parity");
  if (mutant("session.accept_transfer_in_use")) transfers_.erase(transfer);
  if (!parity || transfers_.contains(transfer))
    return refuse(Error{Code::transfer, "blob.put.transfer"});
  const auto puts =
      std::count_if(transfers_.begin(), transfers_.end(), [](auto& t) { return t.second.put; });
  if (puts >= limits_.transfers && !mutant("session.accept_transfers"))
    return refuse(Error{Code::too_many_transfers, "blob.put"});
  unanswered_.emplace(request.id, request.op);
  Transfer incoming;
  incoming.put = true;
  incoming.request_id = request.id;
  incoming.hash = hash;
  incoming.len_max = static_cast<std::uint64_t>(len);
  transfers_.emplace(transfer, std::move(incoming));
}

void Session::handle_chunk(const wire::BlobChunk& chunk) {
  const auto at = transfers_.find(chunk.transfer);
  if (at == transfers_.end()) {
    if (!mutant("session.ignore_stray_chunk")) report(Code::transfer);
    return;
  }
  Transfer& transfer = at->second;
  const bool in_order =
      chunk.offset == transfer.bytes.size() || mutant("session.accept_chunk_order");
  const bool fits = transfer.bytes.size() + chunk.bytes.size() <= transfer.len_max ||
                    mutant("session.accept_beyond_len");
  if (!in_order || !fits) {
    report(Code::transfer);
    return end_transfer(chunk.transfer, Code::transfer);
  }
  append(transfer.bytes, chunk.bytes);
  transfer.digest.update(chunk.bytes);
  if (!transfer.put || transfer.bytes.size() < transfer.len_max) return;
  if (transfer.digest.finish() != transfer.hash && !mutant("session.skip_blob_hash"))
    return end_transfer(chunk.transfer, Code::blob_hash);
  BlobPut done{transfer.request_id, transfer.hash, std::move(transfer.bytes)};
  transfers_.erase(at);
  emit(std::move(done));
}

/// Drops what arrived and tells whoever waits for it.
void Session::end_transfer(std::uint64_t number, Code code) {
  const auto at = transfers_.find(number);
  const std::int64_t id = at->second.request_id;
  const bool put = at->second.put;
  const Hash hash = at->second.hash;
  transfers_.erase(at);
  if (put) return fail(id, Error{code, "blob.put"});
  pending_.erase(id);
  emit(BlobGot{id, hash, ams::fail(code, "blob.get")});
}

void Session::handle_answer(wire::Answer answer, ByteView payload) {
  const auto at = pending_.find(answer.id);
  if (at == pending_.end()) return;  // late, or an answer to nothing: harmless
  const Pending pending = std::move(at->second);
  pending_.erase(at);
  if (pending.op == "hello" && state_ == State::hello_sent)
    return handle_hello_answer(answer, payload);
  if (pending.op == "authenticate" && state_ == State::auth_sent) {
    if (!answer.is_ok()) {
      const CodeInfo* info = answer.error().info();
      return close(info ? std::optional(info->code) : std::nullopt);
    }
    state_ = State::open;
    return emit(Opened{peer_chain_});
  }
  Result<wire::Value> outcome = wire::Value();
  std::optional<std::int64_t> retry_after;
  if (answer.is_ok()) {
    outcome = answer.ok();
  } else {
    const CodeInfo* info = answer.error().info();
    outcome = ams::fail(info ? info->code : Code::unsupported, "answer");
    retry_after = answer.error().retry_after;
  }
  if (pending.blob) return handle_get_answer(pending, answer.id, outcome);
  emit(AnswerIn{answer.id, pending.op, std::move(outcome), retry_after});
}

void Session::handle_get_answer(const Pending& pending, std::int64_t id,
                                const Result<wire::Value>& outcome) {
  const auto at = transfers_.find(pending.transfer);
  AMS_ASSERT(at != transfers_.end());
  Transfer transfer = std::move(at->second);
  transfers_.erase(at);
  if (!outcome) return emit(BlobGot{id, *pending.blob, tl::unexpected<Error>(outcome.error())});
  if (transfer.digest.finish() != *pending.blob && !mutant("session.skip_blob_hash"))
    return emit(BlobGot{id, *pending.blob, ams::fail(Code::blob_hash, "blob.get")});
  emit(BlobGot{id, *pending.blob, std::move(transfer.bytes)});
}

// --- the owner's calls ------------------------------------------------------------------

std::int64_t Session::send_request(std::string op, wire::Value args, Pending pending) {
  const std::int64_t id = next_id_++;
  pending_.emplace(id, std::move(pending));
  Bytes out;
  AMS_ASSERT(wire::append_message(out, wire::Request{id, std::move(op), std::move(args)}));
  emit(SendBytes{std::move(out)});
  return id;
}

std::int64_t Session::request(std::string op, wire::Value args) {
  AMS_ASSERT(open());
  Pending pending{op, {}, 0};
  return send_request(std::move(op), std::move(args), std::move(pending));
}

std::int64_t Session::put_blob(const Hash& hash, ByteView bytes) {
  const std::uint64_t transfer = next_transfer_;
  next_transfer_ += 2;
  const std::int64_t id =
      request("blob.put", wire::Object{{"hash", to_base64url(hash)},
                                       {"len", static_cast<std::int64_t>(bytes.size())},
                                       {"transfer", static_cast<std::int64_t>(transfer)}});
  send_chunks(transfer, bytes);
  return id;
}

std::int64_t Session::get_blob(const Hash& hash, std::uint64_t len_max) {
  AMS_ASSERT(open());
  const std::uint64_t number = next_transfer_;
  next_transfer_ += 2;
  const wire::Value args = wire::Object{{"hash", to_base64url(hash)},
                                        {"transfer", static_cast<std::int64_t>(number)}};
  const std::int64_t id = send_request("blob.get", args, Pending{"blob.get", hash, number});
  Transfer incoming;
  incoming.request_id = id;
  incoming.hash = hash;
  incoming.len_max = len_max;
  transfers_.emplace(number, std::move(incoming));
  return id;
}

void Session::event(std::string name, wire::Value data) {
  if (open()) send(wire::Event{std::move(name), std::move(data)});
}

void Session::answer(std::int64_t id, wire::Value ok) {
  if (unanswered_.erase(id) == 0) return;  // the session closed, or was answered: OPS-2
  send(wire::ok_answer(id, std::move(ok)));
}

void Session::fail(std::int64_t id, const Error& why, std::optional<std::int64_t> retry_after_s) {
  if (unanswered_.erase(id) == 0) return;
  send(wire::error_answer(id, why, retry_after_s));
}

void Session::answer_blob(std::int64_t id, const wire::Value& args, ByteView bytes) {
  wire::ObjectReader in(args, "blob.get", wire::ObjectReader::Unknown::ignore_x);
  in.bytes<32>("hash");
  const auto number = static_cast<std::uint64_t>(in.integer("transfer", 1));
  if (auto read = in.finish(); !read) return fail(id, read.error());
  if (!foreign_parity(number)) return fail(id, Error{Code::transfer, "blob.get.transfer"});
  if (closed()) return;
  send_chunks(number, bytes);
  const std::size_t len = bytes.size() + (mutant("session.wrong_blob_len") ? 1 : 0);
  answer(id, wire::Object{{"len", static_cast<std::int64_t>(len)}});
}

}  // namespace ams::session
