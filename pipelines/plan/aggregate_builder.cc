#include "pipelines/plan/aggregate_builder.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "pipelines/plan/expand_node.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/processing_clock.h"

namespace leat::plan {
namespace {
/// Provisional indexes: keys from 0, properties and calls far behind them.
constexpr std::size_t kProperties = 1'000'000;
constexpr std::size_t kCalls = 2'000'000;
}  // namespace

std::size_t AggregateBuilder::add_input(const ExprPtr& expr, const std::string& name) {
  const auto [place, is_new] = input_places_.try_emplace(identity_of(*expr), inputs_.size());
  if (is_new) {
    inputs_.push_back(expr);
    input_names_.push_back(name);
  }
  return place->second;
}

void AggregateBuilder::add_key(const ExprPtr& key) {
  const std::string name = key->kind == ExprKind::kColumn ? key->name : to_string(*key);
  const std::size_t column = add_input(key, name);
  if (std::ranges::find(keys_, column) == keys_.end()) keys_.push_back(column);
}

void AggregateBuilder::add_property(WindowProperty property) {
  if (!has(property)) properties_.push_back(property);
}

bool AggregateBuilder::has(WindowProperty property) const {
  return std::ranges::find(properties_, property) != properties_.end();
}

ExprPtr AggregateBuilder::add_call(AggregateCall call, const std::vector<ExprPtr>& arguments,
                                   const ExprPtr& filter, const std::string& alias) {
  for (const ExprPtr& argument : arguments) {
    const bool named = argument->kind != ExprKind::kColumn && !alias.empty();
    call.arguments.push_back(add_input(argument, named ? alias : to_string(*argument)));
  }
  if (filter) call.filter = add_input(filter, to_string(*filter));
  std::string identity = call.kind;
  for (const std::size_t argument : call.arguments) identity += " " + std::to_string(argument);
  if (call.filter) identity += " filter " + std::to_string(*call.filter);
  const auto [place, is_new] = call_places_.try_emplace(identity, calls_.size());
  if (is_new) calls_.push_back(std::move(call));
  const AggregateCall& kept = calls_[place->second];
  return make_column(kCalls + place->second, kept.function->result_type(), kept.name);
}

ExprPtr AggregateBuilder::find_key(const Expr& expr) const {
  const auto place = input_places_.find(identity_of(expr));
  if (place == input_places_.end()) return nullptr;
  const auto key = std::ranges::find(keys_, place->second);
  if (key == keys_.end()) return nullptr;
  const Type type = sets_.empty() ? expr.type : expr.type.with_nullable(true);
  return make_column(static_cast<std::size_t>(key - keys_.begin()), type, input_names_[place->second]);
}

std::size_t AggregateBuilder::property_index(WindowProperty property) const {
  return static_cast<std::size_t>(std::ranges::find(properties_, property) - properties_.begin());
}

ExprPtr AggregateBuilder::find_property(WindowProperty property, const WindowSpec& window) const {
  if (!has(property)) return nullptr;
  return make_column(kProperties + property_index(property), window_property_type(property, window),
                     std::string(window_property_name(property)));
}

ExprPtr AggregateBuilder::set_number() const {
  return make_column(keys_.size(), Type::big_int().with_nullable(false), std::string(kExpandId));
}

std::vector<std::size_t> AggregateBuilder::key_columns() const {
  if (sets_.empty()) return keys_;
  std::vector<std::size_t> columns(key_count());
  std::iota(columns.begin(), columns.end(), inputs_.size());
  return columns;
}

NodePtr AggregateBuilder::below() const {
  NodePtr input = make_project(input_.node, inputs_, input_names_);
  return sets_.empty() ? input : make_expand(std::move(input), keys_, sets_);
}

NodePtr AggregateBuilder::build_unwindowed(Micros state_ttl, Results results) {
  auto node = std::make_shared<GroupAggregateNode>();
  node->inputs = {below()};
  node->keys = key_columns();
  node->calls = calls_;
  node->state_ttl = state_ttl;
  node->results = results;
  derive_group_schema(*node);
  return node;
}

NodePtr AggregateBuilder::finish(std::shared_ptr<WindowAggregateNode> node) {
  node->inputs = {below()};
  node->keys = key_columns();
  node->calls = calls_;
  node->properties = properties_;
  derive_aggregate_schema(*node);
  return node;
}

NodePtr AggregateBuilder::build_attached(std::size_t start, std::size_t end, WindowSpec window) {
  auto node = std::make_shared<WindowAggregateNode>();
  window.partition_by.clear();
  window.time_column = 0;
  node->window = std::move(window);
  const auto column = [&](std::size_t index) {
    return add_input(column_of(*input_.node, index), input_.schema().fields[index].name);
  };
  const std::size_t start_column = column(start);
  node->attached = std::pair(start_column, column(end));
  return finish(std::move(node));
}

NodePtr AggregateBuilder::build(WindowSpec window, const std::optional<EmitStrategy>& emit) {
  auto node = std::make_shared<WindowAggregateNode>();
  node->emit = emit;
  window.time_column =
      add_input(column_of(*input_.node, window.time_column), input_.schema().fields[window.time_column].name);
  if (window.kind == WindowKind::kSession) window.partition_by = key_columns();
  const bool clocked = std::exchange(window.processing_time, false);
  node->window = std::move(window);
  finish(node);
  if (clocked) node->inputs[0] = make_processing_clock(node->inputs[0], node->window.time_column);
  return node;
}

ExprPtr AggregateBuilder::settle(const ExprPtr& expr) const {
  if (expr->kind == ExprKind::kColumn) {
    std::size_t index = expr->column;
    if (index >= kCalls)
      index += key_count() - kCalls;
    else if (index >= kProperties)
      index += key_count() + calls_.size() - kProperties;
    return make_column(index, expr->type, expr->name);
  }
  Expr settled = *expr;
  for (ExprPtr& child : settled.children) child = settle(child);
  return std::make_shared<const Expr>(std::move(settled));
}

std::optional<WindowProperty> AggregateBuilder::property_of(std::size_t column) const {
  const std::size_t first = key_count() + calls_.size();
  if (column < first) return std::nullopt;
  return properties_[column - first];
}

}  // namespace leat::plan
