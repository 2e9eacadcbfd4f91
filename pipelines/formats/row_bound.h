// How many rows a message may be: "{},{},{}" costs its sender next to nothing, and a great deal of memory
// here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace leat::formats {

/// Rows that a record of so many bytes may be at most, in a table of which so many columns are read.
inline std::size_t most_rows(std::size_t bytes, std::size_t columns) {
  constexpr std::size_t kAlways = 10'000;
  constexpr std::size_t kFewestBytes = 4;  // Of a row.
  constexpr std::size_t kMostCells = 8;    // Of a byte.
  const std::size_t by_cells = bytes * kMostCells / std::max<std::size_t>(columns, 1);
  return std::max(kAlways, std::min(bytes / kFewestBytes, by_cells));
}

inline constexpr std::string_view kTooManyRows = "more than 10000 rows, of too few bytes each";

}  // namespace leat::formats
