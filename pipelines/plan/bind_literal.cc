// Literals. Dates and times are read by the same CAST that reads them at run time, so that both accept the
// same texts; intervals have a grammar of their own.
#include <absl/numeric/int128.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <string_view>
#include <vector>

#include "pipelines/plan/bind_type.h"

namespace leat::plan {
namespace {

Type not_null(Type type) {
  return type.with_nullable(false);
}

std::int32_t characters(std::string_view text) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  return static_cast<std::int32_t>(static_cast<std::ptrdiff_t>(text.size()) -
                                   std::ranges::count_if(text, continues));
}

ExprPtr wrong(const sql::Literal& literal, std::string message, const BindContext& context) {
  context.diagnostics.error(literal.span, std::move(message));
  return nullptr;
}

// ---- Numbers ---------------------------------------------------------------------------------------------

/// `digits` without point as DECIMAL(digits, scale).
ExprPtr decimal_literal(const sql::Literal& literal, const BindContext& context) {
  const bool negative = literal.text.starts_with('-');
  std::string digits = literal.text.substr(negative ? 1 : 0);
  const std::size_t point = digits.find('.');
  const std::size_t scale = point == std::string::npos ? 0 : digits.size() - point - 1;
  if (point != std::string::npos) digits.erase(point, 1);
  // All digits as they are written, as in Calcite: 0.5 is a DECIMAL(2, 1), .5 a DECIMAL(1, 1).
  const std::size_t precision = std::max(digits.size(), std::size_t{1});
  if (precision > static_cast<std::size_t>(kMaxDecimalPrecision))
    return wrong(literal, "a number has at most 38 digits; write it with an exponent for a DOUBLE", context);
  Int128 unscaled = 0;
  for (const char digit : digits) unscaled = unscaled * 10 + (digit - '0');
  const Type type = Type::decimal(static_cast<std::int32_t>(precision), static_cast<std::int32_t>(scale));
  return make_literal(not_null(type), Value::decimal(negative ? -unscaled : unscaled));
}

ExprPtr integer_literal(const sql::Literal& literal, const BindContext& context) {
  std::int64_t value = 0;
  const char* end = literal.text.data() + literal.text.size();
  const auto read = std::from_chars(literal.text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end) return decimal_literal(literal, context);
  const bool small =
      value >= std::numeric_limits<std::int32_t>::min() && value <= std::numeric_limits<std::int32_t>::max();
  return make_literal(not_null(small ? Type::integer() : Type::big_int()), Value::integer(value));
}

ExprPtr double_literal(const sql::Literal& literal, const BindContext& context) {
  double value = 0;
  const char* end = literal.text.data() + literal.text.size();
  const auto read = std::from_chars(literal.text.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end)
    return wrong(literal, "'" + literal.text + "' does not fit a DOUBLE", context);
  return make_literal(not_null(Type::float64()), Value::float64(value));
}

// ---- Dates and times -------------------------------------------------------------------------------------

std::int32_t fraction_digits(std::string_view text) {
  const std::size_t point = text.rfind('.');
  return point == std::string_view::npos ? 0 : static_cast<std::int32_t>(text.size() - point - 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t letters_at(std::string_view form, std::size_t at) {
  std::size_t count = 0;
  while (at + count < form.size() && form[at + count] == form[at]) ++count;
  return count;
}

/// "yyyy-MM-dd HH:mm:ss": a year of four digits, other parts of one or two. Behind seconds may be a fraction.
bool has_form(std::string_view text, std::string_view form) {
  for (std::size_t i = 0; i < form.size();) {
    const bool part = std::isalpha(static_cast<unsigned char>(form[i])) != 0;
    const std::size_t most = part ? letters_at(form, i) : 1;
    std::size_t count = 0;
    while (count < std::min(most, text.size()) && (part ? is_digit(text[count]) : text[count] == form[i]))
      ++count;
    if (count < (most == 4 ? 4 : 1)) return false;
    text.remove_prefix(count);
    i += most;
  }
  if (text.empty()) return true;
  return form.ends_with("ss") && text.size() > 1 && text.size() <= 10 && text[0] == '.' &&
         std::ranges::all_of(text.substr(1), is_digit);
}

ExprPtr read_as(const sql::Literal& literal, std::string_view word, std::string_view form, const Type& type,
                const BindContext& context) {
  const std::string message =
      "'" + literal.text + "' is no " + std::string(word) + "; expected '" + std::string(form) + "'";
  if (!has_form(literal.text, form)) return wrong(literal, message, context);
  const Type text_type = not_null(Type::string());
  Result<functions::Kernel> kernel =
      functions::bind_cast(text_type, type, functions::CastKind::kTryCast, context.session);
  if (!kernel) return wrong(literal, message, context);
  const functions::BoundScalar cast{.result = type, .arguments = {text_type}, .kernel = std::move(*kernel)};
  const Result<Value> value = functions::fold(cast, std::vector{Value::string(literal.text)});
  if (!value || value->is_null()) return wrong(literal, message, context);
  return make_literal(not_null(type), *value);
}

ExprPtr time_literal(const sql::Literal& literal, const BindContext& context) {
  const std::int32_t precision = std::min(fraction_digits(literal.text), 9);
  if (literal.literal == sql::LiteralKind::kDate)
    return read_as(literal, "DATE", "yyyy-MM-dd", Type::date(), context);
  if (literal.literal == sql::LiteralKind::kTime)
    return read_as(literal, "TIME", "HH:mm:ss", Type::time(precision), context);
  // A day alone is its midnight.
  const bool day = has_form(literal.text, "yyyy-MM-dd");
  return read_as(literal, "TIMESTAMP", day ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss", Type::timestamp(precision),
                 context);
}

// ---- Intervals -------------------------------------------------------------------------------------------
//
//   text  := [sign] number (separator number)* [ "." fraction ]
// One number per unit from the first to the last: DAY " " HOUR ":" MINUTE ":" SECOND, or YEAR "-" MONTH.

struct IntervalUnit {
  sql::TimeUnit unit;
  std::int64_t size;   ///< In microseconds, or months.
  std::int64_t limit;  ///< Behind another unit it stays below that; 0: always first.
  char separator;      ///< Before it.
};
constexpr std::array<IntervalUnit, 8> kIntervalUnits = {{
    {sql::TimeUnit::kYear, 12, 0, ' '},
    {sql::TimeUnit::kQuarter, 3, 0, ' '},
    {sql::TimeUnit::kMonth, 1, 12, '-'},
    {sql::TimeUnit::kWeek, 7 * kMicrosPerDay, 0, ' '},
    {sql::TimeUnit::kDay, kMicrosPerDay, 0, ' '},
    {sql::TimeUnit::kHour, kMicrosPerHour, 24, ' '},
    {sql::TimeUnit::kMinute, kMicrosPerMinute, 60, ':'},
    {sql::TimeUnit::kSecond, kMicrosPerSecond, 60, ':'},
}};

class IntervalReader {
 public:
  explicit IntervalReader(std::string_view text) : rest_(text) {}

  /// The whole text as an interval of the units first … last; none if it has another form.
  std::optional<std::int64_t> read(std::size_t first, std::size_t last) {
    const bool negative = take('-');
    if (!negative) take('+');
    std::int64_t total = 0;
    for (std::size_t i = first; i <= last; ++i) {
      if (kIntervalUnits[i].unit == sql::TimeUnit::kQuarter && first != i) continue;
      const std::optional<std::int64_t> part = read_part(kIntervalUnits[i], i != first);
      if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
    }
    if (kIntervalUnits[last].unit == sql::TimeUnit::kSecond && take('.')) total += read_fraction();
    if (!rest_.empty()) return std::nullopt;
    return negative ? -total : total;
  }

 private:
  bool take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::optional<std::int64_t> read_part(const IntervalUnit& unit, bool behind_another) {
    if (behind_another && !take(unit.separator)) return std::nullopt;
    std::int64_t number = 0;
    const auto read = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (read.ec != std::errc() || number < 0 || rest_[0] == '-') return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(read.ptr - rest_.data()));
    if (behind_another && number >= unit.limit) return std::nullopt;
    if (__builtin_mul_overflow(number, unit.size, &number)) return std::nullopt;
    return number;
  }

  /// Microseconds; digits behind the sixth are cut.
  std::int64_t read_fraction() {
    std::int64_t micros = 0;
    std::int64_t weight = kMicrosPerSecond / 10;
    while (!rest_.empty() && std::isdigit(static_cast<unsigned char>(rest_[0])) != 0) {
      micros += (rest_[0] - '0') * weight;
      weight /= 10;
      rest_.remove_prefix(1);
    }
    return micros;
  }

  std::string_view rest_;
};

std::size_t index_of(sql::TimeUnit unit) {
  const auto found = std::ranges::find(kIntervalUnits, unit, &IntervalUnit::unit);
  return static_cast<std::size_t>(found - kIntervalUnits.begin());
}

ExprPtr interval_literal(const sql::Literal& literal, const BindContext& context) {
  const std::size_t first = index_of(literal.interval.from);
  const std::size_t last = literal.interval.to ? index_of(*literal.interval.to) : first;
  const std::size_t month = index_of(sql::TimeUnit::kMonth);
  if (last >= kIntervalUnits.size() || last < first || (first <= month) != (last <= month))
    return wrong(literal, "these units make no INTERVAL", context);
  std::optional<std::int64_t> value = IntervalReader(literal.text).read(first, last);
  if (!value) {
    context.diagnostics.error(
        literal.text_span, "'" + literal.text + "' is no INTERVAL of " +
                               std::string(to_string(literal.interval.from)) +
                               (last != first ? " TO " + std::string(to_string(*literal.interval.to)) : ""));
    return nullptr;
  }
  const TypeKind kind = first <= month ? TypeKind::kIntervalYearMonth : TypeKind::kIntervalDayTime;
  return make_literal(not_null(Type(kind)), Value::integer(literal.negative ? -*value : *value));
}

ExprPtr text_literal(TypeKind kind, const std::string& text, std::int32_t length) {
  return make_literal(not_null(Type(kind, length)), Value::string(text));
}

}  // namespace

ExprPtr bind_literal(const sql::Literal& literal, const BindContext& context) {
  using enum sql::LiteralKind;
  switch (literal.literal) {
    case kNull:
      return make_literal(Type(), Value::null());
    case kTrue:
    case kFalse:
      return make_literal(not_null(Type::boolean()), Value::boolean(literal.literal == kTrue));
    case kUnknown:
      return make_literal(Type::boolean(), Value::null());
    case kInteger:
      return integer_literal(literal, context);
    case kDecimal:
      return decimal_literal(literal, context);
    case kDouble:
      return double_literal(literal, context);
    case kString:
      return text_literal(TypeKind::kChar, literal.text, characters(literal.text));
    case kBinary:
      return text_literal(TypeKind::kBinary, literal.text, static_cast<std::int32_t>(literal.text.size()));
    case kDate:
    case kTime:
    case kTimestamp:
      return time_literal(literal, context);
    case kInterval:
      return interval_literal(literal, context);
  }
  return nullptr;
}

}  // namespace leat::plan
