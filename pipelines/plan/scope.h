// Names that an expression may use, and what they are. A scope borrows nothing: it holds expressions.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/expr.h"
#include "pipelines/plan/node.h"
#include "pipelines/sql/identifier.h"

namespace leat::plan {

/// Which property of a window a column of a relation is. Survives projections and filters.
enum class ColumnRole : std::uint8_t { kPlain, kWindowStart, kWindowEnd, kWindowTime };

/// A bound query: a node, and what is known of its columns beyond types.
struct Relation {
  NodePtr node;
  std::vector<ColumnRole> roles = {};  ///< One per column.
  /// The windows that columns with a role belong to; indexes in it mean nothing here.
  std::optional<WindowSpec> window = {};
  /// Of a table: the columns of its PRIMARY KEY.
  std::vector<std::size_t> primary_key = {};

  [[nodiscard]] const Schema& schema() const { return node->schema; }
  [[nodiscard]] std::optional<std::size_t> find_role(ColumnRole role) const;
};
/// A relation without windows.
Relation plain_relation(NodePtr node);

struct ScopeColumn {
  std::string name;
  ExprPtr expr;
  /// USING has merged it with a column of another table: only its qualified name finds it.
  bool merged = false;
};

/// The columns of one table in FROM under its alias.
struct ScopeTable {
  std::string name;  ///< Empty: has none.
  std::vector<ScopeColumn> columns;
};

/// Columns of an outer query, in expressions of a sub-query, are counted from here.
inline constexpr std::size_t kOuterColumns = std::size_t{1} << 16;

class Scope {
 public:
  Scope() = default;
  /// All columns of `relation` as `name.column`.
  Scope(const Relation& relation, std::string name);

  void add(ScopeTable table) { tables_.push_back(std::move(table)); }
  void add_column(ScopeColumn column) { tables_.back().columns.push_back(std::move(column)); }
  [[nodiscard]] const std::vector<ScopeTable>& tables() const { return tables_; }
  /// Puts the names of `right` behind its own ones.
  void append(Scope right);
  /// The columns `name` of two tables become one, `expr`, which `*` gives first.
  void merge(const std::string& name, ExprPtr expr);
  /// Replaces what each column is.
  void transform(const std::function<ExprPtr(const ExprPtr&)>& replacement);
  /// What is not found here is looked for there; null: nowhere. `outer` outlives the scope. Its column c is
  /// column `places[c]` here; without places it is counted from kOuterColumns.
  void set_outer(const Scope* outer, std::vector<std::size_t> places = {});
  /// The columns of `*`.
  [[nodiscard]] std::vector<ScopeColumn> all_columns() const;

  /// What `[table.]column[.field …]` is. Null: the error has been reported, with the nearest name.
  [[nodiscard]] ExprPtr resolve(const sql::Name& name, const BindContext& context) const;
  /// The columns of `*` or `table.*`, or the fields of `[table.]column.*`. None: the error has been reported.
  [[nodiscard]] std::optional<std::vector<ScopeColumn>> expand(const std::optional<sql::Name>& qualifier,
                                                               sql::SourceSpan span,
                                                               const BindContext& context) const;

 private:
  [[nodiscard]] ExprPtr column_in(const ScopeTable& table, const sql::Identifier& name,
                                  const BindContext& context) const;
  [[nodiscard]] ExprPtr unqualified(const sql::Identifier& name, const BindContext& context) const;
  [[nodiscard]] const ScopeTable* find_table(std::string_view name) const;
  [[nodiscard]] ExprPtr resolve_outer(const sql::Name& name, const BindContext& context) const;
  void report_unknown(const sql::Name& name, const BindContext& context) const;

  std::vector<ScopeTable> tables_;
  std::vector<ScopeColumn> merged_;  ///< The columns of USING.
  const Scope* outer_ = nullptr;
  std::vector<std::size_t> outer_places_;
};

/// Field `name` of a ROW, or null with an error.
ExprPtr bind_field(ExprPtr row, const sql::Identifier& name, const BindContext& context);

}  // namespace leat::plan
