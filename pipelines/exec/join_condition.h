// Candidates of a join: rows of the batch at hand, each with a row of equal key that is kept of the other
// side; and the condition that decides between them, evaluated column-wise over all pairs at once.
//
// A condition that cannot be computed for a pair is not true of it, and no more: both rows stay and meet
// others. Which of the two is to blame nobody knows; were the one that comes in dropped, one bad row that is
// kept would take every good one of its key away. The pair becomes a dead letter of the row that comes in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/row_store.h"
#include "pipelines/plan/join_node.h"

namespace leat::exec {

struct JoinPairs {
  std::vector<std::uint32_t> rows;  ///< Of the batch, ascending.
  std::vector<RowStore::Handle> partners;

  void add(std::uint32_t row, RowStore::Handle partner) {
    rows.push_back(row);
    partners.push_back(partner);
  }
  void clear() {
    rows.clear();
    partners.clear();
  }
  void shrink(std::size_t pairs) {
    rows.resize(pairs);
    partners.resize(pairs);
  }
  [[nodiscard]] std::size_t size() const { return rows.size(); }
};

class JoinCondition {
 public:
  explicit JoinCondition(const plan::JoinBase& node);

  /// Takes the pairs away that do not match. `side` is the input that `batch` came from, `store` has the rows
  /// of the other one. Gives the rows of the batch that failed on a pair, ascending: they have been reported,
  /// each once, with the first such pair; rows that take others back are not, as those have been. They count
  /// as dead in place of applied. Errors: invalid (the policy is to fail).
  Result<std::vector<std::uint32_t>> select(const OperatorContext& context, std::size_t side,
                                            const Batch& batch, const RowStore& store,
                                            JoinPairs& pairs) const;

 private:
  [[nodiscard]] std::string partner_text(std::size_t side, const RowStore& store,
                                         RowStore::Handle partner) const;
  Result<std::vector<std::uint32_t>> report(const OperatorContext& context, std::size_t side,
                                            const Batch& batch, const RowStore& store, const JoinPairs& pairs,
                                            const functions::RowErrors& errors) const;
  [[nodiscard]] std::vector<ColumnPtr> columns_of_pairs(std::size_t side, const Batch& batch,
                                                        const RowStore& store, const JoinPairs& pairs) const;

  std::array<Schema, 2> schemas_;
  std::optional<Evaluator> condition_;
  std::vector<bool> reads_;  // Which columns of both inputs the condition reads.
};

}  // namespace leat::exec
