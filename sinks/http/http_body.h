// The bodies of an http sink's requests: the same bytes for the same records, however often they are asked
// for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pipelines/base/result.h"
#include "sinks/block.h"

namespace leat::sinks {

/// How records lie in requests.
enum class BodyForm : std::uint8_t {
  kJsonArray,  ///< One request: the records as elements of one JSON array.
  kJsonLines,  ///< One request: a JSON record per line.
  kLines,      ///< One request: records of any format, each followed by the format's separator.
  kSingle,     ///< A request per record.
};

/// The body of one request with `records`; of kSingle exactly one.
std::string make_body(BodyForm form, std::span<const Record> records, std::string_view separator);

/// The MIME type of such a body, from the format's own for one record.
std::string body_content_type(BodyForm form, const std::string& record_type);

}  // namespace leat::sinks
