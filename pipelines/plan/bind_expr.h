// Binds one expression of the text against a scope. What depends on where it stands (aggregates and keys of a
// grouped SELECT) is the business of an interceptor that sees every sub-expression first.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/expr.h"
#include "pipelines/plan/scope.h"
#include "pipelines/sql/ast.h"

namespace leat::plan {

class ExprBinder {
 public:
  /// Answers for a sub-expression itself (null: it reported an error), or leaves it to the binder (none).
  using Interceptor = std::function<std::optional<ExprPtr>(const sql::Expression&)>;

  /// Both references outlive the binder. `place` names the clause in messages: "WHERE".
  ExprBinder(const Scope& scope, const BindContext& context, std::string_view place)
      : scope_(scope), context_(context), place_(place) {}
  void set_interceptor(Interceptor interceptor) { interceptor_ = std::move(interceptor); }

  /// Null: the error has been reported, as all below.
  ExprPtr bind(const sql::Expression& expression) const;
  ExprPtr bind_condition(const sql::Expression& expression) const;

 private:
  /// Which rows evaluate the expression: all of its input, or those that take its branch of a CASE, a
  /// COALESCE, an AND … What fails for every row is an error of the text, on a branch it is the row's.
  enum class Reach : std::uint8_t { kEveryRow, kSomeRows };
  /// Which arguments of a call every row evaluates; a lazy call always begins with its first one.
  enum class Arguments : std::uint8_t { kAll, kFirst };

  ExprPtr bind_branch(const sql::Expression& expression) const;
  ExprPtr bind_call(const sql::Call& call) const;
  ExprPtr bind_special(const sql::Call& call, bool& special) const;
  ExprPtr bind_case(const sql::Case& node) const;
  ExprPtr bind_cast(const sql::Cast& cast) const;
  ExprPtr bind_logical(ExprKind kind, const sql::Call& call) const;
  ExprPtr bind_between(const sql::Call& call) const;
  ExprPtr bind_in(const sql::Call& call) const;
  ExprPtr bind_coalesce(const sql::Call& call) const;
  ExprPtr bind_if(const sql::Call& call) const;
  ExprPtr bind_nullif(const sql::Call& call) const;
  ExprPtr bind_overlaps(const sql::Call& call) const;
  ExprPtr bind_json(const sql::Call& call) const;
  bool add_json_clauses(const sql::Call& call, std::vector<ExprPtr>& arguments) const;
  ExprPtr bind_json_parts(const sql::Call& call, std::vector<ExprPtr> values) const;
  ExprPtr bind_case_of(std::vector<ExprPtr> children, sql::SourceSpan span) const;
  std::optional<std::vector<ExprPtr>> bind_arguments(const sql::Call& call,
                                                     Arguments evaluated = Arguments::kAll) const;
  ExprPtr refuse_call(const sql::Call& call) const;
  ExprPtr refuse(const sql::Expression& expression) const;

  const Scope& scope_;
  const BindContext& context_;
  std::string_view place_;
  Interceptor interceptor_;
  Reach reach_ = Reach::kEveryRow;
};

}  // namespace leat::plan
