#include "pipelines/plan/rank_node.h"

namespace leat::plan {
namespace {

/// Of a line only: the time to live is no part of a node's identity, so it may change without losing state.
std::string ttl_text(Micros ttl) {
  return ttl.count() > 0 ? " ttl=" + format_duration(ttl) : "";
}

std::string listed(std::span<const std::size_t> indexes, std::span<const std::string> columns) {
  std::string text;
  for (const std::size_t index : indexes) text += (text.empty() ? "" : ", ") + columns[index];
  return text;
}

}  // namespace

std::string RankRange::to_string() const {
  if (!last) return "from " + std::to_string(first);
  if (first == *last) return std::to_string(first);
  return std::to_string(first) + " to " + std::to_string(*last);
}

// ---- Numbering -------------------------------------------------------------------------------------------

std::vector<Type::Field> NumberingNode::own_columns() const {
  if (!gives_number) return {};
  return {{"row_number", Type::big_int().with_nullable(false)}};
}

void NumberingNode::add_own_needs(const Needs&, Needs& input) const {
  need(input, partition_by);
  need(input, order);
}

void NumberingNode::move_own(const Needs& own_needed, std::span<const std::size_t> new_index) {
  partition_by = moved(partition_by, new_index);
  move_keys(order, new_index);
  gives_number = gives_number && own_needed[0];
}

std::string NumberingNode::text(std::span<const std::string> columns) const {
  std::string text;
  if (!partition_by.empty()) text += " partition by(" + listed(partition_by, columns) + ")";
  text += " order by(" + sort_text(order, columns) + ") rows(" + range.to_string() + ")";
  return text + (gives_number ? " numbered" : "");
}

std::string NumberingNode::own_identity(std::span<const std::string> texts) const {
  return std::string(operator_name()) + text(texts);
}

std::string RankNode::line() const {
  const std::vector<std::string> columns = column_names(inputs[0]->schema);
  if (further == Further::kFail)
    return "SingleRow" + (partition_by.empty() ? "" : " per(" + listed(partition_by, columns) + ")") +
           ttl_text(state_ttl);
  return "Rank" + text(columns) + ttl_text(state_ttl);
}

std::string RankNode::own_identity(std::span<const std::string> texts) const {
  return NumberingNode::own_identity(texts) + (further == Further::kFail ? " alone" : "");
}

// ---- Of windows ------------------------------------------------------------------------------------------

std::string WindowRankNode::line() const {
  return "WindowRank" + text(column_names(inputs[0]->schema)) +
         (ties == Ties::kLastArrival ? " last of equals" : "");
}

void WindowRankNode::add_own_needs(const Needs& own_needed, Needs& input) const {
  NumberingNode::add_own_needs(own_needed, input);
  need(input, window_end);
}

void WindowRankNode::move_own(const Needs& own_needed, std::span<const std::size_t> new_index) {
  NumberingNode::move_own(own_needed, new_index);
  window_end = new_index[window_end];
}

std::string WindowRankNode::own_identity(std::span<const std::string> texts) const {
  return NumberingNode::own_identity(texts) + " end " + texts[window_end] +
         (window.local_time ? " in " + window.time_zone : "") +
         (ties == Ties::kLastArrival ? " last of equals" : "");
}

// ---- Deduplication ---------------------------------------------------------------------------------------

std::string DeduplicateNode::text(std::span<const std::string> columns) const {
  return std::string(keep == Keep::kFirst ? " keep first" : " keep last") + " by(" + columns[time_column] +
         ") key(" + listed(partition_by, columns) + ")";
}

std::string DeduplicateNode::line() const {
  return "Deduplicate" + text(column_names(inputs[0]->schema)) + ttl_text(state_ttl);
}

void DeduplicateNode::add_own_needs(const Needs&, Needs& input) const {
  need(input, partition_by);
  need(input, time_column);
}

void DeduplicateNode::move_own(const Needs&, std::span<const std::size_t> new_index) {
  partition_by = moved(partition_by, new_index);
  time_column = new_index[time_column];
}

std::string DeduplicateNode::own_identity(std::span<const std::string> texts) const {
  return "deduplicate" + text(texts);
}

}  // namespace leat::plan
