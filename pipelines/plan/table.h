// A table of the pipeline file, bound: its columns as expressions over what its source gives, its options,
// its connector and format. Made once by CREATE TABLE, then only read, but for the roles in which it is used.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipelines/plan/bind_context.h"
#include "pipelines/plan/node.h"
#include "pipelines/sql/statement.h"

namespace leat::plan {

struct TableOption {
  sql::StringWord key;
  sql::StringWord value;
};

struct TableColumn {
  const sql::ColumnDefinition* definition = nullptr;  ///< Lives in the script, or in `Table::query_columns`.
  Type type;                 ///< Of the definition, or of the query of CREATE TABLE … AS.
  bool typed = true;         ///< False: its type was wrong, reported; who reads it says nothing more.
  ExprPtr value;             ///< Over the decoded columns: all physical ones, then `Table::metadata`.
  std::string metadata_key;  ///< Of kMetadata.
  bool partition = false;    ///< Of PARTITIONED BY: physical, but not in the records.

  [[nodiscard]] const std::string& name() const { return definition->name.text; }
  [[nodiscard]] bool physical() const {
    using enum sql::ColumnDefinition::Kind;
    return definition->kind == kPhysical || definition->kind == kNameOnly;
  }
  /// True if an INSERT may give it a value.
  [[nodiscard]] bool persisted() const {
    return physical() ||
           (definition->kind == sql::ColumnDefinition::Kind::kMetadata && !definition->is_virtual);
  }
};

struct Table {
  std::string name;
  sql::SourceSpan span;  ///< Of the name.
  std::vector<TableColumn> columns;
  /// Of the columns that only a query has named: CREATE TABLE … AS.
  std::vector<std::shared_ptr<const sql::ColumnDefinition>> query_columns;
  std::vector<ScanNode::Metadata> metadata;
  const sql::WatermarkDefinition* watermark_definition = nullptr;
  std::optional<WatermarkSpec> watermark;
  const sql::PrimaryKey* primary_key_definition = nullptr;
  /// PARTITIONED BY: after LIKE, in its order. Names that are wrong are reported and not in it.
  std::vector<sql::Identifier> partitioned_by;
  std::vector<TableOption> options;  ///< After LIKE.
  const ConnectorInfo* connector = nullptr;
  const FormatInfo* format = nullptr;
  const FormatInfo* key_format = nullptr;  ///< Of the records' keys, where the connector reads them.
  /// Its columns are not known; whoever reads it says nothing more about it.
  bool broken = false;

  bool read = false;
  bool written = false;
  std::shared_ptr<const ScanNode> scan;  ///< Made by the first reader, shared by all.
  /// Of its scan and of its sink: no two tables of a pipeline share it. Set when the table is first used.
  std::string unique_name;

  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const;
  [[nodiscard]] std::vector<std::string> column_names() const;
  [[nodiscard]] OptionMap option_map() const;
  [[nodiscard]] const TableOption* find_option(std::string_view key) const;
  /// What is in the records: no columns that the table is partitioned by.
  [[nodiscard]] Schema physical_schema() const;
  [[nodiscard]] Schema partition_schema() const;
  /// The PRIMARY KEY as columns of `physical_schema`, in their order there. Of one that takes in columns that
  /// are not there: empty.
  [[nodiscard]] std::vector<std::size_t> physical_key() const;
};

/// What a table takes its columns from besides its own definitions.
struct TableOrigin {
  const Table* like = nullptr;  ///< LIKE's table; null: there is none.
  const Schema* as = nullptr;  ///< Of the query of CREATE TABLE … AS; null: there is none, or it has errors.
};
/// Reports what is wrong; the table comes in any case, broken maybe.
std::unique_ptr<Table> bind_table(const sql::CreateTable& statement, const TableOrigin& origin,
                                  const BindContext& context);
/// Finds connector and format by the options, with errors at their values.
void bind_connector(Table& table, const BindContext& context);
/// Checks the options for the roles in which the table is used; for an unused one, it is enough if one role
/// that its connector has takes them.
void check_options(const Table& table, const BindContext& context);
/// The keys of options that belong to the watermark, read. Errors are reported.
void bind_watermark_options(Table& table, const BindContext& context);
/// The shared scan of the whole table. Behind its columns it gives out ScanNode::deletion, if there is one.
std::shared_ptr<const ScanNode> scan_of(Table& table);

/// Which columns of a finished `sink` its table is partitioned by.
void set_partitions(const Table& table, SinkNode& sink);

/// The rows of `scan` will come from another source, which is one stream.
void without_splits(ScanNode& scan);

}  // namespace leat::plan
