// GROUP BY, with windows and without, and SELECT DISTINCT.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "pipelines/plan/bind_query.h"

namespace leat::plan {

class GroupBinder;

/// A SELECT with GROUP BY, HAVING or aggregates, below its list: the groups, and what the expressions of the
/// list, of QUALIFY and of ORDER BY are over them.
class Groups {
 public:
  /// What the SELECT stands on, beside its names.
  struct Place {
    std::vector<ExprPtr> keys = {};           ///< Over the input: more keys, for each grouping set.
    ExprBinder::Interceptor row_values = {};  ///< Answers inside of aggregates; may be empty.
  };
  /// All references outlive the object. `scope` has the names of `input`.
  Groups(const sql::Select& select, const Relation& input, const Scope& scope, Place place,
         const BindContext& context);
  ~Groups();

  /// One row per group, before HAVING: keys, aggregates, the window's properties. Aggregates in `order` are
  /// among them. None: reported.
  std::optional<Relation> bind(std::span<const sql::OrderItem> order);
  /// Keys, properties and aggregates as columns of the groups; other columns are refused. Valid after `bind`,
  /// as long as the object.
  [[nodiscard]] ExprBinder::Interceptor interceptor() const;
  /// The columns of the place's keys, and the names of the columns that are keys.
  [[nodiscard]] std::vector<ExprPtr> keys() const;
  [[nodiscard]] Scope key_names() const;

 private:
  std::unique_ptr<GroupBinder> binder_;
};

/// SELECT DISTINCT: each different row of `relation` once; over windows, once per window.
Relation bind_distinct(const Relation& relation, const BindContext& context);

}  // namespace leat::plan
