// GROUP BY, with windows and without, and SELECT DISTINCT.
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

class GroupBinder;

/// A SELECT with GROUP BY, HAVING or aggregates, below its list: the groups, and what the expressions of the
/// list, of QUALIFY and of ORDER BY are over them.
class Groups {
 public:
  /// All outlive the object. `scope` has the names of `input`.
  Groups(const sql::Select& select, const Relation& input, const Scope& scope, const BindContext& context);
  ~Groups();

  /// One row per group, HAVING applied: keys, aggregates, the window's properties. Aggregates in `order` are
  /// among them. None: reported.
  std::optional<Relation> bind(std::span<const sql::OrderItem> order);
  /// Keys, properties and aggregates as columns of the groups; other columns are refused. Valid after `bind`,
  /// as long as the object.
  [[nodiscard]] ExprBinder::Interceptor interceptor() const;

 private:
  std::unique_ptr<GroupBinder> binder_;
};

/// SELECT DISTINCT: each different row of `relation` once; over windows, once per window.
Relation bind_distinct(const Relation& relation, const BindContext& context);

}  // namespace leat::plan
