#include "store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <vector>

#include "policy/mutant.h"

namespace ams::store {
namespace {

constexpr int application_id = 0x414d5331;  // "AMS1", in the file's header
constexpr int schema_version = 1;           // user_version

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// Resets on the way out, so that no read keeps its snapshot and no binding its pointer.
class Use {
 public:
  explicit Use(const Statement& statement) : statement_(statement.get()) {}
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

  void bind(int index, storage::Table table) {
    sqlite3_bind_int(statement_, index, static_cast<int>(table));
  }
  /// Borrows `bytes` until the end of use. A null pointer would bind NULL, hence the literal.
  void bind(int index, ByteView bytes) {
    const void* data = bytes.empty() ? static_cast<const void*>("") : bytes.data();
    sqlite3_bind_blob64(statement_, index, data, bytes.size(), SQLITE_STATIC);
  }
  int step() { return sqlite3_step(statement_); }
  ByteView column(int index) const {
    const void* data = sqlite3_column_blob(statement_, index);
    const int size = sqlite3_column_bytes(statement_, index);
    return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
  }
  int column_int(int index) const { return sqlite3_column_int(statement_, index); }

 private:
  sqlite3_stmt* statement_;
};

Statement prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  return Statement(statement);
}

bool run(const Statement& statement) {
  Use use(statement);
  return use.step() == SQLITE_DONE;
}

bool execute(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

/// The single integer that a pragma or query answers, or an empty optional.
std::optional<int> query_int(sqlite3* db, const char* sql) {
  const Statement statement = prepare(db, sql);
  if (!statement) return std::nullopt;
  Use use(statement);
  if (use.step() != SQLITE_ROW) return std::nullopt;
  return use.column_int(0);
}

constexpr const char* create_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE kv(t INTEGER NOT NULL, k BLOB NOT NULL, v BLOB NOT NULL, PRIMARY KEY(t,k))"
    " WITHOUT ROWID;";

std::string why(sqlite3* db) {
  if ((sqlite3_errcode(db) & 0xff) == SQLITE_BUSY) return "is in use by another process";
  return sqlite3_errmsg(db);
}

/// An empty file becomes a store; anything that is neither empty nor ours is left untouched.
/// Empty text: all is well.
std::string check_identity(sqlite3* db) {
  const auto id = query_int(db, "PRAGMA application_id");
  const auto version = query_int(db, "PRAGMA user_version");
  const auto objects = query_int(db, "SELECT count(*) FROM sqlite_schema");
  if (!id || !version || !objects) return why(db);
  if (*id == 0 && *version == 0 && *objects == 0) {
    const std::string stamp = "PRAGMA application_id=" + std::to_string(application_id) +
                              ";PRAGMA user_version=" + std::to_string(schema_version) + ";COMMIT";
    return execute(db, create_sql + stamp) ? std::string{} : why(db);
  }
  if (*id != application_id) return "is a SQLite file, but no AMS store; choose another path";
  if (*version != schema_version) {
    return "has schema version " + std::to_string(*version) + ", this program knows " +
           std::to_string(schema_version) + "; use the program that wrote it";
  }
  return {};
}

/// Empty text: all is well.
std::string set_up(sqlite3* db, const SqliteOptions& options) {
  // Locked before WAL starts: then WAL needs no shared memory and no other process gets in.
  if (!execute(db,
               "PRAGMA locking_mode=EXCLUSIVE; PRAGMA trusted_schema=OFF;"
               "PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON")) {
    return why(db);
  }
  // Identity before anything is written: a foreign file stays as it was.
  if (auto wrong = check_identity(db); !wrong.empty()) return wrong;
  if (!execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")) return why(db);
  // A pragma that fails to take effect does not say so; ask.
  if (query_int(db, "PRAGMA synchronous") != 2) return "cannot be set to synchronous=FULL";
  const Statement mode = prepare(db, "PRAGMA journal_mode");
  if (!mode) return why(db);
  Use use(mode);
  if (use.step() != SQLITE_ROW || as_text(use.column(0)) != "wal") {
    return "cannot be set to write-ahead logging; is the folder writable?";
  }
  if (options.page_count_max != 0 &&
      !execute(db, "PRAGMA max_page_count=" + std::to_string(options.page_count_max))) {
    return why(db);
  }
  return {};
}

}  // namespace

struct SqliteStorage::State {
  Database db;
  Statement get, put, erase, begin, commit, rollback;
  std::vector<Statement> scans;  // idle ones: a scan's visitor may scan
  bool open = false;             // a transaction holds applied batches
  bool lost = false;             // it was rolled back, which commit() has yet to report

  bool prepare_all() {
    sqlite3* d = db.get();
    get = prepare(d, "SELECT v FROM kv WHERE t=?1 AND k=?2");
    put = prepare(d, "INSERT INTO kv(t,k,v) VALUES(?1,?2,?3) ON CONFLICT DO UPDATE SET v=?3");
    erase = prepare(d, "DELETE FROM kv WHERE t=?1 AND k=?2");
    begin = prepare(d, "BEGIN IMMEDIATE");
    commit = prepare(d, "COMMIT");
    rollback = prepare(d, "ROLLBACK");
    return get && put && erase && begin && commit && rollback;
  }
  Statement take_scan() {
    if (scans.empty())
      return prepare(db.get(), "SELECT k,v FROM kv WHERE t=?1 AND k>=?2 ORDER BY k");
    Statement last = std::move(scans.back());
    scans.pop_back();
    return last;
  }
  Result<> write(const storage::WriteBatch& batch) {
    for (const auto& [table, key, value] : batch.puts) {
      Use use(put);
      use.bind(1, table);
      use.bind(2, key);
      use.bind(3, value);
      if (use.step() != SQLITE_DONE) return fail(Code::storage, "put");
    }
    for (const auto& [table, key] : batch.erases) {
      Use use(erase);
      use.bind(1, table);
      use.bind(2, key);
      if (use.step() != SQLITE_DONE) return fail(Code::storage, "erase");
    }
    return {};
  }
  /// Undoes the open transaction, unless SQLite already did: autocommit tells.
  void end_transaction() {
    if (sqlite3_get_autocommit(db.get()) == 0) run(rollback);
    open = false;
  }
};

tl::expected<std::unique_ptr<SqliteStorage>, std::string> SqliteStorage::open(
    const std::string& path, SqliteOptions options) {
  sqlite3* raw = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(path.c_str(), &raw, flags,
                                     options.vfs.empty() ? nullptr : options.vfs.c_str());
  auto state = std::make_unique<State>();
  state->db.reset(raw);
  if (opened != SQLITE_OK) {
    return tl::unexpected(path + ": cannot open or create: " + sqlite3_errstr(opened));
  }
  if (auto wrong = set_up(raw, options); !wrong.empty()) return tl::unexpected(path + ": " + wrong);
  if (!state->prepare_all()) {
    return tl::unexpected(path + ": not the expected schema: " + sqlite3_errmsg(raw));
  }
  return std::unique_ptr<SqliteStorage>(new SqliteStorage(std::move(state)));
}

SqliteStorage::SqliteStorage(std::unique_ptr<State> state) : state_(std::move(state)) {}
SqliteStorage::~SqliteStorage() = default;

Result<std::optional<Bytes>> SqliteStorage::get(storage::Table table, ByteView key) const {
  Use use(state_->get);
  use.bind(1, table);
  use.bind(2, key);
  switch (use.step()) {
    case SQLITE_ROW:
      return std::optional<Bytes>{to_bytes(use.column(0))};
    case SQLITE_DONE:
      return std::optional<Bytes>{};
    default:
      return fail(Code::storage, "get");
  }
}

Result<> SqliteStorage::scan(storage::Table table, ByteView prefix, ByteView from,
                             const std::function<bool(ByteView, ByteView)>& visit) const {
  Statement statement = state_->take_scan();
  if (!statement) return fail(Code::storage, "scan");
  int code = SQLITE_DONE;
  {
    Use use(statement);
    const bool from_is_later =
        std::lexicographical_compare(prefix.begin(), prefix.end(), from.begin(), from.end());
    use.bind(1, table);
    use.bind(2, from_is_later ? from : prefix);
    while ((code = use.step()) == SQLITE_ROW) {
      const ByteView key = use.column(0);
      const bool with_prefix =
          key.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), key.begin());
      if (!with_prefix || !visit(key, use.column(1))) break;
    }
  }
  state_->scans.push_back(std::move(statement));
  if (code != SQLITE_ROW && code != SQLITE_DONE) return fail(Code::storage, "scan");
  return {};
}

Result<> SqliteStorage::apply(const storage::WriteBatch& batch) {
  if (state_->lost) return fail(Code::storage, "the group was rolled back");
  if (batch.empty()) return {};
  if (!state_->open) {
    if (!run(state_->begin)) return fail(Code::storage, "begin");
    state_->open = true;
  }
  if (auto written = state_->write(batch); !written) {
    // On a full disk SQLite ends the whole transaction, on other errors it may or may not: we
    // always do, so that what a failure leaves does not depend on its kind.
    state_->lost = true;
    state_->end_transaction();
    return written;
  }
  return {};
}

Result<> SqliteStorage::commit() {
  if (std::exchange(state_->lost, false)) return fail(Code::storage, "the group was rolled back");
  if (!state_->open || ams::mutant("store.drop_fsync")) return {};
  if (run(state_->commit)) {
    state_->open = false;
    return {};
  }
  state_->end_transaction();
  return fail(Code::storage, "commit");
}

std::string SqliteStorage::last_message() const { return sqlite3_errmsg(state_->db.get()); }

}  // namespace ams::store
