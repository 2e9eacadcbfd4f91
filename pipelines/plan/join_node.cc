#include "pipelines/plan/join_node.h"

#include <algorithm>
#include <utility>

#include "pipelines/plan/node_build.h"

namespace leat::plan {

std::string_view to_string(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return "INNER";
    case JoinType::kLeft:
      return "LEFT";
    case JoinType::kRight:
      return "RIGHT";
    case JoinType::kFull:
      return "FULL";
    case JoinType::kSemi:
      return "SEMI";
    case JoinType::kAnti:
      return "ANTI";
  }
  return "";
}

bool keeps_left(JoinType type) {
  return type == JoinType::kLeft || type == JoinType::kFull || type == JoinType::kAnti;
}

bool keeps_right(JoinType type) {
  return type == JoinType::kRight || type == JoinType::kFull;
}

bool gives_right(JoinType type) {
  return type != JoinType::kSemi && type != JoinType::kAnti;
}

void JoinBase::derive_schema(KeptTimes times) {
  schema.fields.clear();
  time_attributes.clear();
  for (const std::size_t column : output) {
    const bool from_left = column < left_width();
    const Node& input = *inputs[from_left ? 0 : 1];
    const std::size_t index = from_left ? column : column - left_width();
    Type::Field field = input.schema.fields[index];
    const bool padded = from_left ? keeps_right(type) : keeps_left(type);
    if (padded) field.type = field.type.with_nullable(true);
    schema.fields.push_back(std::move(field));
    const bool kept = times == KeptTimes::kBoth || (times == KeptTimes::kLeft && from_left);
    time_attributes.push_back(kept ? input.time_attributes[index] : TimeAttribute::kNone);
  }
}

namespace {
/// The columns of both inputs, counted through.
std::vector<std::string> both(std::span<const std::string> left, std::span<const std::string> right) {
  std::vector<std::string> columns(left.begin(), left.end());
  columns.insert(columns.end(), right.begin(), right.end());
  return columns;
}

std::vector<std::string> names(const Schema& schema) {
  std::vector<std::string> texts;
  for (const Type::Field& field : schema.fields) texts.push_back(field.name);
  return texts;
}

std::string keys_text(std::span<const JoinKey> keys, std::span<const std::string> left,
                      std::span<const std::string> right) {
  std::string text;
  for (const JoinKey& key : keys) {
    text += text.empty() ? "" : ", ";
    text += left[key.left];
    text += key.nulls == JoinKey::Nulls::kMatch ? " IS NOT DISTINCT FROM " : " = ";
    text += right[key.right];
  }
  return text;
}
}  // namespace

std::string JoinBase::line() const {
  const std::vector<std::string> left = names(inputs[0]->schema);
  const std::vector<std::string> right = names(inputs[1]->schema);
  std::string text(operator_name());
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  text += " " + std::string(to_string(type));
  if (!keys.empty()) text += " on(" + keys_text(keys, left, right) + ")";
  if (condition) text += " if(" + to_string(*condition) + ")";
  return text + own_text(left, right);
}

void JoinBase::add_needs(const Needs& own, std::span<Needs> input_needs) const {
  const std::size_t width = left_width();
  Needs both(width + input_needs[1].size());
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i]) need(both, output[i]);
  for (const JoinKey& key : keys) {
    need(both, key.left);
    need(both, width + key.right);
  }
  if (condition) need(both, *condition);
  for (std::size_t i = 0; i < both.size(); ++i)
    if (both[i]) input_needs[i < width ? 0 : 1][i < width ? i : i - width] = true;
  for (std::size_t side = 0; side < special.size(); ++side) need(input_needs[side], special[side]);
}

namespace {
/// Places of the needed columns once all others are gone, those of the right input behind those of the left.
std::vector<std::size_t> places_of(const std::array<Needs, 2>& needs) {
  Needs both = needs[0];
  both.insert(both.end(), needs[1].begin(), needs[1].end());
  return keep_needed(both, [](std::size_t) {});
}
}  // namespace

Pruned JoinBase::prune(const Needs& own, std::span<const Pruned> pruned_inputs) const {
  std::array<Needs, 2> needs = {Needs(inputs[0]->schema.size()), Needs(inputs[1]->schema.size())};
  add_needs(own, needs);
  const std::vector<std::size_t> places = places_of(needs);
  const std::shared_ptr<OperatorNode> copy = clone();
  auto& join = static_cast<JoinBase&>(*copy);
  join.inputs = {picked(pruned_inputs[0], needs[0]), picked(pruned_inputs[1], needs[1])};
  const std::size_t width = join.left_width();
  for (JoinKey& key : join.keys) {
    key.left = places[key.left];
    key.right = places[left_width() + key.right] - width;
  }
  if (condition) join.condition = remap_columns(condition, places);
  for (std::size_t& column : join.special[0]) column = places[column];
  for (std::size_t& column : join.special[1]) column = places[left_width() + column] - width;
  join.output.clear();
  std::vector<std::size_t> new_index =
      keep_needed(own, [&](std::size_t i) { join.output.push_back(places[output[i]]); });
  join.derive();
  return {copy, std::move(new_index)};
}

std::string JoinBase::identity(std::span<const std::vector<std::string>> columns) const {
  std::string text = std::string(to_string(type)) + " on " + keys_text(keys, columns[0], columns[1]);
  if (condition) text += " if " + expr_identity(*condition, both(columns[0], columns[1]));
  text += own_text(columns[0], columns[1]);
  text += " left " + typed_columns(inputs[0]->schema, columns[0]);
  return text + " right " + typed_columns(inputs[1]->schema, columns[1]);
}

// ---- Regular joins ---------------------------------------------------------------------------------------

void JoinNode::derive() {
  derive_schema(KeptTimes::kNone);
  const bool from_inputs = inputs[0]->updating || inputs[1]->updating;
  updating = from_inputs || (type != JoinType::kInner && type != JoinType::kSemi);
}

namespace {
std::string lifetime_text(Micros ttl) {
  return ttl.count() > 0 ? format_duration(ttl) : "none";
}
}  // namespace

std::string JoinNode::line() const {
  const auto [left, right] = state_ttl;
  if (left.count() == 0 && right.count() == 0) return JoinBase::line();
  return JoinBase::line() +
         " ttl=" + (left == right ? lifetime_text(left) : lifetime_text(left) + "/" + lifetime_text(right));
}

// The time to live may change without losing the rows, but not come or go: only rows that expire are saved
// with their times.
std::string JoinNode::identity(std::span<const std::vector<std::string>> columns) const {
  const bool left = state_ttl[0].count() > 0;
  const bool right = state_ttl[1].count() > 0;
  const std::string_view which = left && right ? " expiring" : left ? " expiring left" : " expiring right";
  return JoinBase::identity(columns) + std::string(left || right ? which : "");
}

std::shared_ptr<OperatorNode> JoinNode::clone() const {
  return std::make_shared<JoinNode>(*this);
}

std::string JoinNode::own_text(std::span<const std::string> left, std::span<const std::string> right) const {
  (void)left;
  (void)right;
  return {};
}

// ---- Interval joins --------------------------------------------------------------------------------------

void IntervalJoinNode::derive() {
  derive_schema(KeptTimes::kBoth);
  updating = false;
}

std::shared_ptr<OperatorNode> IntervalJoinNode::clone() const {
  return std::make_shared<IntervalJoinNode>(*this);
}

namespace {
std::string signed_duration(Micros duration) {
  return duration.count() < 0 ? "-" + format_duration(-duration) : format_duration(duration);
}
}  // namespace

std::string IntervalJoinNode::own_text(std::span<const std::string> left,
                                       std::span<const std::string> right) const {
  return " within(" + left[special[0][0]] + " - " + right[special[1][0]] + " from " + signed_duration(lower) +
         " to " + signed_duration(upper) + ")";
}

// ---- Window joins ----------------------------------------------------------------------------------------

void WindowJoinNode::derive() {
  derive_schema(KeptTimes::kBoth);
  updating = false;
}

std::shared_ptr<OperatorNode> WindowJoinNode::clone() const {
  return std::make_shared<WindowJoinNode>(*this);
}

std::string WindowJoinNode::own_text(std::span<const std::string> left,
                                     std::span<const std::string> right) const {
  std::string text = " at(" + left[special[0][0]] + " = " + right[special[1][0]];
  if (window.local_time) text += " in " + window.time_zone;
  return text + ")";
}

// ---- Temporal joins --------------------------------------------------------------------------------------

void TemporalJoinNode::derive() {
  derive_schema(KeptTimes::kLeft);
  updating = inputs[0]->updating;
}

std::string TemporalJoinNode::line() const {
  return JoinBase::line() + (state_ttl.count() > 0 ? " ttl=" + format_duration(state_ttl) : "");
}

std::shared_ptr<OperatorNode> TemporalJoinNode::clone() const {
  return std::make_shared<TemporalJoinNode>(*this);
}

std::string TemporalJoinNode::own_text(std::span<const std::string> left,
                                       std::span<const std::string> right) const {
  return " as of(" + left[special[0][0]] + ", versions by " + right[special[1][0]] + ")";
}

// ---- Building --------------------------------------------------------------------------------------------

NodePtr with_key_columns(NodePtr input, std::span<const ExprPtr> keys, std::vector<std::size_t>& places) {
  std::vector<ExprPtr> exprs;
  std::vector<std::string> column_names;
  for (std::size_t i = 0; i < input->schema.size(); ++i) {
    exprs.push_back(column_of(*input, i));
    column_names.push_back(input->schema.fields[i].name);
  }
  for (const ExprPtr& key : keys) {
    if (key->kind == ExprKind::kColumn) {
      places.push_back(key->column);
      continue;
    }
    places.push_back(exprs.size());
    column_names.push_back(to_string(*key));
    exprs.push_back(key);
  }
  if (exprs.size() == input->schema.size()) return input;
  return make_project(std::move(input), std::move(exprs), column_names);
}

}  // namespace leat::plan
