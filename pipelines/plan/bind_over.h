// OVER: the calls of a SELECT that have a window of rows, bound to nodes that compute them. Each becomes a
// column behind those of the SELECT's input; an interceptor puts these columns in the place of the calls.
//
// Calls that order by a time attribute share a node as far as they share the partition; nodes of different
// partitions are chained, and each gives its rows out in the order of time, none of them late for the next.
// ROW_NUMBER over another order, or over the rows of a window, is a numbering that a condition may bound.
// In batch mode all calls, in whatever order, wait for the end of the input; over a stream those that only
// look back are a changelog.
//
// bind_over.cc: windows, aggregates, nodes, QUALIFY. bind_over_time.cc: frames and calls in the order of
// time. bind_over_ordered.cc: those in any order.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/ordered_over_node.h"
#include "pipelines/plan/over_node.h"
#include "pipelines/plan/rank_node.h"

namespace leat::plan {

/// True if an item or QUALIFY of the SELECT calls something OVER a window.
bool has_over(const sql::Select& select);
bool contains_over(const sql::Expression& expression);

class OverCalls {
 public:
  /// All references outlive the object. `input` is what `scope` names, or what `values` makes of it (the
  /// groups of a grouped SELECT); `values` may be empty. `keys` over `input` divide each partition further.
  OverCalls(const sql::Select& select, const Relation& input, const Scope& scope,
            ExprBinder::Interceptor values, std::vector<ExprPtr> keys, const BindContext& context)
      : select_(select),
        input_(input),
        scope_(scope),
        values_(std::move(values)),
        keys_(std::move(keys)),
        context_(context) {}

  /// `input` with the columns of the calls behind its own, those of `order` too, and QUALIFY applied. None:
  /// reported.
  std::optional<Relation> bind(std::span<const sql::OrderItem> order);
  /// Answers for the calls, then as `values` does; valid after `bind`, as long as the object.
  [[nodiscard]] ExprBinder::Interceptor interceptor() const;

 private:
  /// A window with its base filled in.
  struct Window {
    const std::vector<sql::ExpressionPtr>* partition_by = nullptr;
    const std::vector<sql::OrderItem>* order_by = nullptr;
    const std::optional<sql::Frame>* frame = nullptr;
    sql::SourceSpan span;
  };
  /// A call, bound. Without `call` and `ordered`: a numbering in an order that is not of time.
  struct Bound {
    std::vector<std::size_t> partition_by;
    std::vector<SortKey> order;
    std::string window;  ///< Of both: calls with equal ones may share a node.
    std::optional<OverCall> call;
    std::optional<OrderedOverCall> ordered;
  };
  enum class FrameBegin : std::uint8_t {
    kFixed,  ///< Rows never leave the frame.
    kMoves,
  };

  bool collect(const sql::Expression& expression);
  bool bind_call(const sql::Call& call);
  std::optional<Window> resolve(const sql::Window& window) const;
  bool bind_partition(const Window& window, Bound& bound);
  bool bind_order(const Window& window, Bound& bound);
  [[nodiscard]] bool is_time_order(const Bound& bound) const;
  [[nodiscard]] bool is_window_partition(const Bound& bound) const;
  bool bind_function(const sql::Call& call, const Window& window, Bound& bound);
  bool bind_aggregate(const sql::Call& call, FrameBegin begin, AggregateCall& bound);
  static Result<functions::AggregatePtr> bind_signature(const sql::Call& call,
                                                        std::span<const ExprPtr> arguments,
                                                        std::span<const std::string> words, FrameBegin begin);
  bool finish_call(const sql::Call& call, std::vector<ExprPtr> arguments, functions::AggregatePtr function,
                   AggregateCall& bound);
  std::optional<std::vector<ExprPtr>> bind_arguments(const sql::Call& call) const;
  bool check_no_frame(const sql::Call& call, const Window& window) const;
  bool check_no_arguments(const sql::Call& call) const;
  static std::string window_text(const Bound& bound);
  [[nodiscard]] std::string identity_of_call(const Bound& bound) const;

  // In the order of time.
  bool bind_time_call(const sql::Call& call, const Window& window, Bound& bound);
  bool bind_time_numbering(const sql::Call& call, std::size_t time, AggregateCall& bound) const;
  bool bind_lag(const sql::Call& call, AggregateCall& bound);
  /// Functions of a series see the whole partition up to the row, whatever order it is bound for.
  [[nodiscard]] bool check_plain_series(const sql::Call& call) const;
  bool bind_series(const sql::Call& call, const Window& window, AggregateCall& bound);
  bool bind_shaping(const sql::Call& call, AggregateCall& bound);
  bool bind_series_call(const sql::Call& call, const Window& window, Bound& bound);
  std::optional<OverFrame> bind_frame(const std::optional<sql::Frame>& frame) const;
  std::optional<std::int64_t> bind_offset(const sql::Frame& frame) const;
  /// Functions whose frame is always the whole partition up to the row.
  static bool has_fixed_frame(std::string_view name);

  // In any order.
  bool bind_ordered_call(const sql::Call& call, const Window& window, Bound& bound);
  bool bind_ordered_aggregate(const sql::Call& call, const Window& window, Bound& bound);
  bool check_looks_back(const sql::Call& call, const Window& window, const OrderedOverCall& over) const;
  bool bind_ranking(const sql::Call& call, const Window& window, const Bound& bound,
                    OrderedOverCall& over) const;
  bool bind_ntile(const sql::Call& call, OrderedOverCall& over) const;
  bool bind_neighbour(const sql::Call& call, OrderedOverCall& over);
  /// The default of LEAD and LAG goes with the value: no text for a number.
  bool check_default(const sql::Call& call, const Type& value, const Type& fallback) const;
  bool bind_distance(const ExprPtr& distance, const sql::Call& call, OrderedOverCall& over);
  bool bind_any_frame(const Window& window, const Bound& bound, OrderedFrame& frame);
  bool bind_row_edge(const sql::FrameBound& written, FrameEdge& edge) const;
  /// The constant behind PRECEDING or FOLLOWING. Null: reported.
  ExprPtr bind_distance_of_frame(const sql::FrameBound& written) const;
  bool check_not_negative(const Expr& distance, const sql::FrameBound& written) const;
  bool bind_value_edges(const sql::Frame& written, const Bound& bound, OrderedFrame& frame);
  /// Inputs of `values`, brought to one type; where each is goes to `columns`.
  bool add_same_type(std::span<const ExprPtr> values, std::span<std::size_t* const> columns,
                     sql::SourceSpan span);
  ExprPtr bind_value_edge(const sql::FrameBound& written, const ExprPtr& value, const SortKey& key,
                          FrameEdge& edge) const;

  std::optional<ExprPtr> bind_value(const sql::Expression& expression, std::string_view place) const;
  std::size_t add_input(const ExprPtr& expr);

  Relation build();
  /// The bounds that `has` names, by window, in the order of their first call.
  [[nodiscard]] std::vector<std::vector<std::size_t>> by_window(
      const std::function<bool(const Bound&)>& has) const;
  void add_time_nodes(Relation& relation);
  void add_ordered_nodes(Relation& relation);
  std::shared_ptr<OrderedOverNode> make_ordered_node(std::optional<std::size_t> arrival) const;
  void add_numberings(Relation& relation);
  void append(Relation& relation, const std::shared_ptr<PassingNode>& node,
              std::span<const std::size_t> bounds);
  std::optional<Relation> qualify(Relation relation) const;

  const sql::Select& select_;
  const Relation& input_;
  const Scope& scope_;
  ExprBinder::Interceptor values_;
  std::vector<ExprPtr> keys_;
  const BindContext& context_;
  std::vector<ExprPtr> inputs_;  ///< Columns of the projection below the nodes.
  std::map<std::string, std::size_t> input_places_;
  std::vector<Bound> bound_;
  std::map<std::string, std::size_t> bound_places_;
  std::map<const sql::Call*, std::size_t> calls_;  ///< To indexes of `bound_`.
  std::vector<ExprPtr> columns_;                   ///< One per entry of `bound_`, once built.
};

}  // namespace leat::plan
