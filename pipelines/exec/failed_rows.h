// What becomes of rows that an operator cannot compute: they leave the batch for the dead letters, or fail
// the pipeline if its user wants Flink's behaviour. And of those that come too late.
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

/// What is left of a batch some of whose rows have failed, and what became of those.
struct Rejected {
  std::vector<std::uint32_t> survivors;
  std::size_t dead = 0;  ///< In the dead letters now.
  /// Rows that take back (-U, -D) what failed when it came: nothing of it is there, and it has been told.
  std::size_t taken_back = 0;
};

/// Sends the rows named by `errors` to the dead letters, each once with its first message, but for those that
/// take others back. `errors` is not empty. Errors: invalid (the policy is to fail).
Result<Rejected> reject_failed(const OperatorContext& context, const Schema& schema, const Batch& batch,
                               const functions::RowErrors& errors);

/// Counts `rows` of `batch` as late, tells of them and empties the list, for the next batch.
void report_late(const OperatorContext& context, const Schema& schema, const Batch& batch,
                 std::vector<std::uint32_t>& rows, OperatorCounters& counters);

}  // namespace leat::exec
