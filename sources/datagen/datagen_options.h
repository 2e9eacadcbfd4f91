// Options of 'connector' = 'datagen': Flink's, and a seed.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/base/options.h"

namespace leat::sources {

enum class FieldKind : std::uint8_t { kRandom, kSequence };

/// What 'fields.<path>.*' says. Bounds are kept as text: how they are read depends on the column's type.
struct FieldSpec {
  FieldKind kind = FieldKind::kRandom;
  std::optional<std::string> min;
  std::optional<std::string> max;
  std::optional<std::int64_t> start;
  std::optional<std::int64_t> end;
  std::optional<std::uint64_t> length;
  bool var_len = false;
  double null_rate = 0;
  Micros max_past{0};
};
/// By path: the column's name; 'r.f' for field f of the ROW r; 'a.element', 'm.key', 'm.value'.
using FieldSpecs = std::map<std::string, FieldSpec, std::less<>>;

struct DatagenOptions {
  std::uint64_t rows_per_second = 10'000;
  std::optional<std::uint64_t> number_of_rows;
  std::uint64_t seed = 0;
  OptionMap field_texts;  ///< "temperature.min" → "0"
  FieldSpecs fields;      ///< The same, read.

  /// How many rows there will be: the smallest of 'number-of-rows' and the lengths of the sequences.
  [[nodiscard]] std::optional<std::uint64_t> total_rows() const;
};

const OptionTable<DatagenOptions>& datagen_options();
DatagenOptions read_datagen_options(const OptionMap& map, const std::vector<OptionDoc>& foreign,
                                    std::vector<OptionError>& errors);
DatagenOptions read_datagen_options(const OptionMap& map);

}  // namespace leat::sources
