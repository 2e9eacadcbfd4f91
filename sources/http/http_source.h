// 'connector' = 'http' as a source: devices send records to a listener that is apart from the daemon's API.
//
//   202  the journal has it ('journal' = 'power': synced); or a request with the same Idempotency-Key was
//   taken 400  not understood: no body of the Content-Encoding that it claims, framing that says two things
//   401  no token, or a wrong one
//   403  a page in a browser sends it, and there is no token that pages could not know
//   404  no table has this path          405  not POST or PUT
//   408  it came too slowly              413  the body, or what it expands to, is larger than 'max-body'
//   415  a Content-Encoding that is not known, or a form's Content-Type
//   429  the journal is at its high-water mark: come again (Retry-After)
//   431  headers too large               503  the source stops, the disk refuses the journal, too many
//   connections
//
// A request is one message, however many records it holds: it is taken whole or not at all. The key of a
// request is appended with it, so that the two are never apart.
#pragma once

#include "sources/source.h"

namespace leat::sources {

SourceConnector http_source_connector();

}  // namespace leat::sources
