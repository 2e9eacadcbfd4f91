// What an HTTP answer means for a delivery.
//
//   2xx                             delivered
//   408 409 421 423 425 429 5xx     retry, when Retry-After says (seconds or an HTTP date); 409: an earlier
//                                   attempt with the same Idempotency-Key is still being worked on; from
//                                   the tenth attempt on it is a conflict that a human must end: paused
//   401 403 404 405 407 410 411     retry, paused: credentials, path, method or form are wrong whatever the
//   415 426 451                     records, a human is needed
//   1xx 3xx                         retry, paused: redirects are never followed, as they could send records
//                                   and credentials to somebody else; the message names where it points
//   413                             rejected for its size: in parts it may pass
//   other 4xx (400 422)             rejected: it would be refused for ever
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sinks/sink.h"
#include "sources/clients/http_client.h"

namespace leat::sinks {

/// `now` in microseconds since the epoch. A rejection names no records: it is of the whole request.
/// `attempt` is the shipment's, from 1.
Delivery outcome_of(const clients::HttpResponse& response, std::int64_t now, std::uint32_t attempt = 1);

/// How long to wait: "120", or "Sun, 06 Nov 1994 08:49:37 GMT" (and the two obsolete forms of RFC
/// 9110, 5.6.7) seen from `now`; a date that has passed is zero. nullopt: neither.
std::optional<Micros> parse_retry_after(std::string_view text, std::int64_t now);

}  // namespace leat::sinks
