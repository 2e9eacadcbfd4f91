#include "pipelines/exec/operator_table.h"

namespace leat::exec {

Result<MadeOperator> make_node_operator(const plan::OperatorNode& node, OperatorContext context) {
  switch (node.kind) {
    default:
      return fail(ErrorCode::kInternal, "no operator runs the node " + context.name);
  }
}

}  // namespace leat::exec
