#include "pipelines/plan/bind_join.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pipelines/plan/bind_from.h"
#include "pipelines/plan/bind_rank.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/unnest_node.h"

namespace leat::plan {

// ---- Conditions ------------------------------------------------------------------------------------------

SideOf side_of(const Expr& expr, std::size_t left_width) {
  const std::vector<std::size_t> columns = columns_of(expr);
  if (columns.empty()) return SideOf::kNeither;
  if (columns.back() < left_width) return SideOf::kLeft;
  return columns.front() >= left_width ? SideOf::kRight : SideOf::kBoth;
}

ExprPtr shift_columns(const ExprPtr& expr, std::size_t from, std::size_t to) {
  const std::vector<std::size_t> columns = columns_of(*expr);
  if (columns.empty() || from == to) return expr;
  std::vector<std::size_t> new_index(columns.back() + 1);
  for (std::size_t i = from; i < new_index.size(); ++i) new_index[i] = i - from + to;
  return remap_columns(expr, new_index);
}

namespace {
/// A function that gives NULL for a NULL.
bool is_strict(const Expr& expr) {
  static constexpr std::string_view kStrict[] = {
      "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "NEGATE"};
  return expr.kind == ExprKind::kColumn || expr.kind == ExprKind::kCast ||
         (expr.kind == ExprKind::kCall && std::ranges::find(kStrict, expr.name) != std::end(kStrict));
}

/// True if it is NULL when these columns are.
bool becomes_null(const Expr& expr, std::size_t first, std::size_t count) {
  if (expr.kind == ExprKind::kColumn) return expr.column >= first && expr.column < first + count;
  const auto child_does = [&](const ExprPtr& child) { return becomes_null(*child, first, count); };
  return is_strict(expr) && std::ranges::any_of(expr.children, child_does);
}
}  // namespace

bool rejects_nulls(const Expr& condition, std::size_t first, std::size_t count) {
  const auto child_does = [&](const ExprPtr& child) { return rejects_nulls(*child, first, count); };
  if (condition.kind == ExprKind::kOr) return std::ranges::all_of(condition.children, child_does);
  if (condition.kind == ExprKind::kAnd) return std::ranges::any_of(condition.children, child_does);
  if (condition.kind == ExprKind::kCall && condition.name == "IS NOT NULL")
    return becomes_null(*condition.children[0], first, count);
  return becomes_null(condition, first, count);
}

// ---- Keys ------------------------------------------------------------------------------------------------

namespace {
/// Equal values have equal bytes in both types, so that one key map serves both sides.
bool same_bytes(const Type& a, const Type& b) {
  if (a.same_shape(b)) return true;
  if (a.is_character() && b.is_character()) return true;
  if (a.is_binary() && b.is_binary()) return true;
  return a.kind() == b.kind() && (a.is_timestamp() || a.kind() == TypeKind::kTime);
}

std::optional<Equality> equality_between(const ExprPtr& a, const ExprPtr& b, std::size_t left_width,
                                         JoinKey::Nulls nulls) {
  const SideOf first = side_of(*a, left_width);
  const SideOf second = side_of(*b, left_width);
  if (!same_bytes(a->type, b->type) || !is_deterministic(*a) || !is_deterministic(*b)) return std::nullopt;
  if (first == SideOf::kLeft && second == SideOf::kRight)
    return Equality{a, shift_columns(b, left_width, 0), nulls};
  if (first == SideOf::kRight && second == SideOf::kLeft)
    return Equality{b, shift_columns(a, left_width, 0), nulls};
  return std::nullopt;
}

bool is_call(const Expr& expr, std::string_view name) {
  return expr.kind == ExprKind::kCall && expr.name == name;
}

/// `(a IS NULL AND b IS NULL) OR a = b`: how IS NOT DISTINCT FROM was written before there was one.
std::optional<Equality> equality_or_nulls(const Expr& condition, std::size_t left_width) {
  if (condition.kind != ExprKind::kOr || condition.children.size() != 2) return std::nullopt;
  const bool equal_first = is_call(*condition.children[0], "=");
  const Expr& equal = *condition.children[equal_first ? 0 : 1];
  const Expr& nulls = *condition.children[equal_first ? 1 : 0];
  if (!is_call(equal, "=") || nulls.kind != ExprKind::kAnd || nulls.children.size() != 2) return std::nullopt;
  const auto tests = [&](const Expr& test, const ExprPtr& value) {
    return is_call(test, "IS NULL") && identity_of(*test.children[0]) == identity_of(*value);
  };
  const auto in_order = [&](std::size_t a, std::size_t b) {
    return tests(*nulls.children[a], equal.children[0]) && tests(*nulls.children[b], equal.children[1]);
  };
  if (!in_order(0, 1) && !in_order(1, 0)) return std::nullopt;
  return equality_between(equal.children[0], equal.children[1], left_width, JoinKey::Nulls::kMatch);
}
}  // namespace

std::optional<Equality> equality_of(const Expr& condition, std::size_t left_width) {
  if (is_call(condition, "="))
    return equality_between(condition.children[0], condition.children[1], left_width,
                            JoinKey::Nulls::kNeverMatch);
  if (is_call(condition, "IS NOT DISTINCT FROM"))
    return equality_between(condition.children[0], condition.children[1], left_width, JoinKey::Nulls::kMatch);
  return equality_or_nulls(condition, left_width);
}

// A condition that can fail for a row is evaluated behind those before it, which may be its guards: keys and
// conditions below the join are evaluated first, so such a one stays where it is.
void finish_join(JoinBase& join, const JoinParts& parts, KeyForm form) {
  const std::size_t width = parts.left_width();
  std::vector<ExprPtr> left_keys;
  std::vector<ExprPtr> right_keys;
  std::vector<ExprPtr> rest;
  for (const ExprPtr& condition : parts.conditions) {
    std::optional<Equality> equality = equality_of(*condition, width);
    const bool fits = equality && (form == KeyForm::kAny || equality->right->kind == ExprKind::kColumn);
    if (!fits || (!rest.empty() && !is_total(*condition))) {
      rest.push_back(condition);
      continue;
    }
    left_keys.push_back(std::move(equality->left));
    right_keys.push_back(std::move(equality->right));
    join.keys.push_back({.nulls = equality->nulls});
  }
  std::vector<std::size_t> left_places;
  std::vector<std::size_t> right_places;
  join.inputs = {with_key_columns(parts.left.node, left_keys, left_places),
                 with_key_columns(parts.right.node, right_keys, right_places)};
  for (std::size_t i = 0; i < join.keys.size(); ++i) {
    join.keys[i].left = left_places[i];
    join.keys[i].right = right_places[i];
  }
  // The columns of the right side move behind the key columns of the left one.
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < width; ++i) places.push_back(i);
  for (std::size_t i = 0; i < parts.right.schema().size(); ++i) places.push_back(join.left_width() + i);
  if (const ExprPtr condition = conjunction_of(rest)) join.condition = remap_columns(condition, places);
  if (!gives_right(join.type)) places.resize(width);
  join.output = std::move(places);
  join.derive();
}

namespace {
Relation regular_join(const JoinParts& parts, Micros state_ttl) {
  auto join = std::make_shared<JoinNode>();
  join->type = parts.type;
  for (std::size_t side = 0; side < 2; ++side)
    join->state_ttl[side] = parts.state_ttl[side].value_or(state_ttl);
  finish_join(*join, parts);
  return plain_relation(std::move(join));
}

/// A join that keeps its rows as long as their times ask for has no use for a time to live.
bool check_ttl(const JoinParts& parts, const BindContext& context) {
  if (!parts.state_ttl[0] && !parts.state_ttl[1]) return true;
  context.diagnostics.error(
      parts.span, "this join keeps its rows by their times, so STATE_TTL cannot say how long",
      "leave its tables out of STATE_TTL, which is for joins without conditions on time");
  return false;
}
}  // namespace

std::optional<Relation> make_join(JoinParts parts, const BindContext& context) {
  std::optional<Relation> join = window_join(parts);
  if (!join) join = interval_join(parts);
  if (!join) return regular_join(parts, context.settings.state_ttl);
  return check_ttl(parts, context) ? join : std::nullopt;
}

// ---- The tree --------------------------------------------------------------------------------------------

namespace {

/// Conditions on their way down a join.
struct Distribution {
  std::vector<ExprPtr> left;
  std::vector<ExprPtr> right;
  std::vector<ExprPtr> here;
};

/// Which sides of a join take conditions that read them alone.
struct Sides {
  bool left = false;
  bool right = false;
};

/// A condition that can fail may have its guards among those before it: it only follows them.
void distribute(const FromItem& item, const std::vector<ExprPtr>& conditions, Sides takes, Distribution& to) {
  const std::size_t boundary = item.right->first;
  bool left_guarded = false;
  bool right_guarded = false;
  for (const ExprPtr& condition : conditions) {
    const SideOf side = is_deterministic(*condition) ? side_of(*condition, boundary) : SideOf::kBoth;
    const bool total = is_total(*condition);
    if (side == SideOf::kLeft && takes.left && (total || !left_guarded)) {
      to.left.push_back(condition);
      right_guarded = true;
    } else if (side == SideOf::kRight && takes.right && (total || !right_guarded)) {
      to.right.push_back(condition);
      left_guarded = true;
    } else {
      to.here.push_back(condition);
      left_guarded = right_guarded = true;
    }
  }
}

/// A padded row that WHERE refuses in any case need not be made.
void simplify_type(FromItem& item, const std::vector<ExprPtr>& where) {
  const auto refuses = [&](const FromItem& side) {
    return std::ranges::any_of(where, [&](const ExprPtr& condition) {
      return is_deterministic(*condition) && rejects_nulls(*condition, side.first, side.width);
    });
  };
  const bool left = keeps_left(item.type) && !refuses(*item.right);
  const bool right = keeps_right(item.type) && !refuses(*item.left);
  if (!keeps_left(item.type) && !keeps_right(item.type)) return;
  item.type =
      left ? (right ? JoinType::kFull : JoinType::kLeft) : (right ? JoinType::kRight : JoinType::kInner);
}

std::vector<ExprPtr> shifted(const std::vector<ExprPtr>& conditions, std::size_t first) {
  std::vector<ExprPtr> local;
  for (const ExprPtr& condition : conditions) local.push_back(shift_columns(condition, first, 0));
  return local;
}

Relation filtered(Relation relation, const std::vector<ExprPtr>& conditions) {
  if (!conditions.empty()) relation.node = filter_ranked(relation.node, conjunction_of(conditions));
  return relation;
}

}  // namespace

namespace {

/// Conditions of WHERE and of ON, divided between the inputs of a join, the join and what is above it.
struct Plans {
  std::vector<ExprPtr> left;
  std::vector<ExprPtr> right;
  std::vector<ExprPtr> join;
  std::vector<ExprPtr> above;
};

Plans divide(const FromItem& item, const std::vector<ExprPtr>& where) {
  const bool pads_left = keeps_right(item.type);
  const bool pads_right = keeps_left(item.type);
  // The version of a row must be found before anything is asked about it.
  const bool versions = item.as_of.has_value();
  Distribution of_where;
  distribute(item, where, {.left = !pads_left, .right = !pads_right && !versions}, of_where);
  Distribution of_on;
  distribute(item, item.on, {.left = !pads_right, .right = !pads_left && !versions}, of_on);
  Plans plans{std::move(of_where.left), std::move(of_where.right), std::move(of_on.here), {}};
  plans.left.insert(plans.left.end(), of_on.left.begin(), of_on.left.end());
  plans.right.insert(plans.right.end(), of_on.right.begin(), of_on.right.end());
  const bool inner = item.type == JoinType::kInner;
  std::vector<ExprPtr>& rest = inner ? plans.join : plans.above;
  rest.insert(rest.end(), of_where.here.begin(), of_where.here.end());
  return plans;
}

std::optional<Relation> build_unnest(FromItem& item, const std::vector<ExprPtr>& where,
                                     const BindContext& context) {
  Distribution conditions;
  const std::size_t boundary = item.first + item.left->width;
  for (const ExprPtr& condition : where) {
    const bool below = is_total(*condition) && side_of(*condition, boundary) == SideOf::kLeft;
    (below ? conditions.left : conditions.here).push_back(condition);
  }
  std::optional<Relation> input = build_from(*item.left, std::move(conditions.left), context);
  if (!input) return std::nullopt;
  auto unnest = std::make_shared<UnnestNode>();
  unnest->collection = shift_columns(item.collection, item.first, 0);
  unnest->ordinality = item.ordinality;
  unnest->empty = item.type == JoinType::kLeft ? UnnestNode::Empty::kPadded : UnnestNode::Empty::kLeftOut;
  for (std::size_t i = 0; i < item.left->width; ++i) unnest->passed.push_back(i);
  unnest->inputs = {input->node};
  std::vector<ExprPtr> above = item.on;
  if (item.type == JoinType::kLeft && !above.empty())
    unnest->condition = conjunction_of(shifted(std::exchange(above, {}), item.first));
  unnest->derive();
  input->node = std::move(unnest);
  input->roles.resize(item.width, ColumnRole::kPlain);
  above.insert(above.end(), conditions.here.begin(), conditions.here.end());
  return filtered(std::move(*input), shifted(above, item.first));
}

std::optional<Relation> build_join(const FromItem& item, JoinParts parts, const BindContext& context) {
  if (!item.as_of) return make_join(std::move(parts), context);
  const std::size_t time_column = *item.as_of - item.first;
  const TimeAttribute attribute = parts.left.node->time_attributes[time_column];
  if (attribute == TimeAttribute::kRowTime && !check_ttl(parts, context)) return std::nullopt;
  if (attribute == TimeAttribute::kRowTime) return temporal_join(std::move(parts), time_column, context);
  if (attribute == TimeAttribute::kProcTime) return lookup_join(std::move(parts), context);
  context.diagnostics.error(item.as_of_span, "FOR SYSTEM_TIME AS OF takes a time attribute",
                            "declare WATERMARK FOR the column in its table, or a column AS PROCTIME()");
  return std::nullopt;
}

}  // namespace

std::optional<Relation> build_from(FromItem& item, std::vector<ExprPtr> where, const BindContext& context) {
  if (!item.left) return filtered(item.relation, shifted(where, item.first));
  if (item.collection) return build_unnest(item, where, context);
  simplify_type(item, where);
  Plans plans = divide(item, where);
  std::optional<Relation> left = build_from(*item.left, std::move(plans.left), context);
  std::optional<Relation> right = build_from(*item.right, std::move(plans.right), context);
  if (!left || !right) return std::nullopt;
  JoinParts parts{item.type,         std::move(*left),
                  std::move(*right), shifted(plans.join, item.first),
                  item.span,         {item.left->state_ttl, item.right->state_ttl}};
  std::optional<Relation> joined = build_join(item, std::move(parts), context);
  if (!joined) return std::nullopt;
  return filtered(std::move(*joined), shifted(plans.above, item.first));
}

}  // namespace leat::plan
