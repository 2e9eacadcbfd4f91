#include "pipelines/plan/order_node.h"

namespace leat::plan {

std::string SortNode::line() const {
  return "Sort order by(" + sort_text(order, column_names(inputs[0]->schema)) + ")" +
         (when == When::kAtEnd ? " at end" : "") + (wanted ? " first(" + std::to_string(*wanted) + ")" : "");
}

void SortNode::add_own_needs(const Needs&, Needs& input) const {
  need(input, order);
}

void SortNode::move_own(const Needs&, std::span<const std::size_t> new_index) {
  move_keys(order, new_index);
}

std::string SortNode::own_identity(std::span<const std::string> texts) const {
  return std::string(when == When::kAtEnd ? "sort at end" : "sort by time") + " (" + sort_text(order, texts) +
         ")" + (wanted ? " first " + std::to_string(*wanted) : "");
}

std::string LimitNode::line() const {
  std::string text = "Limit";
  if (count) text += " count(" + std::to_string(*count) + ")";
  if (offset > 0) text += " offset(" + std::to_string(offset) + ")";
  return text;
}

std::string LimitNode::own_identity(std::span<const std::string>) const {
  return line();
}

}  // namespace leat::plan
