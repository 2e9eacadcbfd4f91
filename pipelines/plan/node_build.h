// Makes nodes whose schema, time attributes and `updating` follow from their inputs, so that the binder and
// the rewrites derive them in one place. Pure; used while a plan is built.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/plan/node.h"

namespace leat::plan {

inline constexpr std::string_view kWindowStart = "window_start";
inline constexpr std::string_view kWindowEnd = "window_end";
inline constexpr std::string_view kWindowTime = "window_time";

NodePtr make_filter(NodePtr input, ExprPtr predicate);
/// A column that is passed on unchanged keeps its time attribute; PROCTIME() is one.
NodePtr make_project(NodePtr input, std::vector<ExprPtr> exprs, std::span<const std::string> names);
/// Inputs agree in their types; a time attribute that not all have is none.
NodePtr make_union_all(std::vector<NodePtr> inputs, std::span<const std::string> names);
NodePtr make_window_assign(NodePtr input, WindowSpec window);
/// Sets what follows from the fields that are already filled, `inputs` among them.
void derive_aggregate_schema(WindowAggregateNode& node);

/// Type of window_start, window_end (TIMESTAMP(3)) or window_time (the time column's own type).
Type window_property_type(WindowProperty property, const WindowSpec& window);
std::string_view window_property_name(WindowProperty property);

/// A reference to column `index` of `input`.
ExprPtr column_of(const Node& input, std::size_t index);
TimeAttribute time_attribute_of(const Expr& expr, const Node& input);

/// A copy of `node` with other inputs of the same shape; everything else is kept.
NodePtr with_inputs(const Node& node, std::vector<NodePtr> inputs);
/// Calls `visit` once per node that the sinks reach, inputs before the nodes that read them, in the order of
/// the sinks.
void for_each_node(const Plan& plan, const std::function<void(const NodePtr&)>& visit);

}  // namespace leat::plan
