// Members of a body and words of a query as what a resource wants them to be. An error is a problem that
// names the member and what was found there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "daemon/api/routes.h"

namespace leat::api {

/// Of a body, or of the query. Empty: it is not there. Errors: invalid (no text).
Result<std::string> text_member(const Request& request, const std::string& name);
/// As above; a text that is not there or empty is an error, too.
Result<std::string> required_text(const Request& request, const std::string& name);

struct Range {
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t otherwise = 0;  ///< Where nothing is given.
};
/// Errors: invalid (no number, or one out of the range).
Result<std::int64_t> number_member(const Request& request, const std::string& name, const Range& range);

/// 400: what the error says.
Response wrong_member(const Error& error);
/// 503 with Retry-After: too many are at it.
Response busy(const std::string& detail);

}  // namespace leat::api
