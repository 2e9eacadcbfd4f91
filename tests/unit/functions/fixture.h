// Verbs for the tests of functions: values and columns in one line, calls by name, results as text.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "pipelines/base/time.h"
#include "pipelines/column/column_builder.h"
#include "pipelines/column/text.h"
#include "pipelines/functions/aggregate.h"
#include "pipelines/functions/scalar.h"

namespace leat::functions {

/// A constant with its type.
struct Arg {
  Type type;
  Value value;
};

inline Arg text(std::string value) {
  return {Type::string(), Value::string(std::move(value))};
}
inline Arg integer(std::int64_t value) {
  return {Type::integer(), Value::integer(value)};
}
inline Arg bigint(std::int64_t value) {
  return {Type::big_int(), Value::integer(value)};
}
inline Arg number(double value) {
  return {Type::float64(), Value::float64(value)};
}
inline Arg boolean(bool value) {
  return {Type::boolean(), Value::boolean(value)};
}
inline Arg null(Type type) {
  return {std::move(type), Value::null()};
}
inline Arg value(Type type, std::int64_t raw) {
  return {std::move(type), Value::integer(raw)};
}

inline std::string text_of(const ColumnPtr& column, std::size_t row, const Session& session = {}) {
  std::string out;
  append_text(*column, row, {.time_zone = session.time_zone}, out);
  return out;
}

/// The cells of a column, joined by '|'.
inline std::string texts_of(const ColumnPtr& column) {
  std::string out;
  for (std::size_t row = 0; row < column->size(); ++row) (out += row == 0 ? "" : "|") += text_of(column, row);
  return out;
}

inline ColumnPtr column_of(const Type& type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& cell : values) builder.append_value(cell);
  return builder.finish();
}

/// The text after CAST, or "error: …" (of the binding or of the row).
inline std::string cast(const Arg& argument, const Type& to, CastKind kind = CastKind::kCast,
                        const Session& session = {}) {
  const Result<Kernel> kernel = bind_cast(argument.type, to, kind, session);
  if (!kernel) return "error: " + kernel.error().message;
  const Datum datum{Column::constant(argument.type, argument.value, 1), true};
  RowErrors errors;
  const ColumnPtr column = (*kernel)({.rows = 1, .errors = &errors}, {&datum, 1});
  return errors.empty() ? text_of(column, 0, session) : "error: " + errors.entries().front().message;
}

/// Value of text as a type: DATE '…', TIMESTAMP '…', DECIMAL '…'.
inline Arg typed(const Type& type, const std::string& written) {
  const Result<Kernel> kernel = bind_cast(Type::string(), type, CastKind::kCast, {});
  const Datum datum{Column::constant(Type::string(), Value::string(written), 1), true};
  RowErrors errors;
  const ColumnPtr column = (*kernel)({.rows = 1, .errors = &errors}, {&datum, 1});
  REQUIRE_MESSAGE(errors.empty(), written);
  return {type, column->value(0)};
}
inline Arg decimal(const std::string& written) {
  const std::size_t point = written.find('.');
  const auto digits =
      static_cast<std::int32_t>(written.size() - (written[0] == '-') - (point != std::string::npos));
  const auto scale = point == std::string::npos ? 0 : static_cast<std::int32_t>(written.size() - point - 1);
  return typed(Type::decimal(digits, scale), written);
}
inline Arg timestamp(const std::string& written, std::int32_t precision = 3) {
  return typed(Type::timestamp(precision), written);
}
inline Arg date(const std::string& written) {
  return typed(Type::date(), written);
}
inline Arg time_of_day(const std::string& written) {
  return typed(Type::time(0), written);
}

struct Called {
  Type type;
  std::string text;
};

inline std::vector<ArgumentInfo> infos_of(const std::vector<Arg>& arguments) {
  std::vector<ArgumentInfo> infos;
  for (const Arg& argument : arguments) infos.push_back({argument.type, argument.value});
  return infos;
}

/// Binds and calls over constants, with the arguments cast as the binding asks.
inline Called call_typed(std::string_view name, const std::vector<Arg>& arguments,
                         const Session& session = {}) {
  const ScalarFunction* function = find_scalar(name);
  REQUIRE_MESSAGE(function != nullptr, name);
  const Result<BoundScalar> bound = function->bind(infos_of(arguments), session);
  if (!bound) return {{}, "error: " + bound.error().message};
  REQUIRE(bound->arguments.size() == arguments.size());
  RowErrors errors;
  std::vector<Datum> data;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Datum raw{Column::constant(arguments[i].type, arguments[i].value, 1), true};
    const Result<Kernel> kernel = bind_cast(arguments[i].type, bound->arguments[i], CastKind::kCast, session);
    REQUIRE(kernel.has_value());
    data.push_back({(*kernel)({.rows = 1, .errors = &errors}, {&raw, 1}), true});
  }
  const std::int64_t intake = 1'600'000'000'123'456;
  const std::int64_t watermark = kMinWatermark;
  const CallContext context{
      .rows = 1, .errors = &errors, .intake_times = {&intake, 1}, .watermarks = {&watermark, 1}};
  const ColumnPtr column = bound->kernel(context, data);
  if (!errors.empty()) return {bound->result, "error: " + errors.entries().front().message};
  CHECK(column->type() == bound->result);
  return {bound->result, text_of(column, 0, session)};
}

inline std::string call(std::string_view name, const std::vector<Arg>& arguments,
                        const Session& session = {}) {
  return call_typed(name, arguments, session).text;
}

/// Calls over columns; the argument types must be those that the binding asks for.
inline ColumnPtr call_columns(std::string_view name, const std::vector<ColumnPtr>& columns) {
  std::vector<ArgumentInfo> infos;
  std::vector<Datum> data;
  for (const ColumnPtr& column : columns) {
    infos.push_back({column->type(), std::nullopt});
    data.push_back({column});
  }
  const Result<BoundScalar> bound = find_scalar(name)->bind(infos, {});
  REQUIRE(bound.has_value());
  RowErrors errors;
  return bound->kernel({.rows = columns[0]->size(), .errors = &errors}, data);
}

}  // namespace leat::functions
