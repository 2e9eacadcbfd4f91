// GAP_FILL(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts), step => INTERVAL '1' SECOND, fill =>
// 'locf', max_gap => INTERVAL '1' MINUTE): the rows of a key as they are, and in gaps longer than a step the
// rows that are missing, one every step behind the row before the gap. The form is that of a process table
// function.
//
// Output: the columns of the input, of which a row that was missing has those of the row before it ('locf')
// or, of numbers, what lies on the straight line to the row behind it ('linear'); and `filled`, TRUE for
// these rows. Gaps longer than max_gap are left.
//
// A row that was missing is known when the one behind it is there. So the watermark is held back by max_gap.
#pragma once

#include "pipelines/plan/passing_node.h"

namespace leat::plan {

struct GapFillNode final : PassingNode {
  GapFillNode() : PassingNode(NodeKind::kGapFill) {}

  enum class Method : std::uint8_t { kLocf, kLinear };
  std::vector<std::size_t> keys;
  std::size_t time_column = 0;  ///< A rowtime; rows come in its order.
  Micros step{0};
  Micros max_gap{0};
  Method method = Method::kLocf;

  [[nodiscard]] std::string_view operator_name() const override { return "gap fill"; }
  [[nodiscard]] std::string line() const override;
  [[nodiscard]] std::shared_ptr<OperatorNode> clone() const override {
    return std::make_shared<GapFillNode>(*this);
  }

 protected:
  [[nodiscard]] std::vector<Type::Field> own_columns() const override;
  void add_own_needs(const Needs& own_needed, Needs& input) const override;
  void move_own(const Needs& own_needed, std::span<const std::size_t> new_index) override;
  [[nodiscard]] std::string own_identity(std::span<const std::string> texts) const override;

 public:
  bool gives_filled = true;  ///< The column `filled`.
};

}  // namespace leat::plan
