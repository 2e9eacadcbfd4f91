// The one list of detectors.
#pragma once

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"

namespace leat::anomaly {

/// A new detector for rows of so many values; `find_mistake` has found nothing in the options.
DetectorPtr make_detector(const DetectorOptions& options, std::size_t values);

/// Bytes that such a detector never holds more than, whatever the series: for EXPLAIN and the documentation.
std::size_t full_size_of(const DetectorOptions& options, std::size_t values);

}  // namespace leat::anomaly
