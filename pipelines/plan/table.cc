#include "pipelines/plan/table.h"

#include <algorithm>

namespace leat::plan {

std::optional<std::size_t> Table::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name() == column) return i;
  return std::nullopt;
}

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> names;
  for (const TableColumn& column : columns) names.push_back(column.name());
  return names;
}

OptionMap Table::option_map() const {
  OptionMap map;
  for (const TableOption& option : options) map[option.key.text] = option.value.text;
  return map;
}

const TableOption* Table::find_option(std::string_view key) const {
  for (const TableOption& option : options)
    if (option.key.text == key) return &option;
  return nullptr;
}

Schema Table::physical_schema() const {
  Schema schema;
  for (const TableColumn& column : columns)
    if (column.physical() && !column.partition) schema.fields.push_back({column.name(), column.type});
  return schema;
}

Schema Table::partition_schema() const {
  Schema schema;
  for (const sql::Identifier& column : partitioned_by)
    schema.fields.push_back({column.text, columns[*find(column.text)].type});
  return schema;
}

std::vector<std::size_t> Table::physical_key() const {
  std::vector<std::size_t> key;
  if (!primary_key_definition) return key;
  std::size_t index = 0;
  for (const TableColumn& column : columns) {
    if (!column.physical()) continue;
    const auto& names = primary_key_definition->columns;
    const bool in_key = std::ranges::find(names, column.name(), &sql::Identifier::text) != names.end();
    if (in_key && column.partition) return {};
    if (in_key) key.push_back(index);
    if (!column.partition) ++index;
  }
  return key;
}

namespace {

/// A row's column that no text can name; gives its index in `rows`.
std::size_t add_hidden(ScanNode& scan, const MetadataColumn& hidden) {
  const std::size_t decoded = scan.physical.size() + scan.metadata.size();
  scan.metadata.push_back({hidden.key, hidden.type});
  scan.rows.push_back(make_column(decoded, hidden.type, hidden.key));
  scan.row_names.push_back(hidden.key);
  return scan.rows.size() - 1;
}

/// What the connector tells of its rows beside their columns. The split comes last: `without_splits` counts
/// on that.
void add_hidden_columns(const ConnectorInfo& connector, ScanNode& scan) {
  if (connector.deletions) {
    scan.deletion = add_hidden(scan, *connector.deletions);
    scan.output.push_back(*scan.deletion);
    scan.schema.fields.push_back({connector.deletions->key, connector.deletions->type});
    scan.time_attributes.push_back(TimeAttribute::kNone);
  }
  if (!connector.splits || !scan.watermark || scan.watermark->partition_by || scan.watermark->at_end_only)
    return;
  scan.watermark->partition_by = add_hidden(scan, *connector.splits);
  scan.watermark->by_split = true;
}

}  // namespace

void without_splits(ScanNode& scan) {
  if (!scan.watermark || !scan.watermark->by_split) return;
  scan.rows[*scan.watermark->partition_by] = make_literal(scan.metadata.back().type, Value::null());
  scan.metadata.pop_back();
  scan.watermark->partition_by.reset();
  scan.watermark->by_split = false;
}

std::shared_ptr<const ScanNode> scan_of(Table& table) {
  table.read = true;
  if (table.scan) return table.scan;
  auto scan = std::make_shared<ScanNode>();
  scan->table = table.unique_name;
  scan->options = table.option_map();
  if (table.connector) {
    scan->connector = table.connector->name;
    scan->bounded = table.connector->bounded && table.connector->bounded(scan->options);
  }
  scan->updating = table.format != nullptr && table.format->changelog;
  scan->physical = table.physical_schema();
  scan->primary_key = table.physical_key();
  for (std::size_t i = 0; i < scan->physical.size(); ++i) scan->physical_wanted.push_back(i);
  scan->metadata = table.metadata;
  scan->partitions = table.partition_schema();
  scan->watermark = table.watermark;
  for (const TableColumn& column : table.columns) {
    const bool rowtime = table.watermark && table.watermark->column == scan->rows.size();
    const bool proctime = column.value->kind == ExprKind::kCall && column.value->name == "PROCTIME";
    scan->output.push_back(scan->rows.size());
    scan->rows.push_back(column.value);
    scan->row_names.push_back(column.name());
    scan->schema.fields.push_back({column.name(), column.type});
    scan->time_attributes.push_back(rowtime    ? TimeAttribute::kRowTime
                                    : proctime ? TimeAttribute::kProcTime
                                               : TimeAttribute::kNone);
  }
  if (table.connector) add_hidden_columns(*table.connector, *scan);
  table.scan = std::move(scan);
  return table.scan;
}

void set_partitions(const Table& table, SinkNode& sink) {
  for (const sql::Identifier& name : table.partitioned_by)
    sink.partitions.push_back(*sink.schema.find(name.text));
}

}  // namespace leat::plan
