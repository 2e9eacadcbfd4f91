#include "sinks/sqlite/sqlite_sink.h"

#include "sinks/connector.h"

namespace leat::sinks {

SinkConnector sqlite_connector() {
  SinkConnector connector = sink_connector<sources::LocalTableOptions>(
      "sqlite",
      "A table of the store: written by pipelines or loaded by 'leat table load', read by pipelines and by "
      "anybody with plain SQL.",
      sources::local_table_options);
  connector.info.changes = plan::SinkChanges::kUpsert;
  connector.info.delivered = false;
  connector.info.validate_table = sources::validate_local_table;
  connector.encoding = Encoding::kTable;
  connector.declare = [](const OptionMap& options, std::string_view table, const Schema& schema,
                         const std::vector<std::size_t>& primary_key) {
    return sources::local_table(table, options, schema, primary_key);
  };
  return connector;
}

}  // namespace leat::sinks
