#include "pipelines/plan/bind_grouping_sets.h"

#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_window.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/emit_settings.h"

namespace leat::plan {
namespace {

/// Each row is aggregated once per set: more than these are a mistake.
constexpr std::size_t kMostSets = 256;

/// Places of keys in Grouping::keys, ascending.
using KeySet = std::vector<std::size_t>;
using KeySets = std::vector<KeySet>;

KeySet united(const KeySet& a, const KeySet& b) {
  KeySet all;
  std::ranges::set_union(a, b, std::back_inserter(all));
  return all;
}

class GroupingBinder {
 public:
  GroupingBinder(const Relation& input, const Scope& scope, const BindContext& context)
      : input_(input), scope_(scope), context_(context) {}

  std::optional<Grouping> bind(const sql::Select& select) {
    const std::size_t before = context_.diagnostics.error_count();
    KeySets sets = {{}};
    for (const sql::GroupItem& item : select.group_by) {
      sets = product(sets, sets_of(item));
      if (sets.size() > kMostSets) {
        context_.diagnostics.error(item.span,
                                   "GROUP BY makes more than " + std::to_string(kMostSets) + " grouping sets",
                                   "every row is aggregated once per set; name the sets with GROUPING SETS");
        return std::nullopt;
      }
    }
    if (context_.diagnostics.error_count() > before) return std::nullopt;
    for (const KeySet& set : sets) {
      grouping_.sets.emplace_back(grouping_.keys.size());
      for (const std::size_t key : set) grouping_.sets.back()[key] = true;
    }
    return std::move(grouping_);
  }

 private:
  static KeySets product(const KeySets& left, const KeySets& right) {
    KeySets all;
    for (const KeySet& a : left)
      for (const KeySet& b : right) all.push_back(united(a, b));
    return all;
  }

  KeySets sets_of(const sql::GroupItem& item) {
    switch (item.kind) {
      case sql::GroupItem::Kind::kExpression:
      case sql::GroupItem::Kind::kSet:
        return {keys_of(item)};
      case sql::GroupItem::Kind::kRollup:
        return rollup(item);
      case sql::GroupItem::Kind::kCube:
        return cube(item);
      case sql::GroupItem::Kind::kGroupingSets:
        break;
    }
    KeySets all;
    for (const sql::GroupItem& part : item.items)
      for (KeySet& set : sets_of(part)) all.push_back(std::move(set));
    return all;
  }

  /// (a, b, c), (a, b), (a), ().
  KeySets rollup(const sql::GroupItem& item) {
    KeySets sets = {{}};
    for (const sql::GroupItem& part : item.items) sets.push_back(united(sets.back(), keys_of(part)));
    std::ranges::reverse(sets);
    return sets;
  }

  /// All subsets, the largest first and () last; those of too many keys are cut short, which is reported.
  KeySets cube(const sql::GroupItem& item) {
    KeySets sets = {{}};
    for (auto part = item.items.rbegin(); part != item.items.rend(); ++part) {
      const KeySet keys = keys_of(*part);
      KeySets with;
      for (const KeySet& set : sets) with.push_back(united(keys, set));
      with.insert(with.end(), sets.begin(), sets.end());
      if (sets.size() <= kMostSets) sets = std::move(with);
    }
    return sets;
  }

  KeySet keys_of(const sql::GroupItem& item) {
    KeySet keys;
    for (const sql::ExpressionPtr& value : item.values)
      if (const auto key = key_of(*value)) keys = united(keys, {*key});
    return keys;
  }

  /// None: it is the window itself, or an error.
  std::optional<std::size_t> key_of(const sql::Expression& expression) {
    if (is_group_window(expression)) {
      bind_own_window(*sql::as<sql::Call>(expression));
      return std::nullopt;
    }
    ExprPtr key = ExprBinder(scope_, context_, "GROUP BY").bind(expression);
    if (!key) return std::nullopt;
    if (key->kind == ExprKind::kLiteral && key->type.is_integer()) {
      context_.diagnostics.error(expression.span, "GROUP BY takes no positions",
                                 "write the column or the expression itself");
      return std::nullopt;
    }
    const auto same = [&](const ExprPtr& other) { return identity_of(*other) == identity_of(*key); };
    const auto known = std::ranges::find_if(grouping_.keys, same);
    const auto place = static_cast<std::size_t>(known - grouping_.keys.begin());
    if (known == grouping_.keys.end()) grouping_.keys.push_back(std::move(key));
    return place;
  }

  void bind_own_window(const sql::Call& call) {
    if (grouping_.window) return context_.diagnostics.error(call.span, "GROUP BY takes one window");
    grouping_.window = bind_group_window(call, input_, scope_, context_);
    if (grouping_.window) grouping_.emit = bind_emit(*grouping_.window, call.span, context_);
  }

  const Relation& input_;
  const Scope& scope_;
  const BindContext& context_;
  Grouping grouping_;
};

}  // namespace

std::optional<WindowProperty> property_of_role(ColumnRole role) {
  switch (role) {
    case ColumnRole::kWindowStart:
      return WindowProperty::kStart;
    case ColumnRole::kWindowEnd:
      return WindowProperty::kEnd;
    case ColumnRole::kWindowTime:
      return WindowProperty::kTime;
    case ColumnRole::kPlain:
      return std::nullopt;
  }
  return std::nullopt;
}

ExprPtr choose_by_set(const ExprPtr& set_number, std::span<const std::int64_t> values, sql::SourceSpan span,
                      const BindContext& context) {
  const Type type = Type::big_int().with_nullable(false);
  const auto number = [&](std::int64_t value) { return make_literal(type, Value::integer(value)); };
  if (std::ranges::count(values, values[0]) == std::ssize(values)) return number(values[0]);
  std::vector<ExprPtr> children;
  for (std::size_t set = 0; set + 1 < values.size(); ++set) {
    children.push_back(make_call("=", {set_number, number(static_cast<std::int64_t>(set))}, span, context));
    children.push_back(number(values[set]));
  }
  children.push_back(number(values.back()));
  return make_case(std::move(children), type);
}

ColumnRole role_of_key(const Expr& key, const Relation& input) {
  return key.kind == ExprKind::kColumn ? input.roles[key.column] : ColumnRole::kPlain;
}

bool Grouping::every_set_has(ColumnRole role, const Relation& input) const {
  const auto has = [&](const std::vector<bool>& set) {
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (set[i] && role_of_key(*keys[i], input) == role) return true;
    return false;
  };
  return std::ranges::all_of(sets, has);
}

std::optional<Grouping> bind_grouping(const sql::Select& select, const Relation& input, const Scope& scope,
                                      const BindContext& context) {
  return GroupingBinder(input, scope, context).bind(select);
}

}  // namespace leat::plan
