// What somebody paused, kept over restarts: sinks (nothing is delivered) and pipelines (they do not run).
#pragma once

#include "daemon/store/sqlite.h"
#include "pipelines/base/ids.h"

namespace leat::store {

/// On the storage thread. Errors: what SQLite says.
class Paused {
 public:
  explicit Paused(Connection& connection);

  Result<bool> contains(const PipelineName& pipeline, const TableName& sink);
  Status set(const PipelineName& pipeline, const TableName& sink, bool paused);
  Result<bool> contains(const PipelineName& pipeline);
  Status set(const PipelineName& pipeline, bool paused);

 private:
  Statement sink_is_paused_;
  Statement pause_sink_;
  Statement resume_sink_;
  Statement pipeline_is_paused_;
  Statement pause_pipeline_;
  Statement resume_pipeline_;
};

}  // namespace leat::store
