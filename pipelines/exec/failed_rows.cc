#include "pipelines/exec/failed_rows.h"

#include <algorithm>

#include "pipelines/exec/changelog_rows.h"

namespace leat::exec {

namespace {

using Entry = functions::RowErrors::Entry;

/// By row, the first message of a row first.
std::vector<const Entry*> in_order(const functions::RowErrors& errors) {
  std::vector<const Entry*> entries;
  for (const Entry& entry : errors.entries()) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry* a, const Entry* b) { return a->row < b->row; });
  return entries;
}

}  // namespace

Result<Rejected> reject_failed(const OperatorContext& context, const Schema& schema, const Batch& batch,
                               const functions::RowErrors& errors) {
  const std::vector<const Entry*> entries = in_order(errors);
  Rejected rejected;
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (next == entries.size() || entries[next]->row != row) {
      rejected.survivors.push_back(row);
      continue;
    }
    const std::string& reason = entries[next]->message;
    while (next < entries.size() && entries[next]->row == row) ++next;
    if (takes_back(batch.kind(row))) {
      ++rejected.taken_back;
      continue;
    }
    if (context.on_row_error == RowErrorPolicy::kFail)
      return fail(ErrorCode::kInvalid, context.name + ": " + reason);
    context.rejects->dead(context.name, schema, batch, row, reason);
    ++rejected.dead;
  }
  return rejected;
}

void report_late(const OperatorContext& context, const Schema& schema, const Batch& batch,
                 std::vector<std::uint32_t>& rows, OperatorCounters& counters) {
  if (rows.empty()) return;
  counters.late += rows.size();
  context.rejects->late(context.name, schema, batch, rows);
  rows.clear();
}

}  // namespace leat::exec
