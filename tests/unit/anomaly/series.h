// Series for the tests of detectors, and a store that takes a detector's state as the daemon's does.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <string>
#include <vector>

#include "pipelines/anomaly/detector_table.h"
#include "pipelines/base/time.h"

namespace leat::anomaly {

/// The same numbers on every machine, from 0 to 1.
class Noise {
 public:
  explicit Noise(std::uint64_t seed) : state_(seed) {}
  double fraction() {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<double>(state_ >> 11) * 0x1p-53;
  }
  /// Nearly normal, of mean 0 and standard deviation 1.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += fraction();
    return sum;
  }

 private:
  std::uint64_t state_;
};

/// A day's wave with noise, every five minutes.
inline std::vector<double> daily_series(std::size_t rows, std::uint64_t seed) {
  Noise noise(seed);
  std::vector<double> values;
  for (std::size_t i = 0; i < rows; ++i)
    values.push_back(20 + 5 * std::sin(2 * std::numbers::pi * static_cast<double>(i % 288) / 288) +
                     0.3 * noise.normal());
  return values;
}

inline std::int64_t time_of_row(std::size_t row) {
  return static_cast<std::int64_t>(row) * 5 * kMicrosPerMinute;
}

inline DetectorOptions options_of(Method method) {
  DetectorOptions options;
  options.method = method;
  options.history = 256;
  options.min_training = 50;
  if (method == Method::kHalfSpaceTrees) options.window = 64;
  return options;
}

inline const std::vector<Method>& all_methods() {
  static const std::vector<Method> kAll = {Method::kNovelty,     Method::kZscore,        Method::kMad,
                                           Method::kEwma,        Method::kHoltWinters,   Method::kCusum,
                                           Method::kPageHinkley, Method::kHalfSpaceTrees};
  return kAll;
}

/// A saved detector.
class Store final : public StatePages {
 public:
  void put(std::string_view page, std::string_view value) override {
    pages_[std::string(page)] = value;
    written_ += page.size() + value.size();
  }
  void erase(std::string_view page) override { pages_.erase(std::string(page)); }

  /// Bytes written.
  std::size_t save(Detector& detector) {
    head_.clear();
    ByteWriter writer(head_);
    detector.save(writer);
    written_ = head_.size();
    detector.save_pages(*this);
    return written_;
  }
  [[nodiscard]] Status load(Detector& detector) const {
    for (const auto& [page, value] : pages_) LEAT_TRY(detector.load_page(page, value));
    ByteReader reader(head_);
    return detector.load(reader);
  }
  [[nodiscard]] std::size_t page_count() const { return pages_.size(); }
  std::map<std::string, std::string>& pages() { return pages_; }
  std::string& head() { return head_; }

 private:
  std::string head_;
  std::map<std::string, std::string> pages_;
  std::size_t written_ = 0;
};

/// All numbers of a verdict, bit for bit.
inline std::string text_of(const Verdict& verdict) {
  std::string text;
  ByteWriter writer(text);
  for (const double number :
       {verdict.forecast, verdict.lower, verdict.upper, verdict.rarity, verdict.rmse, verdict.aic})
    writer.float64(std::isnan(number) ? 0x1p999 : number);
  writer.u8(verdict.alert ? 1 : 0);
  return text;
}

}  // namespace leat::anomaly
