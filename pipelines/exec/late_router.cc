#include "pipelines/exec/late_router.h"

#include <algorithm>
#include <utility>

#include "pipelines/exec/wiring.h"

namespace leat::exec {

void LateRouter::add_route(const std::string& name, const Schema& schema,
                           const std::vector<plan::ExprPtr>& columns, Stage& sink) {
  Route& route = routes_.emplace(name, Route{.schema = schema})->second;
  for (const plan::ExprPtr& column : columns) route.columns.emplace_back(column);
  route.sink = &sink;
}

void LateRouter::late(std::string_view where, const Schema& schema, const Batch& batch,
                      std::span<const std::uint32_t> rows) {
  environment_.late(where, schema, batch, rows);
  const auto [first, last] = routes_.equal_range(where);
  const auto route =
      std::find_if(first, last, [&](const auto& entry) { return entry.second.schema == schema; });
  if (route == last) return;
  Batch refused = gather(batch, rows);
  refused.kinds.clear();  // Whatever the row meant for the operator, for the table it is a row.
  Status sent = send(route->second, where, schema, refused);
  if (!sent && error_) error_ = std::move(sent);
}

Status LateRouter::send(const Route& route, std::string_view where, const Schema& schema, const Batch& rows) {
  const Frame frame = frame_of(rows);
  functions::RowErrors errors;
  Batch out = rows;
  out.columns.clear();
  for (const Evaluator& column : route.columns) out.columns.push_back(column.column(frame, errors));
  for (const auto& error : errors.entries()) environment_.dead(where, schema, rows, error.row, error.message);
  return route.sink->op().process(0, out, *route.sink);
}

Status LateRouter::take_error() {
  return std::exchange(error_, Status{});
}

}  // namespace leat::exec
