// A mean over the last rows: of the block of rows that is being filled and of the one before it, so of one to
// two blocks. What was before that has no weight at all: a mean that fades keeps a trace of a large number
// for many times the rows that it is said to be of.
#pragma once

#include <cstdint>

#include "pipelines/base/bytes.h"

namespace leat::anomaly {

class BlockMean {
 public:
  /// A block has `rows` rows.
  explicit BlockMean(std::uint32_t rows) : block_rows_(rows) {}

  void add(double value) {
    if (rows_ >= block_rows_) {
      before_rows_ = rows_;
      before_ = mean_;
      rows_ = 0;
      mean_ = 0;
    }
    mean_ += (value - mean_) / static_cast<double>(++rows_);
  }
  /// The mean is `value`, as of so many rows.
  void restart(double value, std::uint64_t rows) {
    before_rows_ = 0;
    rows_ = rows;
    mean_ = value;
  }
  /// 0 without rows.
  [[nodiscard]] double value() const {
    if (before_rows_ == 0) return mean_;
    const auto now = static_cast<double>(rows_);
    const auto before = static_cast<double>(before_rows_);
    return before_ + (mean_ - before_) * (now / (now + before));
  }
  [[nodiscard]] std::uint64_t rows() const { return before_rows_ + rows_; }

  /// varint rows of the block, double its mean, varint rows of the block before, double its mean
  void save(ByteWriter& out) const {
    out.varint(rows_);
    out.float64(mean_);
    out.varint(before_rows_);
    out.float64(before_);
  }
  void load(ByteReader& in) {
    rows_ = in.varint();
    mean_ = in.float64();
    before_rows_ = in.varint();
    before_ = in.float64();
  }

 private:
  std::uint32_t block_rows_;
  std::uint64_t rows_ = 0;
  double mean_ = 0;
  std::uint64_t before_rows_ = 0;
  double before_ = 0;
};

}  // namespace leat::anomaly
