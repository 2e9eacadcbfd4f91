// Small spellings that all resources share.
#pragma once

#include <nlohmann/json.hpp>

#include "daemon/api/routes.h"
#include "pipelines/base/time.h"

namespace leat::api {

/// RFC 3339 with six digits behind the second, whatever they are, so that texts sort as times do; null for 0
/// and for the ends of time.
inline nlohmann::ordered_json time_json(std::int64_t micros) {
  if (micros == 0 || micros == kMinWatermark || micros == kMaxWatermark) return nullptr;
  constexpr std::size_t kSeconds = 19;  // Characters up to the second.
  std::string text = format_rfc3339(Timestamp(Micros(micros)));
  text.pop_back();  // The Z.
  if (text.size() == kSeconds) text += '.';
  text.resize(kSeconds + 7, '0');
  return text + "Z";
}

/// Of what a command answers.
inline int status_of(ErrorCode code) {
  if (code == ErrorCode::kNotFound) return 404;
  return code == ErrorCode::kConflict ? 409 : 503;
}

inline Response json_response(const nlohmann::ordered_json& body, int status = 200) {
  // Payloads and messages may hold bytes that are no UTF-8: they are shown with replacement characters.
  return {status, body.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
          "application/json"};
}

}  // namespace leat::api
