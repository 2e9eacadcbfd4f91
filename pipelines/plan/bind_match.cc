#include "pipelines/plan/bind_match.h"

#include <algorithm>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/bind_match_expr.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/match_node.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/processing_clock.h"

namespace leat::plan {
namespace {

using Rows = sql::MatchRecognize::RowsPerMatch;

const sql::Call* call_of(const sql::Expression& expression, std::string_view name) {
  const auto* call = sql::as<sql::Call>(expression);
  return call && call->name == name ? call : nullptr;
}

class MatchBinder {
 public:
  MatchBinder(const sql::MatchTable& table, const Relation& input, std::string name,
              const BindContext& context)
      : match_(table.match),
        input_span_(table.input->span),
        input_(input),
        scope_(input, std::move(name)),
        context_(context),
        columns_(*input.node) {}

  std::optional<Relation> bind() {
    const std::size_t before = context_.diagnostics.error_count();
    refuse_changes();
    refuse_forms();
    bind_partition();
    bind_order();
    bind_pattern();
    if (context_.diagnostics.error_count() > before) return std::nullopt;
    bind_skip();
    bind_within();
    bind_definitions();
    bind_measures();
    if (context_.diagnostics.error_count() > before) return std::nullopt;
    return finish();
  }

 private:
  void error(sql::SourceSpan span, std::string message, std::string hint = {}) const {
    context_.diagnostics.error(span, std::move(message), std::move(hint));
  }

  void refuse_changes() const {
    if (!input_.node->updating) return;
    error(input_span_,
          "MATCH_RECOGNIZE reads rows that come and stay, but the rows of this input change later",
          "match the rows before they are aggregated, or aggregate them in windows: GROUP BY … window_start, "
          "window_end");
  }

  void refuse_forms() const {
    if (match_.rows_per_match == Rows::kAllWithUnmatched)
      context_.not_yet(match_.rows_per_match_span, "WITH UNMATCHED ROWS",
                       "ALL ROWS PER MATCH gives the rows of matches; UNION ALL adds the table's own");
    if (match_.anchored_start || match_.anchored_end)
      context_.not_yet(match_.pattern.span, "an anchor (^ or $)",
                       "a stream has no last row; PREV(x) IS NULL in DEFINE holds for the first one");
    if (match_.order_by.empty())
      error(match_.span, "MATCH_RECOGNIZE needs ORDER BY with a time attribute", "as in ORDER BY ts");
  }

  // ---- PARTITION BY, ORDER BY ----------------------------------------------------------------------------

  std::optional<std::size_t> bind_column(const sql::Expression& expression, std::string_view clause) const {
    const ExprPtr expr = ExprBinder(scope_, context_, clause).bind(expression);
    if (!expr) return std::nullopt;
    if (expr->kind == ExprKind::kColumn) return expr->column;
    error(expression.span, std::string(clause) + " of MATCH_RECOGNIZE takes columns",
          "compute it in a query before: (SELECT *, … AS k FROM t) MATCH_RECOGNIZE (…)");
    return std::nullopt;
  }

  void bind_partition() {
    for (const sql::ExpressionPtr& key : match_.partition_by)
      if (const auto column = bind_column(*key, "PARTITION BY")) node_->partition_by.push_back(*column);
  }

  void bind_order() {
    for (std::size_t i = 0; i < match_.order_by.size(); ++i) {
      const sql::OrderItem& item = match_.order_by[i];
      const std::optional<std::size_t> column = bind_column(*item.value, "ORDER BY");
      if (!column) continue;
      if (i == 0)
        bind_time(item, *column);
      else
        node_->order_by.push_back(sort_key(item, *column));
    }
  }

  void bind_time(const sql::OrderItem& item, std::size_t column) {
    const TimeAttribute attribute = input_.node->time_attributes[column];
    const std::string& name = input_.schema().fields[column].name;
    if (attribute == TimeAttribute::kNone)
      error(item.span, "ORDER BY must begin with a time attribute, but '" + name + "' is none",
            "ORDER BY the column of the table's WATERMARK, or a PROCTIME() column, and then by " + name);
    else if (item.direction == sql::OrderItem::Direction::kDescending)
      error(item.span, "time only goes forward: ORDER BY " + name + " ASC");
    node_->time_column = column;
    processing_time_ = attribute == TimeAttribute::kProcTime;
  }

  // NULL is the smallest value unless the text says otherwise.
  static MatchSortKey sort_key(const sql::OrderItem& item, std::size_t column) {
    using Nulls = sql::OrderItem::Nulls;
    const bool down = item.direction == sql::OrderItem::Direction::kDescending;
    const bool first = item.nulls == Nulls::kFirst || (item.nulls == Nulls::kDefault && !down);
    return {column, down ? MatchSortKey::Direction::kDescending : MatchSortKey::Direction::kAscending,
            first ? MatchSortKey::Nulls::kFirst : MatchSortKey::Nulls::kLast};
  }

  // ---- PATTERN, SUBSET -----------------------------------------------------------------------------------

  void bind_pattern() {
    const std::vector<std::string> variables = variables_of(match_.pattern);
    if (variables.size() > kMaxVariables) {
      error(match_.pattern.span,
            "a pattern has at most " + std::to_string(kMaxVariables) + " different variables");
      return;
    }
    for (std::size_t v = 0; v < variables.size(); ++v) {
      names_.variables.emplace_back(variables[v], VariableSet{1} << v);
      names_.all |= VariableSet{1} << v;
      node_->variables.push_back({.name = variables[v]});
    }
    node_->pattern = to_string(match_.pattern);
    if (auto automaton = compile_pattern(match_.pattern, variables, context_))
      node_->automaton = std::move(*automaton);
    for (const sql::MatchRecognize::Subset& subset : match_.subsets) bind_subset(subset);
    names_.rows =
        match_.rows_per_match == Rows::kOne ? MatchNode::RowsPerMatch::kOne : MatchNode::RowsPerMatch::kAll;
    node_->rows = names_.rows;
  }

  void bind_subset(const sql::MatchRecognize::Subset& subset) {
    VariableSet set = 0;
    for (const sql::Identifier& member : subset.members) set |= bind_variable(member).value_or(0);
    if (names_.find(subset.name.text))
      error(subset.name.span, "there is already a variable '" + subset.name.text + "'");
    names_.variables.emplace_back(subset.name.text, set);
  }

  std::optional<VariableSet> bind_variable(const sql::Identifier& name) const {
    if (const auto set = names_.find(name.text)) return set;
    std::vector<std::string> known;
    for (const auto& [variable, set] : names_.variables) known.push_back(variable);
    error(name.span, "'" + name.text + "' is no variable of the pattern" + did_you_mean(name.text, known));
    return std::nullopt;
  }

  // ---- AFTER MATCH SKIP, WITHIN --------------------------------------------------------------------------

  void bind_skip() {
    using Skip = sql::MatchRecognize::Skip;
    switch (match_.skip) {
      case Skip::kPastLastRow:
        node_->skip = MatchNode::Skip::kPastLastRow;
        return;
      case Skip::kToNextRow:
        node_->skip = MatchNode::Skip::kToNextRow;
        return;
      case Skip::kToFirst:
      case Skip::kToLast:
        node_->skip = match_.skip == Skip::kToFirst ? MatchNode::Skip::kToFirst : MatchNode::Skip::kToLast;
        break;
    }
    const std::optional<VariableSet> target = bind_variable(*match_.skip_to);
    if (!target) return;
    node_->skip_to = *target;
    const auto is_target = [&](const MatchStep& step) {
      return (*target >> node_->automaton.positions[step.position].variable & 1) != 0;
    };
    if (match_.skip == Skip::kToFirst && std::ranges::all_of(node_->automaton.start, is_target))
      error(match_.skip_span,
            "every match begins with " + match_.skip_to->text +
                ", so the search would find the same match for ever",
            "AFTER MATCH SKIP TO NEXT ROW goes on behind the first row");
  }

  void bind_within() {
    if (!match_.within) return;
    const Scope nothing;
    const ExprPtr expr = ExprBinder(nothing, context_, "WITHIN").bind(*match_.within);
    if (!expr) return;
    if (expr->kind != ExprKind::kLiteral || expr->type.kind() != TypeKind::kIntervalDayTime ||
        expr->literal.is_null())
      error(match_.within->span, "WITHIN takes a constant INTERVAL of DAY, HOUR, MINUTE or SECOND",
            "as in WITHIN INTERVAL '1' HOUR; months and years have no fixed length");
    else if (expr->literal.as_integer() <= 0)
      error(match_.within->span, "WITHIN must be longer than 0");
    else
      node_->within = Micros(expr->literal.as_integer());
  }

  // ---- DEFINE, MEASURES ----------------------------------------------------------------------------------

  void bind_definitions() {
    std::vector<bool> defined(node_->variables.size());
    for (const sql::MatchRecognize::Definition& definition : match_.definitions) {
      const auto found = std::ranges::find(node_->variables, definition.variable.text, &MatchVariable::name);
      if (found == node_->variables.end()) {
        (void)report_definition(definition.variable);
        continue;
      }
      const auto variable = static_cast<std::size_t>(found - node_->variables.begin());
      if (defined[variable])
        error(definition.variable.span, "'" + definition.variable.text + "' is defined twice");
      defined[variable] = true;
      bind_definition(definition, variable);
    }
  }

  bool report_definition(const sql::Identifier& name) const {
    if (!names_.find(name.text)) return bind_variable(name).has_value();
    error(name.span, "'" + name.text + "' is a subset; only variables have definitions");
    return false;
  }

  void bind_definition(const sql::MatchRecognize::Definition& definition, std::size_t variable) {
    MatchExprBinder binder(scope_, names_, context_, columns_, node_->conditions, node_->time_column,
                           variable);
    const ExprPtr condition = binder.bind_condition(*definition.condition);
    if (!condition) return;
    std::vector<ExprPtr> of_row;
    std::vector<ExprPtr> of_match;
    for (const ExprPtr& conjunct : conjuncts_of(condition)) {
      const std::vector<std::size_t> reads = columns_of(*conjunct);
      const bool row_alone = reads.empty() || reads.back() < MatchExprBinder::kReferences;
      (row_alone && is_total(*conjunct) ? of_row : of_match).push_back(conjunct);
    }
    if (!of_row.empty()) node_->variables[variable].row_condition = columns_.add(conjunction_of(of_row));
    node_->variables[variable].condition = conjunction_of(of_match);
  }

  void bind_measures() {
    for (const sql::MatchRecognize::Measure& measure : match_.measures) {
      MatchExprBinder binder(scope_, names_, context_, columns_, node_->measured, node_->time_column,
                             std::nullopt);
      if (processing_time_ && call_of(*measure.value, "MATCH_ROWTIME"))
        error(measure.value->span, "MATCH_ROWTIME() needs ORDER BY a rowtime", "use MATCH_PROCTIME()");
      node_->measures.push_back(binder.bind(*measure.value));
    }
  }

  // ---- The node ------------------------------------------------------------------------------------------

  void add_column(std::size_t column) {
    const auto is_there = [&](const MatchOutput& output) {
      return output.kind == MatchOutput::Kind::kColumn && output.index == column;
    };
    if (std::ranges::any_of(node_->outputs, is_there)) return;
    node_->outputs.push_back({MatchOutput::Kind::kColumn, column});
    node_->schema.fields.push_back(input_.schema().fields[column]);
    node_->time_attributes.push_back(TimeAttribute::kNone);
  }

  void add_measure(std::size_t index) {
    const sql::MatchRecognize::Measure& measure = match_.measures[index];
    node_->outputs.push_back({MatchOutput::Kind::kMeasure, index});
    node_->schema.fields.push_back({measure.name.text, node_->measures[index]->type});
    node_->time_attributes.push_back(call_of(*measure.value, "MATCH_ROWTIME")    ? TimeAttribute::kRowTime
                                     : call_of(*measure.value, "MATCH_PROCTIME") ? TimeAttribute::kProcTime
                                                                                 : TimeAttribute::kNone);
  }

  // ALL ROWS PER MATCH: keys, order, measures, then what is left of the row, as in the standard.
  void derive_outputs() {
    const bool all = node_->rows == MatchNode::RowsPerMatch::kAll;
    for (const std::size_t column : node_->partition_by) add_column(column);
    if (all) add_column(node_->time_column);
    for (std::size_t i = 0; all && i < node_->order_by.size(); ++i) add_column(node_->order_by[i].column);
    for (std::size_t i = 0; i < node_->measures.size(); ++i) add_measure(i);
    for (std::size_t i = 0; all && i < input_.schema().size(); ++i) add_column(i);
  }

  [[nodiscard]] static ExprPtr settle(const ExprPtr& expr, std::size_t first_reference) {
    if (expr->kind == ExprKind::kColumn) {
      if (expr->column < MatchExprBinder::kReferences) return expr;
      return make_column(expr->column - MatchExprBinder::kReferences + first_reference, expr->type,
                         expr->name);
    }
    Expr settled = *expr;
    for (ExprPtr& child : settled.children) child = settle(child, first_reference);
    return std::make_shared<const Expr>(std::move(settled));
  }

  std::optional<Relation> finish() {
    for (MatchVariable& variable : node_->variables)
      if (variable.condition) variable.condition = settle(variable.condition, columns_.width());
    for (ExprPtr& measure : node_->measures) measure = settle(measure, 0);
    derive_outputs();
    NodePtr below = columns_.build(input_.node);
    if (processing_time_) below = make_processing_clock(std::move(below), node_->time_column);
    node_->inputs = {std::move(below)};
    node_->max_partial_matches = context_.settings.max_partial_matches;
    return plain_relation(node_);
  }

  const sql::MatchRecognize& match_;
  sql::SourceSpan input_span_;
  const Relation& input_;
  Scope scope_;
  const BindContext& context_;
  MatchInput columns_;
  MatchNames names_;
  bool processing_time_ = false;
  std::shared_ptr<MatchNode> node_ = std::make_shared<MatchNode>();
};

}  // namespace

std::optional<Relation> bind_match(const sql::MatchTable& table, const Relation& input,
                                   const BindContext& context) {
  std::string name;
  if (table.input->alias)
    name = table.input->alias->text;
  else if (const auto* named = sql::as<sql::NamedTable>(*table.input))
    name = named->name.last();
  return MatchBinder(table, input, std::move(name), context).bind();
}

}  // namespace leat::plan
