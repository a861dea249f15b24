#include "ams_cli/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include "ams_cli/home.h"
#include "ams_cli/runner.h"
#include "ams_cli/terminal.h"

// The error branch of a FileResult<>.
#define AMS_FILE_CHECK(expression)                                       \
  do {                                                                   \
    if (auto file_result = (expression); !file_result)                   \
      return tl::unexpected<::ams::cli::FileError>(file_result.error()); \
  } while (false)

namespace ams::cli {
namespace {

constexpr std::size_t piece_size = 256 * 1024;  // bytes read at a time

tl::unexpected<FileError> file_error(const std::string& path, const char* what) {
  const int cause = errno;
  return tl::unexpected<FileError>(
      FileError{std::nullopt, path + ": " + what + ": " + std::strerror(cause)});
}
tl::unexpected<FileError> refused_error(const std::string& path, const Error& why) {
  return tl::unexpected<FileError>(FileError{why, path});
}

/// Without `replace` the name must still be free, which plain rename() does not ask.
bool give_name(const std::string& from, const std::string& to, bool replace) {
  if (replace) return rename(from.c_str(), to.c_str()) == 0;
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;  // else: the file system cannot do that
  return link(from.c_str(), to.c_str()) == 0 && unlink(from.c_str()) == 0;
}

bool sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool synced = fsync(file) == 0 || errno == EINVAL;  // not every file system syncs folders
  close(file);
  return synced;
}

// --- interruption --------------------------------------------------------------------------------
// A signal handler may do little and knows no objects: the name of the one file that is being
// written lies where it can find it.
std::array<char, 4096> unfinished{};
volatile std::sig_atomic_t has_unfinished = 0;

extern "C" void remove_unfinished(int number) {
  if (has_unfinished != 0) unlink(unfinished.data());
  std::signal(number, SIG_DFL);
  std::raise(number);  // whoever waits for us sees what ended us
}

void guard_unfinished(const std::string& path) {
  if (path.size() >= unfinished.size()) return;  // longer than any path that opens
  has_unfinished = 0;
  std::copy_n(path.c_str(), path.size() + 1, unfinished.begin());
  has_unfinished = 1;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    if (sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_DFL)
      std::signal(number, remove_unfinished);  // what our parent had us ignore stays ignored
  }
}

class Input {
 public:
  explicit Input(const std::string& path) : path_(path) {
    file_ = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat about {};
    if (file_ >= 0 && fstat(file_, &about) == 0) {
      if (S_ISREG(about.st_mode)) size_ = static_cast<std::uint64_t>(about.st_size);
      if (S_ISDIR(about.st_mode)) directory_ = true;
    }
  }
  ~Input() {
    if (file_ > STDERR_FILENO) close(file_);
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  FileResult<> check() const {
    if (file_ < 0) return file_error(path_, "cannot read");
    if (directory_) return tl::unexpected<FileError>(FileError{{}, path_ + ": is a folder"});
    return {};
  }
  /// The next bytes; empty at the end.
  FileResult<ByteView> read() {
    for (;;) {
      const ssize_t got = ::read(file_, buffer_.data(), buffer_.size());
      if (got >= 0) return ByteView(buffer_).first(static_cast<std::size_t>(got));
      if (errno != EINTR) return file_error(path_, "cannot read");
    }
  }
  std::uint64_t size() const { return size_; }

 private:
  std::string path_;
  int file_ = -1;
  std::uint64_t size_ = 0;  // 0: not known
  bool directory_ = false;
  Bytes buffer_ = Bytes(piece_size);
};

}  // namespace

int say(const FileError& error) {
  if (error.refused)
    return say(exit_refused, fmt::format("{}: {} ({})", error.what, explain(*error.refused),
                                         error.refused->where));
  return say(exit_bad_input, error.what);
}

FileResult<Bytes> read_some(const std::string& path, std::size_t size_max) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return file_error(path, "cannot read");
  Bytes out(size_max);
  in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (in.bad()) return file_error(path, "cannot read");
  out.resize(static_cast<std::size_t>(in.gcount()));
  return out;
}

FileResult<NewFile> NewFile::create(const std::string& path, bool replace) {
  NewFile out;
  out.path_ = path;
  out.replace_ = replace;
  if (path == "-") {
    out.file_ = STDOUT_FILENO;
    return out;
  }
  struct stat there {};
  const bool exists = stat(path.c_str(), &there) == 0;
  if (exists && !S_ISREG(there.st_mode))
    return tl::unexpected<FileError>(FileError{{}, path + ": is no regular file"});
  if (exists && !replace)
    return tl::unexpected<FileError>(FileError{{}, path + ": exists; --force replaces it"});
  out.temporary_ = path + ".partial-XXXXXX";
  out.file_ = mkostemp(out.temporary_.data(), O_CLOEXEC);  // mode 0600
  if (out.file_ < 0) {
    out.temporary_.clear();
    return file_error(path, "cannot create");
  }
  guard_unfinished(out.temporary_);
  return out;
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::exchange(other.file_, -1)),
      replace_(other.replace_) {}

NewFile::~NewFile() {
  if (file_ > STDERR_FILENO) close(file_);
  if (temporary_.empty()) return;
  unlink(temporary_.c_str());
  has_unfinished = 0;
}

FileResult<> NewFile::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return file_error(path_, "cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

FileResult<> NewFile::commit() {
  if (temporary_.empty()) return {};
  if (fsync(file_) != 0) return file_error(path_, "cannot write");
  if (!give_name(temporary_, path_, replace_))
    return file_error(path_, "cannot give the file its name");
  has_unfinished = 0;
  temporary_.clear();
  if (!sync_folder_of(path_)) return file_error(path_, "cannot make its name durable");
  return {};
}

FileResult<> seal_file(const FilePaths& paths, const keys::KeyPair& sender,
                       std::span<const keys::KeyRecord* const> recipients,
                       const container::SealOptions& options, crypto::Drbg& drbg,
                       const Progress& progress) {
  Input in(paths.from);
  AMS_FILE_CHECK(in.check());
  auto out = NewFile::create(paths.to, paths.replace);
  if (!out) return tl::unexpected<FileError>(out.error());
  Bytes sealed;
  auto writer = container::Writer::begin(sender, recipients, options, drbg, sealed);
  if (!writer) return refused_error(paths.from, writer.error());
  for (std::uint64_t done = 0;;) {
    auto piece = in.read();
    if (!piece) return tl::unexpected<FileError>(piece.error());
    if (piece->empty()) break;
    writer->push(*piece, sealed);
    AMS_FILE_CHECK(out->write(sealed));
    sealed.clear();
    done += piece->size();
    if (progress) progress(done, in.size());
  }
  if (auto finished = writer->finish(sealed); !finished)
    return refused_error(paths.from, finished.error());
  AMS_FILE_CHECK(out->write(sealed));
  return out->commit();
}

FileResult<OpenedFile> open_file(const FilePaths& paths, const container::ReadContext& context,
                                 const Progress& progress) {
  Input in(paths.from);
  AMS_FILE_CHECK(in.check());
  auto out = NewFile::create(paths.to, paths.replace);
  if (!out) return tl::unexpected<FileError>(out.error());
  container::Reader reader(context);
  Bytes opened;
  for (std::uint64_t done = 0;;) {
    auto piece = in.read();
    if (!piece) return tl::unexpected<FileError>(piece.error());
    if (piece->empty()) break;
    const auto pushed = reader.push(*piece, opened);
    AMS_FILE_CHECK(out->write(opened));
    opened.clear();
    if (!pushed) return refused_error(paths.from, pushed.error());
    done += piece->size();
    if (progress) progress(done, in.size());
  }
  if (auto finished = reader.finish(); !finished)
    return refused_error(paths.from, finished.error());
  AMS_FILE_CHECK(out->commit());
  return OpenedFile{*reader.sender(), reader.sealed_at()};
}

}  // namespace ams::cli
