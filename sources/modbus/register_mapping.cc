#include "sources/modbus/register_mapping.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "pipelines/base/nearest.h"

namespace leat::sources {
namespace {

using Words = std::span<const std::string>;

constexpr std::uint32_t kAddresses = 65536;
constexpr std::size_t kMostDigits = 18;
constexpr std::array<std::string_view, 4> kTables{"coil", "discrete", "input", "holding"};
constexpr std::array<std::string_view, 11> kTypes{"bool",   "int16",   "uint16",  "int32",  "uint32", "int64",
                                                  "uint64", "float32", "float64", "string", "bit"};
constexpr std::array<std::string_view, 4> kOrders{"abcd", "cdab", "badc", "dcba"};

auto invalid(std::string message) {
  return fail(ErrorCode::kInvalid, std::move(message));
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? std::nullopt : std::optional<std::size_t>(found - names.begin());
}

std::vector<std::string> words_of(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return words;
    text.remove_prefix(begin);
    const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

template <class Number>
std::optional<Number> whole_number(std::string_view text, int base = 10) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Result<std::uint16_t> parse_address(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  const auto address =
      whole_number<std::uint32_t>(hexadecimal ? text.substr(2) : text, hexadecimal ? 16 : 10);
  if (!address || *address >= kAddresses)
    return invalid(fmt::format("expected an address from 0 to 65535, found '{}'", text));
  return static_cast<std::uint16_t>(*address);
}

/// A data sheet's number: the first digit names the table, the others count from 1.
Result<std::pair<RegisterTable, std::uint16_t>> parse_sheet_number(std::string_view text) {
  const auto item = whole_number<std::uint32_t>(text.substr(1));
  const std::size_t kind = std::string_view("0134").find(text.front());
  if ((text.size() != 5 && text.size() != 6) || kind == std::string_view::npos || !item || *item == 0 ||
      *item > kAddresses)
    return invalid(
        fmt::format("'{}' is no number of a data sheet: those have five or six digits, such as "
                    "00001, 10001, 30001 and 40001; an address has its table before it, as in "
                    "'holding {}'",
                    text, text));
  return std::pair(static_cast<RegisterTable>(kind), static_cast<std::uint16_t>(*item - 1));
}

/// A decimal number as an integer of 10^-digits.
struct Decimal {
  Int128 unscaled = 0;
  std::int32_t digits = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  fraction = fraction.substr(0, fraction.find_last_not_of('0') + 1);
  const std::string digits = std::string(text.substr(0, point)).append(fraction);
  const auto number = digits.size() > kMostDigits ? std::nullopt : whole_number<std::int64_t>(digits);
  if (!number || digits.starts_with('-')) return std::nullopt;
  return Decimal{negative ? -*number : *number, static_cast<std::int32_t>(fraction.size())};
}

Int128 power_of_ten(std::int32_t exponent) {
  Int128 power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

Result<Scaling> make_scaling(const Decimal& scale, const Decimal& offset) {
  const std::int32_t digits = std::max(scale.digits, offset.digits);
  const Scaling made{scale.unscaled * power_of_ten(digits - scale.digits),
                     offset.unscaled * power_of_ten(digits - offset.digits), digits};
  const Int128 most = power_of_ten(kMostDigits);
  if (made.factor <= -most || made.factor >= most || made.shift <= -most || made.shift >= most)
    return invalid(fmt::format("scale and offset together have more than {} digits", kMostDigits));
  return made;
}

class MappingParser {
 public:
  explicit MappingParser(std::string_view text) : words_(words_of(text)) {}

  Result<RegisterMapping> parse() {
    LEAT_TRY(place());
    while (at_ < words_.size()) LEAT_TRY(item());
    LEAT_TRY(judge());
    LEAT_ASSIGN(mapping_.scaling, make_scaling(scale_.value_or(Decimal{1, 0}), offset_.value_or(Decimal{})));
    return mapping_;
  }

 private:
  Status place();
  Status item();
  Status set_type(std::string_view word);
  Status set_string(std::string_view word);
  Status set_decimal(std::string_view name, std::optional<Decimal>& value);
  Status set_null();
  Status judge() const;
  Status judge_type() const;

  [[nodiscard]] bool is_number() const { return is_integer(mapping_.type) || is_float(mapping_.type); }
  /// The word behind a keyword; empty: there is none.
  std::string_view next() {
    return at_ < words_.size() ? std::string_view(words_[at_++]) : std::string_view();
  }

  const std::vector<std::string> words_;
  std::size_t at_ = 0;
  bool typed_ = false;
  std::optional<Decimal> scale_;
  std::optional<Decimal> offset_;
  RegisterMapping mapping_;
};

Status MappingParser::place() {
  const std::string_view first = next();
  if (first.empty()) return invalid("expected where the value is, such as 'holding 100 int16'");
  if (const auto table = index_of(kTables, first)) {
    mapping_.table = static_cast<RegisterTable>(*table);
    LEAT_ASSIGN(mapping_.address, parse_address(next()));
    return {};
  }
  if (first.front() >= '0' && first.front() <= '9') {
    LEAT_ASSIGN(const auto place, parse_sheet_number(first));
    std::tie(mapping_.table, mapping_.address) = place;
    return {};
  }
  const std::vector<std::string> known(kTables.begin(), kTables.end());
  return invalid(fmt::format("there is no table '{}'{}; expected one of coil, discrete, input, holding",
                             first, did_you_mean(first, known)));
}

Status MappingParser::item() {
  const std::string_view word = next();
  if (word == "scale") return set_decimal(word, scale_);
  if (word == "offset") return set_decimal(word, offset_);
  if (word == "null") return set_null();
  if (const auto order = index_of(kOrders, word)) {
    if (mapping_.order) return invalid("the order of the bytes is given twice");
    mapping_.order = static_cast<ByteOrder>(*order);
    return {};
  }
  return set_type(word);
}

Status MappingParser::set_type(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('('));
  const auto type = index_of(kTypes, name);
  if (!type || (name != word && name != "string")) {
    std::vector<std::string> known(kTypes.begin(), kTypes.end());
    known.insert(known.end(), {"scale", "offset", "null"});
    known.insert(known.end(), kOrders.begin(), kOrders.end());
    return invalid(
        fmt::format("'{}' is no type and nothing else that is known here{}; types are bool, int16, "
                    "uint16, int32, uint32, int64, uint64, float32, float64, string(N) and bit N",
                    word, did_you_mean(word, known)));
  }
  if (std::exchange(typed_, true)) return invalid("the type is given twice");
  mapping_.type = static_cast<RegisterType>(*type);
  if (mapping_.type == RegisterType::kString) return set_string(word);
  if (mapping_.type == RegisterType::kBit) {
    const std::string_view text = next();
    const auto bit = whole_number<std::uint8_t>(text);
    if (!bit || *bit > 15) return invalid(fmt::format("expected a bit from 0 to 15, found '{}'", text));
    mapping_.bit = *bit;
  }
  constexpr std::array<std::uint16_t, 11> kCounts{1, 1, 1, 2, 2, 4, 4, 2, 4, 0, 1};
  mapping_.count = kCounts[*type];
  return {};
}

Status MappingParser::set_string(std::string_view word) {
  constexpr std::uint16_t kLongest = 250;  // Of 125 registers, the most that one request reads.
  const std::size_t open = std::string_view("string").size();
  const bool framed = word.size() > open + 1 && word.back() == ')';
  const auto length =
      framed ? whole_number<std::uint16_t>(word.substr(open + 1, word.size() - open - 2)) : std::nullopt;
  if (!length || *length == 0 || *length > kLongest)
    return invalid(
        fmt::format("expected string(N) with N from 1 to {} characters, found '{}'", kLongest, word));
  mapping_.length = *length;
  mapping_.count = static_cast<std::uint16_t>((*length + 1) / 2);
  return {};
}

Status MappingParser::set_decimal(std::string_view name, std::optional<Decimal>& value) {
  if (value) return invalid(fmt::format("'{}' is given twice", name));
  const std::string_view text = next();
  value = parse_decimal(text);
  if (!value) return invalid(fmt::format("'{}' needs a number such as 0.1, found '{}'", name, text));
  return {};
}

Status MappingParser::set_null() {
  if (mapping_.null) return invalid("'null' is given twice");
  const std::string_view text = next();
  if (const auto number = whole_number<std::int64_t>(text))
    mapping_.null = *number;
  else if (const auto large = whole_number<std::uint64_t>(text))
    mapping_.null = *large;
  else
    return invalid(fmt::format("'null' needs the whole number that stands for no value, found '{}'", text));
  return {};
}

Status MappingParser::judge_type() const {
  if (holds_bits(mapping_.table)) {
    if (mapping_.type != RegisterType::kBool)
      return invalid(
          fmt::format("a {} is a bool, not {}", to_string(mapping_.table), to_string(mapping_.type)));
    return {};
  }
  if (!typed_) return invalid("a register needs a type: int16, uint16, int32, …, float32, string(N), bit N");
  if (mapping_.type == RegisterType::kBool)
    return invalid("a register is no bool: 'bit 0' is its least significant bit");
  return {};
}

Status MappingParser::judge() const {
  LEAT_TRY(judge_type());
  if (mapping_.address + std::uint32_t{mapping_.count} > kAddresses)
    return invalid(fmt::format("the value would end behind address 65535: {} has {} registers",
                               to_string(mapping_.type), mapping_.count));
  if ((scale_ || offset_) && !is_number())
    return invalid(fmt::format("a {} has neither scale nor offset", to_string(mapping_.type)));
  if (scale_ && scale_->unscaled == 0) return invalid("a scale of 0 makes every value the same");
  if (mapping_.null && !is_integer(mapping_.type))
    return invalid(fmt::format("'null' is for integers; of a {} {}", to_string(mapping_.type),
                               is_float(mapping_.type) ? "NaN is NULL already" : "no value is NULL"));
  if (mapping_.null) {
    const auto [least, largest] = raw_range(mapping_.type);
    if (*mapping_.null < least || *mapping_.null > largest)
      return invalid(fmt::format("'null': no {} has this value", to_string(mapping_.type)));
  }
  if (mapping_.order && holds_bits(mapping_.table)) return invalid("single bits have no order of bytes");
  return {};
}

}  // namespace

std::string_view to_string(RegisterTable table) {
  return kTables[static_cast<std::size_t>(table)];
}

std::string_view to_string(RegisterType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

std::string_view to_string(ByteOrder order) {
  return kOrders[static_cast<std::size_t>(order)];
}

std::pair<Int128, Int128> raw_range(RegisterType type) {
  const auto of = [](auto number) {
    using Limits = std::numeric_limits<decltype(number)>;
    return std::pair<Int128, Int128>(Limits::min(), Limits::max());
  };
  switch (type) {
    case RegisterType::kInt16:
      return of(std::int16_t{});
    case RegisterType::kUint16:
      return of(std::uint16_t{});
    case RegisterType::kInt32:
      return of(std::int32_t{});
    case RegisterType::kUint32:
      return of(std::uint32_t{});
    case RegisterType::kInt64:
      return of(std::int64_t{});
    case RegisterType::kUint64:
      return of(std::uint64_t{});
    default:
      return {0, 0};
  }
}

Result<RegisterMapping> parse_register_mapping(std::string_view text) {
  return MappingParser(text).parse();
}

std::string name_of_registers(RegisterTable table, std::uint32_t address, std::uint32_t count) {
  if (count == 1) return fmt::format("{} {}", to_string(table), address);
  return fmt::format("{} {} to {}", to_string(table), address, address + count - 1);
}

}  // namespace leat::sources
