// Joins whose kind follows from windows or from FOR SYSTEM_TIME AS OF.
#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_join.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

ColumnRole role_of(const Relation& side, const ExprPtr& expr) {
  return expr->kind == ExprKind::kColumn ? side.roles[expr->column] : ColumnRole::kPlain;
}

/// The index of the condition that makes columns of this role on both sides equal.
std::optional<std::size_t> equality_of_roles(const JoinParts& parts, ColumnRole role) {
  for (std::size_t i = 0; i < parts.conditions.size(); ++i) {
    const std::optional<Equality> equality = equality_of(*parts.conditions[i], parts.left_width());
    if (equality && role_of(parts.left, equality->left) == role &&
        role_of(parts.right, equality->right) == role)
      return i;
  }
  return std::nullopt;
}

/// Windows stay windows behind the join, but for those of a side that it may have padded.
Relation windowed(std::shared_ptr<WindowJoinNode> join, const JoinParts& parts) {
  Relation relation{.node = join, .window = parts.left.window};
  for (const ColumnRole role : parts.left.roles)
    relation.roles.push_back(keeps_right(join->type) ? ColumnRole::kPlain : role);
  if (!gives_right(join->type)) return relation;
  for (const ColumnRole role : parts.right.roles)
    relation.roles.push_back(keeps_left(join->type) ? ColumnRole::kPlain : role);
  return relation;
}

}  // namespace

std::optional<Relation> window_join(JoinParts& parts) {
  if (parts.left.node->updating || parts.right.node->updating) return std::nullopt;
  if (!parts.left.window || !parts.right.window ||
      parts.left.window->local_time != parts.right.window->local_time)
    return std::nullopt;
  const std::optional<std::size_t> start = equality_of_roles(parts, ColumnRole::kWindowStart);
  const std::optional<std::size_t> end = equality_of_roles(parts, ColumnRole::kWindowEnd);
  if (!start || !end) return std::nullopt;
  const Equality ends = *equality_of(*parts.conditions[*end], parts.left_width());
  auto join = std::make_shared<WindowJoinNode>();
  join->type = parts.type;
  join->window = *parts.left.window;
  join->special[0] = {ends.left->column};
  join->special[1] = {ends.right->column};
  parts.conditions.erase(parts.conditions.begin() + static_cast<std::ptrdiff_t>(*end));
  finish_join(*join, parts);
  return windowed(std::move(join), parts);
}

// ---- FOR SYSTEM_TIME AS OF -------------------------------------------------------------------------------

namespace {

/// The rowtime by which the versions of a table are told apart.
std::optional<std::size_t> version_time(const Relation& table) {
  const auto& attributes = table.node->time_attributes;
  const auto found = std::ranges::find(attributes, TimeAttribute::kRowTime);
  if (found == attributes.end()) return std::nullopt;
  return static_cast<std::size_t>(found - attributes.begin());
}

bool is_key(const JoinParts& parts, std::size_t column) {
  return std::ranges::any_of(parts.conditions, [&](const ExprPtr& condition) {
    const std::optional<Equality> equality = equality_of(*condition, parts.left_width());
    return equality && equality->right->kind == ExprKind::kColumn && equality->right->column == column;
  });
}

bool check_version_key(const JoinParts& parts, const BindContext& context) {
  const std::vector<std::size_t>& key = parts.right.primary_key;
  if (key.empty() && !parts.right.node->updating) {
    context.diagnostics.error(
        parts.span, "FOR SYSTEM_TIME AS OF needs to know which rows are versions of one another",
        "declare PRIMARY KEY (…) NOT ENFORCED in the table, or deduplicate it in a view");
    return false;
  }
  for (const std::size_t column : key) {
    if (is_key(parts, column)) continue;
    context.diagnostics.error(parts.span, "the join must compare the whole PRIMARY KEY: '" +
                                              parts.right.schema().fields[column].name +
                                              "' is missing in ON");
    return false;
  }
  const auto compares = [&](const ExprPtr& condition) {
    return equality_of(*condition, parts.left_width()).has_value();
  };
  if (std::ranges::any_of(parts.conditions, compares)) return true;
  context.diagnostics.error(parts.span, "FOR SYSTEM_TIME AS OF needs an equality of keys in ON");
  return false;
}

}  // namespace

std::optional<Relation> temporal_join(JoinParts parts, std::size_t time_column, const BindContext& context) {
  if (parts.type != JoinType::kInner && parts.type != JoinType::kLeft) {
    context.diagnostics.error(parts.span, "FOR SYSTEM_TIME AS OF goes with INNER and LEFT joins only");
    return std::nullopt;
  }
  const std::optional<std::size_t> version = version_time(parts.right);
  if (!version) {
    context.diagnostics.error(parts.span, "the table has no versions: it has no rowtime",
                              "declare WATERMARK FOR its time column");
    return std::nullopt;
  }
  if (!check_version_key(parts, context)) return std::nullopt;
  auto join = std::make_shared<TemporalJoinNode>();
  join->type = parts.type;
  join->special[0] = {time_column};
  join->special[1] = {*version};
  join->state_ttl = context.settings.state_ttl;
  finish_join(*join, parts);
  Relation relation{.node = join, .roles = parts.left.roles, .window = parts.left.window};
  relation.roles.resize(join->schema.size(), ColumnRole::kPlain);
  return relation;
}

}  // namespace leat::plan
