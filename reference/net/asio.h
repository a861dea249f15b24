// The one way to Boost.Asio, for this room's .cpp files only: it costs seconds per file.
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>  // Boost 1.74's asio uses std::exchange without it (gcc 12, C++20)

#include "net/loop.h"

namespace ams::net {

namespace asio = boost::asio;
using boost::system::error_code;

struct Loop::Impl {
  asio::io_context context{1};
  asio::signal_set signals{context};
};

}  // namespace ams::net
