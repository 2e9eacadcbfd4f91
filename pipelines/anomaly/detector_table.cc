#include "pipelines/anomaly/detector_table.h"

#include "pipelines/anomaly/deseasonalised.h"
#include "pipelines/anomaly/exponential.h"
#include "pipelines/anomaly/half_space_trees.h"
#include "pipelines/anomaly/mad.h"
#include "pipelines/anomaly/mean_detectors.h"
#include "pipelines/anomaly/novelty.h"

namespace leat::anomaly {
namespace {

DetectorPtr make_plain(const DetectorOptions& options, std::size_t values) {
  switch (options.method) {
    case Method::kNovelty:
      return std::make_unique<Novelty>(options);
    case Method::kZscore:
      return std::make_unique<Zscore>(options);
    case Method::kMad:
      return std::make_unique<Mad>(options, values);
    case Method::kEwma:
      return std::make_unique<Ewma>(options);
    case Method::kHoltWinters:
      return std::make_unique<HoltWinters>(options);
    case Method::kCusum:
      return std::make_unique<DriftSums>(options, DriftSums::kCusum);
    case Method::kPageHinkley:
      return std::make_unique<DriftSums>(options, DriftSums::kPageHinkley);
    case Method::kHalfSpaceTrees:
      return std::make_unique<HalfSpaceTrees>(options, values);
  }
  return nullptr;
}

/// Novelty and Holt-Winters have a season of their own.
bool is_deseasonalised(const DetectorOptions& options) {
  return options.deseasonalise && options.method != Method::kNovelty &&
         options.method != Method::kHoltWinters;
}

}  // namespace

DetectorPtr make_detector(const DetectorOptions& options, std::size_t values) {
  DetectorPtr detector = make_plain(options, values);
  return is_deseasonalised(options) ? std::make_unique<Deseasonalised>(std::move(detector))
                                    : std::move(detector);
}

std::size_t full_size_of(const DetectorOptions& options, std::size_t values) {
  return make_detector(options, values)->most_memory_bytes();
}

}  // namespace leat::anomaly
