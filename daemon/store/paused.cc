#include "daemon/store/paused.h"

#include <string_view>

namespace leat::store {

Paused::Paused(Connection& connection)
    : sink_is_paused_(connection, "SELECT 1 FROM leat_paused_sinks WHERE pipeline = ? AND sink = ?"),
      pause_sink_(connection, "INSERT OR IGNORE INTO leat_paused_sinks (pipeline, sink) VALUES (?, ?)"),
      resume_sink_(connection, "DELETE FROM leat_paused_sinks WHERE pipeline = ? AND sink = ?"),
      pipeline_is_paused_(connection, "SELECT 1 FROM leat_paused_pipelines WHERE pipeline = ?"),
      pause_pipeline_(connection, "INSERT OR IGNORE INTO leat_paused_pipelines (pipeline) VALUES (?)"),
      resume_pipeline_(connection, "DELETE FROM leat_paused_pipelines WHERE pipeline = ?") {}

Result<bool> Paused::contains(const PipelineName& pipeline, const TableName& sink) {
  Rows rows = sink_is_paused_.query(std::string_view(pipeline.value), std::string_view(sink.value));
  return rows.next();
}

Status Paused::set(const PipelineName& pipeline, const TableName& sink, bool paused) {
  Statement& change = paused ? pause_sink_ : resume_sink_;
  return change.run(std::string_view(pipeline.value), std::string_view(sink.value));
}

Result<bool> Paused::contains(const PipelineName& pipeline) {
  Rows rows = pipeline_is_paused_.query(std::string_view(pipeline.value));
  return rows.next();
}

Status Paused::set(const PipelineName& pipeline, bool paused) {
  Statement& change = paused ? pause_pipeline_ : resume_pipeline_;
  return change.run(std::string_view(pipeline.value));
}

}  // namespace leat::store
