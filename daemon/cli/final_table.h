// The table that a changelog leaves, as text: what people want to see of a query that updates its rows.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/column/text.h"

namespace leat::cli {

class FinalTable {
 public:
  using Row = std::vector<std::string>;  ///< Its cells.

  /// A row taken back is found by its text; one that is not there (an earlier run has shown it) is passed
  /// over.
  void apply(const Batch& batch, const TextStyle& style);
  /// In the order in which they came; an update keeps the place of its row.
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  void add(Row row);
  void take_back(const Row& row);

  std::map<std::uint64_t, Row> rows_;                           // By place.
  std::unordered_multimap<std::string, std::uint64_t> places_;  // By text.
  std::uint64_t next_place_ = 1;
  std::uint64_t vacated_ = 0;  // By the -U just before; 0: none.
};

}  // namespace leat::cli
