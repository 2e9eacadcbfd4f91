// What becomes of rows that an operator cannot compute: they leave the batch for the dead letters, or fail
// the pipeline if its user wants Flink's behaviour.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pipelines/exec/operator.h"
#include "pipelines/functions/scalar.h"

namespace leat::exec {

class LookupTables;  // lookup_table.h

enum class RowErrorPolicy : std::uint8_t {
  kDeadLetter,
  kFail,  ///< 'leat.on-row-error' = 'fail'
};

/// Where an operator stands and whom it reports to.
struct OperatorContext {
  std::string name;            ///< "filter 1"
  Rejects* rejects = nullptr;  ///< Outlives the operator.
  RowErrorPolicy on_row_error = RowErrorPolicy::kDeadLetter;
  LookupTables* lookups = nullptr;  ///< Outlives the operator. Null: nobody has any.
};

/// Sends the rows named by `errors` to the dead letters, each once with its first message, and gives the
/// other rows. `errors` is not empty. Errors: invalid (the policy is to fail).
Result<std::vector<std::uint32_t>> reject_failed(const OperatorContext& context, const Schema& schema,
                                                 const Batch& batch, const functions::RowErrors& errors);

}  // namespace leat::exec
