#include "pipelines/plan/bind_order.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/node_build.h"
#include "pipelines/plan/order_node.h"
#include "pipelines/plan/rank_node.h"

namespace leat::plan {

SortKey sort_key_of(const sql::OrderItem& item, std::size_t column) {
  const bool ascending = item.direction == sql::OrderItem::Direction::kAscending;
  const bool first =
      item.nulls == sql::OrderItem::Nulls::kDefault ? ascending : item.nulls == sql::OrderItem::Nulls::kFirst;
  return {column, ascending ? SortDirection::kAscending : SortDirection::kDescending,
          first ? NullPlace::kFirst : NullPlace::kLast};
}

bool check_sortable(const Type& type, sql::SourceSpan span, const BindContext& context) {
  if (!type.is_nested()) return true;
  context.diagnostics.error(span,
                            "values of the type " + type.with_nullable(true).to_string() + " have no order");
  return false;
}

std::optional<std::size_t> named_column(const sql::OrderItem& item, std::span<const std::string> columns,
                                        const BindContext& context) {
  if (const auto* column = sql::as<sql::ColumnName>(*item.value); column && column->name.parts.size() == 1) {
    const auto found = std::ranges::find(columns, column->name.last());
    if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  }
  const auto* literal = sql::as<sql::Literal>(*item.value);
  if (!literal || literal->literal != sql::LiteralKind::kInteger) return std::nullopt;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (std::to_string(i + 1) == literal->text) return i;
  context.diagnostics.error(item.span, "the list has no column " + literal->text);
  return columns.size();
}

namespace {

class OrderBinder {
 public:
  OrderBinder(const sql::Query& query, Relation relation, const OrderColumns& columns, QueryPlace place,
              const BindContext& context)
      : query_(query), relation_(std::move(relation)), columns_(columns), place_(place), context_(context) {}

  std::optional<Relation> bind() {
    if (!bind_counts() || !bind_keys(columns_.items) || !add_nodes()) return std::nullopt;
    if (columns_.visible < relation_.schema().size()) drop_hidden(columns_.visible);
    return std::move(relation_);
  }

 private:
  bool bind_counts() {
    if (query_.limit) {
      limit_ = bind_count(*query_.limit, "LIMIT");
      if (!limit_) return false;
    }
    if (!query_.offset) return true;
    const auto offset = bind_count(*query_.offset, "OFFSET");
    offset_ = offset.value_or(0);
    return offset.has_value();
  }

  std::optional<std::int64_t> bind_count(const sql::Expression& expression, std::string_view clause) const {
    const Scope nothing;
    const ExprPtr count = ExprBinder(nothing, context_, clause).bind(expression);
    if (!count) return std::nullopt;
    if (count->kind == ExprKind::kLiteral && count->type.is_integer() && !count->literal.is_null() &&
        count->literal.as_integer() >= 0)
      return count->literal.as_integer();
    context_.diagnostics.error(expression.span, std::string(clause) + " takes a whole number");
    return std::nullopt;
  }

  bool bind_keys(std::span<const std::size_t> order) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const sql::OrderItem& item = query_.order_by[i];
      if (!check_sortable(relation_.schema().fields[order[i]].type, item.span, context_)) return false;
      keys_.push_back(sort_key_of(item, order[i]));
    }
    return true;
  }

  bool add_nodes() {
    const bool limited = limit_ || offset_ > 0;
    if (!limited && (keys_.empty() || place_ == QueryPlace::kInner)) return true;
    if (context_.settings.batch && columns_.keys.empty()) {
      if (!keys_.empty() || relation_.node->updating) add_sort(SortNode::When::kAtEnd);
      if (limited) add_limit();
      return true;
    }
    if (!limited) return add_time_sort();
    if (keys_.empty() && columns_.keys.empty() && !relation_.node->updating)
      add_limit();
    else
      add_top();
    return true;
  }

  bool add_time_sort() {
    const TimeAttribute first = relation_.node->time_attributes[keys_[0].column];
    const bool ascending = keys_[0].direction == SortDirection::kAscending;
    if (ascending && !relation_.node->updating) {
      // Rows come in the order of processing time.
      if (first == TimeAttribute::kProcTime && keys_.size() == 1) return true;
      if (first == TimeAttribute::kRowTime) {
        add_sort(SortNode::When::kRowTime);
        return true;
      }
    }
    context_.diagnostics.error(
        query_.order_by[0].span,
        "a stream can only be ordered by its time: by the WATERMARK column, ascending, first",
        "add LIMIT n for the first rows of another order, or SET "
        "'execution.runtime-mode' = 'batch' over bounded tables");
    return false;
  }

  void add(const std::shared_ptr<PassingNode>& node) {
    node->inputs = {relation_.node};
    node->pass_all();
    relation_.node = node;
  }
  void add_sort(SortNode::When when) {
    auto sort = std::make_shared<SortNode>();
    sort->when = when;
    sort->order = keys_;
    if (when == SortNode::When::kAtEnd && limit_ && !relation_.node->updating)
      sort->wanted = static_cast<std::uint64_t>(*limit_) + static_cast<std::uint64_t>(offset_);
    add(sort);
  }
  void add_limit() {
    auto limit = std::make_shared<LimitNode>();
    limit->offset = offset_;
    limit->count = limit_;
    add(limit);
  }
  void add_top() {
    auto rank = std::make_shared<RankNode>();
    rank->order = keys_;
    rank->partition_by.assign(columns_.keys.begin(), columns_.keys.end());
    rank->range.first = offset_ + 1;
    if (limit_) rank->range.last = offset_ + *limit_;
    rank->gives_number = false;
    rank->state_ttl = context_.settings.state_ttl;
    add(rank);
  }

  void drop_hidden(std::size_t visible) {
    std::vector<SelectColumn> columns;
    for (std::size_t i = 0; i < visible; ++i)
      columns.push_back(
          {column_of(*relation_.node, i), relation_.schema().fields[i].name, relation_.roles[i]});
    relation_ = *project(relation_, std::move(columns));
  }

  const sql::Query& query_;
  Relation relation_;
  const OrderColumns& columns_;
  QueryPlace place_;
  const BindContext& context_;
  std::vector<SortKey> keys_;
  std::optional<std::int64_t> limit_;
  std::int64_t offset_ = 0;
};

}  // namespace

std::optional<Relation> bind_order(const sql::Query& query, Relation relation, const OrderColumns& columns,
                                   QueryPlace place, const BindContext& context) {
  return OrderBinder(query, std::move(relation), columns, place, context).bind();
}

}  // namespace leat::plan
