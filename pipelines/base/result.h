// Errors are values. Every function that can fail returns `Result<T>` or `Status`; no exception of ours is
// thrown anywhere, and exceptions of third-party libraries end in the wrapper that calls them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace leat {

/// Named for what the caller does about it, not for what went wrong inside.
enum class ErrorCode : std::uint8_t {
  kInvalid,      ///< The input is wrong; show it to the user. Trying again will not help.
  kNotFound,     ///< The named thing does not exist.
  kConflict,     ///< The thing exists in another shape or is owned by somebody else.
  kUnavailable,  ///< The other side is away; try again later.
  kExhausted,    ///< A bound is reached (memory, queue, disk); push back.
  kIo,           ///< The operating system refused a read or a write.
  kCorrupt,      ///< Stored bytes are not what was written; set the file aside.
  kCancelled,    ///< The caller or a stop asked for it to end.
  kInternal,     ///< A defect of Leat.
};

std::string_view to_string(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kInternal;
  /// Names the thing and the value; starts with a lower-case letter or a name, ends without a full stop.
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

/// Puts `context` before the message of an error on its way up: "reading leat.db: disk I/O error".
[[nodiscard]] inline tl::unexpected<Error> fail(Error error, std::string_view context) {
  error.message.insert(0, ": ").insert(0, context);
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace leat

#define LEAT_CONCAT_INNER(a, b) a##b
#define LEAT_CONCAT(a, b) LEAT_CONCAT_INNER(a, b)

/// Returns the error of a `Status` or `Result` from the enclosing function.
#define LEAT_TRY(expression)                                                  \
  do {                                                                        \
    if (auto leat_status = (expression); !leat_status)                        \
      return ::tl::unexpected<::leat::Error>(std::move(leat_status).error()); \
  } while (false)

/// `LEAT_ASSIGN(auto file, open(path));` declares `file` or returns the error.
#define LEAT_ASSIGN(declaration, expression) \
  LEAT_ASSIGN_INNER(LEAT_CONCAT(leat_result_, __LINE__), declaration, expression)
#define LEAT_ASSIGN_INNER(result, declaration, expression)                        \
  auto result = (expression);                                                     \
  if (!result) return ::tl::unexpected<::leat::Error>(std::move(result).error()); \
  declaration = *std::move(result)
