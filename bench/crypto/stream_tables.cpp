#include <algorithm>

#include "container/container.h"
#include "crypto_bench/letters.h"
#include "crypto_bench/tables.h"

namespace ams::crypto_bench {
namespace {

using crypto::Aead;
using paired::Contestant;
using paired::Operation;
using paired::Row;
using paired::Table;

constexpr std::array<std::size_t, 5> sizes{256, 4096, 65'536, 1 << 20, 25'000'000};
constexpr std::size_t piece_size = 65'536;  // what a program reads of a file at a time
constexpr std::size_t context_size = 41;

Row row_of(std::size_t size, std::function<std::vector<Contestant>()> contestants) {
  Row out;
  out.x = static_cast<std::int64_t>(size);
  out.bytes = static_cast<double>(size);
  out.contestants = std::move(contestants);
  return out;
}

Contestant limit(Aead aead, std::size_t size, bool seal, bool with_hash) {
  std::vector<Step> steps;
  add_hmac(steps, 32);
  add_hmac(steps, 17 + context_size, 2);
  Step step{seal ? Primitive::aead_seal : Primitive::aead_open, size};
  step.aead = aead;
  steps.push_back(step);
  if (with_hash) add_hash(steps, crypto::sealed_size(size));
  return {with_hash ? "primitives + SHA-256" : "primitives", [=] { return primitives(steps, {}); }};
}

Operation whole_buffer(Aead aead, std::size_t size, bool seal) {
  const Bytes plain(size, 7), key(32, 8), context(context_size, 9), salt(24, 10);
  if (seal)
    return
        [=] { must(crypto::stream_seal(aead, key, context, salt, plain).has_value(), "stream"); };
  const Bytes sealed = crypto::stream_seal(aead, key, context, salt, plain).value();
  return [=] { must(crypto::stream_open(aead, key, context, sealed).has_value(), "stream"); };
}

/// A file in pieces, in memory for one piece.
Operation in_pieces(Aead aead, std::size_t size, bool with_hash) {
  const Bytes plain(size, 7), key(32, 8), context(context_size, 9), salt(24, 10);
  return [=, out = Bytes()]() mutable {
    crypto::StreamSealer sealer(aead, key, context, salt);
    crypto::Sha256 hash;
    for (std::size_t at = 0; at < plain.size(); at += piece_size) {
      out.clear();
      sealer.push(ByteView(plain).subspan(at, std::min(piece_size, plain.size() - at)), out);
      if (with_hash) hash.update(out);
    }
    out.clear();
    sealer.finish(out);
    if (with_hash) hash.update(out), hash.finish();
  };
}

Table stream_table(Aead aead, bool seal) {
  const std::string name(crypto::name(aead));
  Table out{"stream_" + std::string(seal ? "seal" : "open") + "/" + name,
            (seal ? "Sealing a stream with " : "Opening a stream with ") + name,
            "The limit is the AEAD in chunks of 16 KiB and the hashing of the stream's keys.",
            "bytes",
            "primitives",
            {},
            {}};
  for (const std::size_t size : sizes) {
    out.rows.push_back(row_of(size, [=] {
      return std::vector<Contestant>{{"ams", [=] { return whole_buffer(aead, size, seal); }},
                                     limit(aead, size, seal, false)};
    }));
  }
  return out;
}

Table attachment_table() {
  Table out{"attachment",
            "Attachments in pieces of 64 KiB, with and without their blob id",
            "How fast is a file sealed that does not lie in memory? Its id is the SHA-256 of the "
            "sealed bytes.",
            "bytes",
            "primitives",
            {},
            {}};
  for (const std::size_t size : {std::size_t{65'536}, std::size_t{1 << 20}, sizes.back()}) {
    out.rows.push_back(row_of(size, [=] {
      return std::vector<Contestant>{
          {"ams", [=] { return in_pieces(Aead::a256gcm, size, false); }},
          limit(Aead::a256gcm, size, true, false),
          {"ams + blob id", [=] { return in_pieces(Aead::a256gcm, size, true); }},
          limit(Aead::a256gcm, size, true, true)};
    }));
  }
  const auto big = static_cast<std::int64_t>(sizes.back());
  out.targets = {{big, "ams", "", 2.5e9, "attachments, AEAD alone: 2.5 GB/s"},
                 {big, "ams + blob id", "", 0.95e9, "attachments with blob id: 0.95 GB/s"}};
  return out;
}

Operation container_seal(std::shared_ptr<const People> people, Bytes plain) {
  auto drbg = std::make_shared<crypto::Drbg>(Bytes(32, 9));
  return [=, out = Bytes()]() mutable {
    out.clear();
    auto writer =
        container::Writer::begin(people->sender, people->recipients(), {.ts = now_ms}, *drbg, out);
    must(writer.has_value(), "container");
    for (std::size_t at = 0; at < plain.size(); at += piece_size) {
      out.clear();
      writer->push(ByteView(plain).subspan(at, std::min(piece_size, plain.size() - at)), out);
    }
    must(writer->finish(out).has_value(), "container");
  };
}

Operation container_open(std::shared_ptr<const People> people, const Bytes& plain) {
  Bytes sealed;
  crypto::Drbg drbg(Bytes(32, 9));
  auto writer =
      container::Writer::begin(people->sender, people->recipients(), {.ts = now_ms}, drbg, sealed);
  must(writer.has_value(), "container");
  writer->push(plain, sealed);
  must(writer->finish(sealed).has_value(), "container");
  return [=, out = Bytes()]() mutable {
    const container::ReadContext context{&people->reader.record, &people->reader.encryption,
                                         [&](const keys::KeyId&) { return &people->sender.record; },
                                         now_ms};
    container::Reader reader(context);
    for (std::size_t at = 0; at < sealed.size(); at += piece_size) {
      out.clear();
      must(reader.push(ByteView(sealed).subspan(at, std::min(piece_size, sealed.size() - at)), out)
               .has_value(),
           "container");
    }
    must(reader.finish().has_value(), "container");
  };
}

Table container_table(bool seal) {
  Table out{seal ? "container_seal" : "container_open",
            seal ? "Sealing a file (seal/1, signed), in process" : "Opening a file, in process",
            "The whole container in pieces of 64 KiB, beside librnp, which signs as well.",
            "bytes",
            "ams",
            {},
            {}};
  for (const std::size_t size : {std::size_t{4096}, std::size_t{1 << 20}, sizes.back()}) {
    out.rows.push_back(row_of(size, [=] {
      std::vector<Contestant> contestants{
          {"ams", [=] {
             const auto people = std::make_shared<const People>(Profile::modern, 1);
             const Bytes plain(size, 7);
             return seal ? container_seal(people, plain) : container_open(people, plain);
           }}};
      if (auto peer = rnp(seal ? Direction::seal : Direction::open, size, 1))
        contestants.push_back(*peer);
      return contestants;
    }));
  }
  return out;
}

}  // namespace

std::vector<Table> stream_tables() {
  std::vector<Table> out;
  for (const Aead aead : {Aead::a256gcm, Aead::c20p1305})
    for (const bool seal : {true, false}) out.push_back(stream_table(aead, seal));
  out.push_back(attachment_table());
  out.push_back(container_table(true));
  out.push_back(container_table(false));
  return out;
}

std::vector<Table> command_tables(const Commands& commands, const std::string& folder) {
  std::vector<Table> out;
  for (const bool seal : {true, false}) {
    Table table{
        seal ? "command_seal" : "command_open",
        seal ? "Sealing a file, whole process" : "Opening a file, whole process",
        "Wall clock from start to exit, with the file read from and written to a disk: what "
        "a user waits.",
        "bytes",
        "ams",
        {},
        {}};
    for (const std::size_t size : {std::size_t{4096}, std::size_t{1 << 20}, sizes.back()}) {
      Row row = row_of(size, [=] {
        std::vector<Contestant> contestants;
        for (const Command& command : commands.present)
          contestants.push_back(
              run_command(command, seal ? Direction::seal : Direction::open, folder, size));
        return contestants;
      });
      row.clock = paired::Clock::wall;
      row.rounds_max = 7;
      table.rows.push_back(std::move(row));
    }
    out.push_back(std::move(table));
  }
  return out;
}

}  // namespace ams::crypto_bench
