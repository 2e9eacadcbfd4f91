// From a plan node to the operator that runs it, for every kind of node behind NodeKind::kSink: one line per
// kind.
#pragma once

#include <cstdint>
#include <memory>

#include "pipelines/exec/failed_rows.h"
#include "pipelines/exec/input_clock.h"
#include "pipelines/plan/operator_node.h"

namespace leat::exec {

/// An operator for a node, and itself again if it has several inputs.
struct MadeOperator {
  std::unique_ptr<Operator> op;
  MultiInputOperator* multi_input = nullptr;

  template <class Made>
  static MadeOperator of(std::unique_ptr<Made> made) {
    MultiInputOperator* multi_input = nullptr;
    if constexpr (std::is_base_of_v<MultiInputOperator, Made>) multi_input = made.get();
    return {std::move(made), multi_input};
  }
};

/// `memory_max` as in DataflowOptions. Errors: invalid (a node that cannot run), internal.
Result<MadeOperator> make_node_operator(const plan::OperatorNode& node, OperatorContext context,
                                        std::uint64_t memory_max);

}  // namespace leat::exec
