// A channel of rows as server-sent events, one JSON value each:
//   schema   {"columns": [{"name", "type"}]}                          first, once
//   rows     [{"kind": "+I", "row": {…}}, …]                          as the 'json' format writes them
//   skipped  {"rows": n}                                              left out since the last one
//   note     {"text"}
//   end      {"why", "rows"}                                          last; rows given in all
// A comment comes every few seconds without an event, so that it shows when the reader has gone.
#pragma once

#include <memory>

#include "daemon/api/routes.h"
#include "daemon/runtime/row_channel.h"

namespace leat::api {

/// `keeps` lives as long as the answer: what makes the rows, the pass of a gate. The channel is left when the
/// answer ends.
Response row_events(std::shared_ptr<runtime::RowChannel> channel, std::shared_ptr<void> keeps);

}  // namespace leat::api
