// Collects what a grouped SELECT needs of its aggregate, over windows or not, while its expressions are
// bound: the columns below it, the keys, the calls, the window's properties. An output column has a
// provisional index until all are known.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/group_aggregate_node.h"
#include "pipelines/plan/scope.h"
#include "pipelines/sql/expression.h"

namespace leat::plan {

class AggregateBuilder {
 public:
  /// `input` outlives the builder.
  explicit AggregateBuilder(const Relation& input) : input_(input) {}

  /// A key, or where it already is one.
  void add_key(const ExprPtr& key);
  void add_property(WindowProperty property);
  /// Several grouping sets: which of the keys, all of which have been added, each set has.
  void expand(std::vector<std::vector<bool>> sets) { sets_ = std::move(sets); }
  /// The column with the number of the row's set; there are several.
  [[nodiscard]] ExprPtr set_number() const;
  /// `filter` may be null. Equal calls are one. `alias` is what the query calls the column that the call is
  /// part of, or empty: what is computed for its arguments takes this name.
  ExprPtr add_call(AggregateCall call, const std::vector<ExprPtr>& arguments, const ExprPtr& filter,
                   const std::string& alias);

  /// The output column that holds the key or the property; null if there is none.
  [[nodiscard]] ExprPtr find_key(const Expr& expr) const;
  [[nodiscard]] ExprPtr find_property(WindowProperty property, const WindowSpec& window) const;
  [[nodiscard]] bool has(WindowProperty property) const;

  /// The aggregate over windows that the rows already carry (the columns of `input` with the roles of start
  /// and end), or over `window` of its own, with
  /// early and late results if `emit` is set.
  NodePtr build_attached(std::size_t start, std::size_t end, WindowSpec window);
  NodePtr build(WindowSpec window, const std::optional<EmitStrategy>& emit);
  /// The aggregate without a window.
  NodePtr build_unwindowed(Micros state_ttl, Results results);
  /// An expression over provisional columns as one over the built node.
  [[nodiscard]] ExprPtr settle(const ExprPtr& expr) const;
  /// The property that a column of the built node is.
  [[nodiscard]] std::optional<WindowProperty> property_of(std::size_t column) const;

 private:
  std::size_t add_input(const ExprPtr& expr, const std::string& name);
  [[nodiscard]] std::size_t key_count() const { return keys_.size() + (sets_.empty() ? 0 : 1); }
  /// Where the aggregate finds its keys, once all inputs are added.
  [[nodiscard]] std::vector<std::size_t> key_columns() const;
  [[nodiscard]] NodePtr below() const;
  NodePtr finish(std::shared_ptr<WindowAggregateNode> node);
  [[nodiscard]] std::size_t property_index(WindowProperty property) const;

  const Relation& input_;
  std::vector<ExprPtr> inputs_;
  std::vector<std::string> input_names_;
  std::map<std::string, std::size_t> input_places_;  ///< By identity.
  std::vector<std::size_t> keys_;                    ///< Columns of the projection below.
  std::vector<std::vector<bool>> sets_;              ///< Empty: the keys are the one set.
  std::vector<WindowProperty> properties_;
  std::vector<AggregateCall> calls_;
  std::map<std::string, std::size_t> call_places_;
};

}  // namespace leat::plan
