// Targets: 5,500 verified publications a second of Ed25519 keys and 14,000 of RSA-2048; durable,
// with one commit a batch, 4,500 and 8,000.
#include <deque>

#include "directory/grant.h"
#include "directory/objects.h"
#include "directory_bench/tables.h"
#include "directory_bench/world.h"
#include "store/sqlite.h"

namespace ams::directory_bench {
namespace {

using paired::Contestant;
using paired::Operation;
using paired::Row;
using paired::Table;

constexpr std::size_t batch_size = directory::publish_max;
constexpr std::size_t group = 4;  // batches in one commit

constexpr const char* publisher = "c.example";
const keys::KeyPair& publisher_op() {
  static const keys::KeyPair pair = pair_of(Profile::modern, 2'000'000);
  return pair;
}

/// Records that no peer of the run has seen, with their domain's grants, made before anything is
/// timed.
class Fresh {
 public:
  Fresh(Profile profile, double seconds) {
    const double rate = profile == Profile::modern ? 15'000 : 45'000;  // of verifications, at most
    const auto batches = 64 + static_cast<std::size_t>(2 * rate * seconds / batch_size);
    std::uint64_t number = 1;
    for (std::size_t i = 0; i < batches; ++i) {
      wire::Array batch, vouchers;
      std::vector<Hash> fps;
      for (std::size_t k = 0; k < batch_size; ++k) {
        batch.push_back(record_of(profile, number++));
        fps.push_back(directory::fp_of_record(batch.back()));
      }
      const auto granted = directory::make_grant(publisher, fps, publisher_op().signing);
      must(granted.has_value(), "grant");
      for (const directory::Place& place : granted->places)
        vouchers.emplace_back(directory::voucher_text({0, place}));
      batches_.push_back(wire::Object{{"grants", wire::Array{granted->grant}},
                                      {"records", std::move(batch)},
                                      {"vouchers", std::move(vouchers)}});
    }
  }
  const wire::Value& operator[](std::size_t at) const {
    must(at < batches_.size(), "all fresh records are used up: fewer --seconds or --rounds");
    return batches_[at];
  }

 private:
  std::deque<wire::Value> batches_;
};

void publish(Full& held, const wire::Value& batch, Instant now) {
  const auto answered = held.peer->publish(batch, publisher, now, &publisher_op().record.signing());
  must(answered.has_value(), "publication");
  for (const wire::Value& each : answered->answer.find("results")->as_array())
    must(each.find("kid") != nullptr, "a record was refused");
  must(held.store->apply(answered->writes).has_value(), "storage");
}

/// A peer's whole work for some batches that come together: answers, rows applied, one commit,
/// epochs cut when their time has come.
Operation publishing(std::shared_ptr<Full> held, std::shared_ptr<const Fresh> fresh,
                     std::size_t batches) {
  return
      [held = std::move(held), fresh = std::move(fresh), batches, at = std::size_t{0}]() mutable {
        const Instant now = Instant{} + std::chrono::milliseconds{2'000 + 10 * at};
        for (std::size_t i = 0; i < batches; ++i) publish(*held, (*fresh)[at++], now);
        must(held->store->commit().has_value(), "storage");
        held->peer->handle_timeout(now);
        held->pump();
      };
}

/// What nobody can save: one signature a record, over bytes that are ready.
Operation verifying(Profile profile) {
  const auto pair = std::make_shared<keys::KeyPair>(pair_of(profile, 0));
  const auto message = std::make_shared<Bytes>(64, std::uint8_t{7});
  const auto signature = std::make_shared<Bytes>(pair->signing.sign(*message).value());
  return [=] {
    for (std::size_t i = 0; i < batch_size; ++i)
      must(pair->record.signing().verify(*message, *signature).has_value(), "signature");
  };
}

Table publish_table(Profile profile, double seconds) {
  Table out{"publish/" + name(profile),
            "Publishing " + name(profile) + " keys",
            "A batch of 64 fresh records with their domain's grant (DIR-57) at a full peer: every "
            "check, the rows, the map's root and "
            "the epochs; storage in memory. The limit is one verification of each signature.",
            "keys held",
            "signatures alone",
            {},
            {}};
  const auto fresh = std::make_shared<const Fresh>(profile, seconds);
  for (const std::int64_t size : sizes) {
    Row row;
    row.x = size;
    row.items = batch_size;
    row.contestants = [=] {
      return std::vector<Contestant>{
          {"ams", [=] { return publishing(std::make_shared<Full>(size), fresh, 1); }},
          {"signatures alone", [=] { return verifying(profile); }}};
    };
    out.rows.push_back(std::move(row));
  }
  const bool modern = profile == Profile::modern;
  out.targets.push_back({target_size, "ams", "", modern ? 5'500.0 : 14'000.0,
                         name(profile) + (modern ? " publications: at least 5.5 k/s at 10⁶ keys"
                                                 : " publications: at least 14 k/s at 10⁶ keys")});
  return out;
}

std::shared_ptr<Full> on_disk(std::int64_t count, const std::string& path) {
  auto out = std::make_shared<Full>(0);
  auto opened = store::SqliteStorage::open(path);
  must(opened.has_value(), "SQLite");
  hold_values(**opened, count);
  out->store = std::move(*opened);
  out->peer = std::make_unique<directory::Peer>(
      directory::PeerOptions{
          .domain = "a.example", .full = true, .peers = {}, .quota = 1'000'000'000},
      &out->op.signing, *out->store, Instant{});
  must(out->peer->head().has_value(), "head");  // the map is read
  return out;
}

Table durable_table(double seconds, const std::string& folder) {
  Table out{
      "publish_durable",
      "Publishing, durable",
      "The same over SQLite in a file, each batch of 64 committed before it is answered. By "
      "the wall clock.",
      "keys held",
      "",
      {},
      {{target_size, "Ed25519", "", 4'500, "durable, Ed25519: at least 4.5 k/s at 10⁶ keys"},
       {target_size, "RSA-2048", "", 8'000, "durable, RSA-2048: at least 8 k/s at 10⁶ keys"}}};
  for (const std::int64_t size : sizes) {
    if (size > target_size) continue;  // a file of gigabytes measures the disk
    Row row;
    row.x = size;
    row.items = group * batch_size;
    row.clock = paired::Clock::wall;
    row.contestants = [=] {
      std::vector<Contestant> all;
      for (const Profile profile : {Profile::modern, Profile::rsa2048}) {
        const std::string path = folder + "/" + name(profile) + std::to_string(size) + ".db";
        all.push_back({name(profile), [=] {
                         return publishing(on_disk(size, path),
                                           std::make_shared<const Fresh>(profile, seconds), group);
                       }});
      }
      return all;
    };
    out.rows.push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::vector<Table> publish_tables(double seconds, const std::string& folder) {
  return {publish_table(Profile::modern, seconds), publish_table(Profile::rsa2048, seconds),
          durable_table(seconds, folder)};
}

}  // namespace ams::directory_bench
