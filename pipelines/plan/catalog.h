// What the planner knows of the world above it: connectors and their options, handed in by the composition
// root as data. The planner never touches a connector.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/column/type.h"

namespace leat::plan {

/// A column that a connector offers by `c TYPE METADATA [FROM 'key'] [VIRTUAL]`.
struct MetadataColumn {
  std::string key;
  Type type;
  bool writable = false;  ///< Sinks take it, too.
  std::string doc = {};
};

/// Which row kinds a sink takes.
enum class SinkChanges : std::uint8_t {
  kAppend,   ///< +I only
  kUpsert,   ///< +I, +U, -D by PRIMARY KEY
  kRetract,  ///< all four
};

/// A table that a connector is asked about.
struct TableShape {
  std::string_view name;
  Schema physical;                       ///< Without the columns that the table is partitioned by.
  std::vector<std::size_t> primary_key;  ///< Columns of `physical`.
  Schema partitions = {};                ///< Those columns.
};

/// Where a table's columns are in records that have a key beside their value.
struct RecordLayout {
  std::string key_format;                  ///< Empty: keys are not read.
  Schema key;                              ///< What the key's format sees: names without 'key.fields-prefix'.
  std::vector<std::size_t> key_columns;    ///< Of the table's physical columns, by column of `key`.
  std::vector<std::size_t> value_columns;  ///< Likewise, of those that are in the value; ascending.
};

struct ConnectorInfo {
  std::string name;
  std::string doc;
  bool can_read = false;
  bool can_write = false;
  /// Its tables may be joined FOR SYSTEM_TIME AS OF a processing time.
  bool can_look_up = false;
  /// Why a table with these options may not; empty: it may. Null: all may.
  std::function<std::string(const OptionMap&)> refuse_lookup = nullptr;
  /// Its tables may be PARTITIONED BY columns: their values are not in the records but in the names of
  /// folders.
  bool has_partitions = false;
  /// True if the connector carries payloads of a 'format'.
  bool needs_format = false;
  std::function<std::vector<OptionDoc>()> source_options;  ///< Null when !can_read.
  std::function<std::vector<OptionDoc>()> sink_options;    ///< Null when !can_write.
  /// Pure; appends what is wrong with the keys that are the connector's. Keys of others (format, common ones)
  /// are in `foreign`. A table is only validated for the role that the pipeline uses it in.
  std::function<void(const OptionMap&, const std::vector<OptionDoc>& foreign, std::vector<OptionError>&)>
      validate_source;
  std::function<void(const OptionMap&, const std::vector<OptionDoc>& foreign, std::vector<OptionError>&)>
      validate_sink;
  /// What concerns options and columns together, in every role; pure. Called when the options alone are well.
  std::function<void(const OptionMap&, const TableShape&, std::vector<OptionError>&)> validate_table;
  /// The same, of a table that is read.
  std::function<void(const OptionMap&, const TableShape&, std::vector<OptionError>&)> validate_source_table;
  /// The same, of a table that is written.
  std::function<void(const OptionMap&, const TableShape&, std::vector<OptionError>&)> validate_sink_table;
  /// May depend on options ('topic.pattern' gives its parts as metadata).
  std::function<std::vector<MetadataColumn>(const OptionMap&)> metadata;
  /// Metadata that nobody can name in SQL, with the split that a row comes from: each has a watermark of its
  /// own unless the table says otherwise. None: the source is one stream.
  std::optional<MetadataColumn> splits = std::nullopt;
  /// The same, a BOOLEAN: the row says that the one of its PRIMARY KEY is gone. The rows are those of a table
  /// that keeps one per PRIMARY KEY. None: rows only come.
  std::optional<MetadataColumn> deletions = std::nullopt;
  /// Of a table with valid options. Null: all columns are in the value.
  std::function<RecordLayout(const OptionMap&, const TableShape&)> record_layout = nullptr;
  /// True if the source ends by itself with these options (batch).
  std::function<bool(const OptionMap&)> bounded;
  SinkChanges changes = SinkChanges::kAppend;
  /// False: what is written is in the commit itself, and the keys of delivery mean nothing.
  bool delivered = true;
};

struct FormatInfo {
  std::string name;
  bool can_decode = false;
  bool can_encode = false;
  std::function<std::vector<OptionDoc>()> options;
  std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)> validate;
  /// The same, of a table that is read (that is written). May be null.
  std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)> validate_source = nullptr;
  std::function<void(const OptionMap&, const Schema&, std::vector<OptionError>&)> validate_sink = nullptr;
  /// Its records say what they do to a table: what is read updates its rows, and updates can be written.
  bool changelog = false;
};

struct Catalog {
  std::vector<ConnectorInfo> connectors;
  std::vector<FormatInfo> formats;

  [[nodiscard]] const ConnectorInfo* find_connector(std::string_view name) const;
  [[nodiscard]] const FormatInfo* find_format(std::string_view name) const;
};

/// Keys that every source table understands, whatever its connector; the planner reads them itself
/// ('scan.watermark.idle-timeout', 'scan.watermark.partition-by', 'scan.watermark.max-ahead', …).
std::vector<OptionDoc> common_source_options();
/// Keys that every sink table behind the outbox understands; delivery reads them ('sink.buffer.max-bytes',
/// …).
std::vector<OptionDoc> common_sink_options();

}  // namespace leat::plan
