#include "pipelines/plan/bind_group.h"

#include <algorithm>
#include <utility>

#include "pipelines/functions/aggregate.h"
#include "pipelines/plan/aggregate_builder.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_grouping_sets.h"
#include "pipelines/plan/bind_hints.h"
#include "pipelines/plan/bind_json.h"
#include "pipelines/plan/bind_window.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/emit_settings.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

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

}  // namespace

class GroupBinder {
 public:
  GroupBinder(const sql::Select& select, const Relation& input, const Scope& scope, Groups::Place place,
              const BindContext& context)
      : select_(select),
        input_(input),
        scope_(scope),
        place_(std::move(place)),
        context_(context),
        builder_(input) {}

  std::optional<Relation> bind(std::span<const sql::OrderItem> order) {
    if (!bind_keys(select_) || !collect_all(order) || !check_ttl()) return std::nullopt;
    return build();
  }

  /// What a part of an expression is over the built groups.
  std::optional<ExprPtr> value_of(const sql::Expression& part) {
    std::optional<ExprPtr> value = intercept(part);
    if (value && *value) value = builder_.settle(*value);
    return value;
  }

  std::vector<ExprPtr> keys() const {
    std::vector<ExprPtr> columns;
    for (const ExprPtr& key : place_.keys) columns.push_back(builder_.settle(builder_.find_key(*key)));
    return columns;
  }

  Scope key_names() const {
    Scope names;
    for (const ScopeTable& table : scope_.tables()) {
      names.add({table.name, {}});
      for (const ScopeColumn& column : table.columns)
        if (const ExprPtr key = builder_.find_key(*column.expr))
          names.add_column({column.name, builder_.settle(key), column.merged});
    }
    return names;
  }

 private:
  /// The groups of a window are kept until it has ended.
  bool check_ttl() const {
    if (!group_ttl_of(select_) || (!own_window_ && !attached_)) return true;
    context_.diagnostics.error(select_.hints[0].span, "STATE_TTL says nothing about groups of a window",
                               "leave it out: a window's groups are forgotten when it ends");
    return false;
  }

  // ---- Keys ----------------------------------------------------------------------------------------------

  bool bind_keys(const sql::Select& select) {
    std::optional<Grouping> grouping = bind_grouping(select, input_, scope_, context_);
    if (!grouping) return false;
    own_window_ = grouping->window;
    emit_ = grouping->emit;
    attached_ = !own_window_ && grouping->every_set_has(ColumnRole::kWindowStart, input_) &&
                grouping->every_set_has(ColumnRole::kWindowEnd, input_);
    if (attached_)
      refuse_emit(select.group_by.empty() ? sql::SourceSpan() : select.group_by[0].span, context_);
    sets_.resize(grouping->sets.size());
    for (std::size_t key = 0; key < grouping->keys.size(); ++key) add_key(*grouping, key);
    for (const ExprPtr& key : place_.keys) {
      if (builder_.find_key(*key)) continue;
      builder_.add_key(key);
      for (std::vector<bool>& set : sets_) set.push_back(true);
    }
    if (sets_.size() > 1) builder_.expand(sets_);
    return true;
  }

  void add_key(const Grouping& grouping, std::size_t key) {
    const auto property = property_of(*grouping.keys[key]);
    if (property) return builder_.add_property(*property);
    builder_.add_key(grouping.keys[key]);
    for (std::size_t set = 0; set < sets_.size(); ++set) sets_[set].push_back(grouping.sets[set][key]);
  }

  /// Set if the rows are grouped by windows that they carry, and `expr` is a property of these.
  [[nodiscard]] std::optional<WindowProperty> property_of(const Expr& expr) const {
    return attached_ ? property_of_role(role_of_key(expr, input_)) : std::nullopt;
  }

  // ---- Expressions over groups ---------------------------------------------------------------------------

  /// The builder must know all aggregates and properties before its node is made.
  bool collect_all(std::span<const sql::OrderItem> order) {
    bool whole = true;
    for (const sql::SelectItem& item : select_.items) {
      if (item.value->kind == sql::ExpressionKind::kStar) {
        context_.diagnostics.error(item.span, "'*' cannot be used with GROUP BY",
                                   "name the keys and the aggregates");
        whole = false;
      }
      // Late rows fill their table by the names of columns: what is computed must not take one of these.
      alias_ = item.alias && context_.settings.late_rows.empty() ? item.alias->text : "";
      whole = collect(*item.value) && whole;
    }
    alias_.clear();
    if (select_.having) whole = collect(*select_.having) && whole;
    if (select_.qualify) whole = collect(*select_.qualify) && whole;
    for (const sql::NamedWindow& named : select_.windows) {
      for (const sql::ExpressionPtr& key : named.window.partition_by) whole = collect(*key) && whole;
      for (const sql::OrderItem& item : named.window.order_by) whole = collect(*item.value) && whole;
    }
    for (const sql::OrderItem& item : order) whole = collect(*item.value) && whole;
    return whole;
  }

  bool collect(const sql::Expression& part) {
    if (const auto* call = sql::as<sql::Call>(part)) {
      if (const auto property = group_function(*call))
        return bind_group_function(*call, *property) != nullptr;
      if (!call->over && functions::find_aggregate(call->name)) return bind_aggregate(*call) != nullptr;
    }
    bool whole = true;
    sql::for_each_child(part, [&](const sql::Expression& child) { whole = collect(child) && whole; });
    return whole;
  }

  /// Keys, the window's properties and aggregates answer for themselves; everything else is computed of them.
  std::optional<ExprPtr> intercept(const sql::Expression& part) {
    if (part.kind == sql::ExpressionKind::kLiteral) return std::nullopt;
    if (const auto* call = sql::as<sql::Call>(part)) {
      if (const auto property = group_function(*call)) return bind_group_function(*call, *property);
      if (is_group_proctime(*call)) return bind_group_proctime(*call);
      if (is_grouping_function(*call)) return bind_grouping_function(*call);
      if (!call->over && functions::find_aggregate(call->name)) return bind_aggregate(*call);
    }
    if (!contains_aggregate(part))
      if (ExprPtr known = find_known(part)) return known;
    if (part.kind != sql::ExpressionKind::kColumn) return std::nullopt;
    return ungrouped(*sql::as<sql::ColumnName>(part));
  }

  /// The output column of an expression that is a key or a property; its errors, if any, are reported when
  /// its parts are bound.
  ExprPtr find_known(const sql::Expression& part) const {
    sql::Diagnostics silent;
    const BindContext quiet{silent, context_.catalog, context_.settings, context_.session};
    const ExprPtr expr = ExprBinder(scope_, quiet, "").bind(part);
    if (!expr) return nullptr;
    if (const auto property = property_of(*expr)) return builder_.find_property(*property, window());
    return builder_.find_key(*expr);
  }

  /// A name that is no column, PI, or null: the error has been reported.
  ExprPtr ungrouped(const sql::ColumnName& column) const {
    ExprPtr expr = scope_.resolve(column.name, context_);
    if (!expr || columns_of(*expr).empty()) return expr;
    context_.diagnostics.error(
        column.span,
        "column '" + column.name.to_string() + "' is neither in GROUP BY nor inside an aggregate",
        "add it to GROUP BY, or take one value of the group: LAST_VALUE(" + column.name.to_string() + ")");
    return nullptr;
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

  /// False: an error has been reported.
  bool means_own_window(const sql::Call& call) const {
    const std::optional<WindowSpec> meant = bind_group_window(call, input_, scope_, context_);
    if (!meant) return false;
    const bool same = own_window_ && meant->kind == own_window_->kind && meant->size == own_window_->size &&
                      meant->step == own_window_->step && meant->time_column == own_window_->time_column;
    if (!same)
      context_.diagnostics.error(call.span, call.name + " is of another window than GROUP BY's",
                                 "give it the arguments of the window in GROUP BY");
    return same;
  }

  ExprPtr bind_group_function(const sql::Call& call, WindowProperty property) {
    if (!means_own_window(call)) return nullptr;
    builder_.add_property(property);
    return builder_.find_property(property, *own_window_);
  }

  static bool is_group_proctime(const sql::Call& call) {
    return call.name == "TUMBLE_PROCTIME" || call.name == "HOP_PROCTIME" || call.name == "SESSION_PROCTIME";
  }

  /// The processing time of the row that the window gives.
  ExprPtr bind_group_proctime(const sql::Call& call) const {
    if (!means_own_window(call)) return nullptr;
    if (own_window_->processing_time) return make_call("PROCTIME", {}, call.span, context_);
    context_.diagnostics.error(call.span, call.name + " is of windows over processing time",
                               "the time attribute of this one is " +
                                   call.name.substr(0, call.name.find('_')) +
                                   "_ROWTIME with the same arguments");
    return nullptr;
  }

  // ---- GROUPING(a), GROUPING_ID(a, b), GROUP_ID() --------------------------------------------------------

  static bool is_grouping_function(const sql::Call& call) {
    return call.name == "GROUPING" || call.name == "GROUPING_ID" || call.name == "GROUP_ID";
  }

  ExprPtr bind_grouping_function(const sql::Call& call) {
    std::vector<std::int64_t> values;
    if (call.name == "GROUP_ID") {
      for (auto set = sets_.begin(); set != sets_.end(); ++set)
        values.push_back(std::count(sets_.begin(), set, *set));
    } else {
      const std::optional<std::vector<std::size_t>> keys = keys_named_by(call);
      if (!keys) return nullptr;
      for (const std::vector<bool>& set : sets_) {
        values.push_back(0);
        for (const std::size_t key : *keys) values.back() = 2 * values.back() + (set[key] ? 0 : 1);
      }
    }
    return choose_by_set(builder_.set_number(), values, call.span, context_);
  }

  /// The arguments as places of keys.
  std::optional<std::vector<std::size_t>> keys_named_by(const sql::Call& call) const {
    if (call.arguments.empty())
      context_.diagnostics.error(call.span, call.name + " needs a key of GROUP BY as its argument");
    std::vector<std::size_t> keys;
    for (const sql::Argument& argument : call.arguments) {
      const ExprPtr expr = ExprBinder(scope_, context_, call.name).bind(*argument.value);
      const ExprPtr key = expr ? builder_.find_key(*expr) : nullptr;
      if (key)
        keys.push_back(key->column);
      else if (expr)
        context_.diagnostics.error(argument.value->span,
                                   "the argument of " + call.name + " is no key of GROUP BY");
    }
    if (keys.empty() || keys.size() < call.arguments.size()) return std::nullopt;
    return keys;
  }

  // ---- Aggregates ----------------------------------------------------------------------------------------

  ExprPtr bind_aggregate(const sql::Call& call) {
    std::vector<ExprPtr> arguments;
    if (!bind_arguments(call, arguments)) return nullptr;
    ExprPtr filter;
    if (call.filter) {
      filter = row_binder("FILTER").bind_condition(*call.filter);
      if (!filter) return nullptr;
    }
    return finish_aggregate(call, std::move(arguments), filter);
  }

  [[nodiscard]] ExprBinder row_binder(std::string_view clause) const {
    ExprBinder binder(scope_, context_, clause);
    binder.set_interceptor(place_.row_values);
    return binder;
  }

  bool bind_arguments(const sql::Call& call, std::vector<ExprPtr>& arguments) {
    const ExprBinder binder = row_binder("an aggregate");
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
    if (input_.node->updating) kind += kRetracting;
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
    return builder_.add_call(std::move(bound), arguments, filter, alias_);
  }

  static std::string aggregate_text(const sql::Call& call, const std::vector<ExprPtr>& arguments,
                                    const ExprPtr& filter) {
    std::string text = call.name + (call.distinct ? "(DISTINCT " : "(");
    for (std::size_t i = 0; i < arguments.size(); ++i) text += (i > 0 ? ", " : "") + to_string(*arguments[i]);
    text += call.star ? "*)" : ")";
    return filter ? text + " FILTER (WHERE " + to_string(*filter) + ")" : text;
  }

  // ---- The node ------------------------------------------------------------------------------------------

  Relation build() {
    Relation grouped = plain_relation(build_node());
    if (own_window_ || attached_) grouped.window = window();
    // The legacy functions give plain times: only a table function's windows can be grouped again.
    if (!attached_) return grouped;
    for (std::size_t i = 0; i < grouped.roles.size(); ++i)
      if (const auto property = builder_.property_of(i)) grouped.roles[i] = role_of_property(*property);
    return grouped;
  }

  NodePtr build_node() {
    if (own_window_) return builder_.build(*own_window_, emit_);
    if (attached_)
      return builder_.build_attached(*input_.find_role(ColumnRole::kWindowStart),
                                     *input_.find_role(ColumnRole::kWindowEnd), *input_.window);
    return builder_.build_unwindowed(group_ttl_of(select_).value_or(context_.settings.state_ttl),
                                     context_.settings.batch ? Results::kFinal : Results::kChangelog);
  }

  const sql::Select& select_;
  const Relation& input_;
  const Scope& scope_;
  const Groups::Place place_;
  const BindContext& context_;
  AggregateBuilder builder_;
  std::optional<WindowSpec> own_window_;  ///< GROUP BY TUMBLE(ts, …): the window is not in FROM.
  std::optional<EmitStrategy> emit_;      ///< Of that window.
  std::string alias_;                     ///< Of the item of SELECT whose aggregates are being collected.
  bool attached_ = false;                 ///< The rows carry their windows, and GROUP BY names them.
  std::vector<std::vector<bool>> sets_;   ///< Which of the builder's keys each grouping set has.
};

Groups::Groups(const sql::Select& select, const Relation& input, const Scope& scope, Place place,
               const BindContext& context)
    : binder_(std::make_unique<GroupBinder>(select, input, scope, std::move(place), context)) {}
Groups::~Groups() = default;

std::optional<Relation> Groups::bind(std::span<const sql::OrderItem> order) {
  return binder_->bind(order);
}

std::vector<ExprPtr> Groups::keys() const {
  return binder_->keys();
}

Scope Groups::key_names() const {
  return binder_->key_names();
}

ExprBinder::Interceptor Groups::interceptor() const {
  return [binder = binder_.get()](const sql::Expression& part) { return binder->value_of(part); };
}

}  // namespace leat::plan
