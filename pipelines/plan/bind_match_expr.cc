#include "pipelines/plan/bind_match_expr.h"

#include <algorithm>
#include <limits>

#include "pipelines/base/nearest.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

/// CLASSIFIER() inside of a navigation, before it becomes a reference.
constexpr std::size_t kClassifierColumn = MatchExprBinder::kReferences - 1;

/// `v.a.b` without its first part.
sql::Name without_variable(const sql::Name& name) {
  sql::Name rest;
  rest.parts.assign(name.parts.begin() + 1, name.parts.end());
  rest.span = name.span;
  return rest;
}

bool is_navigation(const sql::Call& call) {
  return call.name == "FIRST" || call.name == "LAST" || call.name == "PREV" || call.name == "NEXT";
}

ExprPtr with_columns(const ExprPtr& expr, const std::function<ExprPtr(const Expr&)>& column) {
  if (expr->kind == ExprKind::kColumn) return column(*expr);
  Expr copy = *expr;
  for (ExprPtr& child : copy.children) child = with_columns(child, column);
  return std::make_shared<const Expr>(std::move(copy));
}

}  // namespace

std::optional<VariableSet> MatchNames::find(std::string_view name) const {
  const auto found = std::ranges::find(variables, name, &std::pair<std::string, VariableSet>::first);
  if (found == variables.end()) return std::nullopt;
  return found->second;
}

// ---- Columns below the node
// --------------------------------------------------------------------------------

std::size_t MatchInput::add(const ExprPtr& expr) {
  if (expr->kind == ExprKind::kColumn) return expr->column;
  const std::string identity = identity_of(*expr);
  const auto known = std::ranges::find(identities_, identity);
  if (known != identities_.end()) return width_ + static_cast<std::size_t>(known - identities_.begin());
  identities_.push_back(identity);
  computed_.push_back(expr);
  return width() - 1;
}

NodePtr MatchInput::build(const NodePtr& input) const {
  if (computed_.empty()) return input;
  std::vector<ExprPtr> exprs;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < width_; ++i) {
    exprs.push_back(column_of(input_, i));
    names.push_back(input_.schema.fields[i].name);
  }
  for (const ExprPtr& expr : computed_) {
    exprs.push_back(expr);
    names.push_back(to_string(*expr));
  }
  return make_project(input, std::move(exprs), names);
}

// ---- Expressions
// -------------------------------------------------------------------------------------------

ExprBinder MatchExprBinder::binder() {
  ExprBinder binder(scope_, context_, defined_ ? "DEFINE" : "MEASURES");
  binder.set_interceptor([this](const sql::Expression& part) { return intercept(part); });
  return binder;
}

ExprPtr MatchExprBinder::bind(const sql::Expression& expression) {
  return binder().bind(expression);
}

ExprPtr MatchExprBinder::bind_condition(const sql::Expression& expression) {
  return binder().bind_condition(expression);
}

std::optional<ExprPtr> MatchExprBinder::intercept(const sql::Expression& part) {
  if (const auto* column = sql::as<sql::ColumnName>(part)) return bind_column(*column);
  if (const auto* call = sql::as<sql::Call>(part); call && !call->over) return bind_call(*call);
  return std::nullopt;
}

std::optional<ExprPtr> MatchExprBinder::bind_column(const sql::ColumnName& column) {
  const std::optional<VariableSet> variables = variables_of(column.name);
  if (!variables) return ExprPtr();
  const ExprPtr expr = resolve(column.name);
  if (!expr) return expr;
  return at_row(expr, {.variables = *variables, .extent = extent_});
}

// `A.x` is of a variable; `x`, `t.x` and `row.field` are of all rows.
std::optional<VariableSet> MatchExprBinder::variables_of(const sql::Name& name) {
  const std::string& first = name.parts[0].text;
  if (name.parts.size() == 1) return names_.all;
  if (const std::optional<VariableSet> variables = names_.find(first)) return variables;
  for (const ScopeTable& table : scope_.tables())
    if (table.name == first ||
        std::ranges::find(table.columns, first, &ScopeColumn::name) != table.columns.end())
      return names_.all;
  report_variable(name.parts[0]);
  return std::nullopt;
}

ExprPtr MatchExprBinder::resolve(const sql::Name& name) const {
  const bool variable = name.parts.size() > 1 && names_.find(name.parts[0].text);
  return scope_.resolve(variable ? without_variable(name) : name, context_);
}

std::optional<ExprPtr> MatchExprBinder::bind_call(const sql::Call& call) {
  if (call.syntax == sql::CallSyntax::kPrefix && (call.name == "FINAL" || call.name == "RUNNING"))
    return bind_extent(call);
  if (call.syntax != sql::CallSyntax::kFunction && call.syntax != sql::CallSyntax::kBare) return std::nullopt;
  const MatchReference at{.variables = names_.all, .extent = extent_};
  if (call.name == "FIRST" || call.name == "LAST") return bind_logical(call, at);
  if (call.name == "PREV" || call.name == "NEXT") return bind_physical(call);
  if (call.name == "CLASSIFIER") return bind_classifier(call);
  if (call.name == "MATCH_NUMBER") return bind_number(call);
  if (call.name == "MATCH_ROWTIME") return bind_rowtime(call);
  if (call.name == "MATCH_PROCTIME") {
    if (!expects_no_arguments(call)) return ExprPtr();
    return make_call("PROCTIME", {}, call.span, context_);
  }
  if (functions::find_aggregate(call.name)) return bind_aggregate(call);
  return std::nullopt;
}

bool MatchExprBinder::expects_no_arguments(const sql::Call& call) {
  if (call.arguments.empty()) return true;
  context_.diagnostics.error(call.arguments[0].value->span, call.name + " takes no argument");
  return false;
}

ExprPtr MatchExprBinder::bind_extent(const sql::Call& call) {
  if (defined_ && call.name == "FINAL") {
    context_.diagnostics.error(call.span, "DEFINE sees the match up to its row, so FINAL is not known there",
                               "leave out FINAL");
    return nullptr;
  }
  const Extent outer = std::exchange(extent_, call.name == "FINAL" ? Extent::kFinal : Extent::kRunning);
  ExprPtr bound = bind(*call.arguments[0].value);
  extent_ = outer;
  return bound;
}

// ---- FIRST, LAST, PREV, NEXT
// -------------------------------------------------------------------------------

std::optional<std::uint32_t> MatchExprBinder::bind_offset(const sql::Call& call, std::uint32_t otherwise) {
  if (call.arguments.size() == 1) return otherwise;
  if (call.arguments.empty() || call.arguments.size() > 2) {
    context_.diagnostics.error(call.span, call.name + " takes an expression and an optional offset",
                               "as in " + call.name + "(A.price, 1)");
    return std::nullopt;
  }
  const sql::Expression& written = *call.arguments[1].value;
  const auto* literal = sql::as<sql::Literal>(written);
  if (literal && literal->literal == sql::LiteralKind::kInteger && literal->text.size() <= 9 &&
      literal->text[0] != '-')
    return static_cast<std::uint32_t>(std::stoul(literal->text));
  context_.diagnostics.error(written.span, "the offset must be a whole number, 0 or more, written out");
  return std::nullopt;
}

ExprPtr MatchExprBinder::bind_logical(const sql::Call& call, MatchReference at) {
  const std::optional<std::uint32_t> offset = bind_offset(call, 0);
  if (!offset) return nullptr;
  const std::optional<Inner> inner = bind_inner(*call.arguments[0].value, call.name);
  if (!inner) return nullptr;
  if (inner->variables) at.variables = *inner->variables;
  at.from = call.name == "FIRST" ? MatchReference::From::kFirst : MatchReference::From::kLast;
  at.offset = *offset;
  return at_row(inner->expr, at);
}

ExprPtr MatchExprBinder::bind_physical(const sql::Call& call) {
  const std::optional<std::uint32_t> rows = bind_offset(call, 1);
  if (!rows) return nullptr;
  MatchReference at{.variables = names_.all, .extent = extent_};
  at.physical = call.name == "PREV" ? -static_cast<std::int64_t>(*rows) : static_cast<std::int64_t>(*rows);
  const auto* logical = sql::as<sql::Call>(*call.arguments[0].value);
  if (logical && (logical->name == "FIRST" || logical->name == "LAST")) return bind_logical(*logical, at);
  const std::optional<Inner> inner = bind_inner(*call.arguments[0].value, call.name);
  if (!inner) return nullptr;
  if (inner->variables) at.variables = *inner->variables;
  return at_row(inner->expr, at);
}

std::optional<MatchExprBinder::Inner> MatchExprBinder::bind_inner(const sql::Expression& expression,
                                                                  std::string_view function) {
  Inner inner;
  ExprBinder binder(scope_, context_, defined_ ? "DEFINE" : "MEASURES");
  binder.set_interceptor([&](const sql::Expression& part) { return intercept_inner(part, function, inner); });
  inner.expr = binder.bind(expression);
  if (!inner.expr) return std::nullopt;
  return inner;
}

std::optional<ExprPtr> MatchExprBinder::intercept_inner(const sql::Expression& part,
                                                        std::string_view function, Inner& inner) {
  if (const auto* column = sql::as<sql::ColumnName>(part)) {
    const std::optional<VariableSet> variables = variables_of(column->name);
    if (!variables || !merge(inner.variables, *variables, part.span, function)) return ExprPtr();
    return resolve(column->name);
  }
  const auto* call = sql::as<sql::Call>(part);
  if (!call || call->syntax != sql::CallSyntax::kFunction) return std::nullopt;
  if (call->name == "CLASSIFIER") {
    if (!expects_no_arguments(*call)) return ExprPtr();
    return make_column(kClassifierColumn, Type::string(), "CLASSIFIER()");
  }
  if (!is_navigation(*call) && !functions::find_aggregate(call->name)) return std::nullopt;
  context_.diagnostics.error(part.span, call->name + " cannot stand inside of " + std::string(function),
                             "only PREV(LAST(A.x)) and NEXT(FIRST(A.x)) nest");
  return ExprPtr();
}

bool MatchExprBinder::merge(std::optional<VariableSet>& into, VariableSet variables, sql::SourceSpan span,
                            std::string_view function) {
  if (!into || *into == variables) {
    into = variables;
    return true;
  }
  context_.diagnostics.error(
      span, std::string(function) + " takes columns of one pattern variable, or of none for all rows",
      "take it of each variable apart: SUM(A.x) + SUM(B.x); or name their union with SUBSET U = (A, B)");
  return false;
}

// The row at hand is LAST of its own variable and LAST of all rows.
bool MatchExprBinder::is_this_row(const MatchReference& at) const {
  return defined_ && (at.variables & (VariableSet{1} << *defined_)) != 0 &&
         at.from == MatchReference::From::kLast && at.offset == 0 && at.physical == 0;
}

ExprPtr MatchExprBinder::at_row(const ExprPtr& expr, const MatchReference& at) {
  if (is_this_row(at) && !std::ranges::binary_search(columns_of(*expr), kClassifierColumn)) return expr;
  const ExprPtr moved = with_columns(expr, [&](const Expr& column) {
    MatchReference reference = at;
    reference.kind = column.column == kClassifierColumn ? MatchReference::Kind::kClassifier
                                                        : MatchReference::Kind::kColumn;
    reference.column = column.column == kClassifierColumn ? 0 : column.column;
    reference.type = column.type.with_nullable(true);
    return refer(std::move(reference), column.name);
  });
  if (expr->kind == ExprKind::kColumn) return moved;
  MatchReference present = at;
  present.kind = MatchReference::Kind::kPresent;
  present.type = Type::boolean();
  return make_case({refer(std::move(present), "PRESENT"), moved}, expr->type.with_nullable(true));
}

ExprPtr MatchExprBinder::refer(MatchReference reference, std::string name) {
  if (!defined_ && names_.rows == MatchNode::RowsPerMatch::kOne) reference.extent = Extent::kFinal;
  const auto same = [&](const MatchReference& known) {
    return known.kind == reference.kind && known.variables == reference.variables &&
           known.from == reference.from && known.offset == reference.offset &&
           known.physical == reference.physical && known.extent == reference.extent &&
           known.column == reference.column && known.aggregate == reference.aggregate;
  };
  const auto found = std::ranges::find_if(refers_.references, same);
  const auto index = static_cast<std::size_t>(found - refers_.references.begin());
  const Type type = reference.type;
  if (found == refers_.references.end()) refers_.references.push_back(std::move(reference));
  return make_column(kReferences + index, type, std::move(name));
}

// ---- Aggregates
// --------------------------------------------------------------------------------------------

ExprPtr MatchExprBinder::bind_aggregate(const sql::Call& call) {
  if (call.filter || !call.order_by.empty()) {
    context_.diagnostics.error(call.span, "aggregates of a pattern take no FILTER and no ORDER BY",
                               "aggregate over a variable whose definition is the condition: SUM(A.x)");
    return nullptr;
  }
  std::optional<VariableSet> variables;
  std::vector<ExprPtr> arguments;
  for (const sql::Argument& argument : call.arguments) {
    if (const auto* star = sql::as<sql::Star>(*argument.value); star && star->qualifier) {
      variables = names_.find(star->qualifier->last());
      if (!variables) report_variable(star->qualifier->parts[0]);
      if (!variables) return nullptr;
      continue;
    }
    const std::optional<Inner> inner = bind_inner(*argument.value, call.name);
    if (!inner) return nullptr;
    if (inner->variables && !merge(variables, *inner->variables, argument.value->span, call.name))
      return nullptr;
    for (const std::size_t column : columns_of(*inner->expr)) {
      if (column != kClassifierColumn) continue;
      context_.not_yet(argument.value->span, "CLASSIFIER() inside of an aggregate",
                       "count each variable: COUNT(A.x)");
      return nullptr;
    }
    arguments.push_back(inner->expr);
  }
  std::optional<AggregateCall> bound = bind_function(call, std::move(arguments));
  if (!bound) return nullptr;
  MatchReference reference{.kind = MatchReference::Kind::kAggregate,
                           .variables = variables.value_or(names_.all),
                           .extent = extent_,
                           .aggregate = refers_.aggregates.size(),
                           .type = bound->function->result_type()};
  const auto same = [&](const AggregateCall& known) {
    return known.kind == bound->kind && known.arguments == bound->arguments;
  };
  const auto known = std::ranges::find_if(refers_.aggregates, same);
  reference.aggregate = static_cast<std::size_t>(known - refers_.aggregates.begin());
  std::string name = bound->name;
  if (known == refers_.aggregates.end()) refers_.aggregates.push_back(std::move(*bound));
  return refer(std::move(reference), std::move(name));
}

std::optional<AggregateCall> MatchExprBinder::bind_function(const sql::Call& call,
                                                            std::vector<ExprPtr> arguments) {
  std::vector<functions::ArgumentInfo> infos;
  for (const ExprPtr& argument : arguments) {
    const bool constant = argument->kind == ExprKind::kLiteral;
    infos.push_back({argument->type, constant ? std::optional(argument->literal) : std::nullopt});
  }
  const auto distinct = call.distinct ? functions::Distinctness::kDistinct : functions::Distinctness::kAll;
  Result<functions::AggregatePtr> function =
      functions::find_aggregate(call.name)->bind(infos, distinct, false);
  if (!function) {
    context_.diagnostics.error(call.span, function.error().message);
    return std::nullopt;
  }
  AggregateCall bound{.function = std::move(*function),
                      .kind = call.name + (call.distinct ? " DISTINCT" : "")};
  const std::vector<Type> types = bound.function->argument_types();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const ExprPtr argument =
        coerce(std::move(arguments[i]), types[i], call.arguments[i].value->span, context_);
    if (!argument) return std::nullopt;
    bound.arguments.push_back(input_.add(argument));
    bound.name += (i > 0 ? ", " : "") + to_string(*argument);
  }
  bound.name = bound.kind + "(" + bound.name + ")";
  return bound;
}

// ---- What only a pattern has
// -------------------------------------------------------------------------------

ExprPtr MatchExprBinder::bind_classifier(const sql::Call& call) {
  if (!expects_no_arguments(call)) return nullptr;
  return refer({.kind = MatchReference::Kind::kClassifier,
                .variables = names_.all,
                .extent = extent_,
                .type = Type::string()},
               "CLASSIFIER()");
}

ExprPtr MatchExprBinder::bind_number(const sql::Call& call) {
  if (!expects_no_arguments(call)) return nullptr;
  if (defined_) {
    context_.diagnostics.error(call.span, "MATCH_NUMBER() is known when the match is", "use it in MEASURES");
    return nullptr;
  }
  return refer({.kind = MatchReference::Kind::kNumber,
                .variables = names_.all,
                .type = Type::big_int().with_nullable(false)},
               "MATCH_NUMBER()");
}

ExprPtr MatchExprBinder::bind_rowtime(const sql::Call& call) {
  if (defined_) {
    context_.diagnostics.error(call.span, "MATCH_ROWTIME() is the time of the whole match",
                               "in DEFINE name the time column itself");
    return nullptr;
  }
  if (call.arguments.size() > 1) {
    context_.diagnostics.error(call.span, "MATCH_ROWTIME takes the time attribute or nothing");
    return nullptr;
  }
  if (!call.arguments.empty()) {
    const ExprPtr named = ExprBinder(scope_, context_, "MEASURES").bind(*call.arguments[0].value);
    if (!named) return nullptr;
    if (named->kind != ExprKind::kColumn || named->column != time_column_) {
      context_.diagnostics.error(call.arguments[0].value->span, "MATCH_ROWTIME takes the column of ORDER BY");
      return nullptr;
    }
  }
  for (const ScopeTable& table : scope_.tables())
    for (const ScopeColumn& column : table.columns) {
      if (column.expr->kind != ExprKind::kColumn || column.expr->column != time_column_) continue;
      return refer({.kind = MatchReference::Kind::kColumn,
                    .variables = names_.all,
                    .extent = Extent::kFinal,
                    .column = time_column_,
                    .type = column.expr->type},
                   "MATCH_ROWTIME()");
    }
  return nullptr;
}

void MatchExprBinder::report_variable(const sql::Identifier& name) {
  std::vector<std::string> known;
  for (const auto& [variable, set] : names_.variables) known.push_back(variable);
  context_.diagnostics.error(name.span,
                             "unknown pattern variable '" + name.text + "'" + did_you_mean(name.text, known));
}

}  // namespace leat::plan
