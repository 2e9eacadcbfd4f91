#include "pipelines/plan/bind_window.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/node_build.h"

namespace leat::plan {
namespace {

/// What the functions' arguments are, by position and by name.
enum class Parameter : std::uint8_t { kData, kTime, kSize, kStep, kGap, kOffset };

struct WindowFunction {
  std::string_view name;
  WindowKind kind;
  std::vector<std::pair<std::string_view, Parameter>> parameters;  ///< In order; OFFSET may be left out.
  std::string_view signature;
};

const std::vector<WindowFunction>& window_functions() {
  using enum Parameter;
  static const std::vector<WindowFunction> functions = {
      {"TUMBLE",
       WindowKind::kTumble,
       {{"DATA", kData}, {"TIMECOL", kTime}, {"SIZE", kSize}, {"OFFSET", kOffset}},
       "TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])"},
      {"HOP",
       WindowKind::kHop,
       {{"DATA", kData}, {"TIMECOL", kTime}, {"SLIDE", kStep}, {"SIZE", kSize}, {"OFFSET", kOffset}},
       "HOP(TABLE t, DESCRIPTOR(ts), slide, size [, offset])"},
      {"CUMULATE",
       WindowKind::kCumulate,
       {{"DATA", kData}, {"TIMECOL", kTime}, {"STEP", kStep}, {"SIZE", kSize}, {"OFFSET", kOffset}},
       "CUMULATE(TABLE t, DESCRIPTOR(ts), step, size [, offset])"},
      {"SESSION",
       WindowKind::kSession,
       {{"DATA", kData}, {"TIMECOL", kTime}, {"GAP", kGap}},
       "SESSION(TABLE t [PARTITION BY k], DESCRIPTOR(ts), gap)"},
  };
  return functions;
}

const WindowFunction* find_function(std::string_view name) {
  const auto found = std::ranges::find(window_functions(), name, &WindowFunction::name);
  return found == window_functions().end() ? nullptr : &*found;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

/// The arguments of one call, sorted by what they are.
class WindowArguments {
 public:
  WindowArguments(const WindowFunction& function, const sql::Call& call, const BindContext& context)
      : function_(function), call_(call), context_(context) {}

  /// False: an error has been reported.
  bool sort() {
    std::size_t position = 0;
    for (const sql::Argument& argument : call_.arguments) {
      const std::size_t index = argument.name ? index_of(*argument.name) : position++;
      if (index >= function_.parameters.size()) return argument.name ? false : wrong_count();
      const sql::Expression*& place = places_[static_cast<std::size_t>(function_.parameters[index].second)];
      if (place) return twice(argument);
      place = argument.value.get();
    }
    for (const auto& [name, parameter] : function_.parameters)
      if (parameter != Parameter::kOffset && !get(parameter)) return wrong_count();
    return true;
  }

  [[nodiscard]] const sql::Expression* get(Parameter parameter) const {
    return places_[static_cast<std::size_t>(parameter)];
  }

 private:
  std::size_t index_of(const sql::Identifier& name) const {
    std::vector<std::string> known;
    for (const auto& [parameter, what] : function_.parameters) {
      if (parameter == upper(name.text)) return known.size();
      known.emplace_back(parameter);
    }
    context_.diagnostics.error(
        name.span, "unknown argument '" + name.text + "'" + did_you_mean(upper(name.text), known), form());
    return function_.parameters.size();
  }

  bool wrong_count() const {
    context_.diagnostics.error(call_.span, std::string(function_.name) + " has other arguments", form());
    return false;
  }
  bool twice(const sql::Argument& argument) const {
    context_.diagnostics.error(argument.value->span, "this argument is given twice", form());
    return false;
  }
  [[nodiscard]] std::string form() const { return "the form is " + std::string(function_.signature); }

  const WindowFunction& function_;
  const sql::Call& call_;
  const BindContext& context_;
  std::array<const sql::Expression*, 6> places_ = {};
};

// ---- Durations -------------------------------------------------------------------------------------------

std::optional<Micros> bind_duration(const sql::Expression& expression, const BindContext& context) {
  const Scope nothing;
  const ExprPtr expr = ExprBinder(nothing, context, "a window's size").bind(expression);
  if (!expr) return std::nullopt;
  if (expr->kind == ExprKind::kLiteral && expr->type.kind() == TypeKind::kIntervalDayTime &&
      !expr->literal.is_null())
    return Micros(expr->literal.as_integer());
  context.diagnostics.error(expression.span, "expected a constant INTERVAL of DAY, HOUR, MINUTE or SECOND",
                            "as in INTERVAL '1' MINUTE; months and years have no fixed length");
  return std::nullopt;
}

bool require(bool holds, const sql::Expression& at, std::string message, const BindContext& context) {
  if (!holds) context.diagnostics.error(at.span, std::move(message));
  return holds;
}

struct Durations {
  const sql::Expression* size = nullptr;  ///< Or SESSION's gap.
  const sql::Expression* step = nullptr;
  const sql::Expression* offset = nullptr;
};

std::string step_name(const WindowSpec& window) {
  return window.kind == WindowKind::kHop ? "slide" : "step";
}

bool check_step(const Durations& at, const WindowSpec& window, const BindContext& context) {
  constexpr std::int64_t kMostWindows = 100'000;
  if (!require(window.step.count() > 0, *at.step, "the " + step_name(window) + " must be longer than 0",
               context))
    return false;
  const std::int64_t windows = window.size / window.step;
  return require(windows <= kMostWindows, *at.size,
                 "each row would be in " + std::to_string(windows) + " windows, but at most " +
                     std::to_string(kMostWindows) + " are allowed",
                 context);
}

bool bind_durations(const Durations& at, WindowSpec& window, const BindContext& context) {
  const std::optional<Micros> size = bind_duration(*at.size, context);
  const std::optional<Micros> step = at.step ? bind_duration(*at.step, context) : Micros(0);
  const std::optional<Micros> offset = at.offset ? bind_duration(*at.offset, context) : Micros(0);
  if (!size || !step || !offset) return false;
  window.size = *size;
  window.step = *step;
  window.offset = *offset;
  if (!require(size->count() > 0, *at.size, "a window must be longer than 0", context)) return false;
  if (at.offset && !require(std::chrono::abs(*offset) < *size, *at.offset,
                            "the offset must be smaller than the window, " + format_duration(*size), context))
    return false;
  return !at.step || check_step(at, window, context);
}

/// The rule of the table functions; HOP(ts, slide, size) in GROUP BY takes any.
bool step_divides_size(const Durations& at, const WindowSpec& window, const BindContext& context) {
  return !at.step || require(window.size % window.step == Micros(0), *at.size,
                             "the size " + format_duration(window.size) + " must be a multiple of the " +
                                 step_name(window) + " " + format_duration(window.step),
                             context);
}

// ---- The time column -------------------------------------------------------------------------------------

bool set_time_column(std::size_t column, sql::SourceSpan span, const Relation& input, WindowSpec& window,
                     const BindContext& context) {
  const Type::Field& field = input.schema().fields[column];
  const TimeAttribute attribute = input.node->time_attributes[column];
  if (attribute == TimeAttribute::kNone) {
    context.diagnostics.error(
        span,
        "'" + field.name + "' is " + field.type.with_nullable(true).to_string() +
            " and no time attribute, but windows need one",
        "declare WATERMARK FOR " + field.name + " AS … in its table; behind a window, window_time is one");
    return false;
  }
  window.processing_time = attribute == TimeAttribute::kProcTime;
  window.time_column = column;
  window.local_time = field.type.kind() == TypeKind::kTimestampLtz;
  window.time_zone = context.session.time_zone;
  return true;
}

bool bind_descriptor(const sql::Expression& expression, const Relation& input, WindowSpec& window,
                     const BindContext& context) {
  const auto* descriptor = sql::as<sql::Descriptor>(expression);
  if (!descriptor || descriptor->columns.size() != 1) {
    context.diagnostics.error(expression.span, "expected DESCRIPTOR with one time column",
                              "as in DESCRIPTOR(ts)");
    return false;
  }
  const sql::Identifier& name = descriptor->columns[0];
  const std::optional<std::size_t> column = input.schema().find(name.text);
  if (column) return set_time_column(*column, name.span, input, window, context);
  std::vector<std::string> known;
  for (const Type::Field& field : input.schema().fields) known.push_back(field.name);
  context.diagnostics.error(name.span, "unknown column '" + name.text + "'" + did_you_mean(name.text, known));
  return false;
}

bool bind_partition(const sql::TableArgument& data, const Relation& input, WindowSpec& window,
                    const BindContext& context) {
  if (!data.partition_by.empty() && window.kind != WindowKind::kSession) {
    context.diagnostics.error(data.partition_by[0]->span, "only SESSION has PARTITION BY",
                              "put the key into GROUP BY");
    return false;
  }
  const Scope scope(input, data.table ? data.table->last() : "");
  for (const sql::ExpressionPtr& key : data.partition_by) {
    const ExprPtr expr = ExprBinder(scope, context, "PARTITION BY").bind(*key);
    if (!expr) return false;
    if (!require(expr->kind == ExprKind::kColumn, *key, "PARTITION BY takes columns", context)) return false;
    window.partition_by.push_back(expr->column);
  }
  return true;
}

/// The input of the function: `TABLE t`, `TABLE (query)` or a query in parentheses.
std::optional<Relation> bind_data(const sql::Expression& expression, QueryBinder& queries) {
  const auto* query = sql::as<sql::Subquery>(expression);
  if (query && query->use == sql::Subquery::Use::kScalar) return queries.bind(*query->query);
  const auto* data = sql::as<sql::TableArgument>(expression);
  if (!data) {
    queries.context().diagnostics.error(expression.span,
                                        "expected TABLE and its name, or a query in parentheses",
                                        "as in TUMBLE(TABLE readings, …)");
    return std::nullopt;
  }
  if (!data->order_by.empty()) {
    queries.context().diagnostics.error(data->order_by[0].span, "windows take no ORDER BY");
    return std::nullopt;
  }
  return data->table ? queries.bind_name(*data->table) : queries.bind(*data->query);
}

/// Table functions of Flink that are not there, and what comes near.
struct ForeignFunction {
  std::string_view name;
  std::string_view advice;
};

constexpr auto kForeignFunctions = std::to_array<ForeignFunction>({
    {"ML_PREDICT", "models are not run from SQL; send the rows to where the model is"},
    {"ML_EVALUATE", "models are not run from SQL; send the rows to where the model is"},
    {"VECTOR_SEARCH", "a lookup join finds rows by equal columns: FOR SYSTEM_TIME AS OF"},
    {"SNAPSHOT", "JOIN t FOR SYSTEM_TIME AS OF a time looks rows up as they are then"},
});

void report_unknown(const sql::Call& call, const BindContext& context) {
  const auto foreign =
      std::ranges::find(kForeignFunctions, std::string_view(call.name), &ForeignFunction::name);
  if (foreign != kForeignFunctions.end())
    return context.not_yet(call.written.span, "the table function " + call.name,
                           std::string(foreign->advice));
  std::vector<std::string> known;
  for (const WindowFunction& function : window_functions()) known.emplace_back(function.name);
  context.diagnostics.error(
      call.written.span,
      "unknown table function '" + call.written.text + "'" + did_you_mean(call.name, known),
      "there are TUMBLE, HOP, CUMULATE, SESSION, ABSENCE, GAP_FILL, SPARKPLUG, TO_CHANGELOG and "
      "FROM_CHANGELOG");
}

}  // namespace

std::optional<Relation> bind_window_function(const sql::Call& call, QueryBinder& queries) {
  const BindContext& context = queries.context();
  const WindowFunction* function = find_function(call.name);
  if (!function) {
    report_unknown(call, context);
    return std::nullopt;
  }
  WindowArguments arguments(*function, call, context);
  if (!arguments.sort()) return std::nullopt;
  const std::optional<Relation> input = bind_data(*arguments.get(Parameter::kData), queries);
  WindowSpec window{.kind = function->kind};
  const bool session = function->kind == WindowKind::kSession;
  const Durations durations{arguments.get(session ? Parameter::kGap : Parameter::kSize),
                            arguments.get(Parameter::kStep), arguments.get(Parameter::kOffset)};
  const bool whole =
      bind_durations(durations, window, context) && step_divides_size(durations, window, context);
  if (!input || !bind_descriptor(*arguments.get(Parameter::kTime), *input, window, context) || !whole)
    return std::nullopt;
  const auto* data = sql::as<sql::TableArgument>(*arguments.get(Parameter::kData));
  if (data && !bind_partition(*data, *input, window, context)) return std::nullopt;
  Relation relation{.node = make_window_assign(input->node, window), .window = window};
  relation.roles.assign(input->schema().size(), ColumnRole::kPlain);
  for (const ColumnRole role : {ColumnRole::kWindowStart, ColumnRole::kWindowEnd, ColumnRole::kWindowTime})
    relation.roles.push_back(role);
  return relation;
}

bool is_group_window(const sql::Expression& expression) {
  const auto* call = sql::as<sql::Call>(expression);
  return call && call->syntax == sql::CallSyntax::kFunction &&
         (call->name == "TUMBLE" || call->name == "HOP" || call->name == "SESSION");
}

std::optional<WindowSpec> bind_group_window(const sql::Call& call, const Relation& input, const Scope& scope,
                                            const BindContext& context) {
  const std::string_view name = std::string_view(call.name).substr(0, call.name.find('_'));
  const WindowFunction& function = *find_function(name);
  WindowSpec window{.kind = function.kind};
  const std::size_t wanted = function.kind == WindowKind::kHop ? 3 : 2;
  if (call.arguments.size() != wanted) {
    context.diagnostics.error(
        call.span, call.name + " takes " + std::to_string(wanted) + " arguments here",
        wanted == 3 ? "as in HOP(ts, slide, size)" : "as in TUMBLE(ts, INTERVAL '1' MINUTE)");
    return std::nullopt;
  }
  const sql::Expression& time = *call.arguments[0].value;
  const ExprPtr column = ExprBinder(scope, context, "GROUP BY").bind(time);
  Durations durations{.size = call.arguments.back().value.get()};
  if (wanted == 3) durations.step = call.arguments[1].value.get();
  if (!bind_durations(durations, window, context) || !column) return std::nullopt;
  if (!require(column->kind == ExprKind::kColumn, time, "expected a time attribute of the table", context))
    return std::nullopt;
  if (!set_time_column(column->column, time.span, input, window, context)) return std::nullopt;
  return window;
}

}  // namespace leat::plan
