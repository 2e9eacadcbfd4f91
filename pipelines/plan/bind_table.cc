// CREATE TABLE: columns, metadata, computed columns, primary key and watermark.
#include <algorithm>
#include <functional>

#include "pipelines/base/nearest.h"
#include "pipelines/plan/bind_expr.h"
#include "pipelines/plan/bind_like.h"
#include "pipelines/plan/bind_type.h"
#include "pipelines/plan/coerce.h"
#include "pipelines/plan/table.h"

namespace leat::plan {
namespace {

using ColumnKind = sql::ColumnDefinition::Kind;

class TableBinder {
 public:
  TableBinder(Table& table, const BindContext& context) : table_(table), context_(context) {}

  void bind() {
    bind_types();
    bind_partitions();
    bind_primary_key();
    bind_physical();
    bind_partition_values();
    bind_metadata();
    bind_computed();
    if (table_.watermark_definition) bind_watermark(*table_.watermark_definition);
    bind_watermark_options(table_, context_);
  }

 private:
  void bind_types() {
    for (TableColumn& column : table_.columns) {
      if (!column.definition->type) continue;
      const std::optional<Type> type = bind_type(*column.definition->type, context_);
      column.typed = type.has_value();
      table_.broken = table_.broken || !type;
      if (type) column.type = *type;
    }
  }

  void bind_physical() {
    std::size_t index = 0;
    for (TableColumn& column : table_.columns)
      if (column.physical() && column.typed && !column.partition)
        column.value = make_column(index++, column.type, column.name());
  }

  // ---- PARTITIONED BY ------------------------------------------------------------------------------------

  void bind_partitions() {
    std::erase_if(table_.partitioned_by,
                  [this](const sql::Identifier& name) { return !bind_partition(name); });
    const auto in_records = [](const TableColumn& c) { return c.physical() && !c.partition; };
    if (!table_.partitioned_by.empty() && std::ranges::none_of(table_.columns, in_records))
      context_.diagnostics.error(table_.partitioned_by[0].span,
                                 "'" + table_.name + "' is partitioned by all of its columns",
                                 "leave one for the records");
  }

  bool bind_partition(const sql::Identifier& name) {
    const auto refuse = [&](const std::string& what, std::string hint) {
      context_.diagnostics.error(name.span, what, std::move(hint));
      return false;
    };
    const std::optional<std::size_t> index = table_.find(name.text);
    if (!index) return unknown_column(name), false;
    TableColumn& column = table_.columns[*index];
    if (table_.connector && !table_.connector->has_partitions)
      return refuse("the connector '" + table_.connector->name + "' has no partitions",
                    "leave PARTITIONED BY out: the rows go to one place");
    if (!column.physical())
      return refuse("PARTITIONED BY column '" + name.text + "' must be a physical column", "");
    if (column.partition) return refuse("column '" + name.text + "' is named twice", "");
    if (column.typed && !names_folders(column.type))
      return refuse("PARTITIONED BY column '" + name.text + "' is " + column.type.to_string() +
                        ", whose values do not make names of folders",
                    "a text, a number, a BOOLEAN, a DATE, TIME or TIMESTAMP does");
    column.partition = true;
    return true;
  }

  static bool names_folders(const Type& type) {
    return !type.is_nested() && !type.is_binary() && type.kind() != TypeKind::kTimestampLtz &&
           type.kind() != TypeKind::kNull;
  }

  /// They come as metadata does, behind what is in the records.
  void bind_partition_values() {
    const std::size_t physical = table_.physical_schema().size();
    for (const Type::Field& field : table_.partition_schema().fields) {
      TableColumn& column = table_.columns[*table_.find(field.name)];
      if (!column.typed) continue;
      column.value = make_column(physical + table_.metadata.size(), column.type, column.name());
      table_.metadata.push_back({field.name, field.type});
    }
  }

  // ---- PRIMARY KEY ---------------------------------------------------------------------------------------

  void bind_primary_key() {
    if (!table_.primary_key_definition) return;
    for (const sql::Identifier& name : table_.primary_key_definition->columns) {
      const std::optional<std::size_t> index = table_.find(name.text);
      if (!index) {
        unknown_column(name);
      } else if (!table_.columns[*index].physical()) {
        context_.diagnostics.error(name.span,
                                   "PRIMARY KEY column '" + name.text + "' must be a physical column");
      } else {
        table_.columns[*index].type = table_.columns[*index].type.with_nullable(false);
      }
    }
  }

  void unknown_column(const sql::Identifier& name) {
    context_.diagnostics.error(
        name.span, "unknown column '" + name.text + "'" + did_you_mean(name.text, table_.column_names()));
  }

  // ---- METADATA ------------------------------------------------------------------------------------------

  void bind_metadata() {
    std::vector<MetadataColumn> offered;
    if (table_.connector && table_.connector->metadata)
      offered = table_.connector->metadata(table_.option_map());
    for (const MetadataColumn& metadata : offered) refuse_partition_of_name(metadata.key);
    for (TableColumn& column : table_.columns) {
      if (column.definition->kind != ColumnKind::kMetadata) continue;
      column.metadata_key =
          column.definition->metadata_key ? column.definition->metadata_key->text : column.name();
      const auto found = std::ranges::find(offered, column.metadata_key, &MetadataColumn::key);
      if (found == offered.end() && table_.connector) unknown_metadata(column, offered);
      if (column.typed)
        column.value = metadata_value(column, found == offered.end() ? column.type : found->type);
      if (!column.value) table_.broken = true;
    }
  }

  /// It would be read under the same key.
  void refuse_partition_of_name(const std::string& key) {
    const auto found = std::ranges::find(table_.partitioned_by, key, &sql::Identifier::text);
    if (found != table_.partitioned_by.end())
      context_.diagnostics.error(found->span,
                                 "a column of PARTITIONED BY must not have the name of metadata");
  }

  void unknown_metadata(const TableColumn& column, const std::vector<MetadataColumn>& offered) {
    std::vector<std::string> keys;
    std::string list;
    for (const MetadataColumn& metadata : offered) {
      keys.push_back(metadata.key);
      list += (list.empty() ? "it has '" : ", '") + metadata.key + "'";
    }
    const auto& key = column.definition->metadata_key;
    context_.diagnostics.error(key ? key->span : column.definition->name.span,
                               "the connector '" + table_.connector->name + "' has no metadata '" +
                                   column.metadata_key + "'" + did_you_mean(column.metadata_key, keys),
                               list.empty() ? "it has no metadata at all" : list);
  }

  /// The decoded column behind the physical ones, cast to the declared type.
  ExprPtr metadata_value(const TableColumn& column, const Type& type) {
    const std::size_t physical = table_.physical_schema().size();
    const auto found = std::ranges::find(table_.metadata, column.metadata_key, &ScanNode::Metadata::key);
    const auto index = static_cast<std::size_t>(found - table_.metadata.begin());
    if (found == table_.metadata.end()) table_.metadata.push_back({column.metadata_key, type});
    ExprPtr value = make_column(physical + index, type, column.metadata_key);
    return coerce(std::move(value), column.type, column.definition->span, context_);
  }

  // ---- Computed columns ----------------------------------------------------------------------------------

  enum class Mark : std::uint8_t { kNew, kOpen, kDone };

  /// In the order of their dependencies: a computed column may use others, wherever they stand.
  void bind_computed() {
    marks_.assign(table_.columns.size(), Mark::kNew);
    for (std::size_t i = 0; i < table_.columns.size(); ++i) bind_computed(i);
    for (const TableColumn& column : table_.columns)
      if (!column.value) table_.broken = true;
  }

  void bind_computed(std::size_t index) {
    TableColumn& column = table_.columns[index];
    if (column.definition->kind != ColumnKind::kComputed || marks_[index] == Mark::kDone) return;
    if (marks_[index] == Mark::kOpen) {
      context_.diagnostics.error(column.definition->span,
                                 "the computed column '" + column.name() + "' depends on itself");
      marks_[index] = Mark::kDone;
      return;
    }
    marks_[index] = Mark::kOpen;
    bool known = true;
    for_each_name(*column.definition->computed, [&](const std::string& name) {
      const std::optional<std::size_t> other = table_.find(name);
      if (!other) return;
      bind_computed(*other);
      known = known && table_.columns[*other].value;
    });
    marks_[index] = Mark::kDone;
    column.typed = known;
    if (!known) return;  // What it needs has failed, or needs it: that has been reported.
    const Scope scope = columns_so_far();
    column.value = ExprBinder(scope, context_, "a computed column").bind(*column.definition->computed);
    column.typed = column.value != nullptr;
    if (column.value) column.type = column.value->type;
  }

  static void for_each_name(const sql::Expression& expression,
                            const std::function<void(const std::string&)>& visit) {
    if (const auto* column = sql::as<sql::ColumnName>(expression)) visit(column->name.parts[0].text);
    sql::for_each_child(expression, [&](const sql::Expression& child) { for_each_name(child, visit); });
  }

  Scope columns_so_far() const {
    ScopeTable columns{table_.name, {}};
    for (const TableColumn& column : table_.columns)
      if (column.value) columns.columns.push_back({column.name(), column.value});
    Scope scope;
    scope.add(std::move(columns));
    return scope;
  }

  // ---- WATERMARK -----------------------------------------------------------------------------------------

  void bind_watermark(const sql::WatermarkDefinition& definition) {
    const sql::Identifier& name = definition.column.parts[0];
    const std::optional<std::size_t> index = table_.find(name.text);
    if (definition.column.parts.size() > 1)
      return context_.diagnostics.error(definition.column.span,
                                        "a rowtime must be a column of the table, not a field of one",
                                        "add a computed column: ts AS " + definition.column.to_string());
    if (!index) return unknown_column(name);
    if (!all_typed(*definition.value) || !table_.columns[*index].typed) return;
    const Type& type = table_.columns[*index].type;
    if (!type.is_timestamp() || type.precision() > 3) return wrong_rowtime(name, type);
    Scope scope;
    ScopeTable rows{table_.name, {}};
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      rows.columns.push_back(
          {table_.columns[i].name(), make_column(i, table_.columns[i].type, table_.columns[i].name())});
    scope.add(std::move(rows));
    ExprPtr value = ExprBinder(scope, context_, "WATERMARK").bind(*definition.value);
    if (!value) return;
    if (value->type.kind() != type.kind())
      return context_.diagnostics.error(definition.value->span,
                                        "the watermark must be of the type of '" + name.text + "', " +
                                            type.with_nullable(true).to_string() + ", but it is " +
                                            value->type.with_nullable(true).to_string());
    value = coerce(std::move(value), type, definition.value->span, context_);
    if (value)
      table_.watermark = WatermarkSpec{.column = *index,
                                       .expr = std::move(value),
                                       .idle_timeout = context_.settings.source_idle_timeout,
                                       .at_end_only = context_.settings.batch};
  }

  /// False: a column that it reads has a wrong type or value, which has been reported.
  bool all_typed(const sql::Expression& expression) const {
    bool typed = true;
    for_each_name(expression, [&](const std::string& name) {
      const std::optional<std::size_t> column = table_.find(name);
      typed = typed && (!column || table_.columns[*column].typed);
    });
    return typed;
  }

  void wrong_rowtime(const sql::Identifier& name, const Type& type) {
    std::string hint = "add a computed column and put the watermark on it: ";
    if (type.is_timestamp())
      hint += "rowtime AS CAST(" + name.text + " AS " + Type(type.kind(), 3).to_string() + ")";
    else if (type.is_character())
      hint += "rowtime AS TO_TIMESTAMP(" + name.text + ")";
    else if (type.is_integer())
      hint += "rowtime AS TO_TIMESTAMP_LTZ(" + name.text + ", 3)";
    else
      hint.clear();
    context_.diagnostics.error(name.span,
                               "a rowtime must be TIMESTAMP(3) or TIMESTAMP_LTZ(3), but '" + name.text +
                                   "' is " + type.with_nullable(true).to_string(),
                               hint);
  }

  Table& table_;
  const BindContext& context_;
  std::vector<Mark> marks_;
};

/// Clauses that are read and not run.
void refuse_clauses(const sql::CreateTable& statement, const BindContext& context) {
  if (statement.distribution)
    context.not_yet(statement.distribution->span, "DISTRIBUTED BY",
                    "a table of Leat is one stream: leave it out");
}

}  // namespace

std::unique_ptr<Table> bind_table(const sql::CreateTable& statement, const TableOrigin& origin,
                                  const BindContext& context) {
  auto table = std::make_unique<Table>();
  table->name = statement.name.table_key();
  table->span = statement.name.span;
  refuse_clauses(statement, context);
  const Table* base = origin.like;
  table->broken = (statement.as && !origin.as) || (statement.like && !base) || (base && base->broken);
  merge_definitions(statement, origin, *table, context);
  bind_connector(*table, context);
  TableBinder(*table, context).bind();
  return table;
}

}  // namespace leat::plan
