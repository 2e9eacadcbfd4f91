// The median of the last rows, and the median of their distances from it (MAD), both exact.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipelines/anomaly/paged_cells.h"

namespace leat::anomaly {

class MedianWindow {
 public:
  /// Of `rows` rows. `tag` tells its pages from the detector's others.
  MedianWindow(std::uint32_t rows, char tag);

  void add(double value);
  [[nodiscard]] std::size_t size() const { return sorted_.size(); }
  /// Both need a row. Of an even number of rows the mean of the middle two.
  [[nodiscard]] double median() const;
  [[nodiscard]] double median_distance() const;
  /// The smallest distance from the median that is not 0: what a coarse sensor's values are apart. 0 where so
  /// few rows have one that it may be an outlier's.
  [[nodiscard]] double step() const;
  [[nodiscard]] std::size_t memory_bytes() const {
    return cells_.memory_bytes() + sorted_.capacity() * sizeof(double);
  }

  /// The sorted rows grow by doubling.
  [[nodiscard]] std::size_t most_memory_bytes() const {
    return cells_.memory_bytes() + std::bit_ceil(cells_.size()) * sizeof(double);
  }

  /// head := varint rows since the first
  void save(ByteWriter& out) const { out.varint(rows_); }
  void load(ByteReader& in) { rows_ = in.varint(); }
  PagedCells& cells() { return cells_; }
  /// The cells and the head are loaded: call before the first row.
  void finish_loading();

 private:
  /// The distance from `middle` that is the `rank`th smallest.
  [[nodiscard]] double distance_of_rank(double middle, std::size_t rank) const;

  PagedCells cells_;  // A ring.
  std::uint64_t rows_ = 0;
  std::vector<double> sorted_;
};

}  // namespace leat::anomaly
