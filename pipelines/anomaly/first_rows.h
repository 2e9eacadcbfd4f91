// The first rows of a series, kept until there are enough to tell which of them are error codes: before that
// there is no spread to measure one by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "pipelines/base/bytes.h"

namespace leat::anomaly {

struct FirstRow {
  double value = 0;
  std::int64_t time = 0;  ///< In microseconds.
};

/// The middle one, or the mean of the middle two; `values` are not empty.
double median_of(std::vector<double> values);

class FirstRows {
 public:
  void add(double value, std::int64_t time) { rows_.push_back({value, time}); }
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] std::vector<double> values() const;
  /// None wait any longer.
  std::vector<FirstRow> take() { return std::exchange(rows_, {}); }
  /// As `take`, with values brought to within eight deviations of their median. A deviation is that which the
  /// median of distances tells; where most rows are the same, the median of those of the others; and of a
  /// single other one among them nothing is known, so it counts as the median.
  std::vector<FirstRow> take_winsorized();

  [[nodiscard]] std::size_t memory_bytes() const { return rows_.capacity() * sizeof(FirstRow); }
  /// `memory_bytes` of so many rows, at most.
  static std::size_t most_bytes(std::size_t rows);

  /// varint rows, each of them := double value, zigzag time
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  std::vector<FirstRow> rows_;
};

}  // namespace leat::anomaly
