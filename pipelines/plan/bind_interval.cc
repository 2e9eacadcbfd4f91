// Which joins are interval joins: those whose conditions bound the difference of two time attributes from
// below and from above.
#include <algorithm>
#include <limits>
#include <utility>

#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/processing_clock.h"

namespace leat::plan {
namespace {

/// A column and what is added to it.
struct ShiftedColumn {
  std::size_t column = 0;
  std::int64_t offset = 0;
};

bool is_duration(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral && expr.type.kind() == TypeKind::kIntervalDayTime &&
         !expr.literal.is_null();
}

std::optional<ShiftedColumn> shifted_column(const Expr& expr) {
  if (expr.kind == ExprKind::kColumn) return ShiftedColumn{expr.column, 0};
  if (expr.kind == ExprKind::kCast && expr.type.kind() == expr.children[0]->type.kind())
    return shifted_column(*expr.children[0]);
  const bool sum = expr.kind == ExprKind::kCall && expr.children.size() == 2 && expr.name == "+";
  const bool difference = expr.kind == ExprKind::kCall && expr.children.size() == 2 && expr.name == "-";
  if (!sum && !difference) return std::nullopt;
  const bool duration_first = sum && is_duration(*expr.children[0]);
  const Expr& duration = *expr.children[duration_first ? 0 : 1];
  if (!is_duration(duration)) return std::nullopt;
  std::optional<ShiftedColumn> base = shifted_column(*expr.children[duration_first ? 1 : 0]);
  if (base) base->offset += sum ? duration.literal.as_integer() : -duration.literal.as_integer();
  return base;
}

/// The least and the greatest difference left − right that conditions allow.
struct TimeRange {
  static constexpr std::int64_t kOpen = std::numeric_limits<std::int64_t>::max();
  std::int64_t lower = -kOpen;
  std::int64_t upper = kOpen;
  std::size_t left = 0;  ///< The time columns.
  std::size_t right = 0;

  [[nodiscard]] bool bounded() const { return lower != -kOpen && upper != kOpen; }
};

std::string_view mirrored(std::string_view comparison) {
  if (comparison == "<") return ">";
  if (comparison == "<=") return ">=";
  if (comparison == ">") return "<";
  if (comparison == ">=") return "<=";
  return comparison;
}

/// Time attributes are milliseconds: what is less than a time is at most the millisecond before it.
bool narrow(TimeRange& range, std::string_view comparison, std::int64_t difference) {
  if (comparison == "<=" || comparison == "=") range.upper = std::min(range.upper, difference);
  if (comparison == ">=" || comparison == "=") range.lower = std::max(range.lower, difference);
  if (comparison == "<") range.upper = std::min(range.upper, difference - kMicrosPerMilli);
  if (comparison == ">") range.lower = std::max(range.lower, difference + kMicrosPerMilli);
  return comparison == "<=" || comparison == ">=" || comparison == "=" || comparison == "<" ||
         comparison == ">";
}

/// The attributes of both sides that `a` and `b` are shifted from, the left one's first.
std::optional<TimeAttribute> common_attribute(const JoinParts& parts, std::size_t left, std::size_t right) {
  if (left >= parts.left_width() || right < parts.left_width()) return std::nullopt;
  const TimeAttribute attribute = parts.left.node->time_attributes[left];
  const TimeAttribute other = parts.right.node->time_attributes[right - parts.left_width()];
  if (attribute != other || attribute == TimeAttribute::kNone) return std::nullopt;
  return attribute;
}

/// True if `condition` bounds the difference of two time attributes; `range` then has the bound.
bool take_bound(const Expr& condition, const JoinParts& parts, std::optional<TimeRange>& range) {
  if (condition.kind != ExprKind::kCall || condition.children.size() != 2) return false;
  std::optional<ShiftedColumn> a = shifted_column(*condition.children[0]);
  std::optional<ShiftedColumn> b = shifted_column(*condition.children[1]);
  if (!a || !b) return false;
  std::string_view comparison = condition.name;
  if (a->column >= parts.left_width()) {
    std::swap(a, b);
    comparison = mirrored(comparison);
  }
  if (!common_attribute(parts, a->column, b->column)) return false;
  const std::size_t right = b->column - parts.left_width();
  if (range && (range->left != a->column || range->right != right)) return false;
  TimeRange narrowed = range.value_or(TimeRange{.left = a->column, .right = right});
  if (!narrow(narrowed, comparison, b->offset - a->offset)) return false;
  range = narrowed;
  return true;
}

NodePtr clocked(NodePtr input, std::size_t column) {
  if (input->time_attributes[column] != TimeAttribute::kProcTime) return input;
  return make_processing_clock(std::move(input), column);
}

}  // namespace

std::optional<Relation> interval_join(JoinParts& parts) {
  if (parts.left.node->updating || parts.right.node->updating) return std::nullopt;
  std::optional<TimeRange> range;
  std::vector<ExprPtr> rest;
  for (const ExprPtr& condition : parts.conditions)
    if (!take_bound(*condition, parts, range)) rest.push_back(condition);
  if (!range || !range->bounded()) return std::nullopt;
  auto join = std::make_shared<IntervalJoinNode>();
  join->type = parts.type;
  join->lower = Micros(range->lower);
  join->upper = Micros(range->upper);
  join->special[0] = {range->left};
  join->special[1] = {range->right};
  parts.left.node = clocked(parts.left.node, range->left);
  parts.right.node = clocked(parts.right.node, range->right);
  parts.conditions = std::move(rest);
  finish_join(*join, parts);
  return plain_relation(std::move(join));
}

}  // namespace leat::plan
