// Errors are values. What a peer or a disk can cause is a Result; what only a bug can cause is
// AMS_ASSERT, on in every build.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace ams {

#include "base_gen/code.inc"

/// A registered reason (reference/spec/errors.json). `where` is a literal that names the field or
/// the step, for logs and messages only: it never decides anything.
struct [[nodiscard]] Error {
  Code code;
  std::string_view where;
  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;

/// The error branch of a Result: `return fail(Code::depth, "letter");`
inline tl::unexpected<Error> fail(Code code, std::string_view where = {}) {
  return tl::unexpected<Error>(Error{code, where});
}

/// Name, phase and clause of a code as the registry has them. O(n) over some hundred codes.
const CodeInfo& code_info(Code code);
/// The code with this registered name, or null. O(n).
const CodeInfo* find_code(std::string_view name);

[[noreturn]] void assert_failed(const char* expression, const char* file, int line);

}  // namespace ams

/// Stops the program: only a bug in this code can make `condition` false.
#define AMS_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : ::ams::assert_failed(#condition, __FILE__, __LINE__))

#define AMS_CONCAT_INNER(a, b) a##b
#define AMS_CONCAT(a, b) AMS_CONCAT_INNER(a, b)

/// `AMS_TRY(auto value, expression);` binds the value or returns the error to the caller.
#define AMS_TRY(declaration, expression) \
  AMS_TRY_NAMED(AMS_CONCAT(ams_try_, __LINE__), declaration, expression)
#define AMS_TRY_NAMED(name, declaration, expression)            \
  auto name = (expression);                                     \
  if (!name) return tl::unexpected<::ams::Error>(name.error()); \
  declaration = std::move(*name)

/// `AMS_CHECK(expression);` returns the error of a Result<> to the caller.
#define AMS_CHECK(expression)                                        \
  do {                                                               \
    if (auto ams_check_result = (expression); !ams_check_result)     \
      return tl::unexpected<::ams::Error>(ams_check_result.error()); \
  } while (false)
