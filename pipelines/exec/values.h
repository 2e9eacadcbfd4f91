// VALUES: rows from the text of the query. They come once in a pipeline's life, when it first runs; then the
// input is at its end. State: key "m" under the node's fingerprint, once the rows have been given out.
#pragma once

#include <string>
#include <vector>

#include "pipelines/exec/evaluate.h"
#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/operator.h"
#include "pipelines/plan/node.h"

namespace leat::exec {

class Values final : public Operator {
 public:
  /// `fingerprint` names its state.
  Values(const plan::ValuesNode& node, OperatorContext context, std::string fingerprint);

  /// It has no input: `advance` is the start of the pipeline, at `now`.
  Status process(std::size_t input, const Batch& batch, Output& out) override;
  Status advance(std::size_t input, std::int64_t watermark, std::int64_t now, Output& out) override;

  void save(StateChanges& changes) override;
  Status load(std::string_view key, std::string_view value) override;
  [[nodiscard]] OperatorCounters counters() const override { return counters_; }
  void restore_counters(const OperatorCounters& counters) override { counters_ = counters; }

 private:
  Result<Batch> rows(std::int64_t now);

  OperatorContext context_;
  std::string fingerprint_;
  Schema schema_;
  std::vector<std::vector<Evaluator>> rows_;
  OperatorCounters counters_;
  bool given_ = false;
  bool saved_ = false;
};

}  // namespace leat::exec
