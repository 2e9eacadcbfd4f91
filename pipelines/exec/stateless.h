// Operators that keep nothing between two batches: filter, projection and the hand-over to a sink.
#pragma once

#include <functional>
#include <vector>

#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

/// Hands time on as it is; keeps the counters.
class StatelessOperator : public Operator {
 public:
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 protected:
  OperatorCounters counters_;
};

/// Lets the rows pass for which the predicate is TRUE.
class Filter final : public StatelessOperator {
 public:
  Filter(const plan::FilterNode& node, OperatorContext context);
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  OperatorContext context_;
  Schema schema_;
  Evaluator predicate_;
};

/// Computes new columns; columns that it only passes on are shared.
class Project final : public StatelessOperator {
 public:
  Project(const plan::ProjectNode& node, OperatorContext context);
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  OperatorContext context_;
  Schema input_schema_;
  Schema schema_;
  std::vector<Evaluator> exprs_;
};

/// The end of an INSERT: gives the rows out of the dataflow.
class SinkOutput final : public StatelessOperator {
 public:
  using Receiver = std::function<Status(const Batch&)>;
  explicit SinkOutput(Receiver receiver) : receiver_(std::move(receiver)) {}
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  Receiver receiver_;
};

}  // namespace leat::exec
