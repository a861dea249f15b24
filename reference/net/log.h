// The log sink: one line an event, `time level event key=value …`, on standard error or in a file.
// No content of mail and no keys go here; addresses go hashed (design: "Server promises").
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace ams::net {

enum class LogLevel : std::uint8_t { debug, info, warn, error, off };
std::optional<LogLevel> find_log_level(std::string_view name);

/// A value of a field: quoted when it holds anything but plain letters, so that no peer's text can
/// forge a field or a line.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, std::uint64_t v) : key(k), value(std::to_string(v)) {}
  std::string_view key;
  std::string value;
};

class Log {
 public:
  /// `file` empty: standard error. The error names the file.
  static tl::expected<Log, std::string> open(LogLevel level, const std::string& file = {});
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;
  ~Log();

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
  void debug(std::string_view e, std::initializer_list<LogField> f = {}) {
    write(LogLevel::debug, e, f);
  }
  void info(std::string_view e, std::initializer_list<LogField> f = {}) {
    write(LogLevel::info, e, f);
  }
  void warn(std::string_view e, std::initializer_list<LogField> f = {}) {
    write(LogLevel::warn, e, f);
  }
  void error(std::string_view e, std::initializer_list<LogField> f = {}) {
    write(LogLevel::error, e, f);
  }

 private:
  struct Sink;
  explicit Log(std::unique_ptr<Sink> sink);
  std::unique_ptr<Sink> sink_;
};

/// `key=value key="quoted value"`, as the log writes it.
std::string format_fields(std::initializer_list<LogField> fields);

}  // namespace ams::net
