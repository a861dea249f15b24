// Goal: the mutant switch of this room really breaks its rule, and only when it is on. Method: a
// write, a commit and a crash; what was reported as durable must be there, with the switch it must
// not. Exit code: 0 as expected, 1 otherwise.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "policy/mutant.h"
#include "store/memory.h"
#include "store/sqlite.h"

namespace ams::store {
namespace {

constexpr storage::Table table{1};

bool write_and_commit(storage::Storage& storage) {
  return storage.apply({{{table, {1}, {2}}}, {}}) && storage.commit();
}
bool holds(const storage::Reader& reader) {
  const auto got = reader.get(table, Bytes{1});
  return got && got->has_value();
}

bool memory_keeps_what_it_reported() {
  MemoryStorage memory;
  const bool reported = write_and_commit(memory);
  memory.crash();
  return reported && holds(memory);
}

bool sqlite_keeps_what_it_reported(const std::string& path) {
  bool reported = false;
  if (auto first = SqliteStorage::open(path)) reported = write_and_commit(**first);
  const auto second = SqliteStorage::open(path);
  const bool held = second && holds(**second);
  return reported && held;
}

int run() {
  std::string root = (std::filesystem::temp_directory_path() / "ams-store-XXXXXX").string();
  if (mkdtemp(root.data()) == nullptr) return 1;
  int wrong = 0;
  for (const bool broken : {false, true}) {
    mutants::activate(broken ? "store.drop_fsync" : "");
    const bool memory = memory_keeps_what_it_reported();
    const bool sqlite = sqlite_keeps_what_it_reported(root + (broken ? "/on.db" : "/off.db"));
    if (memory == broken || sqlite == broken || (broken && mutants::asked() == 0)) {
      std::printf("store.drop_fsync %s: memory keeps %d, SQLite keeps %d\n", broken ? "on" : "off",
                  memory, sqlite);
      wrong = 1;
    }
  }
  std::filesystem::remove_all(root);
  return wrong;
}

}  // namespace
}  // namespace ams::store

int main() { return ams::store::run(); }
