// Goal: two sessions authenticate each other, carry requests and blobs, and refuse what the spec
// names.
// Method: a connector and an acceptor joined by byte queues; bytes cross in pieces of every size;
// hostile frames are written by hand.
#include "session/session.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ams::session {
namespace {

constexpr std::int64_t life = keys::key_life_ms_max;

keys::KeyPair make_key(std::string_view name) {
  crypto::Drbg drbg(crypto::sha256(as_bytes(name)));
  const Bytes entropy = drbg.bytes(80);
  return std::move(*keys::make_modern(entropy, {.nbf = 0, .exp = life}));
}

struct Domain {
  std::string name;
  keys::KeyPair root, op;
  wire::Value chain;
  explicit Domain(std::string domain)
      : name(std::move(domain)), root(make_key(name + " root")), op(make_key(name + " op")) {
    const keys::DomainRecord record{name, root.record.id(), op.record.id(), keys::isp_policy(), 1};
    chain =
        keys::chain_value(*keys::make_domain_record(record, root.signing), root.record, op.record);
  }
};

const Domain& here() {
  static const Domain domain("here.example");
  return domain;
}
const Domain& there() {
  static const Domain domain("there.example");
  return domain;
}
const crypto::SigningKey& device() {
  static const crypto::SigningKey key =
      crypto::SigningKey::ed25519_from_seed(crypto::sha256(as_bytes("device")));
  return key;
}

Session connector(const Hash& exporter = {}, Limits limits = {}) {
  HelloInfo hello;
  hello.domain = "here.example";
  hello.addr = "alice@here.example";
  hello.device = device().public_raw();
  return {ConnectorOptions{hello, "here.example", here().root.record.id(), limits}, device(),
          exporter, Instant{}};
}
Session acceptor(const Hash& exporter = {}, Limits limits = {}) {
  return {AcceptorOptions{"here.example", here().chain, {"account.enrol", "mail.sync"}, limits},
          here().op.signing, exporter, Instant{}};
}

struct Pair {
  Session a, b;  // connector, acceptor
  std::vector<Effect> at_a, at_b;
  std::size_t piece = 1 << 20;

  void feed(Session& to, const Bytes& bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      to.handle_bytes(ByteView(bytes).subspan(at, std::min(piece, bytes.size() - at)), Instant{});
  }
  void settle() {
    for (bool moved = true; moved;) {
      moved = false;
      while (auto effect = a.poll()) moved = true, take(*effect, b, at_a);
      while (auto effect = b.poll()) moved = true, take(*effect, a, at_b);
    }
  }
  void take(Effect& effect, Session& other, std::vector<Effect>& seen) {
    if (auto* bytes = std::get_if<SendBytes>(&effect)) return feed(other, bytes->bytes);
    seen.push_back(std::move(effect));
  }
  template <class T>
  static std::vector<T*> all(std::vector<Effect>& seen) {
    std::vector<T*> out;
    for (Effect& effect : seen)
      if (auto* one = std::get_if<T>(&effect)) out.push_back(one);
    return out;
  }
};

Pair open_pair(Limits limits = {}) {
  Pair pair{connector({}, limits), acceptor({}, limits), {}, {}};
  pair.settle();
  return pair;
}

/// Sends raw bytes to an acceptor and gives the codes of the `error` events and answers that come
/// back.
std::vector<std::string> codes_after(Session& session, ByteView bytes) {
  session.handle_bytes(bytes, Instant{});
  std::vector<std::string> codes;
  while (auto effect = session.poll()) {
    const auto* out = std::get_if<SendBytes>(&*effect);
    if (!out) continue;
    wire::FrameReader reader;
    reader.push(out->bytes);
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
      if ((*frame)->kind != wire::FrameKind::json) continue;
      const auto message = wire::decode_message((*frame)->payload);
      if (const auto* event = std::get_if<wire::Event>(&*message); event && event->event == "error")
        codes.push_back(event->data.find("code")->as_string());
      if (const auto* answer = std::get_if<wire::Answer>(&*message); answer && !answer->is_ok())
        codes.push_back(answer->error().code);
    }
  }
  return codes;
}

Bytes json_frame(std::string_view payload) {
  Bytes out;
  EXPECT_TRUE(wire::append_frame(out, wire::FrameKind::json, as_bytes(payload)));
  return out;
}
using Codes = std::vector<std::string>;

TEST(Session, authenticates_a_client_whatever_the_pieces) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{1} << 20}) {
    Pair pair{connector(), acceptor(), {}, {}};
    pair.piece = piece;
    pair.settle();
    EXPECT_TRUE(pair.a.open());
    EXPECT_TRUE(pair.b.open());
    EXPECT_EQ(Pair::all<Opened>(pair.at_a).front()->chain->record.domain, "here.example");
    EXPECT_EQ(pair.b.hello().addr, "alice@here.example");
  }
}

TEST(Session, authenticates_a_server_when_its_chain_was_admitted) {
  HelloInfo hello;
  hello.kind = PeerKind::server;
  hello.domain = "there.example";
  hello.chain = there().chain;
  Pair pair{{ConnectorOptions{hello, "here.example", here().root.record.id(), {}},
             there().op.signing,
             {},
             Instant{}},
            acceptor(),
            {},
            {}};
  pair.settle();
  EXPECT_FALSE(pair.b.open());
  const auto* greeted = Pair::all<Greeted>(pair.at_b).front();
  auto chain = keys::verify_chain(*greeted->hello.chain, "there.example", there().root.record.id());
  ASSERT_TRUE(chain);
  pair.b.admit_server(std::move(*chain));
  pair.settle();
  EXPECT_TRUE(pair.a.open());
  EXPECT_EQ(pair.b.peer_chain()->record.domain, "there.example");
}

TEST(Session, a_denied_server_is_told_why_and_cut) {
  HelloInfo hello;
  hello.kind = PeerKind::server;
  hello.domain = "there.example";
  hello.chain = there().chain;
  Pair pair{{ConnectorOptions{hello, "here.example", here().root.record.id(), {}},
             there().op.signing,
             {},
             Instant{}},
            acceptor(),
            {},
            {}};
  pair.settle();
  pair.b.deny(Error{Code::domain_record, "chain"});
  pair.settle();
  EXPECT_TRUE(pair.b.closed());
  EXPECT_EQ(Pair::all<Close>(pair.at_a).front()->why, Code::domain_record);
}

TEST(Session, another_exporter_fails_on_both_sides) {
  Hash other{};
  other[0] = 1;
  Pair pair{connector(other), acceptor(), {}, {}};
  pair.settle();
  EXPECT_TRUE(
      pair.a.closed());  // the client sees first that the server is not at the other end of its TLS
  EXPECT_EQ(Pair::all<Close>(pair.at_a).front()->why, Code::auth_signature);
  EXPECT_FALSE(pair.b.open());
}

TEST(Session, the_server_must_be_the_domain_meant) {
  HelloInfo hello = connector().hello();
  Pair pair{{ConnectorOptions{hello, "here.example", there().root.record.id(), {}},
             device(),
             {},
             Instant{}},
            acceptor(),
            {},
            {}};
  pair.settle();
  EXPECT_EQ(Pair::all<Close>(pair.at_a).front()->why, Code::domain_record);
}

TEST(Session, a_chain_verified_before_counts_for_the_same_bytes_only) {
  const auto chain = keys::verify_chain(here().chain, "here.example", here().root.record.id());
  const auto other = keys::verify_chain(there().chain, "there.example", there().root.record.id());
  for (const auto& known : {*chain, *other}) {
    ConnectorOptions options{
        connector().hello(), "here.example", here().root.record.id(), {}, known};
    Pair pair{{options, device(), {}, Instant{}}, acceptor(), {}, {}};
    pair.settle();
    EXPECT_TRUE(pair.a.open());
    EXPECT_EQ(pair.a.peer_chain()->record.domain, "here.example");
  }
}

TEST(Session, requests_are_answered_once_and_out_of_order) {
  Pair pair = open_pair();
  const auto first = pair.a.request("mail.sync", wire::Object{});
  const auto second = pair.a.request("mail.sync", wire::Object{{"since", 1}});
  pair.settle();
  const auto requests = Pair::all<RequestIn>(pair.at_b);
  ASSERT_EQ(requests.size(), 2u);
  pair.b.answer(second, wire::Object{{"n", 2}});
  pair.b.fail(first, Error{Code::not_found, "x"}, 5);
  pair.b.answer(first, wire::Object{});  // a second answer does not go out
  pair.settle();
  const auto answers = Pair::all<AnswerIn>(pair.at_a);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]->id, second);
  EXPECT_EQ(answers[1]->outcome.error().code, Code::not_found);
  EXPECT_EQ(answers[1]->retry_after_s, 5);
}

TEST(Session, order_of_hello_and_authenticate) {
  Session fresh = acceptor();
  EXPECT_EQ(codes_after(fresh, json_frame(R"({"args":{},"id":1,"op":"mail.sync"})")),
            Codes{"not_authenticated"});
  EXPECT_EQ(codes_after(fresh, json_frame(R"({"args":{"sig":"AA"},"id":2,"op":"authenticate"})")),
            Codes{"not_authenticated"});
  Pair pair = open_pair();
  EXPECT_EQ(codes_after(pair.b, json_frame(R"({"args":{},"id":91,"op":"hello"})")),
            Codes{"auth_order"});
  EXPECT_EQ(codes_after(pair.b, json_frame(R"({"args":{"sig":"AA"},"id":92,"op":"authenticate"})")),
            Codes{"auth_order"});
}

TEST(Session, a_wrong_proof_is_named_and_closes) {
  Session server = acceptor();
  Session client = connector();
  server.handle_bytes(std::get<SendBytes>(*client.poll()).bytes, Instant{});
  const std::string sig = to_base64url(Bytes(64, 7));
  EXPECT_EQ(codes_after(server, json_frame(R"({"args":{"sig":")" + sig +
                                           R"("},"id":2,"op":"authenticate"})")),
            Codes{"auth_signature"});
  EXPECT_TRUE(server.closed());
}

TEST(Session, bad_frames_close_and_bad_payloads_do_not) {
  const Bytes unknown_kind{0, 0, 0, 1, 9, 0}, empty{0, 0, 0, 0, 1}, large{0, 0x20, 0, 0, 1};
  for (const auto& [bytes, code] :
       {std::pair{unknown_kind, "frame_kind"}, std::pair{empty, "frame_empty"},
        std::pair{large, "frame_too_large"}}) {
    Session session = acceptor();
    EXPECT_EQ(codes_after(session, bytes), Codes{code});
    EXPECT_TRUE(session.closed());
  }
  Session session = acceptor();
  for (int i = 1; i <= bad_payloads_max; ++i) {
    EXPECT_FALSE(session.closed());
    EXPECT_EQ(codes_after(session, json_frame(R"({"a":1,"a":2})")), Codes{"duplicate_name"});
  }
  EXPECT_TRUE(session.closed());
}

TEST(Session, ping_answers_in_every_state_and_bye_closes) {
  Session session = acceptor();
  EXPECT_EQ(codes_after(session, json_frame(R"({"args":{},"id":1,"op":"ping"})")), Codes{});
  EXPECT_EQ(codes_after(session, json_frame(R"({"args":{},"id":2,"op":"bye"})")), Codes{});
  EXPECT_TRUE(session.closed());
}

TEST(Session, authentication_has_thirty_seconds) {
  Session session = acceptor();
  EXPECT_EQ(session.timeout(), Instant{} + auth_timeout);
  session.handle_timeout(Instant{} + auth_timeout - Duration{1});
  EXPECT_FALSE(session.closed());
  session.handle_timeout(Instant{} + auth_timeout);
  EXPECT_TRUE(session.closed());
  EXPECT_FALSE(open_pair().b.timeout());
}

TEST(Session, requests_in_flight_are_bounded) {
  Pair pair = open_pair({.in_flight = 2});
  for (int i = 0; i < 3; ++i) pair.a.request("mail.sync", wire::Object{});
  pair.settle();
  EXPECT_EQ(Pair::all<RequestIn>(pair.at_b).size(), 2u);
  EXPECT_EQ(Pair::all<AnswerIn>(pair.at_a).front()->outcome.error().code, Code::too_many_requests);
}

TEST(Session, private_keys_are_refused_and_enrolment_can_be_all_there_is) {
  Pair pair = open_pair();
  pair.a.request("mail.sync", wire::Object{{"private_key", "AA"}});
  pair.b.restrict_to_enrolment(true);
  pair.a.request("mail.sync", wire::Object{});
  pair.a.request("account.enrol", wire::Object{});
  pair.settle();
  const auto answers = Pair::all<AnswerIn>(pair.at_a);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]->outcome.error().code, Code::private_key_refused);
  EXPECT_EQ(answers[1]->outcome.error().code, Code::auth_key);
  EXPECT_EQ(Pair::all<RequestIn>(pair.at_b).front()->op, "account.enrol");
}

TEST(Session, blobs_go_both_ways) {
  Pair pair = open_pair();
  Bytes bytes(200'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  const Hash hash = crypto::sha256(bytes);
  const auto put = pair.a.put_blob(hash, bytes);
  pair.settle();
  const auto* arrived = Pair::all<BlobPut>(pair.at_b).front();
  EXPECT_EQ(arrived->bytes, bytes);
  pair.b.answer(arrived->id, wire::Object{});
  pair.settle();
  EXPECT_EQ(Pair::all<AnswerIn>(pair.at_a).front()->id, put);

  pair.b.get_blob(hash, bytes.size());  // the acceptor may ask as well
  pair.settle();
  const auto* request = Pair::all<RequestIn>(pair.at_a).front();
  EXPECT_EQ(request->op, "blob.get");
  pair.a.answer_blob(request->id, request->args, bytes);
  pair.settle();
  EXPECT_EQ(*Pair::all<BlobGot>(pair.at_b).front()->outcome, bytes);
}

TEST(Session, a_blob_that_is_not_its_name_is_refused) {
  Pair pair = open_pair();
  const Bytes bytes(1000, 1);
  pair.a.put_blob(Hash{}, bytes);
  pair.settle();
  EXPECT_TRUE(Pair::all<BlobPut>(pair.at_b).empty());
  EXPECT_EQ(Pair::all<AnswerIn>(pair.at_a).front()->outcome.error().code, Code::blob_hash);
  const auto got = pair.a.get_blob(Hash{}, 1000);
  pair.settle();
  const auto* request = Pair::all<RequestIn>(pair.at_b).front();
  pair.b.answer_blob(request->id, request->args, bytes);
  pair.settle();
  EXPECT_EQ(Pair::all<BlobGot>(pair.at_a).front()->id, got);
  EXPECT_EQ(Pair::all<BlobGot>(pair.at_a).front()->outcome.error().code, Code::blob_hash);
}

TEST(Session, blob_limits) {
  Pair pair = open_pair({.blob = 1000, .transfers = 1});
  Bytes bytes(1001, 1);
  pair.a.put_blob(crypto::sha256(bytes), bytes);
  pair.settle();
  EXPECT_EQ(Pair::all<AnswerIn>(pair.at_a).front()->outcome.error().code, Code::object_too_large);
  const std::string hash = to_base64url(Hash{});
  const auto put = [&](int id, int transfer) {
    return json_frame(R"({"args":{"hash":")" + hash + R"(","len":10,"transfer":)" +
                      std::to_string(transfer) + R"(},"id":)" + std::to_string(id) +
                      R"(,"op":"blob.put"})");
  };
  EXPECT_EQ(codes_after(pair.b, put(50, 2)), Codes{"transfer"});  // the other side's parity (BLB-7)
  EXPECT_EQ(codes_after(pair.b, put(51, 21)), Codes{});
  EXPECT_EQ(codes_after(pair.b, put(52, 21)), Codes{"transfer"});
  EXPECT_EQ(codes_after(pair.b, put(53, 23)), Codes{"too_many_transfers"});
  Bytes chunk;
  wire::append_blob_frame(chunk, 21, 5, as_bytes("abc"));  // not where it left off
  EXPECT_EQ(codes_after(pair.b, chunk), (Codes{"transfer", "transfer"}));
  EXPECT_EQ(codes_after(pair.b, chunk), Codes{"transfer"});  // no such transfer any more
  EXPECT_FALSE(pair.b.closed());
}

// Goal: no bytes of a stranger make a session crash, open, or hold more than a frame and a piece.
TEST(Session, survives_noise) {
  EXPECT_TRUE(rc::check([](const std::vector<Bytes>& pieces) {
    Session session = acceptor();
    for (const Bytes& piece : pieces) session.handle_bytes(piece, Instant{});
    RC_ASSERT(!session.open());
    while (session.poll()) {
    }
  }));
}

}  // namespace
}  // namespace ams::session
