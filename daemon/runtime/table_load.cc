#include "daemon/runtime/table_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/runtime/catalog.h"
#include "daemon/runtime/sink_writer.h"
#include "pipelines/base/nearest.h"
#include "pipelines/formats/lines.h"
#include "pipelines/plan/planner.h"

namespace leat::runtime {
namespace {

std::string in_backticks(std::string_view name) {
  std::string text = "`";
  for (const char c : name) text += c == '`' ? std::string("``") : std::string(1, c);
  return text + "`";
}

std::string in_quotes(std::string_view value) {
  std::string text = "'";
  for (const char c : value) text += c == '\'' ? std::string("''") : std::string(1, c);
  return text + "'";
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> names;
  for (const Type::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

/// Indexes of the columns that the text has, in its order.
Result<std::vector<std::size_t>> columns_of(const plan::SinkNode& sink, const TableText& text) {
  std::vector<std::size_t> columns;
  if (text.columns.empty())
    for (std::size_t i = 0; i < sink.schema.size(); ++i) columns.push_back(i);
  for (const std::string& name : text.columns) {
    const auto column = sink.schema.find(name);
    if (!column)
      return fail(ErrorCode::kInvalid, fmt::format("the table '{}' has no column '{}'{}", sink.table, name,
                                                   did_you_mean(name, names_of(sink.schema))));
    if (std::ranges::find(columns, *column) != columns.end())
      return fail(ErrorCode::kInvalid, fmt::format("the column '{}' is there twice", name));
    columns.push_back(*column);
  }
  return columns;
}

/// The format of a text; one whose records do not follow each other, or are no rows, is refused.
Result<const formats::Format*> loadable_format(const std::string& name) {
  const formats::Format* const format = formats::find_format(name);
  if (format == nullptr || !format->make_decoder)
    return fail(ErrorCode::kInvalid, fmt::format("there is no format '{}' to load from", name));
  if (format->changelog)
    return fail(ErrorCode::kInvalid, fmt::format("'{}' says how rows change, and a load takes rows", name));
  std::vector<OptionError> errors;
  if (format->check_in_files) format->check_in_files({{"format", name}}, errors);
  if (!errors.empty()) return fail(ErrorCode::kInvalid, errors.front().message);
  return format;
}

/// Decodes a whole text, with room behind it as decoders want.
class TextDecoder {
 public:
  TextDecoder(const plan::SinkNode& sink, std::vector<std::size_t> columns)
      : sink_(sink), columns_(std::move(columns)) {
    // NOT NULL is judged when the row is whole.
    for (const std::size_t column : columns_) {
      const Type::Field& field = sink_.schema.fields[column];
      schema_.fields.push_back({field.name, field.type.with_nullable(true)});
    }
  }

  Result<Batch> decode(const TableText& text, Loaded& loaded) {
    LEAT_ASSIGN(const formats::Format* const format, loadable_format(text.format));
    formats::DecodeRequest request{.schema = schema_, .framing = formats::Framing::kLines};
    for (std::size_t i = 0; i < schema_.size(); ++i) request.wanted.push_back(i);
    OptionMap options;
    // A cut file is not to empty columns.
    if (text.format == "csv") options.emplace("csv.fail-on-missing-columns", "true");
    LEAT_ASSIGN(const auto decoder, format->make_decoder(options, request));
    const std::string_view records = format->text ? formats::without_byte_order_mark(text.text) : text.text;
    auto payload = std::make_shared<std::string>(records);
    payload->append(formats::kPayloadPadding, ' ');
    std::vector<ColumnBuilder> builders;
    for (const Type::Field& field : schema_.fields) builders.emplace_back(field.type);
    std::vector<ColumnBuilder*> given;
    for (ColumnBuilder& builder : builders) {
      builder.keep(payload);
      given.push_back(&builder);
    }
    std::vector<formats::BadRecord> bad;
    const auto count = decoder->decode(std::string_view(*payload).substr(0, records.size()), given, bad);
    loaded.refused += bad.size();
    if (!bad.empty())
      loaded.first_refusal = fmt::format("{}: {}", bad.front().bytes.substr(0, 200), bad.front().reason);
    return whole_rows(static_cast<std::size_t>(count.rows), builders);
  }

 private:
  /// Columns that the text does not have are NULL.
  Batch whole_rows(std::size_t rows, std::vector<ColumnBuilder>& builders) const {
    Batch batch{.size = rows};
    for (const Type::Field& field : sink_.schema.fields)
      batch.columns.push_back(Column::nulls(field.type.with_nullable(true), rows));
    for (std::size_t i = 0; i < columns_.size(); ++i) batch.columns[columns_[i]] = builders[i].finish();
    batch.watermarks.assign(rows, kMinWatermark);
    batch.intake_times.assign(rows, 0);
    return batch;
  }

  const plan::SinkNode& sink_;
  const std::vector<std::size_t> columns_;
  Schema schema_;
};

}  // namespace

std::string declaration_of(const store::TableStatus& table) {
  std::string text = "CREATE TABLE " + in_backticks(table.name) + " (\n";
  for (const store::TableStatus::Column& column : table.columns)
    text += fmt::format("  {} {},\n", in_backticks(column.name), column.type);
  if (table.primary_key.empty()) {
    text.erase(text.size() - 2, 1);
  } else {
    std::string key;
    for (const std::string& column : table.primary_key)
      key += (key.empty() ? "" : ", ") + in_backticks(column);
    text += fmt::format("  PRIMARY KEY ({}) NOT ENFORCED\n", key);
  }
  text += ") WITH ('connector' = 'sqlite'";
  if (table.retention.age)
    text += fmt::format(", 'retention.age' = {}", in_quotes(format_duration(*table.retention.age)));
  if (!table.retention.time_column.empty())
    text += fmt::format(", 'retention.time-column' = {}", in_quotes(table.retention.time_column));
  if (table.retention.rows) text += fmt::format(", 'retention.rows' = '{}'", *table.retention.rows);
  return text + ");";
}

Result<plan::SinkNode> sink_of_table(store::TableStore& tables, const std::string& table) {
  const auto found = tables.find(table);
  if (!found && found.error().code == ErrorCode::kNotFound)
    return fail(ErrorCode::kNotFound,
                found.error().message +
                    "; a pipeline that declares it with 'connector' = 'sqlite' makes it when it starts");
  if (!found) return tl::unexpected<Error>(found.error());
  const plan::PlanOutcome outcome = plan::plan_pipeline(
      {.file = found->name,
       .text = declaration_of(*found) + "SELECT * FROM " + in_backticks(found->name) + ";",
       .overrides = {},
       .allow_select = true},
      catalog());
  if (!outcome.ok() || outcome.plan.scans.size() != 1)
    return fail(ErrorCode::kInternal,
                fmt::format("the declaration of '{}' cannot be read back", found->name));
  plan::SinkNode sink;
  sink.table = found->name;
  sink.connector = "sqlite";
  sink.schema = outcome.plan.scans[0]->physical;
  sink.primary_key = outcome.plan.scans[0]->primary_key;
  return sink;
}

Result<Loaded> load_into_table(store::TableStore& tables, const std::string& table, const TableText& text,
                               std::int64_t now) {
  LEAT_ASSIGN(const plan::SinkNode sink, sink_of_table(tables, table));
  LEAT_ASSIGN(std::vector<std::size_t> columns, columns_of(sink, text));
  Loaded loaded;
  LEAT_ASSIGN(const Batch batch, TextDecoder(sink, std::move(columns)).decode(text, loaded));
  LEAT_ASSIGN(const auto writer, SinkWriter::create(sink, "UTC"));
  std::vector<store::DeadLetter> dead;
  writer->write(batch, now, dead);
  loaded.refused += dead.size();
  if (!dead.empty() && loaded.first_refusal.empty())
    loaded.first_refusal = fmt::format("{}: {}", dead.front().payload, dead.front().reason);
  if (auto rows = writer->take_rows()) {
    loaded.rows = writer->counters().emitted;
    LEAT_TRY(tables.put(*std::move(rows)));
  }
  return loaded;
}

}  // namespace leat::runtime
