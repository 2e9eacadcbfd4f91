#include "pipelines/anomaly/detector_table.h"

#include "pipelines/anomaly/deseasonalised.h"
#include "pipelines/anomaly/exponential.h"
#include "pipelines/anomaly/half_space_trees.h"
#include "pipelines/anomaly/mad.h"
#include "pipelines/anomaly/mean_detectors.h"
#include "pipelines/anomaly/novelty.h"
#include "pipelines/anomaly/robust_start.h"

namespace leat::anomaly {
namespace {

DetectorPtr make_plain(const DetectorOptions& options, std::size_t values) {
  switch (options.method) {
    case Method::kNovelty:
      return std::make_unique<Novelty>(options);
    case Method::kZscore:
      return std::make_unique<RobustStart<Zscore>>(options);
    case Method::kMad:
      return std::make_unique<Mad>(options, values);
    case Method::kEwma:
      return std::make_unique<RobustStart<Ewma>>(options);
    case Method::kHoltWinters:
      return std::make_unique<RobustStart<HoltWinters>>(options);
    case Method::kCusum:
      return std::make_unique<RobustStart<DriftSums>>(options, DriftSums::kCusum);
    case Method::kPageHinkley:
      return std::make_unique<RobustStart<DriftSums>>(options, DriftSums::kPageHinkley);
    case Method::kHalfSpaceTrees:
      return std::make_unique<HalfSpaceTrees>(options, values);
  }
  return nullptr;
}

}  // namespace

DetectorPtr make_detector(const DetectorOptions& options, std::size_t values) {
  DetectorPtr detector = make_plain(options, values);
  if (!options.deseasonalise || has_own_season(options.method)) return detector;
  return std::make_unique<RobustStart<Deseasonalised>>(options, std::move(detector));
}

std::size_t full_size_of(const DetectorOptions& options, std::size_t values) {
  return make_detector(options, values)->most_memory_bytes();
}

}  // namespace leat::anomaly
