// The rows that a join makes of one input's batch and of the rows that it keeps, collected as references and
// made into columns at the end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pipelines/exec/row_store.h"
#include "pipelines/plan/join_node.h"

namespace leat::exec {

class JoinOutput {
 public:
  /// No row of the batch: NULLs in its columns.
  static constexpr std::uint32_t kNoRow = static_cast<std::uint32_t>(-1);
  static constexpr RowStore::Handle kNoPartner = RowStore::kNone;

  explicit JoinOutput(const plan::JoinBase& node);

  /// Row `row` of the batch beside `partner` of the other side; one of them may be missing.
  void add(RowKind kind, std::uint32_t row, RowStore::Handle partner, std::int64_t watermark,
           std::int64_t intake_time);
  /// A row that is kept of the batch's own side, beside `partner` of the other side or alone.
  void add_kept(RowKind kind, RowStore::Handle kept, RowStore::Handle partner, std::int64_t watermark,
                std::int64_t intake_time);
  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  /// Watermark of the last row; there is one.
  [[nodiscard]] std::int64_t last_watermark() const { return watermarks_.back(); }

  /// What the references of `take` refer to.
  struct Sources {
    std::size_t side = 0;                ///< The input that the batch came from.
    std::span<const ColumnPtr> columns;  ///< Of the batch; empty if no row of a batch is referred to.
    const RowStore& kept;                ///< Rows of the same side.
    const RowStore& partners;            ///< Rows of the other side.
  };
  /// The rows so far as a batch.
  Batch take(const Sources& sources, std::int64_t watermark_after);

 private:
  [[nodiscard]] ColumnPtr own_column(const Sources& sources, std::size_t column, const Type& type) const;

  std::size_t left_width_;
  std::vector<std::size_t> output_;
  Schema schema_;
  std::vector<std::uint32_t> rows_;  // Of the batch; from kFirstKept on, of `kept_`.
  std::vector<RowStore::Handle> kept_;
  std::vector<RowStore::Handle> partners_;
  std::vector<RowKind> kinds_;
  std::vector<std::int64_t> watermarks_;
  std::vector<std::int64_t> intake_times_;
  bool changes_ = false;  // A row that is not +I is among them.
  bool padded_ = false;   // A row without a row of the batch is among them.
};

}  // namespace leat::exec
