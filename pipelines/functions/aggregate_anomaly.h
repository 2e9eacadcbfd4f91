// The detectors of `anomaly` as functions OVER the rows of a partition: each is an aggregate over all rows
// from the first one to the current one, in their order, of which a row sees what it said of this row.
//
// Arguments: the value, a number or a ROW of numbers, and its time. A row without a value, or without a time,
// has no verdict and is not learnt.
//
// State: the detector's head; its pages are the parts.
#pragma once

#include <cstddef>
#include <string_view>

#include "pipelines/anomaly/detector_options.h"
#include "pipelines/functions/aggregate.h"

namespace leat::functions {

/// DOUBLE, or a ROW of so many of them, as the functions want their values; 0 values: the type is neither a
/// number nor a ROW of numbers.
struct SeriesValues {
  std::size_t count = 0;
  Type type;
};
SeriesValues series_values_of(const Type& type);

/// ROW<timestamp, actual_value, forecast_value, lower_bound, upper_bound, is_anomaly, rmse, aic,
/// anomaly_score, method>. `time` is a type of timestamps.
AggregatePtr make_anomaly_detection(const anomaly::DetectorOptions& options, const SeriesValues& values,
                                    const Type& time);
/// ARRAY<ROW<timestamp, forecast_value, lower_bound, upper_bound, rmse, aic>> of the rows to come.
AggregatePtr make_forecast(const anomaly::ForecastOptions& options, const Type& time);

}  // namespace leat::functions
