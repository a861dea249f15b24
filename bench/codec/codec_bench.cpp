// What do JSON's strictness and canonical form cost? A 6 kB object like an envelope with its
// stanzas is encoded, decoded with every check, and refused; beside it nlohmann/json, which checks
// less, does the same work. A refusal must not cost more than the bytes that had to be read.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>

#include "wire/frame.h"
#include "wire/message.h"

namespace ams::codec_bench {
namespace {

using wire::Array;
using wire::Object;
using wire::Value;

std::string binary_text(std::size_t size, std::uint8_t start) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(start + i * 37);
  return to_base64url(bytes);
}

/// A header, a signature, twenty stanzas and twenty recipients: about 6 kB.
Value envelope_like() {
  Array stanzas;
  Array recipients;
  for (int i = 0; i < 20; ++i) {
    const auto seed = static_cast<std::uint8_t>(i);
    stanzas.push_back(Object{{"kid", "01234567-89ab-8def-8101-020304050607"},
                             {"fp", binary_text(32, seed)},
                             {"wk", binary_text(48, seed)}});
    recipients.push_back(Object{{"addr", "user" + std::to_string(i) + "@mail.example.org"},
                                {"stanza", i},
                                {"salt", binary_text(16, seed)}});
  }
  Object header{{"ams", "env/1"},
                {"id", "01234567-89ab-8def-8101-020304050607"},
                {"aead", "a256gcm"},
                {"sfp", binary_text(32, 1)},
                {"sdom", "example.org"},
                {"ts", std::int64_t{1'900'000'000'123}},
                {"exp", std::int64_t{1'900'500'000'123}},
                {"epk", binary_text(32, 2)},
                {"leaves", 3},
                {"fc", binary_text(32, 3)},
                {"body", Object{{"len", 4096}, {"hash", binary_text(32, 4)}, {"blobs", Array{}}}}};
  return Object{{"env", std::move(header)},
                {"asig", binary_text(64, 5)},
                {"stanzas", std::move(stanzas)},
                {"rcpts", std::move(recipients)}};
}

void count_bytes(benchmark::State& state, std::size_t size) {
  state.SetBytesProcessed(static_cast<std::int64_t>(size) * state.iterations());
}

void codec_encode(benchmark::State& state) {
  const Value value = envelope_like();
  for (auto _ : state) benchmark::DoNotOptimize(wire::encode(value));
  count_bytes(state, wire::encode(value).size());
}
BENCHMARK(codec_encode);

void codec_decode(benchmark::State& state) {
  const Bytes text = wire::encode(envelope_like());
  for (auto _ : state) {
    auto value = wire::decode(text);
    if (!value) return state.SkipWithError("a canonical text was refused");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.size());
}
BENCHMARK(codec_decode);

void codec_decode_message(benchmark::State& state) {
  const Bytes text = wire::encode_message(wire::Request{1, "relay.deliver", envelope_like()});
  for (auto _ : state) {
    auto message = wire::decode_message(text);
    if (!message) return state.SkipWithError("a request was refused");
    benchmark::DoNotOptimize(message);
  }
  count_bytes(state, text.size());
}
BENCHMARK(codec_decode_message);

/// The last byte makes it wrong: the dearest refusal there is.
void codec_refuse_at_the_end(benchmark::State& state) {
  Bytes text = wire::encode(envelope_like());
  text.back() = ',';
  for (auto _ : state) {
    auto value = wire::decode(text);
    if (value) return state.SkipWithError("a malformed text was accepted");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.size());
}
BENCHMARK(codec_refuse_at_the_end);

/// A mebibyte that is wrong at its 17th byte costs its UTF-8 check, not its parsing.
void codec_refuse_deep_nesting(benchmark::State& state) {
  const Bytes text(wire::json_payload_size_max, '[');
  for (auto _ : state) {
    auto value = wire::decode(text);
    if (value) return state.SkipWithError("a malformed text was accepted");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.size());
}
BENCHMARK(codec_refuse_deep_nesting);

/// Does the cost of a frame depend on its payload's size? It must not: no copy, no look inside.
void codec_parse_frame(benchmark::State& state) {
  Bytes stream;
  const Bytes payload(static_cast<std::size_t>(state.range(0)), 'x');
  if (!wire::append_frame(stream, wire::FrameKind::json, payload))
    return state.SkipWithError("the frame was refused");
  for (auto _ : state) benchmark::DoNotOptimize(wire::parse_frame(stream));
}
BENCHMARK(codec_parse_frame)->Arg(64)->Arg(1 << 20);

void codec_nlohmann_dump(benchmark::State& state) {
  const Bytes text = wire::encode(envelope_like());
  const nlohmann::json value = nlohmann::json::parse(text);
  for (auto _ : state) benchmark::DoNotOptimize(value.dump());
  count_bytes(state, text.size());
}
BENCHMARK(codec_nlohmann_dump);

void codec_nlohmann_parse(benchmark::State& state) {
  const Bytes text = wire::encode(envelope_like());
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::parse(text));
  count_bytes(state, text.size());
}
BENCHMARK(codec_nlohmann_parse);

/// What nlohmann needs for our rule: parse, write again, compare.
void codec_nlohmann_parse_and_compare(benchmark::State& state) {
  const Bytes text = wire::encode(envelope_like());
  for (auto _ : state) {
    const bool same = nlohmann::json::parse(text).dump() == as_text(text);
    if (!same) return state.SkipWithError("the texts differ");
  }
  count_bytes(state, text.size());
}
BENCHMARK(codec_nlohmann_parse_and_compare);

}  // namespace
}  // namespace ams::codec_bench
