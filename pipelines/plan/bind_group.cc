#include "pipelines/plan/bind_group.h"

#include <algorithm>
#include <array>
#include <utility>

#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/aggregate_builder.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_json.h"
#include "pipelines/plan/bind_window.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

constexpr std::string_view kWindowHint =
    "group the rows of a window: SELECT … FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE) GROUP BY "
    "window_start, window_end";

std::optional<WindowProperty> property_of_role(ColumnRole role) {
  switch (role) {
    case ColumnRole::kWindowStart:
      return WindowProperty::kStart;
    case ColumnRole::kWindowEnd:
      return WindowProperty::kEnd;
    case ColumnRole::kWindowTime:
      return WindowProperty::kTime;
    case ColumnRole::kPlain:
      return std::nullopt;
  }
  return std::nullopt;
}

ColumnRole role_of_property(WindowProperty property) {
  switch (property) {
    case WindowProperty::kStart:
      return ColumnRole::kWindowStart;
    case WindowProperty::kEnd:
      return ColumnRole::kWindowEnd;
    case WindowProperty::kTime:
      return ColumnRole::kWindowTime;
  }
  return ColumnRole::kPlain;
}

class GroupBinder {
 public:
  GroupBinder(const Relation& input, const Scope& scope, const BindContext& context)
      : input_(input), scope_(scope), context_(context), builder_(input) {}

  std::optional<Relation> bind(const sql::Select& select) {
    if (!bind_keys(select)) return std::nullopt;
    std::vector<SelectColumn> columns = bind_items(select);
    ExprPtr having = select.having ? bind_in_group(*select.having, "HAVING", Wanted::kCondition) : nullptr;
    if (select.having && !having) return std::nullopt;
    for (const SelectColumn& column : columns)
      if (!column.expr) return std::nullopt;
    return build(std::move(columns), having);
  }

 private:
  enum class Wanted : std::uint8_t { kValue, kCondition };

  // ---- Keys ----------------------------------------------------------------------------------------------

  bool bind_keys(const sql::Select& select) {
    bool whole = true;
    for (const sql::GroupItem& item : select.group_by) whole = bind_key(item) && whole;
    return whole && check_windows(select);
  }

  bool bind_key(const sql::GroupItem& item) {
    if (item.kind != sql::GroupItem::Kind::kExpression) {
      context_.not_yet(item.span, "grouping by several sets of columns",
                       "write one query per set and bring them together with UNION ALL");
      return false;
    }
    const sql::Expression& expression = *item.values[0];
    if (is_group_window(expression)) return bind_own_window(*sql::as<sql::Call>(expression));
    const ExprPtr key = ExprBinder(scope_, context_, "GROUP BY").bind(expression);
    if (!key) return false;
    if (key->kind == ExprKind::kLiteral && key->type.is_integer()) {
      context_.diagnostics.error(expression.span, "GROUP BY takes no positions",
                                 "write the column or the expression itself");
      return false;
    }
    const ColumnRole role = key->kind == ExprKind::kColumn ? input_.roles[key->column] : ColumnRole::kPlain;
    if (const auto property = property_of_role(role))
      builder_.add_property(*property);
    else
      builder_.add_key(key);
    return true;
  }

  bool bind_own_window(const sql::Call& call) {
    if (own_window_) {
      context_.diagnostics.error(call.span, "GROUP BY takes one window");
      return false;
    }
    own_window_ = bind_group_window(call, input_, scope_, context_);
    return own_window_.has_value();
  }

  bool check_windows(const sql::Select& select) {
    if (own_window_) return true;
    const bool start = builder_.has(WindowProperty::kStart);
    const bool end = builder_.has(WindowProperty::kEnd);
    if (start && end) return true;
    const sql::SourceSpan span = select.group_by.empty()
                                     ? select.items[0].span
                                     : join(select.group_by.front().span, select.group_by.back().span);
    if (start || end)
      context_.diagnostics.error(span,
                                 std::string("GROUP BY has ") + (start ? "window_start" : "window_end") +
                                     " without " + (start ? "window_end" : "window_start"),
                                 "a window is both: GROUP BY window_start, window_end");
    else if (input_.find_role(ColumnRole::kWindowStart))
      context_.not_yet(span, "grouping the rows of a window without window_start and window_end",
                       "add both to GROUP BY");
    else if (select.group_by.empty())
      context_.not_yet(span, "an aggregate without GROUP BY", std::string(kWindowHint));
    else
      context_.not_yet(span, "GROUP BY without a window", std::string(kWindowHint));
    return false;
  }

  // ---- Expressions over groups ---------------------------------------------------------------------------

  std::vector<SelectColumn> bind_items(const sql::Select& select) {
    std::vector<SelectColumn> columns;
    for (const sql::SelectItem& item : select.items) {
      if (item.value->kind == sql::ExpressionKind::kStar) {
        context_.diagnostics.error(item.span, "'*' cannot be used with GROUP BY",
                                   "name the keys and the aggregates");
        columns.push_back({});
        continue;
      }
      columns.push_back(
          {bind_in_group(*item.value, "SELECT", Wanted::kValue), column_name_of(item, columns.size())});
    }
    return columns;
  }

  ExprPtr bind_in_group(const sql::Expression& expression, std::string_view place, Wanted wanted) {
    ExprBinder binder(scope_, context_, place);
    binder.set_interceptor([this](const sql::Expression& part) { return intercept(part); });
    return wanted == Wanted::kCondition ? binder.bind_condition(expression) : binder.bind(expression);
  }

  /// Keys, the window's properties and aggregates answer for themselves; everything else is computed of them.
  std::optional<ExprPtr> intercept(const sql::Expression& part) {
    if (part.kind == sql::ExpressionKind::kLiteral) return std::nullopt;
    if (const auto* call = sql::as<sql::Call>(part)) {
      if (const auto property = group_function(*call)) return bind_group_function(*call, *property);
      if (!call->over && functions::find_aggregate(call->name)) return bind_aggregate(*call);
    }
    if (!contains_aggregate(part))
      if (ExprPtr known = find_known(part)) return known;
    if (part.kind != sql::ExpressionKind::kColumn) return std::nullopt;
    report_ungrouped(*sql::as<sql::ColumnName>(part));
    return ExprPtr();
  }

  /// The output column of an expression that is a key or a property; its errors, if any, are reported when
  /// its parts are bound.
  ExprPtr find_known(const sql::Expression& part) const {
    sql::Diagnostics silent;
    const BindContext quiet{silent, context_.catalog, context_.settings, context_.session};
    const ExprPtr expr = ExprBinder(scope_, quiet, "").bind(part);
    if (!expr) return nullptr;
    if (expr->kind == ExprKind::kColumn)
      if (const auto property = property_of_role(input_.roles[expr->column]))
        return builder_.find_property(*property, window());
    return builder_.find_key(*expr);
  }

  void report_ungrouped(const sql::ColumnName& column) const {
    if (!scope_.resolve(column.name, context_)) return;
    context_.diagnostics.error(
        column.span,
        "column '" + column.name.to_string() + "' is neither in GROUP BY nor inside an aggregate",
        "add it to GROUP BY, or take one value of the group: LAST_VALUE(" + column.name.to_string() + ")");
  }

  [[nodiscard]] const WindowSpec& window() const { return own_window_ ? *own_window_ : *input_.window; }

  // ---- TUMBLE_START(ts, size) and its like ---------------------------------------------------------------

  static std::optional<WindowProperty> group_function(const sql::Call& call) {
    const std::size_t dash = call.name.find('_');
    const std::string_view window = std::string_view(call.name).substr(0, dash);
    if (dash == std::string::npos || (window != "TUMBLE" && window != "HOP" && window != "SESSION"))
      return std::nullopt;
    const std::string_view property = std::string_view(call.name).substr(dash + 1);
    if (property == "START") return WindowProperty::kStart;
    if (property == "END") return WindowProperty::kEnd;
    if (property == "ROWTIME") return WindowProperty::kTime;
    return std::nullopt;
  }

  ExprPtr bind_group_function(const sql::Call& call, WindowProperty property) {
    const std::optional<WindowSpec> meant = bind_group_window(call, input_, scope_, context_);
    if (!meant) return nullptr;
    const bool same = own_window_ && meant->kind == own_window_->kind && meant->size == own_window_->size &&
                      meant->step == own_window_->step && meant->time_column == own_window_->time_column;
    if (!same) {
      context_.diagnostics.error(call.span, call.name + " is of another window than GROUP BY's",
                                 "give it the arguments of the window in GROUP BY");
      return nullptr;
    }
    builder_.add_property(property);
    return builder_.find_property(property, *own_window_);
  }

  // ---- Aggregates ----------------------------------------------------------------------------------------

  ExprPtr bind_aggregate(const sql::Call& call) {
    std::vector<ExprPtr> arguments;
    if (!bind_arguments(call, arguments)) return nullptr;
    ExprPtr filter;
    if (call.filter) {
      filter = ExprBinder(scope_, context_, "FILTER").bind_condition(*call.filter);
      if (!filter) return nullptr;
    }
    return finish_aggregate(call, std::move(arguments), filter);
  }

  bool bind_arguments(const sql::Call& call, std::vector<ExprPtr>& arguments) {
    const ExprBinder binder(scope_, context_, "an aggregate");
    for (const sql::Argument& argument : call.arguments) {
      arguments.push_back(binder.bind(*argument.value));
      if (!arguments.back()) return false;
    }
    if (!call.arguments.empty() || call.star) return true;
    context_.diagnostics.error(call.span, call.name + " needs an argument",
                               call.name == "COUNT" ? "COUNT(*) counts rows" : "");
    return false;
  }

  ExprPtr finish_aggregate(const sql::Call& call, std::vector<ExprPtr> arguments, const ExprPtr& filter) {
    std::vector<functions::ArgumentInfo> infos;
    for (const ExprPtr& argument : arguments) {
      infos.push_back({argument->type, std::nullopt});
      if (argument->kind == ExprKind::kLiteral) infos.back().literal = argument->literal;
    }
    const std::optional<std::vector<std::string>> words = aggregate_words(call, context_);
    if (!words) return nullptr;
    std::string kind = call.name + (call.distinct ? " DISTINCT" : "");
    for (const std::string& word : *words) {
      infos.push_back({Type::string(), Value::string(word)});
      kind += " " + word;
    }
    const auto distinct = call.distinct ? functions::Distinctness::kDistinct : functions::Distinctness::kAll;
    Result<functions::AggregatePtr> function =
        functions::find_aggregate(call.name)->bind(infos, distinct, input_.node->updating);
    if (!function) {
      context_.diagnostics.error(call.span, function.error().message);
      return nullptr;
    }
    AggregateCall bound{.function = std::move(*function), .kind = std::move(kind)};
    bound.name = aggregate_text(call, arguments, filter);
    const std::vector<Type> types = bound.function->argument_types();
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      arguments[i] = coerce(std::move(arguments[i]), types[i], call.arguments[i].value->span, context_);
      if (!arguments[i]) return nullptr;
    }
    return builder_.add_call(std::move(bound), arguments, filter);
  }

  static std::string aggregate_text(const sql::Call& call, const std::vector<ExprPtr>& arguments,
                                    const ExprPtr& filter) {
    std::string text = call.name + (call.distinct ? "(DISTINCT " : "(");
    for (std::size_t i = 0; i < arguments.size(); ++i) text += (i > 0 ? ", " : "") + to_string(*arguments[i]);
    text += call.star ? "*)" : ")";
    return filter ? text + " FILTER (WHERE " + to_string(*filter) + ")" : text;
  }

  // ---- The node ------------------------------------------------------------------------------------------

  std::optional<Relation> build(std::vector<SelectColumn> columns, const ExprPtr& having) {
    Relation grouped{.window = window()};
    grouped.node = own_window_
                       ? builder_.build(*own_window_)
                       : builder_.build_attached(*input_.find_role(ColumnRole::kWindowStart),
                                                 *input_.find_role(ColumnRole::kWindowEnd), *input_.window);
    if (having) grouped.node = make_filter(grouped.node, builder_.settle(having));
    for (SelectColumn& column : columns) {
      column.expr = builder_.settle(column.expr);
      if (column.expr->kind != ExprKind::kColumn) continue;
      // The legacy functions give plain times: only a table function's windows can be grouped again.
      if (const auto property = builder_.property_of(column.expr->column); property && !own_window_)
        column.role = role_of_property(*property);
    }
    return project(grouped, std::move(columns));
  }

  const Relation& input_;
  const Scope& scope_;
  const BindContext& context_;
  AggregateBuilder builder_;
  std::optional<WindowSpec> own_window_;  ///< GROUP BY TUMBLE(ts, …): the window is not in FROM.
};

}  // namespace

std::optional<Relation> bind_grouped_select(const sql::Select& select, const Relation& input,
                                            const Scope& scope, const BindContext& context) {
  return GroupBinder(input, scope, context).bind(select);
}

}  // namespace leat::plan
