#include "pipelines/exec/join_condition.h"

#include <algorithm>

#include "pipelines/exec/named_errors.h"

namespace leat::exec {
namespace {

void keep(JoinPairs& pairs, std::span<const std::uint32_t> kept) {
  for (std::size_t i = 0; i < kept.size(); ++i) {
    pairs.rows[i] = pairs.rows[kept[i]];
    pairs.partners[i] = pairs.partners[kept[i]];
  }
  pairs.rows.resize(kept.size());
  pairs.partners.resize(kept.size());
}

/// The rows of [0, size) that are not among `survivors`.
std::vector<std::uint32_t> others(std::span<const std::uint32_t> survivors, std::size_t size) {
  std::vector<std::uint32_t> rows;
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < size; ++row) {
    if (next < survivors.size() && survivors[next] == row)
      ++next;
    else
      rows.push_back(row);
  }
  return rows;
}

}  // namespace

JoinCondition::JoinCondition(const plan::JoinBase& node)
    : schemas_{node.inputs[0]->schema, node.inputs[1]->schema} {
  if (!node.condition) return;
  condition_.emplace(node.condition);
  reads_.resize(schemas_[0].size() + schemas_[1].size());
  for (const std::size_t column : plan::columns_of(*node.condition)) reads_[column] = true;
}

std::vector<ColumnPtr> JoinCondition::columns_of_pairs(std::size_t side, const Batch& batch,
                                                       const RowStore& store, const JoinPairs& pairs) const {
  std::vector<ColumnPtr> columns(reads_.size());
  const std::size_t width = schemas_[0].size();
  for (std::size_t i = 0; i < reads_.size(); ++i) {
    if (!reads_[i]) continue;
    const std::size_t from = i < width ? 0 : 1;
    const std::size_t column = i < width ? i : i - width;
    columns[i] = from == side ? gather(batch.columns[column], pairs.rows)
                              : store.gather_column(column, pairs.partners);
  }
  return columns;
}

Result<std::vector<std::uint32_t>> JoinCondition::select(const OperatorContext& context, std::size_t side,
                                                         const Batch& batch, const RowStore& store,
                                                         JoinPairs& pairs) const {
  if (!condition_ || pairs.size() == 0) return std::vector<std::uint32_t>();
  const std::vector<ColumnPtr> columns = columns_of_pairs(side, batch, store, pairs);
  std::vector<std::int64_t> intake_times;
  std::vector<std::int64_t> watermarks;
  for (const std::uint32_t row : pairs.rows) {
    intake_times.push_back(batch.intake_times[row]);
    watermarks.push_back(batch.watermarks[row]);
  }
  const Frame frame{pairs.size(), columns, intake_times, watermarks};
  functions::RowErrors errors;
  const functions::Datum truth = with_named_errors(
      errors, [this] { return condition_called(condition_->expr()); },
      [&](functions::RowErrors& own) { return condition_->evaluate(frame, own); });
  const std::vector<std::uint32_t> matching = rows_where_true(truth, all_rows(pairs.size()));
  std::vector<std::uint32_t> failed;
  if (!errors.empty()) {
    functions::RowErrors of_rows;
    for (const auto& entry : errors.entries()) of_rows.add(pairs.rows[entry.row], entry.message);
    LEAT_ASSIGN(const auto survivors, reject_failed(context, schemas_[side], batch, of_rows));
    failed = others(survivors, batch.size);
  }
  keep(pairs, matching);
  return failed;
}

}  // namespace leat::exec
