#include "pipelines/plan/changelog_node.h"

#include <utility>

namespace leat::plan {

// ---- ToChangelog -----------------------------------------------------------------------------------------

void derive_changelog_schema(ToChangelogNode& node, const std::string& name) {
  node.schema = node.inputs[0]->schema;
  node.schema.fields.push_back({name, Type::string().with_nullable(false)});
  node.time_attributes.assign(node.schema.size(), TimeAttribute::kNone);
}

std::string ToChangelogNode::line() const {
  std::string text;
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (codes[i])
      text += (text.empty() ? "" : ", ") + std::string(to_string(static_cast<RowKind>(i))) + " '" +
              *codes[i] + "'";
  return "ToChangelog(" + text + ")";
}

// Which changes there are depends on all columns: an update of one that nobody reads is one, too.
void ToChangelogNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  (void)own;
  needs[0].assign(needs[0].size(), true);
}

Pruned ToChangelogNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  (void)own;
  auto node = std::make_shared<ToChangelogNode>(*this);
  node->inputs = {pruned[0].node};
  derive_changelog_schema(*node, schema.fields.back().name);
  Pruned result{node, pruned[0].new_index};
  result.new_index.push_back(node->schema.size() - 1);
  return result;
}

std::string ToChangelogNode::identity(std::span<const std::vector<std::string>> columns) const {
  (void)columns;
  return line();
}

std::shared_ptr<OperatorNode> ToChangelogNode::clone() const {
  return std::make_shared<ToChangelogNode>(*this);
}

// ---- FromChangelog ---------------------------------------------------------------------------------------

void derive_changelog_schema(FromChangelogNode& node) {
  node.schema = node.inputs[0]->schema;
  node.time_attributes.assign(node.schema.size(), TimeAttribute::kNone);
  node.updating = true;
}

std::string FromChangelogNode::line() const {
  std::string text;
  for (const auto& [code, change] : kinds)
    text += (text.empty() ? "'" : ", '") + code + "' " + std::string(to_string(change));
  return "FromChangelog(" + inputs[0]->schema.fields[code_column].name + ": " + text + ")";
}

void FromChangelogNode::add_needs(const Needs& own, std::span<Needs> needs) const {
  for (std::size_t i = 0; i < needs[0].size(); ++i)
    if (own[i]) need(needs[0], i);
  need(needs[0], code_column);
}

Pruned FromChangelogNode::prune(const Needs& own, std::span<const Pruned> pruned) const {
  (void)own;
  auto node = std::make_shared<FromChangelogNode>(*this);
  node->inputs = {pruned[0].node};
  node->code_column = pruned[0].new_index[code_column];
  derive_changelog_schema(*node);
  return {std::move(node), pruned[0].new_index};
}

std::string FromChangelogNode::identity(std::span<const std::vector<std::string>> columns) const {
  return line() + " of " + columns[0][code_column];
}

std::shared_ptr<OperatorNode> FromChangelogNode::clone() const {
  return std::make_shared<FromChangelogNode>(*this);
}

}  // namespace leat::plan
