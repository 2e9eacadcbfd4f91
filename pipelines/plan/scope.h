// Names that an expression may use, and what they are. A scope borrows nothing: it holds expressions.
#pragma once

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

  [[nodiscard]] const Schema& schema() const { return node->schema; }
  [[nodiscard]] std::optional<std::size_t> find_role(ColumnRole role) const;
};
/// A relation without windows.
Relation plain_relation(NodePtr node);

struct ScopeColumn {
  std::string name;
  ExprPtr expr;
};

/// The columns of one table in FROM under its alias.
struct ScopeTable {
  std::string name;  ///< Empty: has none.
  std::vector<ScopeColumn> columns;
};

class Scope {
 public:
  Scope() = default;
  /// All columns of `relation` as `name.column`.
  Scope(const Relation& relation, std::string name);

  void add(ScopeTable table) { tables_.push_back(std::move(table)); }
  void add_column(ScopeColumn column) { tables_.back().columns.push_back(std::move(column)); }
  [[nodiscard]] const std::vector<ScopeTable>& tables() const { return tables_; }

  /// What `[table.]column[.field …]` is. Null: the error has been reported, with the nearest name.
  [[nodiscard]] ExprPtr resolve(const sql::Name& name, const BindContext& context) const;
  /// The columns of `*` or `table.*`. None: the error has been reported.
  [[nodiscard]] std::optional<std::vector<ScopeColumn>> expand(const std::optional<sql::Name>& qualifier,
                                                               sql::SourceSpan span,
                                                               const BindContext& context) const;

 private:
  [[nodiscard]] ExprPtr column_in(const ScopeTable& table, const sql::Identifier& name,
                                  const BindContext& context) const;
  [[nodiscard]] ExprPtr unqualified(const sql::Identifier& name, const BindContext& context) const;
  [[nodiscard]] const ScopeTable* find_table(std::string_view name) const;
  void report_unknown(const sql::Name& name, const BindContext& context) const;

  std::vector<ScopeTable> tables_;
};

/// Field `name` of a ROW, or null with an error.
ExprPtr bind_field(ExprPtr row, const sql::Identifier& name, const BindContext& context);

}  // namespace leat::plan
