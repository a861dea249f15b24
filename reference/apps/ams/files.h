// `ams seal` and `ams open`: one file into a container and back, offline, in constant memory (spec
// chapter 07). What is written appears under its name only when all of it is there and verified.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "container/container.h"

namespace ams::cli {

/// Why a file was not sealed or opened: a code of the spec, or a line about files for the user.
struct FileError {
  std::optional<Error> refused;  // by a check
  std::string what;              // the file, or what is wrong with it
};
template <class T = void>
using FileResult = tl::expected<T, FileError>;

/// Says it on standard error; gives the exit code that goes with it (home.h).
int say(const FileError& error);

/// The first `size_max` bytes of a file: of a larger one, or one that never ends, no more is read.
FileResult<Bytes> read_some(const std::string& path, std::size_t size_max);

/// Hears now and then how many bytes of how many (0: unknown) were read.
using Progress = std::function<void(std::uint64_t done, std::uint64_t of)>;

/// A file of its own, unseen under its name until commit(); gone if that never comes, be it for an
/// error or for a signal that ends the program (but SIGKILL, which leaves `NAME.partial-…`). One at
/// a time.
class NewFile {
 public:
  /// `-` is standard output, where nothing waits for commit(). Fails where `path` exists, unless
  /// `replace`.
  static FileResult<NewFile> create(const std::string& path, bool replace);
  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  FileResult<> write(ByteView bytes);
  /// Durable and under its name, or an error.
  FileResult<> commit();

 private:
  NewFile() = default;
  std::string path_, temporary_;
  int file_ = -1;
  bool replace_ = false;
};

/// Paths may be `-`: standard input and output.
struct FilePaths {
  std::string from, to;
  bool replace = false;
};
FileResult<> seal_file(const FilePaths& paths, const keys::KeyPair& sender,
                       std::span<const keys::KeyRecord* const> recipients,
                       const container::SealOptions& options, crypto::Drbg& drbg,
                       const Progress& progress);

struct OpenedFile {
  keys::KeyId sender;
  std::int64_t sealed_at = 0;  // Unix ms
};
/// Writing to `-` gives out what is not verified yet: the caller has asked its user.
FileResult<OpenedFile> open_file(const FilePaths& paths, const container::ReadContext& context,
                                 const Progress& progress);

}  // namespace ams::cli
