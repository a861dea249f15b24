// The control socket: how the operator's commands reach a daemon that runs. A Unix socket of mode
// 0600; a line comes in, a line goes out, and the connection ends.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "net/loop.h"

namespace ams::net {

inline constexpr std::size_t control_line_size_max = 65'536;  // bytes, the line end included

/// Serves until destroyed, then removes the socket's file.
class ControlSocket {
 public:
  virtual ~ControlSocket() = default;
};

/// Given the line without its end; calls `reply` once, now or later, from the loop's thread.
using ControlReply = std::function<void(std::string line)>;
using ControlHandler = std::function<void(std::string_view line, ControlReply reply)>;

/// Takes the place of a socket that a dead process left: hold the data's lock first. Nobody but
/// this user can connect. The error names the path.
tl::expected<std::unique_ptr<ControlSocket>, std::string> listen_control(Loop& loop,
                                                                         const std::string& path,
                                                                         ControlHandler handler);

/// The other end: sends the line and waits for the answer, at most 10 s. Empty error text: nobody
/// listens there.
tl::expected<std::string, std::string> ask_control(const std::string& path, std::string_view line);

}  // namespace ams::net
