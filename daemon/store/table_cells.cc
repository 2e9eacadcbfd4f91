#include "daemon/store/table_cells.h"

#include <absl/numeric/int128.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "pipelines/column/text.h"
#include "pipelines/formats/read_scalar.h"
#include "pipelines/functions/parse.h"

namespace leat::store {
namespace {

/// Decimal digits that every double gives back as they were.
constexpr std::int32_t kExactDigits = 15;
constexpr std::int32_t kIntegerDigits = 18;

enum class Form : std::uint8_t { kInteger, kReal, kText, kBlob };

Form form_of(const Type& type) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime:
      return Form::kInteger;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return Form::kReal;
    case TypeKind::kDecimal:
      if (type.scale() == 0 && type.precision() <= kIntegerDigits) return Form::kInteger;
      return type.precision() <= kExactDigits ? Form::kReal : Form::kText;
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return Form::kBlob;
    default:
      return Form::kText;
  }
}

std::int64_t integer_at(const Column& column, std::size_t row) {
  switch (column.type().layout()) {
    case Layout::kU8:
      return column.values<std::uint8_t>()[row];
    case Layout::kI8:
      return column.values<std::int8_t>()[row];
    case Layout::kI16:
      return column.values<std::int16_t>()[row];
    case Layout::kI32:
      return column.values<std::int32_t>()[row];
    case Layout::kI128:
      return static_cast<std::int64_t>(column.values<Int128>()[row]);
    default:
      return column.values<std::int64_t>()[row];
  }
}

double power_of_ten(std::int32_t exponent) {
  double power = 1;  // Exact up to 10^22.
  for (std::int32_t i = 0; i < exponent; ++i) power *= 10;
  return power;
}

double real_at(const Column& column, std::size_t row) {
  switch (column.type().layout()) {
    case Layout::kF32:
      return column.values<float>()[row];
    case Layout::kI128:
      // Both operands are exact, so the quotient is the double nearest to the decimal.
      return static_cast<double>(static_cast<std::int64_t>(column.values<Int128>()[row])) /
             power_of_ten(column.type().scale());
    default:
      return column.values<double>()[row];
  }
}

void append_cell_text(const Column& column, std::size_t row, std::string& out) {
  const Type& type = column.type();
  switch (type.kind()) {
    case TypeKind::kDecimal:
      return append_decimal(column.values<Int128>()[row], type.scale(), out);
    case TypeKind::kDate:
      return append_date(column.values<std::int32_t>()[row], out);
    case TypeKind::kTime:
      return append_time(column.values<std::int64_t>()[row], type.precision(), out);
    default:
      return append_timestamp(column.values<std::int64_t>()[row], type.precision(), out);
  }
}

int bind_text(sqlite3_stmt* statement, int index, std::string_view text, sqlite3_destructor_type lifetime) {
  const char* data = text.data() == nullptr ? "" : text.data();
  return sqlite3_bind_text64(statement, index, data, text.size(), lifetime, SQLITE_UTF8);
}

int bind_blob(sqlite3_stmt* statement, int index, std::string_view bytes) {
  if (bytes.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
  return sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
}

// ---- Reading ---------------------------------------------------------------------------------------------

template <class T>
bool append_integer(std::int64_t value, ColumnBuilder& out) {
  if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
  out.append(static_cast<T>(value));
  return true;
}

bool append_integer(std::int64_t value, const Type& type, ColumnBuilder& out) {
  switch (type.layout()) {
    case Layout::kU8:
      if (value != 0 && value != 1) return false;
      out.append(static_cast<std::uint8_t>(value));
      return true;
    case Layout::kI8:
      return append_integer<std::int8_t>(value, out);
    case Layout::kI16:
      return append_integer<std::int16_t>(value, out);
    case Layout::kI32:
      return append_integer<std::int32_t>(value, out);
    case Layout::kI128:
      out.append(Int128(value));
      return true;
    default:
      out.append(value);
      return true;
  }
}

void append_real(double value, const Type& type, ColumnBuilder& out) {
  if (type.kind() == TypeKind::kFloat) return out.append(static_cast<float>(value));
  if (type.kind() == TypeKind::kDouble) return out.append(value);
  out.append(Int128(std::llround(value * power_of_ten(type.scale()))));
}

template <class T>
bool append_optional(const std::optional<T>& value, ColumnBuilder& out) {
  if (value) out.append(*value);
  return value.has_value();
}

bool append_text(std::string_view text, const Type& type, ColumnBuilder& out) {
  Int128 decimal = 0;
  switch (type.kind()) {
    case TypeKind::kDecimal:
      if (formats::read_decimal(text, type.precision(), type.scale(), decimal) !=
          formats::DecimalReading::kExact)
        return false;
      out.append(decimal);
      return true;
    case TypeKind::kDate:
      return append_optional(functions::parse_date(text), out);
    case TypeKind::kTime:
      return append_optional(functions::parse_time(text), out);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return append_optional(functions::parse_timestamp(text), out);
    default:
      out.append_string(text);
      return true;
  }
}

bool append_stored(const Rows& rows, int column, const Type& type, ColumnBuilder& out) {
  const int stored = rows.type(column);
  switch (form_of(type)) {
    case Form::kInteger:
      return stored == SQLITE_INTEGER && append_integer(rows.integer(column), type, out);
    case Form::kReal:
      if (stored != SQLITE_FLOAT && stored != SQLITE_INTEGER) return false;
      append_real(rows.real(column), type, out);
      return true;
    case Form::kText:
      return stored == SQLITE_TEXT && append_text(rows.bytes(column), type, out);
    case Form::kBlob:
      if (stored != SQLITE_BLOB) return false;
      out.append_string(rows.bytes(column));
      return true;
  }
  return false;
}

}  // namespace

std::string_view storage_of(const Type& type) {
  switch (form_of(type)) {
    case Form::kInteger:
      return "INT";
    case Form::kReal:
      return "REAL";
    case Form::kText:
      return "TEXT";
    case Form::kBlob:
      return "BLOB";
  }
  return "TEXT";
}

Type handed_type(const Type& type) {
  return type.is_nested() ? Type::string().with_nullable(type.nullable()) : type;
}

int bind_cell(sqlite3_stmt* statement, int index, const Type& type, const Column& column, std::size_t row) {
  if (column.is_null(row)) return sqlite3_bind_null(statement, index);
  switch (form_of(type)) {
    case Form::kInteger:
      return sqlite3_bind_int64(statement, index, integer_at(column, row));
    case Form::kReal:
      return sqlite3_bind_double(statement, index, real_at(column, row));
    case Form::kBlob:
      return bind_blob(statement, index, column.strings()[row]);
    case Form::kText:
      break;
  }
  if (type.is_character() || type.is_nested())
    return bind_text(statement, index, column.strings()[row], SQLITE_STATIC);
  std::string text;
  append_cell_text(column, row, text);
  return bind_text(statement, index, text, SQLITE_TRANSIENT);
}

Status read_cell(const Rows& rows, int column, const Type& type, ColumnBuilder& out) {
  if (rows.is_null(column)) {
    out.append_null();
    return {};
  }
  if (append_stored(rows, column, type, out)) return {};
  return fail(ErrorCode::kCorrupt, "'" + rows.text(column).substr(0, 100) + "' is no " + type.to_string());
}

std::string timestamp_text(std::int64_t micros, const Type& type) {
  std::string text;
  append_timestamp(micros, type.precision(), text);
  return text;
}

}  // namespace leat::store
