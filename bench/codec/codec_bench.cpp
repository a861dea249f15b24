// What do JSON's strictness and canonical form cost? A 6 kB object like an envelope with its
// stanzas is encoded, decoded with every check, and refused; beside it nlohmann/json, which checks
// less, does the same work. A refusal must not cost more than the bytes that had to be read.
//
// And which decoder is ours to be? Measured (one run on one core, envelope; letter of 64 KiB):
// nlohmann's SAX interface with our checks takes 2.1 times as long as ours (10 times), before it
// knows whether strings are canonical; simdjson is 12 times as fast (1.6 times) while it only
// parses, but takes 1.4 times as long (1.5 times) once it has checked what ours checks and built
// the tree that ours builds, and still cannot say which rule was broken first (ENC-16). So ours
// stays: it is the fastest that gives this result, and the only one that gives all of it.
#include <benchmark/benchmark.h>

#include <nlohmann/json.hpp>
#ifdef AMS_HAVE_SIMDJSON
#include <simdjson.h>
#endif

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

// --- the alternatives of the design: nlohmann's SAX interface, simdjson --------------------------
// Each contestant says which of our rules it leaves out; `letter` is one long text with escapes.

Bytes letter_like() {
  std::string text;
  while (text.size() < 65'536)
    text += "On Monday Bob wrote: \"See you at nine at the caf\xc3\xa9, then to the river.\"\n";
  return wire::encode(
      Object{{"ams", "letter/1"},
             {"parts", Array{Object{{"type", "text/plain"}, {"text", std::move(text)}}}}});
}

/// ENC-5 … ENC-8 as far as events show them: names, order, integers, depth. What it cannot see is
/// how a string was escaped, so the text must be written again to know that it is canonical.
class CheckingSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return false; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t value) override { return value >= -wire::integer_max; }
  bool number_unsigned(std::uint64_t value) override { return value <= wire::integer_max; }
  bool number_float(double, const std::string&) override { return false; }
  bool string(std::string& value) override { return benchmark::DoNotOptimize(value), true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return last_.emplace_back(), in_depth(); }
  bool end_object() override { return last_.pop_back(), true; }
  bool start_array(std::size_t) override { return last_.emplace_back(), in_depth(); }
  bool end_array() override { return last_.pop_back(), true; }
  bool key(std::string& name) override {
    const bool fits = !name.empty() && name.size() <= 32 && last_.back() < name;
    last_.back() = name;
    return fits;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool in_depth() const { return last_.size() <= static_cast<std::size_t>(wire::depth_max); }
  std::vector<std::string> last_;
};

void ours(benchmark::State& state, const Bytes& text) {
  for (auto _ : state) {
    auto value = wire::decode(text);
    if (!value) return state.SkipWithError("a canonical text was refused");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.size());
}

/// Left out: how strings are escaped, white space, the alphabet of names; and it builds no tree.
void nlohmann_sax(benchmark::State& state, const Bytes& text) {
  for (auto _ : state) {
    CheckingSax sax;
    if (!nlohmann::json::sax_parse(text, &sax)) return state.SkipWithError("refused");
  }
  count_bytes(state, text.size());
}

BENCHMARK_CAPTURE(ours, envelope, wire::encode(envelope_like()))->Name("codec/ours/envelope");
BENCHMARK_CAPTURE(ours, letter, letter_like())->Name("codec/ours/letter");
BENCHMARK_CAPTURE(nlohmann_sax, envelope, wire::encode(envelope_like()))
    ->Name("codec/nlohmann_sax/envelope");
BENCHMARK_CAPTURE(nlohmann_sax, letter, letter_like())->Name("codec/nlohmann_sax/letter");

#ifdef AMS_HAVE_SIMDJSON

/// Left out: all but the grammar and UTF-8. simdjson builds its own tape, no tree of ours.
void simdjson_parse(benchmark::State& state, const Bytes& text) {
  const simdjson::padded_string padded(as_text(text));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    simdjson::dom::element value;
    if (parser.parse(padded).get(value)) return state.SkipWithError("refused");
    benchmark::DoNotOptimize(value);
  }
  count_bytes(state, text.size());
}

/// Left out: order, duplicates, depth and the alphabet of names; what a received text would need at
/// least. The copy is the padding that simdjson asks of its input.
void simdjson_canonical(benchmark::State& state, const Bytes& text) {
  simdjson::dom::parser parser;
  for (auto _ : state) {
    const simdjson::padded_string padded(as_text(text));
    simdjson::dom::element value;
    if (parser.parse(padded).get(value)) return state.SkipWithError("refused");
    const std::string again = simdjson::minify(value);
    if (again != as_text(text)) return state.SkipWithError("the texts differ");
  }
  count_bytes(state, text.size());
}

/// The same checks as ours on simdjson's tape, and a tree of ours from it.
bool build(const simdjson::dom::element& from, Value& to, int depth) {
  using simdjson::dom::element_type;
  if (depth > wire::depth_max) return false;
  switch (from.type()) {
    case element_type::STRING:
      to = Value(std::string_view(from));
      return true;
    case element_type::INT64:
      to = Value(std::int64_t(from));
      return to.as_integer() >= -wire::integer_max && to.as_integer() <= wire::integer_max;
    case element_type::BOOL:
      to = Value(bool(from));
      return true;
    case element_type::ARRAY: {
      Array items;
      for (const auto& item : simdjson::dom::array(from))
        if (!build(item, items.emplace_back(), depth + 1)) return false;
      to = Value(std::move(items));
      return true;
    }
    case element_type::OBJECT: {
      Object members;
      for (const auto& [name, value] : simdjson::dom::object(from)) {
        if (!members.empty() && std::prev(members.end())->first >= name) return false;
        const auto place = members.try_emplace(members.end(), std::string(name));
        if (!build(value, place->second, depth + 1)) return false;
      }
      to = Value(std::move(members));
      return true;
    }
    default:
      return false;
  }
}

/// Left out: nothing but the codes: a refusal cannot say which rule was broken first (ENC-16).
void simdjson_tree(benchmark::State& state, const Bytes& text) {
  simdjson::dom::parser parser;
  for (auto _ : state) {
    const simdjson::padded_string padded(as_text(text));
    simdjson::dom::element parsed;
    Value value;
    if (parser.parse(padded).get(parsed) || !build(parsed, value, 1))
      return state.SkipWithError("refused");
    if (wire::encode(value) != text) return state.SkipWithError("the texts differ");
  }
  count_bytes(state, text.size());
}

BENCHMARK_CAPTURE(simdjson_parse, envelope, wire::encode(envelope_like()))
    ->Name("codec/simdjson_parse/envelope");
BENCHMARK_CAPTURE(simdjson_parse, letter, letter_like())->Name("codec/simdjson_parse/letter");
BENCHMARK_CAPTURE(simdjson_canonical, envelope, wire::encode(envelope_like()))
    ->Name("codec/simdjson_canonical/envelope");
BENCHMARK_CAPTURE(simdjson_canonical, letter, letter_like())
    ->Name("codec/simdjson_canonical/letter");
BENCHMARK_CAPTURE(simdjson_tree, envelope, wire::encode(envelope_like()))
    ->Name("codec/simdjson_tree/envelope");
BENCHMARK_CAPTURE(simdjson_tree, letter, letter_like())->Name("codec/simdjson_tree/letter");

#endif

}  // namespace
}  // namespace ams::codec_bench
