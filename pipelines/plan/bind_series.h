// Functions OVER the whole of a partition up to the row: ML_DETECT_ANOMALIES, ML_DETECT_ANOMALIES_ROBUST and
// ML_FORECAST, whose options are a JSON_OBJECT of constants that is read when the pipeline is planned; and
// those that shape a series for a thin uplink, DEADBAND and SWINGING_DOOR.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/bind_context.h"
#include "pipelines/sql/expression.h"

namespace leat::plan {

std::span<const std::string_view> series_function_names();
bool is_series_function(std::string_view name);

struct SeriesFunction {
  functions::AggregatePtr function;
  std::string kind;     ///< What makes its state what it is.
  std::string options;  ///< All that was said, for EXPLAIN and to tell calls apart.
};
/// `types` are those of the value and the time. None: the error has been reported.
std::optional<SeriesFunction> bind_series_function(const sql::Call& call, std::span<const Type> types,
                                                   const BindContext& context);

bool is_shaping_function(std::string_view name);
/// The same for one of those, with the types of all arguments.
std::optional<SeriesFunction> bind_shaping_function(const sql::Call& call, std::span<const Type> types,
                                                    const BindContext& context);

}  // namespace leat::plan
