#include "pipelines/exec/failed_rows.h"

#include <algorithm>

namespace leat::exec {

Result<std::vector<std::uint32_t>> reject_failed(const OperatorContext& context, const Schema& schema,
                                                 const Batch& batch, const functions::RowErrors& errors) {
  std::vector<const functions::RowErrors::Entry*> entries;
  for (const auto& entry : errors.entries()) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto* a, const auto* b) { return a->row < b->row; });
  if (context.on_row_error == RowErrorPolicy::kFail)
    return fail(ErrorCode::kInvalid, context.name + ": " + entries.front()->message);
  std::vector<std::uint32_t> survivors;
  std::size_t next = 0;
  for (std::uint32_t row = 0; row < batch.size; ++row) {
    if (next == entries.size() || entries[next]->row != row) {
      survivors.push_back(row);
      continue;
    }
    context.rejects->dead(context.name, schema, batch, row, entries[next]->message);
    while (next < entries.size() && entries[next]->row == row) ++next;
  }
  return survivors;
}

}  // namespace leat::exec
