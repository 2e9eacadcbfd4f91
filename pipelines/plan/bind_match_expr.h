// Binds the expressions of MATCH_RECOGNIZE: columns of pattern variables, FIRST, LAST, PREV, NEXT, aggregates
// and the functions that only a pattern has become references (match_node.h); all else is the expression
// binder's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/match_node.h"

namespace leat::plan {

/// What the expressions of one clause may name.
struct MatchNames {
  std::vector<std::pair<std::string, VariableSet>> variables;  ///< Those of the pattern, then the subsets.
  VariableSet all = 0;
  MatchNode::RowsPerMatch rows = MatchNode::RowsPerMatch::kOne;

  [[nodiscard]] std::optional<VariableSet> find(std::string_view name) const;
};

/// Columns that the clauses need below the node, behind those of the input.
class MatchInput {
 public:
  explicit MatchInput(const Node& input) : width_(input.schema.size()), input_(input) {}

  /// The column that holds `expr`, which is over the columns of the input.
  std::size_t add(const ExprPtr& expr);
  [[nodiscard]] std::size_t width() const { return width_ + computed_.size(); }
  /// The input with the added columns.
  [[nodiscard]] NodePtr build(const NodePtr& input) const;

 private:
  std::size_t width_;
  const Node& input_;
  std::vector<ExprPtr> computed_;
  std::vector<std::string> identities_;
};

class MatchExprBinder {
 public:
  /// `defined`: the variable whose condition is bound; none: a measure. All references outlive the binder.
  MatchExprBinder(const Scope& scope, const MatchNames& names, const BindContext& context, MatchInput& input,
                  MatchReferences& refers, std::size_t time_column, std::optional<std::size_t> defined)
      : scope_(scope),
        names_(names),
        context_(context),
        input_(input),
        refers_(refers),
        time_column_(time_column),
        defined_(defined) {}

  /// Null: the error has been reported, as below. Columns from kReferences on are references.
  ExprPtr bind(const sql::Expression& expression);
  ExprPtr bind_condition(const sql::Expression& expression);

  static constexpr std::size_t kReferences = 1'000'000;

 private:
  using Extent = MatchReference::Extent;

  /// An expression inside of FIRST, PREV, SUM …: over the columns of one row.
  struct Inner {
    ExprPtr expr;
    std::optional<VariableSet> variables;  ///< None: it names no column.
  };

  [[nodiscard]] ExprBinder binder();
  std::optional<VariableSet> variables_of(const sql::Name& name);
  [[nodiscard]] ExprPtr resolve(const sql::Name& name) const;
  std::optional<ExprPtr> intercept(const sql::Expression& part);
  std::optional<ExprPtr> bind_column(const sql::ColumnName& column);
  std::optional<ExprPtr> bind_call(const sql::Call& call);
  ExprPtr bind_extent(const sql::Call& call);
  ExprPtr bind_logical(const sql::Call& call, MatchReference at);
  ExprPtr bind_physical(const sql::Call& call);
  ExprPtr bind_aggregate(const sql::Call& call);
  std::optional<AggregateCall> bind_function(const sql::Call& call, std::vector<ExprPtr> arguments);
  ExprPtr bind_classifier(const sql::Call& call);
  ExprPtr bind_number(const sql::Call& call);
  ExprPtr bind_rowtime(const sql::Call& call);

  std::optional<Inner> bind_inner(const sql::Expression& expression, std::string_view function);
  std::optional<ExprPtr> intercept_inner(const sql::Expression& part, std::string_view function,
                                         Inner& inner);
  bool merge(std::optional<VariableSet>& into, VariableSet variables, sql::SourceSpan span,
             std::string_view function);
  std::optional<std::uint32_t> bind_offset(const sql::Call& call, std::uint32_t otherwise);
  /// The inner expression over the row that `at` names.
  ExprPtr at_row(const ExprPtr& expr, const MatchReference& at);
  ExprPtr refer(MatchReference reference, std::string name);
  [[nodiscard]] bool is_this_row(const MatchReference& at) const;
  bool expects_no_arguments(const sql::Call& call);
  void report_variable(const sql::Identifier& name);

  const Scope& scope_;
  const MatchNames& names_;
  const BindContext& context_;
  MatchInput& input_;
  MatchReferences& refers_;
  std::size_t time_column_;
  std::optional<std::size_t> defined_;
  Extent extent_ = Extent::kRunning;
};

}  // namespace leat::plan
