// Makes the cells of one column of datagen. A cell depends on the seed, the column and the row's number alone
// (times also on the clock that the row carries), so rows can be made again from any number on.
#pragma once

#include <absl/numeric/int128.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/column/column_builder.h"
#include "sources/datagen/datagen_options.h"

namespace leat::sources {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
class RandomBits {
 public:
  explicit RandomBits(std::uint64_t state) : state_(state) {}
  std::uint64_t next() {
    std::uint64_t bits = state_ += 0x9E3779B97F4A7C15;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    return bits ^ (bits >> 31);
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  /// In [0, count); all of 64 bits for 0.
  std::uint64_t below(std::uint64_t count) {
    if (count == 0) return next();
    return absl::Uint128High64(absl::uint128(next()) * count);
  }

 private:
  std::uint64_t state_;
};

struct GeneratedRow {
  std::uint64_t number = 0;  ///< From 0.
  std::int64_t now = 0;      ///< The clock when it was made, microseconds.
};

class CellGenerator {
 public:
  virtual ~CellGenerator() = default;
  /// `random` is the cell's own stream of bits.
  virtual void append(const GeneratedRow& row, RandomBits& random, ColumnBuilder& column) const = 0;
};

/// What a nested type is made of, by the names that lead on in a path; empty: nothing, or datagen makes none.
std::vector<std::pair<std::string, Type>> generated_parts(const Type& type);

/// Errors: invalid (a type that datagen can not make, a bound that is no value of the type).
Result<std::unique_ptr<CellGenerator>> make_cell_generator(const Type& type, const std::string& path,
                                                           const FieldSpecs& fields);

}  // namespace leat::sources
