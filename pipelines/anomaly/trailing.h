// The last N numbers of a series.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "pipelines/base/bytes.h"

namespace leat::anomaly {

template <std::size_t N>
class Trailing {
 public:
  void push(double value) {
    values_[next_] = static_cast<float>(value);
    next_ = (next_ + 1) % N;
    size_ = std::min(size_ + 1, N);
  }

  /// Summed anew each time: a sum that is carried along would drift, and drift looks like change.
  [[nodiscard]] double mean() const { return size_ == 0 ? 0 : sum(0, size_) / static_cast<double>(size_); }
  /// Standard deviation of a sample, of the last `count`; 0 for one.
  [[nodiscard]] double deviation(std::size_t count) const {
    count = std::min(count, size_);
    if (count < 2) return 0;
    const auto at = [&](std::size_t i) { return double{values_[(next_ + N - 1 - i) % N]}; };
    double mean = 0;
    for (std::size_t i = 0; i < count; ++i) mean += at(i);
    mean /= static_cast<double>(count);
    double squares = 0;
    for (std::size_t i = 0; i < count; ++i) squares += (at(i) - mean) * (at(i) - mean);
    return std::sqrt(squares / static_cast<double>(count - 1));
  }

  /// varint size, fixed32 bits of each, oldest first
  void save(ByteWriter& out) const {
    out.varint(size_);
    for (std::size_t i = 0; i < size_; ++i)
      out.fixed32(std::bit_cast<std::uint32_t>(values_[(next_ + N - size_ + i) % N]));
  }
  void load(ByteReader& in) {
    *this = {};
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left)
      push(double{std::bit_cast<float>(in.fixed32())});
  }

 private:
  // Four sums side by side do not wait for each other. Places that were never filled are 0.
  [[nodiscard]] double sum(std::size_t begin, std::size_t end) const {
    std::array<double, 4> sums{};
    std::size_t i = begin;
    for (; i + 4 <= end; i += 4)
      for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += double{values_[i + lane]};
    for (; i < end; ++i) sums[0] += double{values_[i]};
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }

  std::array<float, N> values_{};
  std::size_t next_ = 0;
  std::size_t size_ = 0;
};

}  // namespace leat::anomaly
