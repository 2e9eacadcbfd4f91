// The table that a changelog leaves, as text: what people want to see of a query that updates its rows, and
// what a pipeline test expects at the end.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "pipelines/column/batch.h"
#include "pipelines/column/text.h"
#include "pipelines/formats/format.h"

namespace leat::runtime {

class FinalTable {
 public:
  using Row = std::vector<std::string>;  ///< Its cells, or one encoded record.

  /// A row taken back is found by its text; one that is not there (an earlier run has shown it) is passed
  /// over.
  void apply(RowKind kind, Row row);
  /// A change as a sink with a PRIMARY KEY is told it: the last row of a key stays, in the place of the
  /// first.
  void upsert(RowKind kind, const std::string& key, Row row);
  /// All rows of a batch, cell by cell.
  void apply(const Batch& batch, const TextStyle& style);
  /// In the order in which they came; an update keeps the place of its row.
  [[nodiscard]] std::vector<Row> rows() const;

 private:
  void add(Row row);
  void take_back(const Row& row);

  std::map<std::uint64_t, Row> rows_;                           // By place.
  std::unordered_multimap<std::string, std::uint64_t> places_;  // By text.
  std::unordered_map<std::string, std::uint64_t> place_of_key_;
  std::uint64_t next_place_ = 1;
  std::uint64_t vacated_ = 0;  // By the -U just before; 0: none.
};

/// Applies the encoded records of a batch to a table, each as the change that its row is.
class EncodedChanges final : public formats::EncodedSink {
 public:
  /// All outlive it. `key`: the columns of the sink's PRIMARY KEY; empty: it has none.
  EncodedChanges(const Batch& batch, FinalTable& table, std::span<const std::size_t> key = {})
      : batch_(batch), table_(table), key_(key) {}
  void record(std::size_t row, std::string_view bytes) override;

 private:
  const Batch& batch_;
  FinalTable& table_;
  std::span<const std::size_t> key_;
};

}  // namespace leat::runtime
