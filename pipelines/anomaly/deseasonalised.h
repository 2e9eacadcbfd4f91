// Another detector over what is left of a value without the season of its hours ('enableStl').
#pragma once

#include "pipelines/anomaly/detector.h"
#include "pipelines/anomaly/detector_options.h"
#include "pipelines/anomaly/seasonal_level.h"

namespace leat::anomaly {

class Deseasonalised : public Detector {
 public:
  /// `inner` takes one value, and has no pages that begin with 's'.
  Deseasonalised(const DetectorOptions& options, DetectorPtr inner) : inner_(std::move(inner)) {
    (void)options;
  }

  [[nodiscard]] std::size_t memory_bytes() const override { return sizeof *this + inner_->memory_bytes(); }
  [[nodiscard]] std::size_t most_memory_bytes() const override {
    return sizeof *this + inner_->most_memory_bytes();
  }
  void save(ByteWriter& out) const override;
  Status load(ByteReader& in) override;
  void save_pages(StatePages& pages) override;
  Status load_page(std::string_view page, std::string_view value) override;
  void unsave_pages(StatePages& pages) override;

 protected:
  Verdict judge(std::span<const double> values, std::int64_t time) override;

 private:
  SeasonalLevel season_{SeasonalLevel::Shape::kLines};
  DetectorPtr inner_;
};

}  // namespace leat::anomaly
