#include "sources/clients/local_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "pipelines/base/nearest.h"
#include "pipelines/formats/format.h"

namespace leat::sources {
namespace {

/// SQLite compares names without regard to the case of ASCII letters.
std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(c < 0x80 ? std::tolower(c) : c); });
  return lower;
}

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

/// "site, name" → {"site", "name"}
std::vector<std::string> columns_of_index(std::string_view text) {
  std::vector<std::string> columns;
  while (true) {
    const std::size_t comma = text.find(',');
    columns.push_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) return columns;
    text.remove_prefix(comma + 1);
  }
}

LocalTableOptions read_options(const OptionMap& map) {
  std::vector<OptionError> judged_before;
  return local_table_options().read(map, {}, judged_before);
}

using Part = OptionError::Part;

class Validator {
 public:
  Validator(const plan::TableShape& shape, std::vector<OptionError>& errors)
      : shape_(shape), errors_(errors) {
    for (const Type::Field& field : shape.physical.fields) names_.push_back(field.name);
  }

  void check(const LocalTableOptions& options) {
    check_name(options);
    check_columns();
    check_indexes(options);
    check_retention(options);
  }

 private:
  void complain(std::string key, Part part, std::string message) {
    errors_.push_back({std::move(key), part, std::move(message)});
  }

  void check_name(const LocalTableOptions& options) {
    const std::string_view name = options.table.empty() ? shape_.name : std::string_view(options.table);
    if (is_reserved_table(name))
      complain("table", Part::kValue,
               fmt::format("'{}' is a name that the store keeps for itself; give the table another one by "
                           "the option 'table'",
                           name));
  }

  void check_columns() {
    static constexpr std::array<std::string_view, 3> kRowIds = {"rowid", "oid", "_rowid_"};
    std::vector<std::string> seen;
    for (const std::string& name : names_) {
      const std::string lower = lower_case(name);
      if (std::ranges::find(kRowIds, lower) != kRowIds.end() || lower == kWrittenColumn)
        complain("connector", Part::kValue,
                 fmt::format("column '{}': SQLite and Leat use this name themselves; choose another", name));
      if (std::ranges::find(seen, lower) != seen.end())
        complain("connector", Part::kValue,
                 fmt::format("column '{}' is there twice: SQLite does not tell upper from lower case", name));
      seen.push_back(lower);
    }
    check_nested();
  }

  /// Nested values are kept as JSON.
  void check_nested() {
    Schema nested;
    for (const Type::Field& field : shape_.physical.fields)
      if (field.type.is_nested()) nested.fields.push_back(field);
    formats::find_format("json")->validate({}, nested, errors_);
  }

  void check_indexes(const LocalTableOptions& options) {
    for (const std::string& index : options.indexes)
      for (const std::string& column : columns_of_index(index)) check_column("indexes", column);
  }

  bool check_column(const std::string& key, const std::string& column) {
    if (shape_.physical.find(column)) return true;
    complain(key, Part::kValue,
             fmt::format("the table has no column '{}'{}", column, did_you_mean(column, names_)));
    return false;
  }

  void check_retention(const LocalTableOptions& options) {
    const std::string key = "retention.time-column";
    if (options.retention_rows && *options.retention_rows == 0)
      complain("retention.rows", Part::kValue, "'retention.rows' must be at least 1");
    if (options.retention_age && options.retention_age->count() <= 0)
      complain("retention.age", Part::kValue, "'retention.age' must be longer than 0");
    if (options.retention_time_column.empty() || !check_column(key, options.retention_time_column)) return;
    const std::size_t column = shape_.physical.find(options.retention_time_column).value();
    if (!shape_.physical.fields[column].type.is_timestamp())
      complain(key, Part::kValue,
               fmt::format("'{}' is {}, but a row's age is told by a TIMESTAMP",
                           options.retention_time_column, shape_.physical.fields[column].type.to_string()));
    if (!options.retention_age && !options.retention_rows)
      complain(key, Part::kKey, "'retention.time-column' needs 'retention.age' or 'retention.rows'");
  }

  const plan::TableShape& shape_;
  std::vector<OptionError>& errors_;
  std::vector<std::string> names_;
};

}  // namespace

const OptionTable<LocalTableOptions>& local_table_options() {
  static const OptionTable<LocalTableOptions> table{
      option("table", &LocalTableOptions::table, Necessity::kOptional,
             "The table's name in the database; without it, the name that the pipeline gives it."),
      option("indexes", &LocalTableOptions::indexes, Necessity::kOptional,
             "Indexes beside the PRIMARY KEY: columns separated by ',', indexes by ';', as in 'site; line, "
             "machine'. A look-up makes the one that it needs by itself."),
      option("retention.age", &LocalTableOptions::retention_age, Necessity::kOptional,
             "Rows that are older go."),
      option("retention.time-column", &LocalTableOptions::retention_time_column, Necessity::kOptional,
             "The TIMESTAMP column that tells a row's age, as UTC; without it, age counts from when the row "
             "was last written."),
      option("retention.rows", &LocalTableOptions::retention_rows, Necessity::kOptional,
             "Above so many rows the oldest go."),
      lookup_cache_option<LocalTableOptions>(),
      lookup_max_rows_option<LocalTableOptions>(),
      lookup_missing_keys_option<LocalTableOptions>()};
  return table;
}

LocalTable local_table(std::string_view declared_name, const OptionMap& options, const Schema& columns,
                       const std::vector<std::size_t>& primary_key) {
  const LocalTableOptions read = read_options(options);
  LocalTable table{.name = read.table.empty() ? std::string(declared_name) : read.table,
                   .columns = columns,
                   .primary_key = primary_key,
                   .retention = {read.retention_age, read.retention_time_column, read.retention_rows}};
  for (const std::string& index : read.indexes) table.indexes.push_back(columns_of_index(index));
  for (const std::size_t key : primary_key)
    table.columns.fields[key].type = table.columns.fields[key].type.with_nullable(false);
  return table;
}

LookupOptions read_lookup_options(const OptionMap& map) {
  return read_options(map);
}

void validate_local_table(const OptionMap& options, const plan::TableShape& shape,
                          std::vector<OptionError>& errors) {
  Validator(shape, errors).check(read_options(options));
}

bool is_reserved_table(std::string_view name) {
  static constexpr std::array<std::string_view, 9> kOwn = {"store",     "pipelines",    "positions",
                                                           "operators", "state",        "outboxes",
                                                           "blocks",    "dead_letters", "dead_letter_totals"};
  const std::string lower = lower_case(name);
  return lower.empty() || lower.starts_with(kReservedPrefix) || lower.starts_with("sqlite_") ||
         std::ranges::find(kOwn, lower) != kOwn.end();
}

}  // namespace leat::sources
