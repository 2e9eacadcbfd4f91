// PRINTF, TRANSLATE, ELT, HASH_CODE: text from values, one by one.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "pipelines/column/text.h"
#include "pipelines/column/utf8.h"
#include "pipelines/functions/binding.h"
#include "pipelines/functions/families.h"

namespace leat::functions {
namespace {

// ---- PRINTF ----------------------------------------------------------------------------------------------
//
//   conversion := "%" [ index "$" ] flag* [ width ] [ "." precision ] letter      flag := - + 0 , ( # blank
//   letter     := d | x | X | o | f | e | E | g | s | S | c | b | B | n | %       as in Java's Formatter

struct Conversion {
  std::size_t index = 0;  // From 1; 0: the next argument.
  std::string flags;
  std::size_t width = 0;
  std::optional<int> precision;
  char letter = 0;
  [[nodiscard]] bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

std::optional<std::size_t> take_number(std::string_view& rest) {
  constexpr std::size_t kMost = 100000;
  std::size_t number = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (read.ec != std::errc() || number > kMost) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
  return number;
}

// Behind the "%"; nothing: it is no conversion.
std::optional<Conversion> take_conversion(std::string_view& rest) {
  Conversion conversion;
  if (const std::size_t dollar = rest.find_first_not_of("0123456789");
      dollar != std::string_view::npos && dollar > 0 && rest[dollar] == '$') {
    const std::optional<std::size_t> index = take_number(rest);
    if (!index || *index == 0) return std::nullopt;
    conversion.index = *index;
    rest.remove_prefix(1);
  }
  while (!rest.empty() && std::string_view("-+0,(# ").find(rest[0]) != std::string_view::npos) {
    conversion.flags += rest[0];
    rest.remove_prefix(1);
  }
  if (const std::optional<std::size_t> width = take_number(rest)) conversion.width = *width;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    const std::optional<std::size_t> precision = take_number(rest);
    if (!precision) return std::nullopt;
    conversion.precision = static_cast<int>(*precision);
  }
  if (rest.empty()) return std::nullopt;
  conversion.letter = rest[0];
  rest.remove_prefix(1);
  return conversion;
}

std::string group_thousands(std::string digits) {
  std::size_t at = std::min(digits.find('.'), digits.size());
  for (; at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

// Sign, grouping and zeros around the digits of a number that is not negative.
std::string dress(std::string digits, bool negative, const Conversion& conversion) {
  if (conversion.has(',')) digits = group_thousands(std::move(digits));
  const bool parentheses = negative && conversion.has('(');
  const std::string sign = parentheses           ? "("
                           : negative            ? "-"
                           : conversion.has('+') ? "+"
                           : conversion.has(' ') ? " "
                                                 : "";
  const std::size_t used = sign.size() + digits.size() + (parentheses ? 1 : 0);
  if (conversion.has('0') && used < conversion.width) digits.insert(0, conversion.width - used, '0');
  return sign + digits + (parentheses ? ")" : "");
}

std::optional<std::string> integer_text(const Column& column, std::size_t row, const Conversion& conversion) {
  if (!column.type().is_integer()) return std::nullopt;
  const std::int64_t value = column.value(row).as_integer();
  if (conversion.letter == 'd') {
    std::string digits = std::to_string(value);
    if (value < 0) digits.erase(0, 1);
    return dress(std::move(digits), value < 0, conversion);
  }
  // Two's complement in the width of the type.
  const std::size_t bits = 8 * slot_width(column.type().layout());
  const auto raw = static_cast<std::uint64_t>(value) & (bits == 64 ? ~0ULL : (1ULL << bits) - 1);
  std::string digits = conversion.letter == 'o' ? fmt::format("{:o}", raw) : fmt::format("{:x}", raw);
  if (conversion.has('#')) digits.insert(0, conversion.letter == 'o' ? "0" : "0x");
  return dress(std::move(digits), false, conversion);
}

// Rounds digits up if `next`, the digit behind them, is five or more. True: a 1 has been put in front.
bool round_half_up(std::string& digits, char next) {
  std::size_t at = digits.size();
  for (bool carry = next >= '5'; carry && at-- > 0;) {
    if (digits[at] == '.') continue;
    carry = digits[at] == '9';
    digits[at] = carry ? '0' : static_cast<char>(digits[at] + 1);
    if (!carry || at > 0) continue;
    digits.insert(digits.begin(), '1');
    return true;
  }
  return false;
}

/// Java rounds a five up, in the digits that it prints: 7.25 to one place is 7.3, whatever the binary number.
std::string fixed_text(const std::string& plain, double size, int precision) {
  std::string digits = plain.starts_with('-') ? plain.substr(1) : plain;
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const auto places = static_cast<std::size_t>(precision);
  const bool decimal = digits.find_first_not_of("0123456789.") == std::string::npos;
  if (!decimal || digits.size() <= point + 1 + places) return fmt::format("{:.{}f}", size, precision);
  const char next = digits[point + 1 + places];
  digits.resize(places == 0 ? point : point + 1 + places);
  round_half_up(digits, next);
  return digits;
}

struct Scientific {
  std::string digits;  ///< The first one stands before the point.
  int exponent = 0;
};

/// The number with so many digits, rounded likewise. `plain`: its text as Java's, "0.00125" or "1.25E10".
Scientific scientific(std::string_view plain, std::size_t count) {
  if (plain.starts_with('-')) plain.remove_prefix(1);
  const std::size_t mark = std::min(plain.find('E'), plain.size());
  Scientific number{.digits = std::string(plain.substr(0, mark))};
  const std::size_t point = std::min(number.digits.find('.'), number.digits.size());
  if (point < number.digits.size()) number.digits.erase(point, 1);
  const std::size_t first = number.digits.find_first_not_of('0');
  if (first != std::string::npos) {
    if (mark < plain.size()) number.exponent = std::atoi(std::string(plain.substr(mark + 1)).c_str());
    number.exponent += static_cast<int>(point) - static_cast<int>(first) - 1;
    number.digits.erase(0, first);
  }
  const char next = count < number.digits.size() ? number.digits[count] : '0';
  number.digits.resize(count, '0');
  if (round_half_up(number.digits, next)) {
    number.digits.pop_back();
    ++number.exponent;
  }
  return number;
}

std::string with_exponent(Scientific number) {
  if (number.digits.size() > 1) number.digits.insert(1, ".");
  return fmt::format("{}e{}{:02}", number.digits, number.exponent < 0 ? '-' : '+', std::abs(number.exponent));
}

/// %g: without an exponent where it would be small.
std::string general_text(std::string_view plain, int precision) {
  Scientific number = scientific(plain, static_cast<std::size_t>(std::max(precision, 1)));
  const auto size = static_cast<int>(number.digits.size());
  if (number.exponent < -4 || number.exponent >= size) return with_exponent(std::move(number));
  if (number.exponent < 0)
    return "0." + std::string(static_cast<std::size_t>(-number.exponent - 1), '0') + number.digits;
  if (number.exponent + 1 < size) number.digits.insert(static_cast<std::size_t>(number.exponent) + 1, ".");
  return std::move(number.digits);
}

std::optional<std::string> floating_text(const Column& column, std::size_t row,
                                         const Conversion& conversion) {
  const Type& type = column.type();
  if (!type.is_approximate() && type.kind() != TypeKind::kDecimal) return std::nullopt;
  std::string plain;
  append_text(column, row, {}, plain);
  const double value = std::strtod(plain.c_str(), nullptr);
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return dress("Infinity", value < 0, conversion);
  const int precision = conversion.precision.value_or(6);
  std::string digits;
  if (conversion.letter == 'f')
    digits = fixed_text(plain, std::fabs(value), precision);
  else if (conversion.letter == 'e')
    digits = with_exponent(scientific(plain, static_cast<std::size_t>(precision) + 1));
  else
    digits = general_text(plain, precision);
  return dress(std::move(digits), std::signbit(value), conversion);
}

std::string plain_text(const Column& column, std::size_t row, const Conversion& conversion) {
  std::string text;
  append_text(column, row, {.time_zone = "UTC", .null = "null"}, text);
  if (column.type().kind() == TypeKind::kBoolean && !column.is_null(row))
    text = text == "TRUE" ? "true" : "false";
  if (conversion.precision) text = utf8_prefix(text, static_cast<std::size_t>(*conversion.precision));
  return text;
}

std::optional<std::string> converted(const Column& column, std::size_t row, const Conversion& conversion) {
  if (column.is_null(row) && conversion.letter == 'b')
    return std::string("false").substr(0, static_cast<std::size_t>(conversion.precision.value_or(5)));
  if (column.is_null(row) || conversion.letter == 's') return plain_text(column, row, conversion);
  switch (conversion.letter) {
    case 'd':
    case 'x':
    case 'o':
      return integer_text(column, row, conversion);
    case 'f':
    case 'e':
    case 'g':
      return floating_text(column, row, conversion);
    case 'b':
      if (column.type().kind() != TypeKind::kBoolean) return "true";
      return plain_text(column, row, conversion);
    case 'c': {
      std::string text;
      if (column.type().is_integer())
        utf8_append(static_cast<char32_t>(column.value(row).as_integer()), text);
      else if (column.type().is_character() && utf8_length(column.strings()[row]) == 1)
        text = column.strings()[row];
      else
        return std::nullopt;
      return text;
    }
    default:
      return std::nullopt;
  }
}

bool append_conversion(Conversion conversion, std::span<const Datum> a, std::size_t row, std::size_t& next,
                       std::string& out) {
  if (conversion.letter == 'n') return out += '\n', true;
  std::optional<std::string> text;
  if (conversion.letter == '%') {
    text = "%";
  } else {
    const std::size_t index = conversion.index > 0 ? conversion.index : ++next;
    const bool upper_case = std::string_view("XESBG").find(conversion.letter) != std::string_view::npos;
    if (upper_case) conversion.letter = static_cast<char>(conversion.letter - 'A' + 'a');
    if (index >= a.size()) return false;
    text = converted(*a[index].column, a[index].index(row), conversion);
    if (text && upper_case)
      std::transform(text->begin(), text->end(), text->begin(),
                     [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  }
  if (!text) return false;
  const std::size_t length = utf8_length(*text);
  const std::string padding(conversion.width > length ? conversion.width - length : 0, ' ');
  out += conversion.has('-') ? *text + padding : padding + *text;
  return true;
}

std::optional<std::string> print(std::span<const Datum> a, std::size_t row) {
  std::string_view rest = a[0].column->strings()[a[0].index(row)];
  std::string out;
  std::size_t next = 0;
  for (std::size_t percent = rest.find('%'); percent != std::string_view::npos; percent = rest.find('%')) {
    out += rest.substr(0, percent);
    rest.remove_prefix(percent + 1);
    const std::optional<Conversion> conversion = take_conversion(rest);
    if (!conversion || !append_conversion(*conversion, a, row, next, out)) return std::nullopt;
  }
  return out += rest;
}

Result<BoundScalar> bind_printf(Arguments arguments, const Session&) {
  if (arguments.empty() || !implicitly_castable(arguments[0].type, Type::string()))
    return wrong_arguments("PRINTF(format, value, …)", arguments);
  std::vector<Type> types = {Type::string()};
  for (const ArgumentInfo& argument : arguments.subspan(1))
    types.push_back(type_or(argument, Type::string()));
  const Type type = Type::string();
  return BoundScalar{type, std::move(types), [type](const CallContext& context, std::span<const Datum> a) {
                       ColumnBuilder out(type);
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         std::optional<std::string> text;
                         if (!a[0].column->is_null(a[0].index(row))) text = print(a, row);
                         if (text)
                           out.append_string(*text);
                         else
                           out.append_null();
                       }
                       return out.finish();
                     }};
}

// ---- ELT -------------------------------------------------------------------------------------------------

Result<BoundScalar> bind_elt(Arguments arguments, const Session&) {
  constexpr std::string_view kSignature = "ELT(index, text, …)";
  if (arguments.size() < 2 || !implicitly_castable(arguments[0].type, Type::big_int()))
    return wrong_arguments(kSignature, arguments);
  const bool bytes = std::all_of(arguments.begin() + 1, arguments.end(),
                                 [](const ArgumentInfo& argument) { return argument.type.is_binary(); });
  const Type type = bytes ? Type::bytes() : Type::string();
  for (const ArgumentInfo& argument : arguments.subspan(1))
    if (!implicitly_castable(argument.type, type)) return wrong_arguments(kSignature, arguments);
  std::vector<Type> types(arguments.size(), type);
  types[0] = Type::big_int();
  return BoundScalar{type, std::move(types), [type](const CallContext& context, std::span<const Datum> a) {
                       const Reader<std::int64_t> index(a[0]);
                       ColumnBuilder out(type);
                       for (std::size_t row = 0; row < context.rows; ++row) {
                         const std::int64_t i = index[row];
                         const bool inside = i > 0 && static_cast<std::uint64_t>(i) < a.size();
                         const Datum& datum = a[inside ? static_cast<std::size_t>(i) : 0];
                         if (!inside || datum.column->is_null(datum.index(row)))
                           out.append_null();
                         else
                           out.append_cell(*datum.column, datum.index(row));
                       }
                       return out.finish();
                     }};
}

// ---- TRANSLATE -------------------------------------------------------------------------------------------

// Each character of `from` becomes the one at the same place of `to`, or goes where `to` has none.
std::string translate(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at)) {
    const std::string_view character = text.substr(at, utf8_width(text, at));
    std::size_t place = 0;
    std::size_t i = 0;
    for (; i < from.size() && from.substr(i, utf8_width(from, i)) != character; i += utf8_width(from, i))
      ++place;
    const std::size_t target = utf8_offset(to, place);
    if (i >= from.size())
      out += character;
    else if (target < to.size())
      out += to.substr(target, utf8_width(to, target));
  }
  return out;
}

constexpr std::string_view kTranslateSignature = "TRANSLATE(string, from, to)";

// A NULL of `from` or `to` is the empty text.
Result<BoundScalar> bind_translate(Arguments arguments, const Session&) {
  const bool texts = std::ranges::all_of(arguments, [](const ArgumentInfo& argument) {
    return implicitly_castable(argument.type, Type::string());
  });
  if (arguments.size() != 3 || !texts) return wrong_arguments(kTranslateSignature, arguments);
  const Type type = nullable_like(Type::string(), arguments.first(1));
  return BoundScalar{
      type, std::vector(3, Type::string()), [type](const CallContext& context, std::span<const Datum> a) {
        Collector<std::string> out(context, type, strict_validity(context.rows, a.first(1)));
        const auto text_of = [](const Datum& datum, std::size_t row) {
          const std::size_t at = datum.index(row);
          return datum.column->is_null(at) ? std::string_view() : datum.column->strings()[at];
        };
        for (std::size_t row = 0; row < context.rows; ++row) {
          if (out.valid(row))
            out.put(row, translate(text_of(a[0], row), text_of(a[1], row), text_of(a[2], row)));
          else
            out.put_null(row);
        }
        return out.finish(a);
      }};
}

// ---- HASH_CODE -------------------------------------------------------------------------------------------

// Java's hashCode of the value; text hashes its units of UTF-16.
std::int32_t hash_of(std::string_view text) {
  std::uint32_t hash = 0;
  for (std::size_t at = 0; at < text.size(); at += utf8_width(text, at)) {
    const char32_t code = utf8_decode(text, at);
    if (code < 0x10000) {
      hash = 31 * hash + static_cast<std::uint32_t>(code);
      continue;
    }
    hash = 31 * hash + 0xD800 + ((static_cast<std::uint32_t>(code) - 0x10000) >> 10);
    hash = 31 * hash + 0xDC00 + ((static_cast<std::uint32_t>(code) - 0x10000) & 0x3FF);
  }
  return static_cast<std::int32_t>(hash);
}
std::int32_t hash_of(bool value) {
  return value ? 1231 : 1237;
}
std::int32_t hash_of(std::int32_t value) {
  return value;
}
std::int32_t hash_of(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(bits ^ (bits >> 32)));
}
std::int32_t hash_of(double value) {
  return hash_of(static_cast<std::int64_t>(std::isnan(value) ? 0x7FF8000000000000ULL
                                                             : std::bit_cast<std::uint64_t>(value)));
}
template <class T>
std::int32_t hash_code(T value) {
  return hash_of(value);
}

}  // namespace

ScalarFunctions format_functions() {
  return {
      {"PRINTF", "PRINTF(format, value, …)",
       "The values as the format says, in the way of Java's Formatter; NULL: they do not fit it.",
       "PRINTF('%s has %05.1f %%', 'pump', 7.25)", "pump has 007.3 %", bind_printf},
      {"ELT", "ELT(index, text, …)", "The text with this index, from 1; NULL: there is none.",
       "ELT(2, 'a', 'b', 'c')", "b", bind_elt},
      {"TRANSLATE", std::string(kTranslateSignature),
       "With each character of from replaced by the one at its place in to, or taken out.",
       "TRANSLATE('www.example.org', 'wo.', 'WO')", "WWWexampleOrg", bind_translate},
      function("HASH_CODE", "HASH_CODE(value)", "Java's hashCode of a text, truth value or number.",
               "HASH_CODE('abc')", "96354",
               {of(hash_code<bool>), of(hash_code<std::int32_t>), of(hash_code<std::int64_t>),
                of(hash_code<double>), of(hash_code<std::string_view>)}),
  };
}

}  // namespace leat::functions
