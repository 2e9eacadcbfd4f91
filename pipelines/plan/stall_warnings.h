// Warns of sources whose silence holds results back: where a join or a window waits for the watermark of an
// unbounded table that has no idle time-out.
#pragma once

#include <memory>
#include <span>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/node.h"
#include "pipelines/plan/table.h"

namespace leat::plan {

/// One warning per table of `tables` that the sinks read, at its declaration.
void warn_of_stalls(std::span<const std::shared_ptr<const SinkNode>> sinks,
                    std::span<const Table* const> tables, const BindContext& context);

}  // namespace leat::plan
