// Goal: both stores are the same store: what a plain std::map says, through commits, crashes,
// failures and a full disk.
// Method: random steps from rapidcheck, run against an oracle of two maps (visible, durable). Then
// the few things that only a file can do: foreign files, a second process, a kill without close.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "store/memory.h"
#include "store/sqlite.h"
#include "store/test_vfs.h"

namespace ams::store {
namespace {

namespace fs = std::filesystem;
using storage::Table;
using Oracle = std::map<std::pair<Table, Bytes>, Bytes>;

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // In memory where there is such a place: hundreds of stores are synced, and which bytes were is
    // what test_vfs.h remembers.
    const fs::path memory = "/dev/shm";
    const fs::path root = fs::is_directory(memory) ? memory : fs::temp_directory_path();
    std::string name = (root / "ams-store-XXXXXX").string();
    AMS_ASSERT(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

/// A store under test, and what can happen to it.
struct Bench {
  virtual ~Bench() = default;
  virtual storage::Storage& storage() = 0;
  virtual void crash() = 0;  // and start again
  virtual void after_commit() {}
  virtual bool failed_apply_fails_group() const { return false; }
  virtual bool fail_next_commit() { return false; }  // false: this store has no such switch
};

struct MemoryBench final : Bench {
  explicit MemoryBench(MemoryFaults faults) : memory(faults) {}
  storage::Storage& storage() override { return memory; }
  void crash() override {
    memory.crash();
    memory.faults().fail_next_commit = false;
  }
  bool fail_next_commit() override { return memory.faults().fail_next_commit = true; }
  MemoryStorage memory;
};

struct SqliteBench final : Bench {
  explicit SqliteBench(SqliteOptions o) : options(std::move(o)) { open(); }
  storage::Storage& storage() override { return *sqlite; }
  void crash() override {
    sqlite.reset();
    open();
  }
  bool failed_apply_fails_group() const override { return true; }
  void open() {
    auto opened = SqliteStorage::open(folder.file("ams.db"), options);
    AMS_ASSERT(opened.has_value());
    sqlite = std::move(*opened);
  }
  TemporaryFolder folder;
  SqliteOptions options;
  std::unique_ptr<SqliteStorage> sqlite;
};

/// SQLite on a disk that forgets at each crash what was not synced, and that can fail to sync.
struct PowerCutBench final : Bench {
  PowerCutBench() { open(); }
  storage::Storage& storage() override { return *sqlite; }
  void crash() override {
    const auto left = test::disk.synced;
    sqlite.reset();  // closing tidies up, which a power cut does not: undone below
    test::lose_power(path, left);
    open();
  }
  bool fail_next_commit() override { return test::disk.sync_fails = true; }
  void after_commit() override { test::disk.sync_fails = false; }
  void open() {
    auto opened = SqliteStorage::open(path, {.page_count_max = 0, .vfs = vfs});
    AMS_ASSERT(opened.has_value());
    sqlite = std::move(*opened);
  }
  TemporaryFolder folder;
  std::string path = folder.file("ams.db");
  std::string vfs = test::fresh_disk();
  std::unique_ptr<SqliteStorage> sqlite;
};

enum class Kind { apply, commit, crash, fail_commit, get, scan };
struct Step {
  Kind kind;
  storage::WriteBatch batch;
  Table table;
  Bytes key;
  Bytes from;
  std::size_t visits_max;
};
std::ostream& operator<<(std::ostream& out, const Step& s) {
  return out << "step " << static_cast<int>(s.kind) << " puts " << s.batch.puts.size() << " erases "
             << s.batch.erases.size() << " key " << to_hex(s.key) << " from " << to_hex(s.from);
}

// Few and short keys, so that steps meet; 0xff and the empty key are the borders of prefix scans.
rc::Gen<Bytes> any_key() {
  return rc::gen::resize(
      4, rc::gen::container<Bytes>(rc::gen::element<std::uint8_t>(0, 1, 0xfe, 0xff)));
}
rc::Gen<Table> any_table() { return rc::gen::element(Table{0}, Table{1}, Table{255}); }
rc::Gen<Bytes> any_value(std::size_t size_max) {
  return rc::gen::map(
      rc::gen::pair(rc::gen::inRange<std::size_t>(0, size_max), rc::gen::arbitrary<std::uint8_t>()),
      [](const auto& p) { return Bytes(p.first, p.second); });
}
rc::Gen<storage::WriteBatch> any_batch(std::size_t value_size_max) {
  auto put = rc::gen::build<storage::Put>(
      rc::gen::set(&storage::Put::table, any_table()), rc::gen::set(&storage::Put::key, any_key()),
      rc::gen::set(&storage::Put::value, any_value(value_size_max)));
  auto erase = rc::gen::build<storage::Erase>(rc::gen::set(&storage::Erase::table, any_table()),
                                              rc::gen::set(&storage::Erase::key, any_key()));
  return rc::gen::build<storage::WriteBatch>(
      rc::gen::set(&storage::WriteBatch::puts,
                   rc::gen::resize(5, rc::gen::container<std::vector<storage::Put>>(put))),
      rc::gen::set(&storage::WriteBatch::erases,
                   rc::gen::resize(3, rc::gen::container<std::vector<storage::Erase>>(erase))));
}
rc::Gen<Step> any_step(std::size_t value_size_max) {
  return rc::gen::build<Step>(
      rc::gen::set(&Step::kind, rc::gen::weightedElement<Kind>({{6, Kind::apply},
                                                                {3, Kind::commit},
                                                                {1, Kind::crash},
                                                                {1, Kind::fail_commit},
                                                                {3, Kind::get},
                                                                {3, Kind::scan}})),
      rc::gen::set(&Step::batch, any_batch(value_size_max)),
      rc::gen::set(&Step::table, any_table()), rc::gen::set(&Step::key, any_key()),
      rc::gen::set(&Step::from, any_key()),
      rc::gen::set(&Step::visits_max, rc::gen::inRange<std::size_t>(1, 6)));
}

using Found = std::vector<std::pair<Bytes, Bytes>>;

Found expected_scan(const Oracle& oracle, const Step& step) {
  Found found;
  for (const auto& [where, value] : oracle) {
    const auto& [table, key] = where;
    const bool with_prefix =
        key.size() >= step.key.size() && std::equal(step.key.begin(), step.key.end(), key.begin());
    if (table == step.table && with_prefix && key >= step.from && found.size() < step.visits_max)
      found.emplace_back(key, value);
  }
  return found;
}

void check_scan(const storage::Reader& reader, const Oracle& oracle, const Step& step) {
  Found found;
  const auto result =
      reader.scan(step.table, step.key, step.from, [&](ByteView key, ByteView value) {
        // A visitor may read: the nested scan must not disturb this one.
        RC_ASSERT(
            reader.scan(step.table, {}, {}, [](ByteView, ByteView) { return false; }).has_value());
        found.emplace_back(to_bytes(key), to_bytes(value));
        return found.size() < step.visits_max;
      });
  RC_ASSERT(result.has_value());
  RC_ASSERT(found == expected_scan(oracle, step));
}

void apply_to(Oracle& oracle, const storage::WriteBatch& batch) {
  for (const auto& [table, key, value] : batch.puts) oracle[{table, key}] = value;
  for (const auto& [table, key] : batch.erases) oracle.erase({table, key});
}

/// `limited`: apply may fail; then it must leave what the port promises. Returns how often it did.
int run_steps(Bench& bench, const std::vector<Step>& steps, bool limited) {
  Oracle visible, durable;
  bool commit_will_fail = false;
  int applies_failed = 0;
  for (const Step& step : steps) {
    switch (step.kind) {
      case Kind::apply:
        if (bench.storage().apply(step.batch)) {
          apply_to(visible, step.batch);
        } else {
          RC_ASSERT(limited);
          ++applies_failed;
          if (bench.failed_apply_fails_group()) {
            visible = durable;
            commit_will_fail = true;
          }
        }
        break;
      case Kind::commit: {
        const bool done = bench.storage().commit().has_value();
        bench.after_commit();
        // A group that changes nothing need not touch the disk, so it may pass one that fails.
        RC_ASSERT(done == !commit_will_fail || (done && visible == durable));
        commit_will_fail = false;
        (done ? durable : visible) = done ? visible : durable;
        break;
      }
      case Kind::crash:
        bench.crash();
        visible = durable;
        commit_will_fail = false;
        break;
      case Kind::fail_commit:
        commit_will_fail |= bench.fail_next_commit();
        break;
      case Kind::get: {
        const auto got = bench.storage().get(step.table, step.key);
        RC_ASSERT(got.has_value());
        const auto want = visible.find({step.table, step.key});
        RC_ASSERT(*got ==
                  (want == visible.end() ? std::nullopt : std::optional<Bytes>(want->second)));
        break;
      }
      case Kind::scan:
        check_scan(bench.storage(), visible, step);
    }
  }
  bench.crash();
  for (const Table table : {Table{0}, Table{1}, Table{255}}) {
    check_scan(bench.storage(), durable, {Kind::scan, {}, table, {}, {}, 1'000'000});
  }
  return applies_failed;
}

TEST(MemoryStorage, is_the_oracle) {
  EXPECT_TRUE(rc::check([] {
    MemoryBench bench({});
    run_steps(bench, *rc::gen::container<std::vector<Step>>(any_step(20)), false);
    RC_ASSERT(bench.memory.bytes() < 1'000'000);
  }));
}

TEST(MemoryStorage, is_the_oracle_when_it_gets_full) {
  int applies_failed = 0;
  EXPECT_TRUE(rc::check([&] {
    MemoryBench bench({.bytes_max = 60});
    applies_failed += run_steps(bench, *rc::gen::container<std::vector<Step>>(any_step(20)), true);
    RC_ASSERT(bench.memory.bytes() <= 60);
  }));
  EXPECT_GT(applies_failed, 0);  // else the property was never put to the test
}

TEST(SqliteStorage, is_the_oracle) {
  EXPECT_TRUE(rc::check([] {
    SqliteBench bench({});
    run_steps(bench, *rc::gen::container<std::vector<Step>>(any_step(20)), false);
  }));
}

TEST(SqliteStorage, is_the_oracle_through_power_cuts) {
  EXPECT_TRUE(rc::check([] {
    PowerCutBench bench;
    run_steps(bench, *rc::gen::container<std::vector<Step>>(any_step(2000)), false);
  }));
}

TEST(SqliteStorage, is_the_oracle_when_it_gets_full) {
  int applies_failed = 0;
  EXPECT_TRUE(rc::check([&] {
    SqliteBench bench({.page_count_max = 8, .vfs = {}});
    applies_failed +=
        run_steps(bench, *rc::gen::container<std::vector<Step>>(any_step(60'000)), true);
  }));
  EXPECT_GT(applies_failed, 0);  // else the property was never put to the test
}

TEST(SqliteStorage, a_full_disk_fails_the_group_and_passes) {
  SqliteBench bench({.page_count_max = 8, .vfs = {}});
  storage::Storage& store = bench.storage();
  const Table table{1};
  ASSERT_TRUE(store.apply({{{table, to_bytes("kept"), Bytes(100, 1)}}, {}}));
  ASSERT_TRUE(store.commit());
  ASSERT_TRUE(store.apply({{{table, to_bytes("same group"), {}}}, {}}));
  const auto full = store.apply({{{table, to_bytes("big"), Bytes(100'000, 2)}}, {}});
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::storage);
  EXPECT_FALSE(store.apply({{{table, to_bytes("still the same group"), {}}}, {}}));
  EXPECT_EQ(*store.get(table, as_bytes("same group")), std::nullopt);
  EXPECT_EQ(store.commit().error().code, Code::storage);
  EXPECT_EQ(*store.get(table, as_bytes("kept")), Bytes(100, 1));
  ASSERT_TRUE(store.apply({{{table, to_bytes("small"), {}}}, {}}));
  EXPECT_TRUE(store.commit());
}

// Each fault: the commit fails, nothing of its group remains, then or after a power cut; when the
// fault is gone, the store works on.
TEST(SqliteStorage, a_disk_that_fails_at_the_commit_loses_the_group_only) {
  for (bool test::Disk::*fault :
       {&test::Disk::full, &test::Disk::read_only, &test::Disk::sync_fails}) {
    PowerCutBench bench;
    const Table table{1};
    ASSERT_TRUE(bench.storage().apply({{{table, to_bytes("kept"), to_bytes("1")}}, {}}));
    const int syncs = test::disk.syncs;
    ASSERT_TRUE(bench.storage().commit());
    EXPECT_GT(test::disk.syncs, syncs);
    ASSERT_TRUE(bench.storage().apply({{{table, to_bytes("lost"), to_bytes("2")}}, {}}));
    test::disk.*fault = true;
    EXPECT_EQ(bench.storage().commit().error().code, Code::storage);
    EXPECT_EQ(*bench.storage().get(table, as_bytes("kept")), to_bytes("1"));
    EXPECT_EQ(*bench.storage().get(table, as_bytes("lost")), std::nullopt);
    EXPECT_EQ(bench.sqlite->apply({{{table, to_bytes("again"), {}}}, {}}).has_value(),
              true);  // the failure was reported: a new group
    EXPECT_FALSE(bench.storage().commit());
    test::disk.*fault = false;
    ASSERT_TRUE(bench.storage().apply({{{table, to_bytes("after"), to_bytes("3")}}, {}}));
    ASSERT_TRUE(bench.storage().commit());
    bench.crash();
    EXPECT_EQ(*bench.storage().get(table, as_bytes("kept")), to_bytes("1"));
    EXPECT_EQ(*bench.storage().get(table, as_bytes("lost")), std::nullopt);
    EXPECT_EQ(*bench.storage().get(table, as_bytes("again")), std::nullopt);
    EXPECT_EQ(*bench.storage().get(table, as_bytes("after")), to_bytes("3"));
  }
}

TEST(SqliteStorage, a_read_only_disk_cannot_be_opened_anew) {
  TemporaryFolder folder;
  const std::string vfs = test::fresh_disk();
  test::disk.read_only = true;
  const auto opened = SqliteStorage::open(folder.file("a.db"), {.page_count_max = 0, .vfs = vfs});
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().find("a.db: "), std::string::npos) << opened.error();
  test::disk = {};
}

TEST(MemoryStorage, a_failed_commit_undoes_its_group_only) {
  MemoryStorage memory;
  const Table table{1};
  ASSERT_TRUE(memory.apply({{{table, to_bytes("k"), to_bytes("old")}}, {}}));
  ASSERT_TRUE(memory.commit());
  ASSERT_TRUE(
      memory.apply({{{table, to_bytes("k"), to_bytes("new")}, {table, to_bytes("n"), {}}}, {}}));
  memory.faults().fail_next_commit = true;
  EXPECT_EQ(memory.commit().error().code, Code::storage);
  EXPECT_EQ(*memory.get(table, as_bytes("k")), to_bytes("old"));
  EXPECT_EQ(*memory.get(table, as_bytes("n")), std::nullopt);
  EXPECT_EQ(memory.bytes(), 4u);
  EXPECT_TRUE(memory.commit());
}

TEST(SqliteStorage, a_kill_keeps_what_was_committed) {
  TemporaryFolder folder;
  const Table table{7};
  auto first = SqliteStorage::open(folder.file("a.db"));
  ASSERT_TRUE(first) << first.error();
  ASSERT_TRUE((*first)->apply({{{table, to_bytes("committed"), to_bytes("1")}}, {}}));
  ASSERT_TRUE((*first)->commit());
  ASSERT_TRUE((*first)->apply({{{table, to_bytes("applied"), to_bytes("2")}}, {}}));
  // The files as a kill -9 now would leave them.
  fs::copy_file(folder.file("a.db"), folder.file("b.db"));
  fs::copy_file(folder.file("a.db-wal"), folder.file("b.db-wal"));
  auto second = SqliteStorage::open(folder.file("b.db"));
  ASSERT_TRUE(second) << second.error();
  EXPECT_EQ(*(*second)->get(table, as_bytes("committed")), to_bytes("1"));
  EXPECT_EQ(*(*second)->get(table, as_bytes("applied")), std::nullopt);
}

TEST(SqliteStorage, refuses_files_that_are_not_its_own) {
  TemporaryFolder folder;
  auto missing = SqliteStorage::open(folder.file("no/such/folder/a.db"));
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().find("no/such/folder/a.db: cannot open"), std::string::npos)
      << missing.error();

  const std::string text(4096, 'x');
  std::ofstream(folder.file("text.db")) << text;
  auto foreign = SqliteStorage::open(folder.file("text.db"));
  ASSERT_FALSE(foreign);
  EXPECT_NE(foreign.error().find("not a database"), std::string::npos) << foreign.error();

  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(folder.file("other.db").c_str(), &db), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(db, "CREATE TABLE x(y); PRAGMA application_id=7", nullptr, nullptr, nullptr),
      SQLITE_OK);
  sqlite3_close(db);
  auto other = SqliteStorage::open(folder.file("other.db"));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().find("no AMS store"), std::string::npos) << other.error();
}

TEST(SqliteStorage, refuses_a_newer_schema_and_a_second_user) {
  TemporaryFolder folder;
  const std::string path = folder.file("a.db");
  auto first = SqliteStorage::open(path);
  ASSERT_TRUE(first) << first.error();
  // POSIX locks do not bind within a process; SQLite's own table of them does.
  auto second = SqliteStorage::open(path);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find("in use"), std::string::npos) << second.error();
  first->reset();

  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(db, "PRAGMA user_version=99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  auto newer = SqliteStorage::open(path);
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().find("schema version 99"), std::string::npos) << newer.error();
}

}  // namespace
}  // namespace ams::store
