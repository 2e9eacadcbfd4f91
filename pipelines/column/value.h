// One cell as a value: literals, constants and small test data. Never used per row on the hot path.
#pragma once

#include <absl/numeric/int128.h>

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace leat {

/// Unscaled DECIMAL values.
using Int128 = absl::int128;

class Value {
 public:
  using List = std::vector<Value>;  ///< ARRAY's elements; ROW's fields; MAP's key, value, key, value, …

  Value() = default;  ///< NULL
  static Value null() { return {}; }
  static Value boolean(bool value) { return Value(Storage(value)); }
  /// Every integer type, DATE (days), TIME, TIMESTAMP, TIMESTAMP_LTZ (microseconds) and both intervals.
  static Value integer(std::int64_t value) { return Value(Storage(value)); }
  static Value float64(double value) { return Value(Storage(value)); }  ///< FLOAT and DOUBLE
  static Value decimal(Int128 unscaled) { return Value(Storage(unscaled)); }
  static Value string(std::string value) { return Value(Storage(std::move(value))); }  ///< and binary
  static Value list(List values) { return Value(Storage(std::move(values))); }

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(storage_); }
  [[nodiscard]] bool as_boolean() const { return std::get<bool>(storage_); }
  [[nodiscard]] std::int64_t as_integer() const { return std::get<std::int64_t>(storage_); }
  [[nodiscard]] double as_double() const { return std::get<double>(storage_); }
  [[nodiscard]] Int128 as_decimal() const { return std::get<Int128>(storage_); }
  [[nodiscard]] const std::string& as_string() const { return std::get<std::string>(storage_); }
  [[nodiscard]] const List& as_list() const { return std::get<List>(storage_); }

  friend bool operator==(const Value&, const Value&) = default;

 private:
  using Storage = std::variant<std::monostate, bool, std::int64_t, double, Int128, std::string, List>;
  explicit Value(Storage storage) : storage_(std::move(storage)) {}

  Storage storage_;
};

}  // namespace leat
