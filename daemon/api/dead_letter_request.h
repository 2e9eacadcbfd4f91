// Which dead letters a request means: the same words in a query and in a body.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/routes.h"
#include "daemon/store/store.h"

namespace leat::api {

/// pipeline, origin, since, until, after, before, and what a resource takes more.
std::vector<Parameter> dead_letter_words(std::vector<Parameter> more = {});

/// Errors: invalid (the word and what it should be).
Result<store::DeadLetterFilter> dead_letter_filter(const Request& request, std::int64_t now);

/// A moment: RFC 3339 in UTC ("2026-11-22T09:00:00Z", "2026-11-22 09:00:00"), or how long ago ("2 h").
/// Errors: invalid.
Result<std::int64_t> read_moment(const std::string& text, std::int64_t now);

}  // namespace leat::api
