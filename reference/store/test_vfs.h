// A SQLite VFS over the system's, for tests: a disk that gets full, read-only or fails to sync, and
// that loses at a power cut whatever was not synced. One disk at a time.
#pragma once

#include <sqlite3.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace ams::store::test {

struct Disk {
  bool full = false;
  bool read_only = false;
  bool sync_fails = false;
  int syncs = 0;
  std::map<std::string, Bytes> synced;  // by path: what a power cut leaves
};
inline Disk disk;

struct File {
  sqlite3_file base;  // SQLite sees this; the system's file follows in the same allocation
  char path[512];
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
inline File* file_of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
inline sqlite3_file* real(sqlite3_file* file) { return file_of(file)->real(); }

inline int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (disk.full) return SQLITE_FULL;
  if (disk.read_only) return SQLITE_READONLY;
  return real(file)->pMethods->xWrite(real(file), data, size, offset);
}

inline int sync(sqlite3_file* file, int flags) {
  ++disk.syncs;
  if (disk.sync_fails) return SQLITE_IOERR_FSYNC;
  sqlite3_int64 size = 0;
  real(file)->pMethods->xFileSize(real(file), &size);
  Bytes& content = disk.synced[file_of(file)->path];
  content.resize(static_cast<std::size_t>(size));
  real(file)->pMethods->xRead(real(file), content.data(), static_cast<int>(size), 0);
  return real(file)->pMethods->xSync(real(file), flags);
}

inline const sqlite3_io_methods* methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods m{};
    m.iVersion = 1;  // without shared memory: an exclusive WAL must do without
    m.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
    m.xRead = [](sqlite3_file* f, void* out, int size, sqlite3_int64 at) {
      return real(f)->pMethods->xRead(real(f), out, size, at);
    };
    m.xWrite = write;
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      return disk.read_only ? SQLITE_READONLY : real(f)->pMethods->xTruncate(real(f), size);
    };
    m.xSync = sync;
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* out) {
      return real(f)->pMethods->xFileSize(real(f), out);
    };
    m.xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); };
    m.xUnlock = [](sqlite3_file* f, int level) {
      return real(f)->pMethods->xUnlock(real(f), level);
    };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return real(f)->pMethods->xCheckReservedLock(real(f), out);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return real(f)->pMethods->xFileControl(real(f), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file*) { return 0; };  // promises nothing
    return m;
  }();
  return &table;
}

inline sqlite3_vfs* system_vfs() { return sqlite3_vfs_find("unix"); }

inline int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  file_of(file)->path[0] = 0;
  if (path != nullptr) std::strncpy(file_of(file)->path, path, sizeof(File::path) - 1);
  const int code = system_vfs()->xOpen(system_vfs(), path, real(file), flags, out_flags);
  if (real(file)->pMethods != nullptr) file->pMethods = methods();
  return code;
}

/// Registers the VFS "ams-test" once, and a fresh disk.
inline const char* fresh_disk() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *system_vfs();
    copy.zName = "ams-test";
    copy.szOsFile = static_cast<int>(sizeof(File)) + system_vfs()->szOsFile;
    copy.xOpen = open;
    copy.xDelete = [](sqlite3_vfs*, const char* path, int sync_folder) {
      disk.synced.erase(path);
      return system_vfs()->xDelete(system_vfs(), path, sync_folder);
    };
    return copy;
  }();
  sqlite3_vfs_register(&vfs, 0);
  disk = {};
  return vfs.zName;
}

/// Leaves on the real disk what was synced when `before_close` was copied from disk.synced.
inline void lose_power(const std::string& path, const std::map<std::string, Bytes>& before_close) {
  for (const char* suffix : {"", "-wal", "-journal"}) {
    const std::string name = path + suffix;
    std::filesystem::remove(name);
    const auto found = before_close.find(name);
    if (found == before_close.end()) continue;
    std::ofstream(name, std::ios::binary) << as_text(found->second);
  }
  disk = {};
  disk.synced = before_close;
}

}  // namespace ams::store::test
