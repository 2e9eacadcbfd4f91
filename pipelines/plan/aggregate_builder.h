// Collects what a grouped SELECT needs of its window aggregate while its expressions are bound: the columns
// below it, the keys, the calls, the window's properties. An output column has a provisional index until all
// are known.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

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
  /// `filter` may be null. Equal calls are one.
  ExprPtr add_call(AggregateCall call, const std::vector<ExprPtr>& arguments, const ExprPtr& filter);

  /// The output column that holds the key or the property; null if there is none.
  [[nodiscard]] ExprPtr find_key(const Expr& expr) const;
  [[nodiscard]] ExprPtr find_property(WindowProperty property, const WindowSpec& window) const;
  [[nodiscard]] bool has(WindowProperty property) const;

  /// The aggregate over windows that the rows already carry (the columns of `input` with the roles of start
  /// and end), or over `window` of its own.
  NodePtr build_attached(std::size_t start, std::size_t end, WindowSpec window);
  NodePtr build(WindowSpec window);
  /// An expression over provisional columns as one over the built node.
  [[nodiscard]] ExprPtr settle(const ExprPtr& expr) const;
  /// The property that a column of the built node is.
  [[nodiscard]] std::optional<WindowProperty> property_of(std::size_t column) const;

 private:
  std::size_t add_input(const ExprPtr& expr, const std::string& name);
  NodePtr finish(std::shared_ptr<WindowAggregateNode> node);
  [[nodiscard]] std::size_t property_index(WindowProperty property) const;

  const Relation& input_;
  std::vector<ExprPtr> inputs_;
  std::vector<std::string> input_names_;
  std::map<std::string, std::size_t> input_places_;  ///< By identity.
  std::vector<std::size_t> keys_;                    ///< Columns of the projection below.
  std::vector<WindowProperty> properties_;
  std::vector<AggregateCall> calls_;
  std::map<std::string, std::size_t> call_places_;
};

}  // namespace leat::plan
