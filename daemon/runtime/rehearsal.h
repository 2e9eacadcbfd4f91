// A rehearsal: everything that a pipeline is built from is built once, and thrown away, so that what cannot
// be built is known before a running pipeline is ended for it. Nothing connects, no journal is opened, and
// the store is not changed. Any thread.
#pragma once

#include <vector>

#include "daemon/runtime/pipeline.h"
#include "daemon/store/stream_store.h"
#include "daemon/store/table_status.h"
#include "pipelines/exec/dataflow.h"
#include "sinks/sink.h"

namespace leat::runtime {

class SinkWriter;

struct Rehearsed {
  std::vector<store::TableDeclaration> tables;  ///< Local tables that the pipeline declares.
  std::vector<store::StreamUse> streams;        ///< Streams that it writes and reads.
  std::vector<exec::Dataflow::OperatorInfo> operators;
};

/// Errors: invalid, conflict (a local table or a stream is there in another shape), and what building says.
Result<Rehearsed> rehearse(const PipelineName& name, const plan::Plan& plan, const PipelineContext& context);

/// The operators that a plan has; none if it cannot be built.
std::vector<exec::Dataflow::OperatorInfo> operators_of(const PipelineName& name, const plan::Plan& plan,
                                                       const PipelineContext& context);

/// Adds the local tables that the plan reads and looks up.
void add_tables_read(const plan::Plan& plan, std::vector<store::TableDeclaration>& declared);
/// The streams that the plan writes and reads.
std::vector<store::StreamUse> streams_of(const plan::Plan& plan);
/// What a sink is built from.
sinks::SinkContext sink_context(const SinkWriter& writer, const PipelineName& pipeline,
                                const PipelineContext& context);

}  // namespace leat::runtime
