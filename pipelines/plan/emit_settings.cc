#include "pipelines/plan/emit_settings.h"

#include <set>
#include <string>

#include "pipelines/plan/bind_settings.h"

namespace leat::plan {
namespace {

constexpr std::string_view kEarly = "table.exec.emit.early-fire.enabled";
constexpr std::string_view kEarlyDelay = "table.exec.emit.early-fire.delay";
constexpr std::string_view kLate = "table.exec.emit.late-fire.enabled";
constexpr std::string_view kLateDelay = "table.exec.emit.late-fire.delay";
constexpr std::string_view kLateness = "table.exec.emit.allow-lateness";

std::string quoted(std::string_view key) {
  return "'" + std::string(key) + "'";
}

std::string_view enabled_key(const EmitSettings& emit) {
  return emit.early ? kEarly : kLate;
}

/// Flink counts in milliseconds: what is shorter is none.
Micros whole_millis(Micros duration) {
  return std::chrono::floor<std::chrono::milliseconds>(duration);
}

class EmitBinder {
 public:
  EmitBinder(sql::SourceSpan span, const BindContext& context)
      : span_(span), context_(context), settings_(context.settings.emit) {}

  std::optional<EmitStrategy> bind(const WindowSpec& window) {
    // Behind a clock that the rows follow none is late.
    const bool late = settings_.late && !window.processing_time;
    if (context_.settings.batch || (!settings_.early && !settings_.late)) return std::nullopt;
    if (window.kind == WindowKind::kSession) return refuse_session();
    EmitStrategy emit;
    if (settings_.early) emit.early = delay(settings_.early_delay, kEarly, kEarlyDelay);
    if (late) emit.late = delay(settings_.late_delay, kLate, kLateDelay);
    if (emit.early.has_value() != settings_.early || emit.late.has_value() != late) return std::nullopt;
    if (emit.late && !set_lateness(emit)) return std::nullopt;
    return emit.early || emit.late ? std::optional(emit) : std::nullopt;
  }

 private:
  std::nullopt_t refuse_session() const {
    context_.diagnostics.error(
        span_, "SESSION(…) gives no early or late results, but " + quoted(enabled_key(settings_)) + " is set",
        "as in Flink; TUMBLE and HOP do, or put the sessions into a pipeline without it");
    return std::nullopt;
  }

  std::optional<Micros> delay(std::optional<Micros> given, std::string_view enabled,
                              std::string_view key) const {
    if (given) return whole_millis(*given);
    if (context_.settings.refused.contains(key)) return std::nullopt;
    context_.diagnostics.error(span_, quoted(enabled) + " needs " + quoted(key),
                               "'0 s' gives a result with each row, '5 s' every 5 s");
    return std::nullopt;
  }

  bool set_lateness(EmitStrategy& emit) const {
    if (context_.settings.refused.contains(kLateness)) return false;
    emit.lateness = whole_millis(settings_.lateness.value_or(context_.settings.state_ttl));
    if (emit.lateness.count() == 0) {
      context_.diagnostics.error(
          span_, quoted(kLate) + " needs " + quoted(kLateness) + " above 0",
          "it is how long a window takes late rows; 'table.exec.state.ttl' is its default");
      return false;
    }
    if (*emit.late <= emit.lateness) return true;
    context_.diagnostics.error(span_,
                               quoted(kLateDelay) + " is " + format_duration(*emit.late) + ", longer than " +
                                   quoted(kLateness) + ", which is " + format_duration(emit.lateness),
                               "a result that waits so long would come when the window is over");
    return false;
  }

  const sql::SourceSpan span_;
  const BindContext& context_;
  const EmitSettings& settings_;
};

bool any_emits(std::span<const std::shared_ptr<const SinkNode>> sinks) {
  std::set<const Node*> seen;
  std::vector<const Node*> waiting;
  for (const auto& sink : sinks) waiting.push_back(sink.get());
  while (!waiting.empty()) {
    const Node& node = *waiting.back();
    waiting.pop_back();
    if (!seen.insert(&node).second) continue;
    if (node.kind == NodeKind::kWindowAggregate && static_cast<const WindowAggregateNode&>(node).emit)
      return true;
    for (const NodePtr& input : node.inputs) waiting.push_back(input.get());
  }
  return false;
}

}  // namespace

std::optional<EmitStrategy> bind_emit(const WindowSpec& window, sql::SourceSpan span,
                                      const BindContext& context) {
  return EmitBinder(span, context).bind(window);
}

void refuse_emit(sql::SourceSpan span, const BindContext& context) {
  const EmitSettings& emit = context.settings.emit;
  if (context.settings.batch || (!emit.early && !emit.late)) return;
  context.diagnostics.error(
      span,
      "windows of table functions give no early or late results, but " + quoted(enabled_key(emit)) +
          " is set",
      "write GROUP BY TUMBLE(ts, size) or HOP(ts, slide, size), or CUMULATE without it");
}

void warn_of_emit(const sql::Script& script, std::span<const std::shared_ptr<const SinkNode>> sinks,
                  const BindContext& context) {
  const EmitSettings& emit = context.settings.emit;
  const auto no_effect = [&](std::string_view key, const std::string& why) {
    context.diagnostics.warning(span_of_setting(script, key), quoted(key) + " has no effect " + why);
  };
  if (emit.early_delay && !emit.early) no_effect(kEarlyDelay, "without " + quoted(kEarly));
  if (emit.late_delay && !emit.late) no_effect(kLateDelay, "without " + quoted(kLate));
  if (emit.lateness && !emit.late) no_effect(kLateness, "without " + quoted(kLate));
  if (!emit.early && !emit.late) return;
  if (context.settings.batch)
    no_effect(enabled_key(emit), "in batch mode: every result is final");
  else if (!context.diagnostics.has_errors() && context.settings.refused.empty() && !any_emits(sinks))
    no_effect(enabled_key(emit), "here: no query groups by TUMBLE(ts, …) or HOP(ts, …) over such a time");
}

}  // namespace leat::plan
