#include "sources/datagen/cell_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace leat::sources {
namespace {

using Generator = std::unique_ptr<CellGenerator>;

/// Flink's lengths of strings and collections that nothing limits.
constexpr std::uint64_t kStringLength = 100;
constexpr std::uint64_t kCollectionLength = 3;

tl::unexpected<Error> wrong_bound(const std::string& path, const std::string& text, const Type& type) {
  return fail(ErrorCode::kInvalid,
              fmt::format("field '{}': '{}' is no value of {}", path, text, type.to_string()));
}

template <class T>
class IntegerGenerator final : public CellGenerator {
 public:
  IntegerGenerator(std::int64_t min, std::int64_t max) : min_(min), max_(max) {}
  void append(const GeneratedRow&, RandomBits& random, ColumnBuilder& column) const override {
    const std::uint64_t span = static_cast<std::uint64_t>(max_) - static_cast<std::uint64_t>(min_) + 1;
    column.append<T>(static_cast<T>(static_cast<std::uint64_t>(min_) + random.below(span)));
  }

 private:
  const std::int64_t min_;
  const std::int64_t max_;
};

template <class T>
Result<Generator> integer_generator(const Type& type, const std::string& path, const FieldSpec& spec) {
  std::int64_t min = std::numeric_limits<T>::min();
  std::int64_t max = std::numeric_limits<T>::max();
  for (auto* bound : {&spec.min, &spec.max}) {
    if (!*bound) continue;
    std::int64_t value = 0;
    if (!option_text::read(**bound, value) || value < std::numeric_limits<T>::min() ||
        value > std::numeric_limits<T>::max())
      return wrong_bound(path, **bound, type);
    (bound == &spec.min ? min : max) = value;
  }
  if (max < min) return fail(ErrorCode::kInvalid, fmt::format("field '{}': max is less than min", path));
  return std::make_unique<IntegerGenerator<T>>(min, max);
}

template <class T>
class FloatGenerator final : public CellGenerator {
 public:
  FloatGenerator(double min, double max) : min_(min), max_(max) {}
  void append(const GeneratedRow&, RandomBits& random, ColumnBuilder& column) const override {
    // Not min + u · (max − min): the difference may be infinite.
    const double at = random.unit();
    column.append<T>(static_cast<T>(min_ * (1 - at) + max_ * at));
  }

 private:
  const double min_;
  const double max_;
};

template <class T>
Result<Generator> float_generator(const Type& type, const std::string& path, const FieldSpec& spec) {
  double min = std::numeric_limits<T>::lowest();
  double max = std::numeric_limits<T>::max();
  const double widest = max;
  for (auto* bound : {&spec.min, &spec.max}) {
    if (!*bound) continue;
    double value = 0;
    if (!option_text::read(**bound, value) || !(std::abs(value) <= widest))
      return wrong_bound(path, **bound, type);
    (bound == &spec.min ? min : max) = value;
  }
  if (max < min) return fail(ErrorCode::kInvalid, fmt::format("field '{}': max is less than min", path));
  return std::make_unique<FloatGenerator<T>>(min, max);
}

/// The largest unscaled value of a DECIMAL.
Int128 largest_unscaled(const Type& type) {
  Int128 power = 1;
  for (std::int32_t i = 0; i < type.precision(); ++i) power *= 10;
  return power - 1;
}

/// Digits with an optional sign and fraction as the unscaled value; digits beyond the scale are cut.
bool read_unscaled(std::string_view text, const Type& type, Int128& out) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.find_first_of("0123456789") == std::string_view::npos) return false;
  const std::size_t dot = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, dot));
  std::string fraction(dot < text.size() ? text.substr(dot + 1) : "");
  fraction.resize(static_cast<std::size_t>(type.scale()), '0');
  digits += fraction;
  if (digits.empty() || digits.size() > static_cast<std::size_t>(kMaxDecimalPrecision)) return false;
  out = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return false;
    out = out * 10 + (digit - '0');
  }
  if (out > largest_unscaled(type)) return false;
  if (negative) out = -out;
  return true;
}

class DecimalGenerator final : public CellGenerator {
 public:
  DecimalGenerator(Int128 min, Int128 max) : min_(min), span_(static_cast<absl::uint128>(max - min) + 1) {}
  void append(const GeneratedRow&, RandomBits& random, ColumnBuilder& column) const override {
    const absl::uint128 bits = absl::MakeUint128(random.next(), random.next());
    column.append<Int128>(min_ + static_cast<Int128>(bits % span_));
  }

 private:
  const Int128 min_;
  const absl::uint128 span_;
};

Result<Generator> decimal_generator(const Type& type, const std::string& path, const FieldSpec& spec) {
  Int128 max = largest_unscaled(type);
  Int128 min = -max;
  if (spec.min && !read_unscaled(*spec.min, type, min)) return wrong_bound(path, *spec.min, type);
  if (spec.max && !read_unscaled(*spec.max, type, max)) return wrong_bound(path, *spec.max, type);
  if (max < min) return fail(ErrorCode::kInvalid, fmt::format("field '{}': max is less than min", path));
  return std::make_unique<DecimalGenerator>(min, max);
}

class BooleanGenerator final : public CellGenerator {
 public:
  void append(const GeneratedRow&, RandomBits& random, ColumnBuilder& column) const override {
    column.append<std::uint8_t>(random.next() & 1);
  }
};

class TextGenerator final : public CellGenerator {
 public:
  enum class Alphabet : std::uint8_t { kHex, kBytes };
  TextGenerator(std::uint64_t length, bool varies, Alphabet alphabet)
      : length_(length), varies_(varies), alphabet_(alphabet) {}
  void append(const GeneratedRow&, RandomBits& random, ColumnBuilder& column) const override {
    const std::uint64_t length = varies_ && length_ > 0 ? 1 + random.below(length_) : length_;
    std::string text(static_cast<std::size_t>(length), '\0');
    for (char& c : text) {
      const std::uint64_t bits = random.next();
      c = alphabet_ == Alphabet::kHex ? "0123456789abcdef"[bits & 15] : static_cast<char>(bits & 255);
    }
    column.append_string(text);
  }

 private:
  const std::uint64_t length_;
  const bool varies_;
  const Alphabet alphabet_;
};

Result<Generator> text_generator(const Type& type, const std::string& path, const FieldSpec& spec) {
  const auto longest = static_cast<std::uint64_t>(type.precision());
  const bool fixed = type.kind() == TypeKind::kChar || type.kind() == TypeKind::kBinary;
  const bool unlimited = longest == static_cast<std::uint64_t>(kMaxLength);
  if (spec.length.value_or(0) > longest)
    return fail(ErrorCode::kInvalid,
                fmt::format("field '{}': {} is longer than {}", path, *spec.length, type.to_string()));
  const std::uint64_t length = spec.length.value_or(unlimited ? kStringLength : longest);
  return std::make_unique<TextGenerator>(
      fixed ? longest : length, spec.var_len && !fixed,
      type.is_binary() ? TextGenerator::Alphabet::kBytes : TextGenerator::Alphabet::kHex);
}

/// The row's clock, up to 'max-past' earlier, cut to the digits of the type's precision.
class TimeGenerator final : public CellGenerator {
 public:
  TimeGenerator(const Type& type, Micros max_past)
      : kind_(type.kind()), unit_(unit_of(type)), max_past_(max_past) {}
  void append(const GeneratedRow& row, RandomBits& random, ColumnBuilder& column) const override {
    const std::uint64_t past = static_cast<std::uint64_t>(std::max<std::int64_t>(0, max_past_.count()));
    const std::int64_t time = row.now - static_cast<std::int64_t>(random.below(past + 1));
    if (kind_ == TypeKind::kDate)
      return column.append<std::int32_t>(static_cast<std::int32_t>(floor_div(time, kMicrosPerDay)));
    const std::int64_t cut = time - floor_mod(time, unit_);
    column.append<std::int64_t>(kind_ == TypeKind::kTime ? floor_mod(cut, kMicrosPerDay) : cut);
  }

 private:
  /// Microseconds of the last digit.
  static std::int64_t unit_of(const Type& type) {
    std::int64_t unit = 1;
    for (std::int32_t digit = type.precision(); digit < 6; ++digit) unit *= 10;
    return unit;
  }
  const TypeKind kind_;
  const std::int64_t unit_;
  const Micros max_past_;
};

class SequenceGenerator final : public CellGenerator {
 public:
  explicit SequenceGenerator(std::int64_t start) : start_(start) {}
  void append(const GeneratedRow& row, RandomBits&, ColumnBuilder& column) const override {
    const auto value = static_cast<std::int64_t>(static_cast<std::uint64_t>(start_) + row.number);
    switch (column.type().layout()) {
      case Layout::kBytes:
        return column.append_string(padded(std::to_string(value), column.type()));
      case Layout::kF32:
        return column.append<float>(static_cast<float>(value));
      case Layout::kF64:
        return column.append<double>(static_cast<double>(value));
      case Layout::kI8:
        return column.append<std::int8_t>(static_cast<std::int8_t>(value));
      case Layout::kI16:
        return column.append<std::int16_t>(static_cast<std::int16_t>(value));
      case Layout::kI32:
        return column.append<std::int32_t>(static_cast<std::int32_t>(value));
      case Layout::kI64:
        return column.append<std::int64_t>(value);
      case Layout::kI128:
        return append_decimal(value, column);
      default:
        return column.append_null();
    }
  }

 private:
  /// CHAR(n) always has n characters.
  static std::string padded(std::string text, const Type& type) {
    if (type.kind() == TypeKind::kChar) text.resize(static_cast<std::size_t>(type.precision()), ' ');
    return text;
  }
  static void append_decimal(std::int64_t value, ColumnBuilder& column) {
    Int128 unscaled = value;
    for (std::int32_t i = 0; i < column.type().scale(); ++i) unscaled *= 10;
    column.append<Int128>(unscaled);
  }
  const std::int64_t start_;
};

template <class T>
bool is_within(std::int64_t value) {
  return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

/// Whether a number is a value of this type.
bool holds(const Type& type, std::int64_t value) {
  Int128 ignored = 0;
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return is_within<std::int8_t>(value);
    case TypeKind::kSmallInt:
      return is_within<std::int16_t>(value);
    case TypeKind::kInteger:
      return is_within<std::int32_t>(value);
    case TypeKind::kDecimal:
      return read_unscaled(std::to_string(value), type, ignored);
    case TypeKind::kChar:
    case TypeKind::kVarChar:
      return std::to_string(value).size() <= static_cast<std::size_t>(type.precision());
    default:
      return true;
  }
}

Result<Generator> sequence_generator(const Type& type, const std::string& path, const FieldSpec& spec) {
  if (!type.is_numeric() && !type.is_character())
    return fail(ErrorCode::kInvalid,
                fmt::format("field '{}': a sequence of {} is not possible", path, type.to_string()));
  for (const std::int64_t bound : {*spec.start, *spec.end})
    if (!holds(type, bound)) return wrong_bound(path, std::to_string(bound), type);
  return std::make_unique<SequenceGenerator>(*spec.start);
}

/// ROW: its fields; ARRAY and MAP: some elements each.
class NestedGenerator final : public CellGenerator {
 public:
  NestedGenerator(std::vector<Generator> children, std::uint64_t repeat)
      : children_(std::move(children)), repeat_(repeat) {}
  void append(const GeneratedRow& row, RandomBits& random, ColumnBuilder& column) const override {
    for (std::uint64_t i = 0; i < repeat_; ++i)
      for (std::size_t child = 0; child < children_.size(); ++child)
        children_[child]->append(row, random, column.child(child));
    column.close_nested();
  }

 private:
  const std::vector<Generator> children_;
  const std::uint64_t repeat_;
};

Result<Generator> nested_generator(const Type& type, const std::string& path, const FieldSpec& spec,
                                   const FieldSpecs& fields) {
  const auto children = generated_parts(type);
  if (children.empty())
    return fail(ErrorCode::kInvalid, fmt::format("field '{}': datagen makes no {}", path, type.to_string()));
  std::vector<Generator> generators;
  for (const auto& [name, child] : children) {
    LEAT_ASSIGN(Generator generator, make_cell_generator(child, path + "." + name, fields));
    generators.push_back(std::move(generator));
  }
  const std::uint64_t repeat = type.kind() == TypeKind::kRow ? 1 : spec.length.value_or(kCollectionLength);
  return std::make_unique<NestedGenerator>(std::move(generators), repeat);
}

class NullableGenerator final : public CellGenerator {
 public:
  NullableGenerator(Generator values, double null_rate) : values_(std::move(values)), null_rate_(null_rate) {}
  void append(const GeneratedRow& row, RandomBits& random, ColumnBuilder& column) const override {
    if (random.unit() < null_rate_) return column.append_null();
    values_->append(row, random, column);
  }

 private:
  const Generator values_;
  const double null_rate_;
};

Result<Generator> value_generator(const Type& type, const std::string& path, const FieldSpec& spec,
                                  const FieldSpecs& fields) {
  if (spec.kind == FieldKind::kSequence) return sequence_generator(type, path, spec);
  if (type.is_nested()) return nested_generator(type, path, spec, fields);
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return std::make_unique<BooleanGenerator>();
    case TypeKind::kTinyInt:
      return integer_generator<std::int8_t>(type, path, spec);
    case TypeKind::kSmallInt:
      return integer_generator<std::int16_t>(type, path, spec);
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      return integer_generator<std::int32_t>(type, path, spec);
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return integer_generator<std::int64_t>(type, path, spec);
    case TypeKind::kFloat:
      return float_generator<float>(type, path, spec);
    case TypeKind::kDouble:
      return float_generator<double>(type, path, spec);
    case TypeKind::kDecimal:
      return decimal_generator(type, path, spec);
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return std::make_unique<TimeGenerator>(type, spec.max_past);
    default:
      return text_generator(type, path, spec);
  }
}

}  // namespace

std::vector<std::pair<std::string, Type>> generated_parts(const Type& type) {
  if (type.kind() == TypeKind::kArray) return {{"element", type.element()}};
  if (type.kind() == TypeKind::kMap) return {{"key", type.key()}, {"value", type.value()}};
  std::vector<std::pair<std::string, Type>> parts;
  if (type.kind() == TypeKind::kRow)
    for (const Type::Field& field : type.fields()) parts.emplace_back(field.name, field.type);
  return parts;
}

Result<Generator> make_cell_generator(const Type& type, const std::string& path, const FieldSpecs& fields) {
  const auto found = fields.find(path);
  const FieldSpec spec = found == fields.end() ? FieldSpec{} : found->second;
  LEAT_ASSIGN(Generator values, value_generator(type, path, spec, fields));
  if (spec.null_rate == 0) return values;
  if (!type.nullable())
    return fail(ErrorCode::kInvalid, fmt::format("field '{}' is NOT NULL and has a null-rate", path));
  return std::make_unique<NullableGenerator>(std::move(values), spec.null_rate);
}

}  // namespace leat::sources
