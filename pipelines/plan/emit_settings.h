// 'table.exec.emit.…': what the settings mean for the windows of GROUP BY TUMBLE(ts, …) and HOP(ts, …), and
// where they fit as little as in Flink.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/node.h"
#include "pipelines/sql/statement.h"

namespace leat::plan {

/// When the windows that `span` says give results beside the one at their end. None: never (batch mode
/// included), or the settings do not fit, reported.
std::optional<EmitStrategy> bind_emit(const WindowSpec& window, sql::SourceSpan span,
                                      const BindContext& context);
/// Reports settings that Flink refuses for groups of a window table function's windows. `span`: of GROUP BY.
void refuse_emit(sql::SourceSpan span, const BindContext& context);
/// Warns of settings of `script` that change nothing. `sinks` are those of the whole file, bound.
void warn_of_emit(const sql::Script& script, std::span<const std::shared_ptr<const SinkNode>> sinks,
                  const BindContext& context);

}  // namespace leat::plan
