// Text to scalars, and everything to text.
#include <array>
#include <limits>
#include <type_traits>

#include "pipelines/base/time.h"
#include "pipelines/column/text.h"
#include "pipelines/column/utf8.h"
#include "pipelines/functions/cast.h"
#include "pipelines/functions/decimal.h"
#include "pipelines/functions/kernel.h"
#include "pipelines/functions/parse.h"

namespace leat::functions {
namespace {

// `read` answers std::optional<T>; nothing is a row error that names text and type.
template <class T, class Read>
Caster parser(const Type& to, Read read) {
  return [to, read](const CallContext& context, const ColumnPtr& column) {
    const Datum argument{column};
    return map_rows<std::string_view>(context, to, {&argument, 1}, [&](std::string_view text) -> Result<T> {
      if (std::optional<T> value = read(text)) return *value;
      return fail(ErrorCode::kInvalid, cannot_cast(text, to));
    });
  };
}

template <class T>
Caster number_parser(const Type& to) {
  if constexpr (std::is_floating_point_v<T>) {
    return parser<T>(to, [](std::string_view text) -> std::optional<T> {
      const std::optional<double> value = parse_double(trimmed(text));
      return value ? std::optional(static_cast<T>(*value)) : std::nullopt;
    });
  } else {
    return parser<T>(to, [](std::string_view text) -> std::optional<T> {
      const std::optional<std::int64_t> value = parse_integer(trimmed(text));
      if (!value || *value < std::numeric_limits<T>::min() || *value > std::numeric_limits<T>::max())
        return std::nullopt;
      return static_cast<T>(*value);
    });
  }
}

// The one type whose text may have no blanks around it.
Caster boolean_parser(const Type& to) {
  return parser<std::uint8_t>(to, [](std::string_view text) -> std::optional<std::uint8_t> {
    const std::optional<bool> value = parse_boolean(text);
    return value ? std::optional(static_cast<std::uint8_t>(*value)) : std::nullopt;
  });
}

Caster decimal_parser(const Type& to) {
  return parser<Int128>(to, [precision = to.precision(), scale = to.scale()](std::string_view text) {
    return parse_decimal(trimmed(text), precision, scale).value;
  });
}

Caster time_parser(const Type& to) {
  return parser<std::int64_t>(to, [precision = to.precision()](std::string_view text) {
    std::optional<std::int64_t> time = parse_time_and_offset(trimmed(text));
    if (time) time = cut_to_precision(*time, precision);
    return time;
  });
}

Caster timestamp_parser(const Type& to, const Zone& zone) {
  return [to, zone](const CallContext& context, const ColumnPtr& column) {
    ZoneClock clock(zone);
    const bool local = to.kind() == TypeKind::kTimestampLtz;
    const Caster parse =
        parser<std::int64_t>(to, [&clock, local, precision = to.precision()](std::string_view text) {
          std::optional<std::int64_t> time = parse_timestamp(text);
          if (time) time = cut_to_precision(local ? clock.to_utc(*time) : *time, precision);
          return time;
        });
    return parse(context, column);
  };
}

Caster bytes_caster(const Type& to) {
  // Text is UTF-8 already: the bytes stay.
  return [to](const CallContext& context, const ColumnPtr& column) {
    const Datum argument{column};
    const auto length = static_cast<std::size_t>(to.precision());
    if (to.kind() == TypeKind::kVarBinary)
      return map_rows<std::string_view>(context, to, {&argument, 1},
                                        [length](std::string_view bytes) { return bytes.substr(0, length); });
    return map_rows<std::string_view>(context, to, {&argument, 1}, [length](std::string_view bytes) {
      std::string padded(bytes.substr(0, length));
      padded.resize(length, '\0');
      return padded;
    });
  };
}

// ---- Printing --------------------------------------------------------------------------------------------

// The text of one cell, not NULL.
using Printer = std::function<void(const Column&, std::size_t, std::string&)>;

Printer printer_of(const Type& from, const Zone& zone, const TextStyle& style) {
  if (from.kind() == TypeKind::kTimestampLtz)
    return [clock = ZoneClock(zone)](const Column& column, std::size_t row, std::string& out) mutable {
      append_timestamp(clock.to_local(column.values<std::int64_t>()[row]), column.type().precision(), out);
    };
  return [style](const Column& column, std::size_t row, std::string& out) {
    append_text(column, row, style, out);
  };
}

// CHAR(n) is padded with blanks to n characters, both are cut at n.
void fit_length(const Type& to, std::string& text) {
  if (to.precision() == kMaxLength) return;
  const auto length = static_cast<std::size_t>(to.precision());
  text.resize(utf8_prefix(text, length).size());
  if (to.kind() != TypeKind::kChar) return;
  const std::size_t count = utf8_length(text);
  if (count < length) text.append(length - count, ' ');
}

Caster text_printer(const Type& from, const Type& to, const Zone& zone, const TextStyle& style) {
  return [=](const CallContext& context, const ColumnPtr& column) {
    const Printer print = printer_of(from, zone, style);
    const Datum argument{column};
    Collector<std::string> out(context, to, strict_validity(context.rows, {&argument, 1}));
    std::string text;
    for (std::size_t row = 0; row < context.rows; ++row) {
      if (!out.valid(row)) {
        out.put_null(row);
        continue;
      }
      text.clear();
      print(*column, row, text);
      fit_length(to, text);
      out.put(row, text);
    }
    return out.finish({&argument, 1});
  };
}

// Text to text: cutting needs no copy, padding does.
Caster text_to_text(const Type& to) {
  return [to](const CallContext& context, const ColumnPtr& column) {
    const Datum argument{column};
    const auto length = static_cast<std::size_t>(to.precision());
    if (to.kind() == TypeKind::kVarChar)
      return map_rows<std::string_view>(
          context, to, {&argument, 1}, [length](std::string_view text) { return utf8_prefix(text, length); });
    return map_rows<std::string_view>(context, to, {&argument, 1}, [&to](std::string_view text) {
      std::string padded(text);
      fit_length(to, padded);
      return padded;
    });
  };
}

}  // namespace

MaybeCaster parsing_caster(const Type& to, const Zone& zone) {
  switch (to.kind()) {
    case TypeKind::kBoolean:
      return boolean_parser(to);
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return with_number(to.layout(), [&]<class T>() { return number_parser<T>(to); });
    case TypeKind::kDecimal:
      return decimal_parser(to);
    case TypeKind::kBinary:
    case TypeKind::kVarBinary:
      return bytes_caster(to);
    case TypeKind::kDate:
      return parser<std::int32_t>(to, [](std::string_view text) { return parse_date(text); });
    case TypeKind::kTime:
      return time_parser(to);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return timestamp_parser(to, zone);
    default:
      return std::nullopt;
  }
}

MaybeCaster printing_caster(const Type& from, const Type& to, const Zone& zone) {
  if (to.is_binary()) return bytes_caster(to);
  if (from.is_character()) {
    if (to.kind() == TypeKind::kVarChar && from.precision() <= to.precision())
      return [to](const CallContext&, const ColumnPtr& column) { return retype(column, to); };
    return text_to_text(to);
  }
  return text_printer(from, to, zone,
                      {.time_zone = zone.name(), .time_fraction = TextStyle::Fraction::kShort});
}

}  // namespace leat::functions
