#include "sources/modbus/modbus_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "pipelines/base/nearest.h"
#include "pipelines/base/option_judgement.h"
#include "sources/modbus/register_value.h"

namespace leat::sources {
namespace {

using Options = ModbusOptions;
using Errors = std::vector<OptionError>;
using Part = OptionError::Part;
constexpr auto kOptional = Necessity::kOptional;
constexpr std::string_view kRegisters = "registers.";
constexpr Micros kLongestTimeout{60 * kMicrosPerSecond};
constexpr std::uint32_t kMostRetries = 10;
constexpr Micros kShortestInterval{kMicrosPerMilli};
constexpr ByteSize kSmallestJournal{256U << 10};
/// Those that the library sets; it would take 9600 for any other.
constexpr std::array<std::uint32_t, 14> kBaudRates{1200,   2400,   4800,   9600,   19200,  38400,  57600,
                                                   115200, 230400, 460800, 500000, 576000, 921600, 1000000};
constexpr std::uint32_t kLastUnit = 247;
constexpr std::uint32_t kNobodyBehind = 255;  // A device that is reached over TCP itself.

void wrong(Errors& errors, const std::string& key, const std::string& why) {
  errors.push_back({key, Part::kValue, fmt::format("option '{}': {}", key, why)});
}

// ---- Units -----------------------------------------------------------------------------------------------

std::optional<std::uint32_t> parse_unit(std::string_view text) {
  std::uint32_t unit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), unit);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return unit;
}

/// "3" or "3-7".
std::optional<std::pair<std::uint32_t, std::uint32_t>> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = parse_unit(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_unit(text.substr(dash + 1));
  if (!first || !last || *first > *last || *last > kNobodyBehind) return std::nullopt;
  return std::pair(*first, *last);
}

bool is_unit(std::uint32_t unit, bool serial) {
  return (unit >= (serial ? 1U : 0U) && unit <= kLastUnit) || (!serial && unit == kNobodyBehind);
}

void check_units(const Options& options, bool serial, Errors& errors) {
  if (options.units.empty()) return wrong(errors, "unit", "expected at least one unit");
  for (const std::string& text : options.units) {
    const auto range = parse_range(text);
    bool good = range.has_value();
    for (std::uint32_t unit = good ? range->first : 1; good && unit <= range->second; ++unit)
      good = is_unit(unit, serial);
    if (!good)
      wrong(errors, "unit",
            fmt::format("'{}': expected units from {}, as in '1' or '1;3;10-12'", text,
                        serial ? "1 to 247" : "0 to 247, or 255"));
  }
}

// ---- The rest --------------------------------------------------------------------------------------------

void check_serial(const OptionMap& map, const Options& options, bool serial, Errors& errors) {
  if (!serial) {
    for (const auto& [key, value] : map)
      if (key.starts_with("serial."))
        errors.push_back(
            {key, Part::kKey,
             fmt::format("option '{}' is for a serial line, and the URL is '{}'", key, options.url)});
    return;
  }
  if (std::ranges::find(kBaudRates, options.baud_rate) == kBaudRates.end())
    wrong(errors, "serial.baud-rate", fmt::format("expected one of {}", fmt::join(kBaudRates, ", ")));
  if (options.stop_bits != 1 && options.stop_bits != 2) wrong(errors, "serial.stop-bits", "expected 1 or 2");
}

void check_times(const Options& options, Errors& errors) {
  if (options.interval < kShortestInterval) wrong(errors, "scan.interval", "expected at least 1 ms");
  if (options.timeout < kShortestInterval || options.timeout > kLongestTimeout)
    wrong(errors, "timeout", "expected a duration between 1 ms and 1 min");
  if (options.retries > kMostRetries)
    wrong(errors, "retries", fmt::format("expected at most {}", kMostRetries));
  if (options.reconnect_min.count() <= 0) wrong(errors, "reconnect.min-delay", "expected more than 0");
  if (options.reconnect_max < options.reconnect_min)
    wrong(errors, "reconnect.max-delay", "expected at least 'reconnect.min-delay'");
}

void check_limits(const Options& options, Errors& errors) {
  if (options.max_registers == 0 || options.max_registers > kMostRegisters)
    wrong(errors, "request.max-registers", fmt::format("expected 1 to {}", kMostRegisters));
  if (options.max_gap > kMostBits)
    wrong(errors, "request.max-gap", fmt::format("expected at most {}", kMostBits));
  if (options.journal_sync_interval.count() <= 0)
    wrong(errors, "journal.sync-interval", "expected more than 0; 'journal' = 'power' syncs each poll");
  if (options.journal_size.bytes < kSmallestJournal.bytes)
    wrong(errors, "journal.size", "expected at least " + format_byte_size(kSmallestJournal.bytes));
}

std::string key_of(const std::string& column) {
  return std::string(kRegisters) + column;
}

void check_registers(const Options& options, Errors& errors) {
  for (const auto& [column, text] : options.registers) {
    const std::string key = key_of(column);
    const auto mapping = parse_register_mapping(text);
    if (!mapping)
      wrong(errors, key, mapping.error().message);
    else if (!holds_bits(mapping->table) && mapping->count > options.max_registers)
      wrong(errors, key,
            fmt::format("the value has {} registers, more than 'request.max-registers', {}", mapping->count,
                        options.max_registers));
  }
}

void check_column(const Type::Field& column, const OptionMap& registers, Errors& errors) {
  const auto found = registers.find(column.name);
  if (found == registers.end()) {
    errors.push_back({key_of(column.name), Part::kMissing,
                      fmt::format("column '{}' needs '{}', which says where its value is: '{}' = "
                                  "'holding 0 int16'",
                                  column.name, key_of(column.name), key_of(column.name))});
    return;
  }
  const auto mapping = parse_register_mapping(found->second);
  if (!mapping) return;  // Told before.
  if (const Status fits = check_register_column(*mapping, column.type); !fits)
    wrong(errors, key_of(column.name), fits.error().message);
}

}  // namespace

const OptionTable<Options>& modbus_options() {
  using Rows = JournalRows<Options>;
  static const OptionTable<Options> table{
      option("url", &Options::url, Necessity::kRequired,
             "Where the devices are: 'tcp://10.0.0.5:502', or a serial line, 'rtu:///dev/ttyUSB0'."),
      option("unit", &Options::units, kOptional,
             "Units to poll, separated by ';': '1', '1;3;10-12'. Each gives a row per poll."),
      option("scan.interval", &Options::interval, kOptional,
             "How often to poll: at the multiples of this on the wall clock. A poll that comes too late is "
             "passed over and counted."),
      prefix_option(
          "registers.", &Options::registers,
          "registers.<column>: where the column's value is and what it is made of: 'input 100 int16 scale "
          "0.1 "
          "offset -40', 'coil 3', 'holding 12 bit 5', 'holding 20 float32 cdab', 'input 40 string(16)'. "
          "Addresses count from 0; '40101' is how a data sheet names 'holding 100'."),
      choice("byte-order", &Options::order,
             {{"abcd", ByteOrder::kAbcd},
              {"cdab", ByteOrder::kCdab},
              {"badc", ByteOrder::kBadc},
              {"dcba", ByteOrder::kDcba}},
             kOptional,
             "How the bytes of a 32-bit number follow each other in its registers, where a mapping does not "
             "say so itself: 'cdab' has the registers in reverse, 'badc' the bytes of each, 'dcba' both."),
      option("timeout", &Options::timeout, kOptional,
             "How long a device may take to answer, and connecting to one address. On a serial line the time "
             "of the bytes comes on top."),
      option("retries", &Options::retries, kOptional,
             "How often in a poll a unit that answered before is asked again when no answer comes, or none "
             "that can be understood. Then it rests."),
      option("request.max-registers", &Options::max_registers, kOptional,
             "Registers that one request asks for at most; some devices answer fewer than 125."),
      option("request.max-gap", &Options::max_gap, kOptional,
             "Registers or bits between two values that are read along where that saves a request. Devices "
             "may refuse addresses that they do not have."),
      option("reconnect.min-delay", &Options::reconnect_min, kOptional,
             "First wait before trying to connect again, and before a silent unit is asked again."),
      option("reconnect.max-delay", &Options::reconnect_max, kOptional,
             "Longest wait before trying to connect again, and before a silent unit is asked again."),
      option("serial.baud-rate", &Options::baud_rate, kOptional, "Bits per second of a serial line."),
      choice("serial.parity", &Options::parity,
             {{"none", Parity::kNone}, {"even", Parity::kEven}, {"odd", Parity::kOdd}}, kOptional,
             "Parity of a serial line; the specification has 'even', and two stop bits with 'none'."),
      option("serial.stop-bits", &Options::stop_bits, kOptional, "Stop bits of a serial line: 1 or 2."),
      Rows::journal(),
      Rows::size(),
      Rows::sync_interval()};
  return table;
}

Options read_modbus_options(const OptionMap& map, const std::vector<OptionDoc>& foreign, Errors& errors) {
  Options options = modbus_options().read(map, foreign, errors);
  judge_together(errors, [&](Errors& found) {
    const auto place = parse_modbus_url(options.url);
    if (!place) wrong(found, "url", place.error().message);
    const bool serial = options.url.starts_with("rtu:");
    check_units(options, serial, found);
    check_serial(map, options, serial, found);
    check_times(options, found);
    check_limits(options, found);
    check_registers(options, found);
  });
  return options;
}

Options read_modbus_options(const OptionMap& map) {
  Errors ignored;
  return modbus_options().read(map, {}, ignored);
}

void check_modbus_columns(const OptionMap& map, const plan::TableShape& table, Errors& errors) {
  const Options options = read_modbus_options(map);
  std::vector<std::string> known;
  for (const Type::Field& column : table.physical.fields) known.push_back(column.name);
  for (const auto& [column, text] : options.registers)
    if (!table.physical.find(column))
      errors.push_back({key_of(column), Part::kKey,
                        fmt::format("option '{}': the table has no column '{}'{}", key_of(column), column,
                                    did_you_mean(column, known))});
  const bool misnamed = !errors.empty();
  for (const Type::Field& column : table.physical.fields)
    // A key that is misspelled is one error, not two.
    if (!misnamed || options.registers.contains(column.name)) check_column(column, options.registers, errors);
  if (table.physical.fields.empty())
    errors.push_back(
        {"connector", Part::kValue, "the table has no column that would be read from registers"});
}

std::vector<MappedColumn> mapped_columns(const Options& options, const Schema& columns) {
  std::vector<MappedColumn> mapped;
  for (const Type::Field& column : columns.fields) {
    const auto found = options.registers.find(column.name);
    if (found == options.registers.end()) continue;
    if (auto mapping = parse_register_mapping(found->second)) mapped.push_back({column.name, *mapping});
  }
  return mapped;
}

ModbusPlace place_of(const Options& options) {
  ModbusPlace place = parse_modbus_url(options.url).value_or(ModbusPlace());
  if (auto* line = std::get_if<SerialLine>(&place)) {
    line->baud_rate = options.baud_rate;
    line->parity = options.parity;
    line->stop_bits = static_cast<std::uint8_t>(options.stop_bits);
  }
  return place;
}

std::vector<std::uint8_t> units_of(const Options& options) {
  std::set<std::uint8_t> units;
  for (const std::string& text : options.units)
    if (const auto range = parse_range(text))
      for (std::uint32_t unit = range->first; unit <= range->second; ++unit)
        units.insert(static_cast<std::uint8_t>(unit));
  return {units.begin(), units.end()};
}

}  // namespace leat::sources
