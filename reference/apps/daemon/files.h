// Small files that the daemons write once and read at start.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace ams::daemon {

/// Never over an existing file; synced. The error names the path.
tl::expected<void, std::string> write_new_file(const std::string& path, std::string_view text,
                                               mode_t mode);
/// In the place of what is there, whole or not at all; synced.
tl::expected<void, std::string> replace_file(const std::string& path, std::string_view text,
                                             mode_t mode);
/// Of a file above `size_max` bytes: an error, without having read more of it.
tl::expected<std::string, std::string> read_file(const std::string& path,
                                                 std::size_t size_max = SIZE_MAX);
/// The same, and refuses a file that others than its owner may read.
tl::expected<std::string, std::string> read_private_file(const std::string& path);

}  // namespace ams::daemon
