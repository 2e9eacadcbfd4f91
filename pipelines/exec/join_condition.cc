#include "pipelines/exec/join_condition.h"

#include <algorithm>
#include <map>
#include <set>

#include "pipelines/column/text.h"
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

/// The first error of each row, by pair; `errors` are of pairs.
std::map<std::uint32_t, const functions::RowErrors::Entry*> first_of_rows(const functions::RowErrors& errors,
                                                                          const JoinPairs& pairs) {
  std::map<std::uint32_t, const functions::RowErrors::Entry*> first;
  for (const auto& entry : errors.entries()) {
    const auto*& known = first[pairs.rows[entry.row]];
    if (known == nullptr || entry.row < known->row) known = &entry;
  }
  return first;
}

/// A failed pair may be TRUE all the same: NULL OR TRUE.
void drop_failed(std::vector<std::uint32_t>& matching, const functions::RowErrors& errors) {
  std::set<std::uint32_t> failed;
  for (const auto& entry : errors.entries()) failed.insert(entry.row);
  std::erase_if(matching, [&](std::uint32_t pair) { return failed.contains(pair); });
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
  std::vector<std::uint32_t> matching = rows_where_true(truth, all_rows(pairs.size()));
  std::vector<std::uint32_t> failed;
  if (!errors.empty()) {
    LEAT_ASSIGN(failed, report(context, side, batch, store, pairs, errors));
    drop_failed(matching, errors);
  }
  keep(pairs, matching);
  return failed;
}

Result<std::vector<std::uint32_t>> JoinCondition::report(const OperatorContext& context, std::size_t side,
                                                         const Batch& batch, const RowStore& store,
                                                         const JoinPairs& pairs,
                                                         const functions::RowErrors& errors) const {
  std::vector<std::uint32_t> failed;
  functions::RowErrors of_rows;
  for (const auto& [row, error] : first_of_rows(errors, pairs)) {
    const RowKind kind = batch.kind(row);
    if (kind == RowKind::kUpdateBefore || kind == RowKind::kDelete) continue;
    failed.push_back(row);
    of_rows.add(row,
                error->message + "; the other row: " + partner_text(side, store, pairs.partners[error->row]));
  }
  if (!failed.empty()) LEAT_TRY(reject_failed(context, schemas_[side], batch, of_rows));
  return failed;
}

/// "device=a, most=20"
std::string JoinCondition::partner_text(std::size_t side, const RowStore& store,
                                        RowStore::Handle partner) const {
  const Schema& schema = schemas_[1 - side];
  const std::vector<ColumnPtr> cells = store.gather({&partner, 1});
  std::string text;
  for (std::size_t column = 0; column < cells.size(); ++column) {
    text += (column > 0 ? ", " : "") + schema.fields[column].name + "=";
    append_text(*cells[column], 0, {}, text);
  }
  return text;
}

}  // namespace leat::exec
