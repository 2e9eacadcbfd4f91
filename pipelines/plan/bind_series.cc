#include "pipelines/plan/bind_series.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "pipelines/functions/aggregate_anomaly.h"
#include "pipelines/functions/aggregate_shaping.h"
#include "pipelines/plan/bind_expr.h"

namespace leat::plan {
namespace {

constexpr std::string_view kDetect = "ML_DETECT_ANOMALIES";
constexpr std::string_view kDetectRobust = "ML_DETECT_ANOMALIES_ROBUST";
constexpr std::string_view kForecast = "ML_FORECAST";
constexpr std::string_view kDeadband = "DEADBAND";
constexpr std::string_view kSwingingDoor = "SWINGING_DOOR";
constexpr std::array kNames = {kDetect, kDetectRobust, kForecast, kDeadband, kSwingingDoor};

/// The options as they are written, and where.
struct WrittenOptions {
  struct Spans {
    sql::SourceSpan key;
    sql::SourceSpan value;
  };
  OptionMap values;
  std::map<std::string, Spans, std::less<>> spans;
  sql::SourceSpan whole;
};

std::string text_of(const Expr& literal) {
  if (literal.type.is_character()) return literal.literal.as_string();
  if (literal.type.kind() == TypeKind::kBoolean) return literal.literal.as_boolean() ? "true" : "false";
  return to_string(literal);
}

bool reads_columns(const sql::Expression& expression) {
  bool found = sql::as<sql::ColumnName>(expression) != nullptr;
  sql::for_each_child(expression,
                      [&](const sql::Expression& child) { found = found || reads_columns(child); });
  return found;
}

/// A constant that is not NULL. Null: reported.
ExprPtr bind_constant(const sql::Expression& expression, std::string_view what, const BindContext& context) {
  if (!reads_columns(expression)) {
    const Scope nothing;
    ExprPtr expr = ExprBinder(nothing, context, "the options").bind(expression);
    if (!expr || (expr->kind == ExprKind::kLiteral && !expr->literal.is_null())) return expr;
  }
  context.diagnostics.error(expression.span, std::string(what) + " must be a constant",
                            "as in JSON_OBJECT('method' VALUE 'zscore', 'confidencePercentage' VALUE 99.5)");
  return nullptr;
}

bool read_pair(const sql::Call& object, std::size_t place, WrittenOptions& written,
               const BindContext& context) {
  const sql::Expression& key_text = *object.arguments[place].value;
  const sql::Expression& value_text = *object.arguments[place + 1].value;
  const ExprPtr key = bind_constant(key_text, "the name of an option", context);
  const ExprPtr value = key ? bind_constant(value_text, "the value of an option", context) : nullptr;
  if (!value) return false;
  const std::string name = text_of(*key);
  if (!written.values.emplace(name, text_of(*value)).second) {
    context.diagnostics.error(key_text.span, "option '" + name + "' is there twice");
    return false;
  }
  written.spans[name] = {key_text.span, value_text.span};
  return true;
}

std::optional<WrittenOptions> read_options(const sql::Call& call, const BindContext& context) {
  WrittenOptions written;
  written.whole = call.span;
  if (call.arguments.size() < 3) return written;
  const sql::Expression& argument = *call.arguments[2].value;
  written.whole = argument.span;
  const auto* object = sql::as<sql::Call>(argument);
  if (!object || object->name != "JSON_OBJECT") {
    context.diagnostics.error(argument.span,
                              "the options of " + call.name + " are a JSON_OBJECT of constants",
                              "as in JSON_OBJECT('confidencePercentage' VALUE 99.5)");
    return std::nullopt;
  }
  for (std::size_t i = 0; i + 1 < object->arguments.size(); i += 2)
    if (!read_pair(*object, i, written, context)) return std::nullopt;
  return written;
}

sql::SourceSpan place_of(const OptionError& mistake, const WrittenOptions& written) {
  const auto place = written.spans.find(mistake.key);
  if (place == written.spans.end()) return written.whole;
  return mistake.part == OptionError::Part::kValue ? place->second.value : place->second.key;
}

void report(const OptionError& mistake, const WrittenOptions& written, const BindContext& context) {
  context.diagnostics.error(place_of(mistake, written), mistake.message);
}

void warn_of_idle(const anomaly::DetectorOptions& options, const WrittenOptions& written,
                  const BindContext& context) {
  for (const OptionError& idle : anomaly::find_idle(options))
    context.diagnostics.warning(place_of(idle, written), idle.message);
}

/// None: reported.
template <class Options>
std::optional<Options> parse(const OptionTable<Options>& table, const WrittenOptions& written,
                             const BindContext& context) {
  std::vector<OptionError> mistakes;
  if (auto foreign = anomaly::find_foreign(written.values))
    mistakes.push_back(*std::move(foreign));
  else if (Options options = table.read(written.values, {}, mistakes); mistakes.empty())
    return options;
  for (const OptionError& mistake : mistakes) report(mistake, written, context);
  return std::nullopt;
}

/// What a state that was saved must have in common with the one that would go on with it.
std::string kind_of(const sql::Call& call, const anomaly::DetectorOptions& options, std::string_view shape) {
  return call.name + " version " + std::to_string(anomaly::kStateVersion) + " " + std::string(shape) +
         identity_of(options);
}

/// Said already by what makes the state what it is.
bool is_in_identity(std::string_view key) {
  return key == "method" || key == "history" || key == "window" || key == "m" || key == "seed" ||
         key == "enableStl";
}

std::string options_text(const anomaly::DetectorOptions& options, const OptionMap& written) {
  std::string text = identity_of(options);
  for (const auto& [key, value] : written)
    if (!is_in_identity(key)) text += " " + key + "=" + value;
  return text;
}

bool check_types(const sql::Call& call, const Type& value, const Type& time, const BindContext& context) {
  if (functions::series_values_of(value).count == 0) {
    context.diagnostics.error(
        call.arguments[0].value->span,
        call.name + " takes a number or a ROW of numbers, not " + value.with_nullable(true).to_string());
    return false;
  }
  if (time.is_timestamp()) return true;
  context.diagnostics.error(call.arguments[1].value->span,
                            call.name + " takes the time of the value second, a TIMESTAMP, not " +
                                time.with_nullable(true).to_string(),
                            "the column that OVER orders by");
  return false;
}

std::optional<SeriesFunction> bind_detection(const sql::Call& call, const Type& value, const Type& time,
                                             const WrittenOptions& written, const BindContext& context) {
  const bool robust = call.name == kDetectRobust;
  std::optional<anomaly::DetectorOptions> options =
      parse(robust ? anomaly::robust_option_table() : anomaly::detector_option_table(), written, context);
  if (!options) return std::nullopt;
  if (robust) {
    constexpr double kDeviations = 3;
    options->method = anomaly::Method::kMad;
    if (!options->threshold) options->threshold = kDeviations;
  }
  const functions::SeriesValues values = functions::series_values_of(value);
  std::optional<OptionError> mistake = find_useless(written.values, *options);
  if (!mistake) mistake = find_mistake(*options, values.count);
  if (mistake) {
    report(*mistake, written, context);
    return std::nullopt;
  }
  warn_of_idle(*options, written, context);
  const std::string shape =
      values.type.kind() == TypeKind::kRow ? std::to_string(values.count) + " values " : "";
  return SeriesFunction{functions::make_anomaly_detection(*options, values, time),
                        kind_of(call, *options, shape), options_text(*options, written.values)};
}

std::optional<SeriesFunction> bind_forecast(const sql::Call& call, const Type& value, const Type& time,
                                            const WrittenOptions& written, const BindContext& context) {
  if (!value.is_numeric()) {
    context.diagnostics.error(call.arguments[0].value->span, "ML_FORECAST takes one number");
    return std::nullopt;
  }
  const std::optional<anomaly::ForecastOptions> options =
      parse(anomaly::forecast_option_table(), written, context);
  if (!options) return std::nullopt;
  if (const auto mistake = find_mistake(*options)) {
    report(*mistake, written, context);
    return std::nullopt;
  }
  warn_of_idle(*options, written, context);
  return SeriesFunction{functions::make_forecast(*options, time), kind_of(call, *options, ""),
                        options_text(*options, written.values)};
}

// ---- Report by exception ---------------------------------------------------------------------------------

/// What an argument of a shaping function may be.
struct Place {
  enum class Kind : std::uint8_t { kNumber, kTime, kInterval } kind;
  std::string_view what;
};
constexpr std::array kOfDeadband = {
    Place{Place::Kind::kNumber, "the value"}, Place{Place::Kind::kNumber, "the band"},
    Place{Place::Kind::kTime, "the time"}, Place{Place::Kind::kInterval, "the longest silence"}};
constexpr std::array kOfSwingingDoor = {Place{Place::Kind::kNumber, "the value"},
                                        Place{Place::Kind::kTime, "the time"},
                                        Place{Place::Kind::kNumber, "the deviation"},
                                        Place{Place::Kind::kInterval, "the longest time between two points"}};

bool fits(Place::Kind kind, const Type& type) {
  if (kind == Place::Kind::kNumber) return type.is_numeric();
  return kind == Place::Kind::kTime ? type.is_timestamp() : type.kind() == TypeKind::kIntervalDayTime;
}

std::string_view name_of(Place::Kind kind) {
  if (kind == Place::Kind::kNumber) return "a number";
  return kind == Place::Kind::kTime ? "a TIMESTAMP" : "an INTERVAL of days to seconds";
}

/// The types that the function takes its arguments as. None: reported.
std::optional<std::vector<Type>> shaping_types(const sql::Call& call, std::span<const Type> types,
                                               std::span<const Place> places, const BindContext& context) {
  std::vector<Type> taken;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!fits(places[i].kind, types[i])) {
      context.diagnostics.error(call.arguments[i].value->span,
                                std::string(places[i].what) + " of " + call.name + " is " +
                                    std::string(name_of(places[i].kind)) + ", not " +
                                    types[i].with_nullable(true).to_string());
      return std::nullopt;
    }
    taken.push_back(places[i].kind == Place::Kind::kNumber ? Type::float64() : types[i].with_nullable(true));
  }
  return taken;
}

}  // namespace

std::span<const std::string_view> series_function_names() {
  return kNames;
}

bool is_series_function(std::string_view name) {
  return std::ranges::count(kNames, name) > 0;
}

bool is_shaping_function(std::string_view name) {
  return name == kDeadband || name == kSwingingDoor;
}

std::optional<SeriesFunction> bind_shaping_function(const sql::Call& call, std::span<const Type> types,
                                                    const BindContext& context) {
  const bool is_deadband = call.name == kDeadband;
  if (is_deadband ? types.size() != 2 && types.size() != 4 : types.size() != 3 && types.size() != 4) {
    context.diagnostics.error(call.span,
                              call.name + (is_deadband ? " takes a value and a band, and maybe the "
                                                         "time and the longest silence"
                                                       : " takes a value, its time and a deviation, "
                                                         "and maybe the longest time between points"),
                              is_deadband ? "as in DEADBAND(temperature, 0.5, ts, INTERVAL '10' MINUTE)"
                                          : "as in SWINGING_DOOR(temperature, ts, 0.5)");
    return std::nullopt;
  }
  std::optional<std::vector<Type>> taken = shaping_types(
      call, types, is_deadband ? std::span<const Place>(kOfDeadband) : kOfSwingingDoor, context);
  if (!taken) return std::nullopt;
  return SeriesFunction{is_deadband ? functions::make_deadband(*std::move(taken))
                                    : functions::make_swinging_door(*std::move(taken)),
                        call.name, ""};
}

std::optional<SeriesFunction> bind_series_function(const sql::Call& call, std::span<const Type> types,
                                                   const BindContext& context) {
  if (!check_types(call, types[0], types[1], context)) return std::nullopt;
  const std::optional<WrittenOptions> written = read_options(call, context);
  if (!written) return std::nullopt;
  return call.name == kForecast ? bind_forecast(call, types[0], types[1], *written, context)
                                : bind_detection(call, types[0], types[1], *written, context);
}

}  // namespace leat::plan
