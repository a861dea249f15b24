#include "net/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>

namespace ams::net {
namespace {

constexpr std::array<std::string_view, 5> level_names{"debug", "info", "warn", "error", "off"};
constexpr std::size_t value_size_max = 1024;  // a hostile peer's text must not fill the disk

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::off:
      break;
  }
  return spdlog::level::off;
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._-:/@+").find(c) != std::string_view::npos;
}

void append_value(std::string& out, std::string_view value) {
  value = value.substr(0, value_size_max);
  if (!value.empty() && std::all_of(value.begin(), value.end(), is_plain)) {
    out += value;
    return;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else {
      out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
    }
  }
  out += '"';
}

}  // namespace

std::optional<LogLevel> find_log_level(std::string_view name) {
  const auto found = std::find(level_names.begin(), level_names.end(), name);
  if (found == level_names.end()) return std::nullopt;
  return static_cast<LogLevel>(found - level_names.begin());
}

std::string format_fields(std::initializer_list<LogField> fields) {
  std::string out;
  for (const LogField& field : fields) {
    if (!out.empty()) out += ' ';
    out += field.key;
    out += '=';
    append_value(out, field.value);
  }
  return out;
}

struct Log::Sink {
  explicit Sink(spdlog::sink_ptr sink) : logger("ams", std::move(sink)) {}
  spdlog::logger logger;
};

tl::expected<Log, std::string> Log::open(LogLevel level, const std::string& file) {
  try {
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file);
    }
    auto out = std::make_unique<Sink>(std::move(sink));
    out->logger.set_level(to_spdlog(level));
    out->logger.flush_on(spdlog::level::info);
    out->logger.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    return Log(std::move(out));
  } catch (const spdlog::spdlog_ex& e) {
    return tl::unexpected(file + ": cannot write the log: " + e.what());
  }
}

Log::Log(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {}
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;
Log::~Log() = default;

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  const auto to = to_spdlog(level);
  if (!sink_->logger.should_log(to)) return;
  std::string line(event);
  if (fields.size() != 0) line += ' ';
  line += format_fields(fields);
  sink_->logger.log(to, line);
}

}  // namespace ams::net
