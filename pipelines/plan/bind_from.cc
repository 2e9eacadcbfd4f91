#include "pipelines/plan/bind_from.h"

#include <algorithm>
#include <utility>

#include "pipelines/plan/bind_absence.h"
#include "pipelines/plan/bind_changelog.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_gap_fill.h"
#include "pipelines/plan/bind_hints.h"
#include "pipelines/plan/bind_match.h"
#include "pipelines/plan/bind_sparkplug.h"
#include "pipelines/plan/bind_window.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {

BoundFrom one_row() {
  BoundFrom bound{std::make_unique<FromItem>(), {}};
  auto row = std::make_shared<ValuesNode>();
  row->rows.emplace_back();
  bound.item->relation = plain_relation(std::move(row));
  return bound;
}

// ---- Tables ----------------------------------------------------------------------------------------------

std::optional<Relation> FromBinder::bind_named(const sql::NamedTable& table) {
  return queries_.bind_name(table.name, table.hints);
}

namespace {
std::optional<Relation> bind_function(const sql::Call& call, QueryBinder& queries) {
  if (call.name == "ABSENCE") return bind_absence(call, queries);
  if (call.name == "GAP_FILL") return bind_gap_fill(call, queries);
  if (call.name == "SPARKPLUG") return bind_sparkplug(call, queries);
  if (call.name == "TO_CHANGELOG") return bind_to_changelog(call, queries);
  if (call.name == "FROM_CHANGELOG") return bind_from_changelog(call, queries);
  return bind_window_function(call, queries);
}
}  // namespace

std::optional<Relation> FromBinder::bind_relation(const sql::TableReference& reference) {
  switch (reference.kind) {
    case sql::TableReferenceKind::kTable:
      return bind_named(*sql::as<sql::NamedTable>(reference));
    case sql::TableReferenceKind::kDerived:
      return queries_.bind(*sql::as<sql::DerivedTable>(reference)->query);
    case sql::TableReferenceKind::kFunction:
      return bind_function(*sql::as<sql::TableFunction>(reference)->call, queries_);
    case sql::TableReferenceKind::kMatch: {
      const auto& table = *sql::as<sql::MatchTable>(reference);
      const std::optional<Relation> input = bind_relation(*table.input);
      return input ? bind_match(table, *input, context_) : std::nullopt;
    }
    case sql::TableReferenceKind::kUnnest:
    case sql::TableReferenceKind::kJoined:
      break;  // bind_reference's.
  }
  return std::nullopt;
}

ScopeTable names_of_table(const sql::TableReference& reference, const Schema& schema, std::size_t first) {
  ScopeTable names;
  if (reference.alias)
    names.name = reference.alias->text;
  else if (const auto* table = sql::as<sql::NamedTable>(reference))
    names.name = table->name.last();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    const Type::Field& field = schema.fields[i];
    const std::string& name =
        reference.column_aliases.empty() ? field.name : reference.column_aliases[i].text;
    names.columns.push_back({name, make_column(first + i, field.type, field.name)});
  }
  return names;
}

std::optional<BoundFrom> FromBinder::bind_table(const sql::TableReference& reference) {
  std::optional<Relation> relation = bind_relation(reference);
  // Only checks the number of the aliases: the names themselves are the scope's.
  if (!relation || !rename(*relation, reference.column_aliases, context_)) return std::nullopt;
  // With those before it: a join has the columns of all.
  if (!context_.fits(next_column_ + relation->schema().size(), reference.span) ||
      !context_.fits(relation->schema(), reference.span))
    return std::nullopt;
  BoundFrom bound{std::make_unique<FromItem>(), {}};
  bound.item->span = reference.span;
  bound.item->first = next_column_;
  bound.item->width = relation->schema().size();
  ScopeTable names = names_of_table(reference, relation->schema(), next_column_);
  bound.item->state_ttl = state_ttl_of(hints_, names.name);
  bound.scope.add(std::move(names));
  next_column_ += bound.item->width;
  bound.item->relation = std::move(*relation);
  return bound;
}

std::optional<BoundFrom> FromBinder::bind_reference(const sql::TableReference& reference) {
  if (const auto* unnested = sql::as<sql::Unnest>(reference)) {
    BoundFrom nothing = one_row();
    nothing.item->first = next_column_;
    return unnest(std::move(nothing), *unnested, JoinType::kInner);
  }
  const auto* joined = sql::as<sql::JoinedTable>(reference);
  if (!joined) return bind_table(reference);
  if (reference.alias) {
    context_.not_yet(reference.alias->span, "a name for joined tables",
                     "name the query: (SELECT * FROM a JOIN b ON …) AS " + reference.alias->text);
    return std::nullopt;
  }
  return bind(joined->from);
}

// ---- Joins -----------------------------------------------------------------------------------------------

bool is_true(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral && !expr.literal.is_null() && expr.literal.as_boolean();
}

JoinType type_of(sql::JoinKind kind) {
  switch (kind) {
    case sql::JoinKind::kLeft:
      return JoinType::kLeft;
    case sql::JoinKind::kRight:
      return JoinType::kRight;
    case sql::JoinKind::kFull:
      return JoinType::kFull;
    case sql::JoinKind::kComma:
    case sql::JoinKind::kCross:
    case sql::JoinKind::kInner:
      break;
  }
  return JoinType::kInner;
}

namespace {
/// The same with every column nullable: what it is where a join may have padded it.
ExprPtr nullable(const ExprPtr& expr) {
  Expr copy = *expr;
  copy.type = copy.type.with_nullable(true);
  for (ExprPtr& child : copy.children) child = nullable(child);
  return std::make_shared<const Expr>(std::move(copy));
}

}  // namespace

BoundFrom joined_items(BoundFrom left, BoundFrom right, JoinType type, sql::SourceSpan span) {
  BoundFrom joined{std::make_unique<FromItem>(), {}};
  FromItem& item = *joined.item;
  item.span = span;
  item.first = left.item->first;
  item.width = left.item->width + right.item->width;
  item.type = type;
  item.left = std::move(left.item);
  item.right = std::move(right.item);
  if (keeps_right(type)) left.scope.transform(nullable);
  if (keeps_left(type)) right.scope.transform(nullable);
  joined.scope = std::move(left.scope);
  joined.scope.append(std::move(right.scope));
  joined.deferred = std::move(left.deferred);
  for (DeferredCondition& condition : right.deferred) joined.deferred.push_back(std::move(condition));
  return joined;
}

bool FromBinder::check_names(const Scope& left, const Scope& right, sql::SourceSpan span) const {
  for (const ScopeTable& table : right.tables()) {
    if (table.name.empty() ||
        std::ranges::find(left.tables(), table.name, &ScopeTable::name) == left.tables().end())
      continue;
    context_.diagnostics.error(span, "the table name '" + table.name + "' is used twice in FROM",
                               "give one of the tables another name: … AS other");
    return false;
  }
  return true;
}

namespace {
const ScopeColumn* only(const std::vector<ScopeColumn>& columns, const std::string& name) {
  const auto found = std::ranges::find(columns, name, &ScopeColumn::name);
  return std::ranges::count(columns, name, &ScopeColumn::name) == 1 ? &*found : nullptr;
}

std::vector<sql::Identifier> common_names(const Scope& left, const Scope& right, sql::SourceSpan span) {
  std::vector<sql::Identifier> names;
  const std::vector<ScopeColumn> others = right.all_columns();
  for (const ScopeColumn& column : left.all_columns()) {
    if (std::ranges::find(others, column.name, &ScopeColumn::name) == others.end()) continue;
    sql::Identifier name;
    name.text = column.name;
    name.span = span;
    names.push_back(std::move(name));
  }
  return names;
}

ExprPtr merged_column(const ExprPtr& left, const ExprPtr& right, JoinType type) {
  if (type == JoinType::kRight) return right;
  if (type != JoinType::kFull) return left;
  return std::make_shared<const Expr>(Expr{.kind = ExprKind::kCoalesce,
                                           .type = left->type.with_nullable(true),
                                           .children = {nullable(left), nullable(right)},
                                           .name = "COALESCE"});
}
}  // namespace

bool FromBinder::bind_using(const sql::Identifier& name, const Scope& left, const Scope& right,
                            BoundFrom& joined) const {
  const std::vector<ScopeColumn> left_columns = left.all_columns();
  const std::vector<ScopeColumn> right_columns = right.all_columns();
  const ScopeColumn* const a = only(left_columns, name.text);
  const ScopeColumn* const b = only(right_columns, name.text);
  if (!a || !b) {
    context_.diagnostics.error(
        name.span, "USING needs the column '" + name.text + "' exactly once on both sides of the join");
    return false;
  }
  const std::vector<Type> types = {a->expr->type, b->expr->type};
  const std::optional<Type> type = unify(types, "USING", name.span, context_);
  ExprPtr first = type ? coerce(a->expr, *type, name.span, context_) : nullptr;
  ExprPtr second = first ? coerce(b->expr, *type, name.span, context_) : nullptr;
  ExprPtr equal = second ? make_call("=", {first, second}, name.span, context_) : nullptr;
  if (!equal) return false;
  joined.item->on.push_back(std::move(equal));
  joined.scope.merge(name.text, merged_column(first, second, joined.item->type));
  return true;
}

bool FromBinder::bind_on(const sql::Join& join, const Scope& both, BoundFrom& joined) const {
  WhereParts parts;
  const bool inner = joined.item->type == JoinType::kInner;
  if (inner && contains_subquery(*join.on))
    parts = parts_of(*join.on);
  else
    parts.conditions = {join.on.get()};
  const ExprBinder binder(both, context_, inner ? "ON" : "ON of an outer join");
  for (const sql::Expression* const part : std::exchange(parts.conditions, {})) {
    const ExprPtr condition = binder.bind_condition(*part);
    if (!condition) return false;
    const std::vector<ExprPtr> conjuncts = conjuncts_of(condition);
    joined.item->on.insert(joined.item->on.end(), conjuncts.begin(), conjuncts.end());
  }
  if (!parts.tests.empty() || !parts.valued.empty()) joined.deferred.push_back({std::move(parts), both});
  return true;
}

/// A condition that is applied behind a join must not see rows that the join has padded.
bool FromBinder::check_deferred(const BoundFrom& padded, const sql::Join& join) const {
  if (padded.deferred.empty()) return true;
  context_.not_yet(join.span, "an outer join behind a join with a sub-query in ON",
                   "put the inner join into a query of its own: (SELECT … FROM a JOIN b ON …) AS ab");
  return false;
}

bool FromBinder::bind_condition(const sql::Join& join, const Scope& left, const Scope& right,
                                BoundFrom& joined) const {
  if (join.on) {
    Scope both = left;
    both.append(right);
    return bind_on(join, both, joined);
  }
  const std::vector<sql::Identifier> names =
      join.natural ? common_names(left, right, join.span) : std::vector<sql::Identifier>();
  for (const sql::Identifier& name : join.natural ? names : join.using_columns)
    if (!bind_using(name, left, right, joined)) return false;
  return true;
}

bool FromBinder::refuse_as_of(const sql::TableReference& reference) const {
  const auto* table = sql::as<sql::NamedTable>(reference);
  if (!table || !table->system_time) return true;
  context_.diagnostics.error(table->system_time->span, "FOR SYSTEM_TIME AS OF belongs behind JOIN",
                             "as in o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency");
  return false;
}

/// A rowtime of the tables to the left.
bool FromBinder::bind_as_of(const sql::NamedTable& table, const Scope& left, BoundFrom& joined) const {
  const ExprPtr time = ExprBinder(left, context_, "FOR SYSTEM_TIME AS OF").bind(*table.system_time);
  if (!time) return false;
  if (time->kind != ExprKind::kColumn) {
    context_.diagnostics.error(table.system_time->span, "FOR SYSTEM_TIME AS OF takes a time attribute",
                               "as in FOR SYSTEM_TIME AS OF o.ts, where o is the table before JOIN");
    return false;
  }
  joined.item->as_of = time->column;
  joined.item->as_of_span = table.system_time->span;
  return true;
}

// ---- The chain -------------------------------------------------------------------------------------------

std::optional<BoundFrom> FromBinder::join(BoundFrom left, const sql::Join& join) {
  if (join.right->kind == sql::TableReferenceKind::kUnnest) return unnest(std::move(left), join);
  if (is_lateral(*join.right)) return lateral(std::move(left), join);
  std::optional<BoundFrom> right = bind_reference(*join.right);
  if (!right || !check_names(left.scope, right->scope, join.right->span)) return std::nullopt;
  const Scope left_names = left.scope;
  const Scope right_names = right->scope;
  const JoinType type = type_of(join.kind);
  if (keeps_right(type) && !check_deferred(left, join)) return std::nullopt;
  if (keeps_left(type) && !check_deferred(*right, join)) return std::nullopt;
  BoundFrom joined = joined_items(std::move(left), std::move(*right), type_of(join.kind), join.span);
  const auto* table = sql::as<sql::NamedTable>(*join.right);
  if (table && table->system_time && !bind_as_of(*table, left_names, joined)) return std::nullopt;
  if (!bind_condition(join, left_names, right_names, joined)) return std::nullopt;
  return joined;
}

std::optional<BoundFrom> FromBinder::cross(std::vector<BoundFrom> parts) {
  BoundFrom all = std::move(parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const sql::SourceSpan span = parts[i].item->span;
    if (!check_names(all.scope, parts[i].scope, span)) return std::nullopt;
    all = joined_items(std::move(all), std::move(parts[i]), JoinType::kInner, span);
  }
  return all;
}

// A comma binds less than JOIN: in `a, b LEFT JOIN c` the join is b's and c's.
std::optional<BoundFrom> FromBinder::bind(const sql::From& from) {
  std::vector<BoundFrom> parts;
  if (!refuse_as_of(*from.first)) return std::nullopt;
  std::optional<BoundFrom> first = bind_reference(*from.first);
  bool whole = first.has_value();
  if (first) parts.push_back(std::move(*first));
  for (const sql::Join& step : from.joins) {
    std::optional<BoundFrom> next;
    if (step.kind == sql::JoinKind::kComma && !refuse_as_of(*step.right)) return std::nullopt;
    const bool dependent = reads_left(*step.right);
    if (dependent && parts.size() > 1) {  // It may read any of them.
      std::optional<BoundFrom> all = cross(std::move(parts));
      parts.clear();
      if (all) parts.push_back(std::move(*all));
    }
    if (parts.empty() || (step.kind == sql::JoinKind::kComma && !dependent)) {
      next = bind_reference(*step.right);
    } else {
      next = join(std::move(parts.back()), step);
      parts.pop_back();
    }
    whole = whole && next;
    if (next) parts.push_back(std::move(*next));
  }
  if (!whole) return std::nullopt;
  return cross(std::move(parts));
}

}  // namespace leat::plan
