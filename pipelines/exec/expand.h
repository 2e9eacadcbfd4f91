// GROUPING SETS: each row once per set, in the order of the sets (plan/expand_node.h).
#pragma once

#include <vector>

#include "pipelines/exec/stateless.h"
#include "pipelines/plan/expand_node.h"

namespace leat::exec {

class Expand final : public StatelessOperator {
 public:
  explicit Expand(const plan::ExpandNode& node);
  Status process(std::size_t input, const Batch& batch, Output& out) override;

 private:
  [[nodiscard]] ColumnPtr key_column(const ColumnPtr& key, std::size_t place, std::size_t rows) const;
  [[nodiscard]] ColumnPtr set_numbers(std::size_t rows) const;

  std::vector<std::size_t> keys_;
  std::vector<std::vector<bool>> sets_;
};

}  // namespace leat::exec
