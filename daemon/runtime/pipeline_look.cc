// Looking on at a running pipeline: rows of its tables, messages of its sources.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/runtime/pipeline_parts.h"

namespace leat::runtime {
namespace {

/// Of the rows behind a scan's computed columns, as far as anybody needs them.
Schema schema_of(const plan::ScanNode& scan) {
  Schema schema;
  for (std::size_t i = 0; i < scan.rows.size(); ++i)
    schema.fields.push_back({scan.row_names[i], scan.rows[i]->type});
  return schema;
}

}  // namespace

Status Pipeline::refuse_onlookers() const {
  const bool runs = state_ == PipelineState::kRunning || state_ == PipelineState::kStalled;
  if (runs) return {};
  return fail(ErrorCode::kConflict, fmt::format("pipeline '{}' is {}: no rows pass{}{}", name_.value,
                                                to_string(state_), error_.empty() ? "" : ": ", error_));
}

Result<std::shared_ptr<RowChannel>> Pipeline::tail(const TableName& table) {
  const auto begin = [&](RowTap& tap, Schema schema) {
    auto channel = std::make_shared<RowChannel>(std::move(schema), time_zone_of(plan_));
    tap.add(channel);
    return channel;
  };
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (plan_.scans[i]->table != table.value) continue;
    LEAT_TRY(refuse_onlookers());
    return begin(inputs_[i]->tap, schema_of(*plan_.scans[i]));
  }
  for (const auto& target : targets_) {
    if (target->node->table != table.value) continue;
    LEAT_TRY(refuse_onlookers());
    return begin(target->tap, target->node->schema);
  }
  return fail(ErrorCode::kNotFound, fmt::format("pipeline '{}' has no table '{}' that it reads or writes",
                                                name_.value, table.value));
}

Result<std::shared_ptr<MessageTap>> Pipeline::tap(const TableName& table) {
  LEAT_TRY(refuse_onlookers());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    if (plan_.scans[i]->table != table.value) continue;
    auto made = std::make_shared<MessageTap>();
    inputs_[i]->reader->add_tap(made);
    return made;
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("pipeline '{}' reads no table '{}'", name_.value, table.value));
}

void Pipeline::show_rows(RowTap& tap, const Batch& batch) const {
  if (!tap.idle()) tap.rows(batch, context_.clock->monotonic());
}

void Pipeline::tick_taps() {
  const auto tick = [this](RowTap& tap) {
    if (!tap.idle()) tap.tick(context_.clock->monotonic());
  };
  for (auto& input : inputs_) tick(input->tap);
  for (auto& target : targets_) tick(target->tap);
}

/// Nobody will see a row of this pipeline any more.
void Pipeline::send_onlookers_away() {
  const std::string why = fmt::format("pipeline '{}' is {}{}{}", name_.value, to_string(state_),
                                      error_.empty() ? "" : ": ", error_);
  for (auto& input : inputs_) {
    input->tap.end(why);
    input->reader->end_taps(why);
  }
  for (auto& target : targets_) target->tap.end(why);
}

}  // namespace leat::runtime
