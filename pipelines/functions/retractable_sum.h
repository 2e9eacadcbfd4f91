// A sum of doubles from which values can be taken again without a trace. Adding 1e18 to a double and taking
// it away leaves what 1e18 has rounded off: a sensor's error code would spoil the mean of a sliding window
// for ever.
//
// Values are summed by their size, each 64 binary orders in a bin of their own, in twice the precision
// (TwoSum: Knuth, The Art of Computer Programming 2, section 4.2.2). A bin that all values have left is gone,
// and with it all that they rounded off. Nearly every sum has one bin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pipelines/base/bytes.h"

namespace leat::functions {

class RetractableSum {
 public:
  /// `rest`: what `value` itself has rounded off, as products do.
  void add(double value, double rest = 0) { change(value, rest, 1); }
  /// A value that was added before.
  void retract(double value, double rest = 0) { change(value, rest, -1); }
  /// What all values of `other` add up to is added.
  void merge(const RetractableSum& other);
  /// A number of twice the precision: the nearest double, and what that has rounded off.
  struct Value {
    double nearest = 0;
    double rest = 0;
  };
  /// Infinite or no number as long as one such value is in it, as a plain sum would be.
  [[nodiscard]] Value value() const;
  /// About the sum of the values' sizes.
  [[nodiscard]] double size() const;
  [[nodiscard]] bool is_empty() const { return first_.values == 0 && more_.empty(); }
  [[nodiscard]] std::size_t heap_bytes() const { return more_.capacity() * sizeof(Bin); }

  /// varint bins, each of them := zigzag orders, zigzag values, double sum, double rest, double size
  void save(ByteWriter& out) const;
  void load(ByteReader& in);

 private:
  struct Bin {
    std::int32_t orders = 0;  // The exponent / 64, rounded down.
    std::int64_t values = 0;  // Added, less those retracted; 0: the bin is empty.
    double sum = 0;
    double rest = 0;  // What `sum` has rounded off.
    double size = 0;
  };
  void change(double value, double rest, int sign);
  Bin& bin_of(std::int32_t orders);
  static void add_to(Bin& bin, double value);

  Bin first_;
  std::vector<Bin> more_;  // In no order but that of arrival.
};

}  // namespace leat::functions
