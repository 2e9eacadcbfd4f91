// UNNEST: each row once per element of its collection, in the collection's order (that of a map is the order
// in which its entries are held). Without state. As in Flink, a ROW that is NULL is no element, but WITH
// ORDINALITY it is one of NULLs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/plan/unnest_node.h"

namespace leat::exec {

class Unnest final : public Operator {
 public:
  Unnest(const plan::UnnestNode& node, OperatorContext context);

  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  /// The rows that come out: of the batch, of the elements (kNoElement: NULLs), and their positions.
  struct Rows {
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> elements;
    std::vector<std::int32_t> positions;
    void add(std::uint32_t row, std::uint32_t element, std::int32_t position);
    [[nodiscard]] Rows part(std::size_t begin, std::size_t end) const;
  };
  void add_elements(const Column& collections, std::uint32_t row, Rows& rows) const;
  void append_elements(const Column& collections, const Rows& rows, Batch& out) const;
  [[nodiscard]] Rows where_true(const Batch& batch, const Column& collections, const Rows& elements,
                                functions::RowErrors& errors) const;
  [[nodiscard]] Rows joined(std::span<const std::uint32_t> batch_rows, const Rows& elements) const;
  [[nodiscard]] Batch rows_out(const Batch& batch, const Column& collections, const Rows& rows,
                               std::span<const std::size_t> wanted) const;
  [[nodiscard]] std::size_t end_of_piece(const Batch& batch, const Rows& rows, std::size_t begin,
                                         std::span<const std::size_t> wanted) const;
  Status emit(const Batch& batch, const Column& collections, const Rows& rows, Output& out);

  OperatorContext context_;
  Schema input_schema_;
  Schema schema_;
  Evaluator collection_;
  std::optional<Evaluator> condition_;  // Over what comes out.
  plan::UnnestNode::Empty empty_;
  bool ordinality_;
  std::vector<std::size_t> passed_;
  std::vector<std::size_t> all_passed_;  // Places in passed_: all, and those that the condition reads.
  std::vector<std::size_t> condition_reads_;
  OperatorCounters counters_;
};

}  // namespace leat::exec
