// The head of a request as it came. httplib decodes "%41" in values, passes over lines that it does not
// understand and takes blanks before a colon: what it makes of a head may be another request than the one
// that a proxy in front of it has let through.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"

namespace leat::listen {

using HeadField = std::pair<std::string_view, std::string_view>;

/// Names and values of `head`, which is the request's line, its fields and the empty line; views into it, in
/// its order, values without the blanks around them. RFC 9112, sections 2.2 and 5. Errors: invalid.
Result<std::vector<HeadField>> read_head(std::string_view head);

}  // namespace leat::listen
