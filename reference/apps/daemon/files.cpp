#include "daemon/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ams::daemon {

tl::expected<void, std::string> write_new_file(const std::string& path, std::string_view text,
                                               mode_t mode) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return tl::unexpected(path + ": cannot be created: " + std::strerror(errno));
  bool done = true;
  while (done && !text.empty()) {
    const auto wrote = ::write(file, text.data(), text.size());
    done = wrote > 0;
    if (done) text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  done = done && ::fsync(file) == 0;
  const int why = errno;
  ::close(file);
  if (!done) return tl::unexpected(path + ": cannot be written: " + std::strerror(why));
  return {};
}

tl::expected<void, std::string> replace_file(const std::string& path, std::string_view text,
                                             mode_t mode) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());  // of a change that was interrupted
  if (auto wrote = write_new_file(fresh, text, mode); !wrote) return wrote;
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return tl::unexpected(path + ": cannot be replaced: " + std::strerror(errno));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) {
    ::fsync(file);
    ::close(file);
  }
  return {};
}

tl::expected<std::string, std::string> read_file(const std::string& path, std::size_t size_max) {
  std::ifstream in(path, std::ios::binary);
  in.peek();  // a folder opens well and fails at the first byte
  if (!in.is_open() || in.bad()) return tl::unexpected(path + ": cannot be read");
  std::string out;
  for (char chunk[16'384]; in && out.size() <= size_max;) {
    in.read(chunk, sizeof chunk);
    out.append(chunk, static_cast<std::size_t>(in.gcount()));
  }
  if (out.size() > size_max)
    return tl::unexpected(path + ": above " + std::to_string(size_max) + " bytes");
  return out;
}

tl::expected<std::string, std::string> read_private_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return tl::unexpected(path + ": expected a file that only its owner may read (chmod 600)");
  }
  return read_file(path);
}

}  // namespace ams::daemon
