#include "pipelines/plan/sparkplug_node.h"

#include <algorithm>

namespace leat::plan {
namespace {

using Own = SparkplugNode::Own;

Type::Field own_field(Own column) {
  const Type text = Type::string();
  switch (column) {
    case Own::kGroup:
      return {"group_id", text.with_nullable(false)};
    case Own::kNode:
      return {"node_id", text.with_nullable(false)};
    case Own::kDevice:
      return {"device_id", text};
    case Own::kMessageType:
      return {"message_type", text.with_nullable(false)};
    case Own::kEvent:
      return {"event", text.with_nullable(false)};
    default:
      return {"reason", text};
  }
}

}  // namespace

void derive_sparkplug_schema(SparkplugNode& node) {
  node.schema.fields.clear();
  node.time_attributes.clear();
  for (const Own column : node.own) node.schema.fields.push_back(own_field(column));
  node.time_attributes.assign(node.own.size(), TimeAttribute::kNone);
  for (const std::size_t column : node.passed) {
    Type::Field field = node.inputs[0]->schema.fields[column];
    if (node.roles[column]) field.type = field.type.with_nullable(true);
    node.schema.fields.push_back(std::move(field));
    node.time_attributes.push_back(node.inputs[0]->time_attributes[column]);
  }
}

std::size_t SparkplugNode::column_of(sparkplug::Role role) const {
  const auto found = std::ranges::find(roles, std::optional(role));
  return static_cast<std::size_t>(found - roles.begin());
}

std::string SparkplugNode::line() const {
  return "Sparkplug(" + inputs[0]->schema.fields[topic].name + ") rebirth at most every " +
         format_duration(rebirth_interval);
}

void SparkplugNode::add_needs(const Needs& own_needs, std::span<Needs> needs) const {
  for (std::size_t i = 0; i < passed.size(); ++i)
    if (own_needs[own.size() + i]) need(needs[0], passed[i]);
  need(needs[0], topic);
  for (const sparkplug::Role role : kSparkplugNeeds) need(needs[0], column_of(role));
}

Pruned SparkplugNode::prune(const Needs& own_needs, std::span<const Pruned> pruned) const {
  auto node = std::make_shared<SparkplugNode>(*this);
  const std::vector<std::size_t>& new_index = pruned[0].new_index;
  node->inputs = {pruned[0].node};
  node->topic = new_index[topic];
  node->roles.assign(pruned[0].node->schema.size(), std::nullopt);
  for (std::size_t i = 0; i < roles.size(); ++i)
    if (new_index[i] != kDropped) node->roles[new_index[i]] = roles[i];
  node->own.clear();
  node->passed.clear();
  std::vector<std::size_t> places = keep_needed(own_needs, [&](std::size_t i) {
    if (i < own.size())
      node->own.push_back(own[i]);
    else
      node->passed.push_back(new_index[passed[i - own.size()]]);
  });
  derive_sparkplug_schema(*node);
  return {std::move(node), std::move(places)};
}

/// What it remembers of births is the same whatever is passed on.
std::string SparkplugNode::identity(std::span<const std::vector<std::string>> columns) const {
  std::string text = "topic " + columns[0][topic];
  for (const sparkplug::Role role : kSparkplugNeeds) text += "; " + columns[0][column_of(role)];
  return text;
}

std::shared_ptr<OperatorNode> SparkplugNode::clone() const {
  return std::make_shared<SparkplugNode>(*this);
}

}  // namespace leat::plan
