#include "pipelines/plan/scope.h"

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/sql/token.h"

namespace leat::plan {

std::optional<std::size_t> Relation::find_role(ColumnRole role) const {
  const auto found = std::ranges::find(roles, role);
  if (found == roles.end()) return std::nullopt;
  return static_cast<std::size_t>(found - roles.begin());
}

Relation plain_relation(NodePtr node) {
  Relation relation{.node = std::move(node)};
  relation.roles.assign(relation.schema().size(), ColumnRole::kPlain);
  return relation;
}

Scope::Scope(const Relation& relation, std::string name) {
  ScopeTable table{std::move(name), {}};
  for (std::size_t i = 0; i < relation.schema().size(); ++i)
    table.columns.push_back({relation.schema().fields[i].name, column_of(*relation.node, i)});
  tables_.push_back(std::move(table));
}

namespace {
ExprPtr ambiguous(const sql::Identifier& name, const BindContext& context) {
  context.diagnostics.error(name.span, "column '" + name.text + "' is ambiguous",
                            "name its table, or give one of the columns of this name another one with AS");
  return nullptr;
}

std::size_t count_columns(const ScopeTable& table, std::string_view name) {
  return static_cast<std::size_t>(std::ranges::count(table.columns, name, &ScopeColumn::name));
}
}  // namespace

ExprPtr bind_field(ExprPtr row, const sql::Identifier& name, const BindContext& context) {
  if (row->type.kind() != TypeKind::kRow) {
    context.diagnostics.error(name.span, "no field '" + name.text + "': this is " +
                                             row->type.with_nullable(true).to_string() + ", not a ROW");
    return nullptr;
  }
  std::vector<std::string> fields;
  for (const Type::Field& field : row->type.fields()) {
    if (field.name == name.text)
      return make_call(
          ".", {std::move(row), make_literal(Type::string().with_nullable(false), Value::string(name.text))},
          name.span, context);
    fields.push_back(field.name);
  }
  context.diagnostics.error(name.span, "unknown field '" + name.text + "'" + did_you_mean(name.text, fields));
  return nullptr;
}

const ScopeTable* Scope::find_table(std::string_view name) const {
  const auto found = std::ranges::find(tables_, name, &ScopeTable::name);
  return found == tables_.end() ? nullptr : &*found;
}

ExprPtr Scope::column_in(const ScopeTable& table, const sql::Identifier& name,
                         const BindContext& context) const {
  if (count_columns(table, name.text) > 1) return ambiguous(name, context);
  const auto found = std::ranges::find(table.columns, name.text, &ScopeColumn::name);
  if (found != table.columns.end()) return found->expr;
  std::vector<std::string> known;
  for (const ScopeColumn& column : table.columns) known.push_back(column.name);
  context.diagnostics.error(name.span, "unknown column '" + name.text + "' in '" + table.name + "'" +
                                           did_you_mean(name.text, known));
  return nullptr;
}

ExprPtr Scope::unqualified(const sql::Identifier& name, const BindContext& context) const {
  ExprPtr found;
  for (const ScopeColumn& column : all_columns()) {
    if (column.name != name.text) continue;
    if (found) return ambiguous(name, context);
    found = column.expr;
  }
  return found;
}

void Scope::append(Scope right) {
  for (ScopeTable& table : right.tables_) tables_.push_back(std::move(table));
  for (ScopeColumn& column : right.merged_) merged_.push_back(std::move(column));
}

void Scope::merge(const std::string& name, ExprPtr expr) {
  std::erase_if(merged_, [&](const ScopeColumn& column) { return column.name == name; });
  for (ScopeTable& table : tables_)
    for (ScopeColumn& column : table.columns)
      if (column.name == name) column.merged = true;
  merged_.push_back({name, std::move(expr)});
}

void Scope::transform(const std::function<ExprPtr(const ExprPtr&)>& replacement) {
  for (ScopeColumn& column : merged_) column.expr = replacement(column.expr);
  for (ScopeTable& table : tables_)
    for (ScopeColumn& column : table.columns) column.expr = replacement(column.expr);
}

std::vector<ScopeColumn> Scope::all_columns() const {
  std::vector<ScopeColumn> columns = merged_;
  for (const ScopeTable& table : tables_)
    for (const ScopeColumn& column : table.columns)
      if (!column.merged) columns.push_back(column);
  return columns;
}

void Scope::report_unknown(const sql::Name& name, const BindContext& context) const {
  std::vector<std::string> known;
  for (const ScopeTable& table : tables_) {
    for (const ScopeColumn& column : table.columns) known.push_back(column.name);
    if (name.parts.size() > 1 && !table.name.empty()) known.push_back(table.name);
  }
  const sql::Identifier& first = name.parts[0];
  const std::string what = name.parts.size() > 1 ? "unknown table or column '" : "unknown column '";
  const std::string suggestion = did_you_mean(first.text, known);
  std::string hint;
  if (suggestion.empty() && known.empty()) hint = "there is no FROM, so there are no columns";
  context.diagnostics.error(first.span, what + first.text + "'" + suggestion, hint);
}

void Scope::set_outer(const Scope* outer, std::vector<std::size_t> places) {
  outer_ = outer;
  outer_places_ = std::move(places);
}

ExprPtr Scope::resolve_outer(const sql::Name& name, const BindContext& context) const {
  const ExprPtr expr = outer_->resolve(name, context);
  if (!expr) return nullptr;
  const std::vector<std::size_t> columns = columns_of(*expr);
  std::vector<std::size_t> places(columns.empty() ? 0 : columns.back() + 1);
  for (const std::size_t column : columns)
    places[column] = outer_places_.empty() ? kOuterColumns + column : outer_places_[column];
  return remap_columns(expr, places);
}

namespace {
/// PI is called without parentheses, too, where no column has the name.
bool is_bare_call(const sql::Identifier& name) {
  return !name.quoted && sql::same_word(name.text, "PI");
}
}  // namespace

ExprPtr Scope::resolve(const sql::Name& name, const BindContext& context) const {
  std::size_t used = 1;
  ExprPtr expr;
  const auto has_column = [&](const ScopeTable& table) {
    return count_columns(table, name.parts[0].text) > 0;
  };
  const ScopeTable* table = name.parts.size() > 1 ? find_table(name.parts[0].text) : nullptr;
  if (table) {
    expr = column_in(*table, name.parts[1], context);
    used = 2;
  } else if (std::ranges::any_of(tables_, has_column)) {
    expr = unqualified(name.parts[0], context);
  } else if (outer_) {
    return resolve_outer(name, context);
  } else if (name.parts.size() == 1 && is_bare_call(name.parts[0])) {
    return make_call("PI", {}, name.span, context);
  } else {
    report_unknown(name, context);
  }
  for (; expr && used < name.parts.size(); ++used)
    expr = bind_field(std::move(expr), name.parts[used], context);
  return expr;
}

namespace {
/// The fields of `row.*`; none: it is no row, reported.
std::optional<std::vector<ScopeColumn>> fields_of(const ExprPtr& row, const sql::Name& name,
                                                  const BindContext& context) {
  if (row->type.kind() != TypeKind::kRow) {
    context.diagnostics.error(name.span, "'" + name.to_string() + "' is " +
                                             row->type.with_nullable(true).to_string() +
                                             ", but only a table or a ROW has '.*'");
    return std::nullopt;
  }
  std::vector<ScopeColumn> columns;
  for (const Type::Field& field : row->type.fields())
    columns.push_back({field.name, bind_field(row, {.text = field.name, .span = name.span}, context)});
  return columns;
}
}  // namespace

std::optional<std::vector<ScopeColumn>> Scope::expand(const std::optional<sql::Name>& qualifier,
                                                      sql::SourceSpan span,
                                                      const BindContext& context) const {
  if (!qualifier) {
    if (!tables_.empty()) return all_columns();
    context.diagnostics.error(span, "'*' needs a FROM");
    return std::nullopt;
  }
  if (const ScopeTable* table = find_table(qualifier->last()); table && qualifier->parts.size() == 1)
    return table->columns;
  const std::string& first = qualifier->parts[0].text;
  const auto has_first = [&](const ScopeTable& table) { return count_columns(table, first) > 0; };
  if ((qualifier->parts.size() > 1 && find_table(first)) || std::ranges::any_of(tables_, has_first)) {
    const ExprPtr row = resolve(*qualifier, context);
    return row ? fields_of(row, *qualifier, context) : std::nullopt;
  }
  std::vector<std::string> known;
  for (const ScopeTable& table : tables_) known.push_back(table.name);
  context.diagnostics.error(qualifier->span, "unknown table '" + qualifier->to_string() + "'" +
                                                 did_you_mean(qualifier->to_string(), known));
  return std::nullopt;
}

}  // namespace leat::plan
