// WITH: connector, format and the check of every key and value, in the role that the table plays.
#include <algorithm>
#include <set>

#include "pipelines/base/flink_option.h"
#include "pipelines/base/nearest.h"
#include "pipelines/base/option_judgement.h"
#include "pipelines/base/placeholders.h"
#include "pipelines/plan/common_options.h"
#include "pipelines/plan/table.h"

namespace leat::plan {
namespace {

using Docs = std::vector<OptionDoc>;
using Errors = std::vector<OptionError>;

enum class Role : std::uint8_t { kSource, kSink };

OptionDoc doc(std::string key) {
  return {std::move(key), "string", "", Necessity::kOptional, ""};
}

void append(Docs& docs, const Docs& more) {
  docs.insert(docs.end(), more.begin(), more.end());
}

/// How a connector whose records have keys of their own names the format of their values; null: it has no
/// such name.
std::optional<OptionDoc> value_format(const ConnectorInfo& connector) {
  if (!connector.sink_options) return std::nullopt;
  const Docs own = connector.sink_options();
  const auto found = std::ranges::find(own, "value.format", &OptionDoc::key);
  return found == own.end() ? std::nullopt : std::optional(*found);
}

/// What stands before the keys of a table's format. With 'value.format' its options are 'value.json.…';
/// 'upsert-kafka' has no other name for it, 'kafka' takes 'format', too.
std::string format_prefix(const Table& table) {
  const std::optional<OptionDoc> value = value_format(*table.connector);
  if (!value) return {};
  return value->necessity == Necessity::kRequired || table.find_option(value->key) ? "value." : "";
}

const TableOption* format_option(const Table& table) {
  return table.find_option(format_prefix(table) + "format");
}

Docs format_keys(const Table& table) {
  const std::string prefix = format_prefix(table);
  Docs docs = {doc(prefix + "format")};
  const std::optional<OptionDoc> value = value_format(*table.connector);
  if (value && value->necessity == Necessity::kOptional) docs.push_back(doc("format"));
  if (table.format && table.format->options)
    for (OptionDoc row : table.format->options()) {
      row.key.insert(0, prefix);
      docs.push_back(std::move(row));
    }
  // A key that is written has a format with no options.
  if (table.key_format && table.key_format->options)
    for (OptionDoc row : table.key_format->options()) {
      row.key.insert(0, "key.");
      docs.push_back(std::move(row));
    }
  const TableOption* format = format_option(table);
  if (format && !table.format)
    docs.push_back(doc(prefix + format->value.text + ".*"));  // An unknown format's keys.
  if (!format && !prefix.empty()) docs.push_back(doc(prefix + "*"));
  return docs;
}

/// Keys that the connector's own table for `role` does not have to know.
Docs foreign_keys(const Table& table, Role role) {
  const ConnectorInfo& connector = *table.connector;
  Docs docs = {doc("connector")};
  if (connector.needs_format) append(docs, format_keys(table));
  if (connector.can_read) append(docs, common_source_options());
  if (connector.can_write && connector.delivered) append(docs, common_sink_options());
  // A table that is read and written has the keys of both roles.
  if (role == Role::kSink && connector.source_options) append(docs, connector.source_options());
  if (role == Role::kSource && connector.sink_options) append(docs, connector.sink_options());
  return docs;
}

/// The options whose keys are in `docs`.
OptionMap only(const OptionMap& options, const Docs& docs) {
  OptionMap own;
  for (const auto& [key, value] : options)
    if (std::ranges::any_of(docs,
                            [&, &name = key](const OptionDoc& row) { return option_matches(row, name); }))
      own[key] = value;
  return own;
}

void read_delivery_options(const OptionMap& options, Errors& errors) {
  const DeliveryOptions read = delivery_options().read(only(options, common_sink_options()), {}, errors);
  judge_together(errors, [&](Errors& found) { check_delivery_options(read, found); });
}

TableShape shape_of(const Table& table) {
  return {.name = table.name,
          .physical = table.physical_schema(),
          .primary_key = table.physical_key(),
          .partitions = table.partition_schema()};
}

/// Errors of a format, under the keys that the user has written.
void validate_format(const FormatInfo& format, Role role, const std::string& prefix, const Schema& schema,
                     const OptionMap& options, Errors& errors) {
  Errors own;
  const OptionMap values = options_behind(options, prefix);
  if (format.validate) format.validate(values, schema, own);
  const auto& in_role = role == Role::kSink ? format.validate_sink : format.validate_source;
  if (in_role) judge_together(own, [&](Errors& found) { in_role(values, schema, found); });
  for (OptionError& error : own) {
    error.key.insert(0, prefix);
    errors.push_back(std::move(error));
  }
}

RecordLayout layout_of(const Table& table, const OptionMap& options) {
  if (table.connector->record_layout) return table.connector->record_layout(options, shape_of(table));
  RecordLayout layout;
  for (std::size_t i = 0; i < table.physical_schema().size(); ++i) layout.value_columns.push_back(i);
  return layout;
}

void validate_key_format(const Table& table, const RecordLayout& layout, const OptionMap& options,
                         Errors& errors) {
  const TableOption* option = table.find_option("key.format");
  if (!option || !table.connector->record_layout) return;
  if (!table.key_format || !table.key_format->can_decode)
    errors.push_back({"key.format", OptionError::Part::kValue,
                      table.key_format ? "the format '" + option->value.text + "' cannot be read"
                                       : "unknown format '" + option->value.text + "'"});
  else if (layout.key.size() > 0)
    validate_format(*table.key_format, Role::kSource, "key.", layout.key, options, errors);
}

void validate_formats(const Table& table, Role role, const OptionMap& options, Errors& errors) {
  const RecordLayout layout = layout_of(table, options);
  const Schema all = table.physical_schema();
  Schema value;
  for (const std::size_t column : layout.value_columns) value.fields.push_back(all.fields[column]);
  if (table.format) validate_format(*table.format, role, format_prefix(table), value, options, errors);
  if (role == Role::kSource) validate_key_format(table, layout, options, errors);
}

Errors errors_in(const Table& table, Role role) {
  const OptionMap options = table.option_map();
  Errors errors;
  if (table.connector->needs_format) validate_formats(table, role, options, errors);
  if (role == Role::kSink) read_delivery_options(options, errors);
  const auto& validate =
      role == Role::kSource ? table.connector->validate_source : table.connector->validate_sink;
  if (validate) validate(options, foreign_keys(table, role), errors);
  judge_together(errors, [&](Errors& found) {
    if (table.connector->validate_table) table.connector->validate_table(options, shape_of(table), found);
    if (role == Role::kSource && table.connector->validate_source_table)
      table.connector->validate_source_table(options, shape_of(table), found);
    if (role == Role::kSink && table.connector->validate_sink_table)
      table.connector->validate_sink_table(options, shape_of(table), found);
  });
  return errors;
}

void report(const Table& table, const Errors& errors, const BindContext& context) {
  // The format and the connector, or both roles, may dislike one key; a value may be wrong in several ways.
  std::set<std::pair<std::string, std::string>> reported;
  for (const OptionError& error : errors) {
    const bool value = error.part == OptionError::Part::kValue;
    if (!reported.insert({error.key, value ? error.message : ""}).second) continue;
    const TableOption* option = table.find_option(error.key);
    sql::SourceSpan span = table.span;
    if (option) span = value ? option->value.span : option->key.span;
    context.diagnostics.error(span, error.message);
  }
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
  return list;
}

template <class Row>
std::vector<std::string> names_of(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.name);
  return names;
}

void bind_format(Table& table, const BindContext& context) {
  if (const TableOption* key = table.find_option("key.format"); key && table.connector->record_layout)
    table.key_format = context.catalog.find_format(key->value.text);
  const TableOption* option = format_option(table);
  const std::vector<std::string> known = names_of(context.catalog.formats);
  if (!option && !format_prefix(table).empty()) return;  // The connector's own option: it tells.
  if (!option)
    return context.diagnostics.error(
        table.span,
        "table '" + table.name + "' needs 'format' for the connector '" + table.connector->name + "'",
        "the formats are " + list_of(known));
  table.format = context.catalog.find_format(option->value.text);
  if (!table.format)
    context.diagnostics.error(
        option->value.span,
        "unknown format '" + option->value.text + "'" + did_you_mean(option->value.text, known),
        "the formats are " + list_of(known));
  else if (table.format->changelog && table.connector->changes == SinkChanges::kUpsert)
    context.diagnostics.error(option->value.span,
                              "the connector '" + table.connector->name + "' has a record per key, and '" +
                                  table.format->name + "' one per change",
                              "use 'json' here, or another connector");
}

/// 'format' names one that can only go the other way.
bool format_fits(const Table& table, Role role, const BindContext& context) {
  const TableOption* option = format_option(table);
  if (!table.format || !option ||
      (role == Role::kSource ? table.format->can_decode : table.format->can_encode))
    return true;
  context.diagnostics.error(option->value.span, "the format '" + table.format->name + "' cannot be " +
                                                    (role == Role::kSource ? "read" : "written"));
  return false;
}

/// Of the roles that the table plays.
Errors errors_in_roles(const Table& table, const BindContext& context) {
  Errors errors;
  for (const Role role : {Role::kSource, Role::kSink}) {
    const bool plays = role == Role::kSource ? table.read : table.written;
    if (!plays || !format_fits(table, role, context)) continue;
    for (OptionError& error : errors_in(table, role)) errors.push_back(std::move(error));
  }
  return errors;
}

}  // namespace

namespace {
void refuse_watermark_options(const Table& table, const BindContext& context) {
  if (!table.connector || !table.connector->can_read) return;  // Unknown keys there.
  for (const auto& [key, value] : only(table.option_map(), common_source_options()))
    context.diagnostics.error(table.find_option(key)->key.span,
                              "option '" + key + "' has no meaning without a watermark",
                              "declare WATERMARK FOR <column> AS <column> - INTERVAL '1' SECOND");
}
}  // namespace

void bind_connector(Table& table, const BindContext& context) {
  const std::vector<std::string> known = names_of(context.catalog.connectors);
  const TableOption* option = table.find_option("connector");
  if (!option)
    return context.diagnostics.error(table.span, "table '" + table.name + "' has no 'connector'",
                                     "add WITH ('connector' = '…'); the connectors are " + list_of(known));
  table.connector = context.catalog.find_connector(option->value.text);
  if (!table.connector)
    return context.diagnostics.error(
        option->value.span,
        "unknown connector '" + option->value.text + "'" + did_you_mean(option->value.text, known),
        "the connectors are " + list_of(known));
  if (table.connector->needs_format) bind_format(table, context);
}

namespace {
/// What 'WITH' may hold for the option of this key; none: nobody knows it.
std::optional<std::string> type_of(const Table& table, std::string_view key) {
  Docs docs = foreign_keys(table, Role::kSink);
  append(docs, foreign_keys(table, Role::kSource));
  const auto known =
      std::ranges::find_if(docs, [&](const OptionDoc& row) { return option_matches(row, key); });
  return known == docs.end() ? std::nullopt : std::optional(known->type);
}

/// '${env:NAME}' is for secrets: everything else is read, checked and shown as it is written.
void check_placeholders(const Table& table, const BindContext& context) {
  const auto nothing = [](const Placeholder&) { return Result<std::string>(std::string()); };
  for (const TableOption& option : table.options) {
    if (!has_placeholder(option.value.text)) continue;
    if (const auto filled = fill_placeholders(option.value.text, nothing); !filled)
      context.diagnostics.error(option.value.span, filled.error().message);
    else if (type_of(table, option.key.text).value_or("secret") != "secret")
      context.diagnostics.error(option.value.span,
                                "option '" + option.key.text + "' takes no placeholder: it is no secret",
                                "write the value itself; '$${' stands for the characters '${'");
  }
}

void warn_of_no_effect(const Table& table, const BindContext& context) {
  Docs docs;
  if (table.connector->source_options) append(docs, table.connector->source_options());
  if (table.connector->sink_options) append(docs, table.connector->sink_options());
  for (const TableOption& option : table.options) {
    const auto row = std::ranges::find_if(
        docs, [&](const OptionDoc& known) { return option_matches(known, option.key.text); });
    if (row != docs.end() && has_no_effect(*row))
      context.diagnostics.warning(option.key.span,
                                  "option '" + option.key.text + "' has no effect in Leat: " + row->doc);
  }
}
}  // namespace

void check_options(const Table& table, const BindContext& context) {
  if (!table.connector) return;
  check_placeholders(table, context);
  warn_of_no_effect(table, context);
  if (table.read || table.written) return report(table, errors_in_roles(table, context), context);
  std::vector<Errors> attempts;
  if (table.connector->can_read) attempts.push_back(errors_in(table, Role::kSource));
  if (table.connector->can_write) attempts.push_back(errors_in(table, Role::kSink));
  const auto best = std::ranges::min_element(attempts, {}, &Errors::size);
  if (best != attempts.end()) report(table, *best, context);
}

void bind_watermark_options(Table& table, const BindContext& context) {
  if (!table.watermark_definition) refuse_watermark_options(table, context);
  if (!table.watermark) return;
  Errors errors;
  const WatermarkOptions options =
      watermark_options().read(only(table.option_map(), common_source_options()), {}, errors);
  report(table, errors, context);
  if (options.idle_timeout) table.watermark->idle_timeout = *options.idle_timeout;
  table.watermark->max_ahead = options.max_ahead;
  if (!options.partition_by) return;
  const sql::SourceSpan span = table.find_option("scan.watermark.partition-by")->value.span;
  table.watermark->partition_by = table.find(*options.partition_by);
  if (!table.watermark->partition_by)
    context.diagnostics.error(span, "unknown column '" + *options.partition_by + "'" +
                                        did_you_mean(*options.partition_by, table.column_names()));
  else if (table.watermark->idle_timeout.count() <= 0)
    context.diagnostics.error(span, "a watermark per value needs 'scan.watermark.idle-timeout'",
                              "without it, one value that falls silent holds back all others for ever");
}

}  // namespace leat::plan
