// INSERT INTO and bare queries: the end of a pipeline's paths.
#pragma once

#include <memory>

#include "pipelines/plan/bind_query.h"
#include "pipelines/plan/table.h"

namespace leat::plan {

/// The sink of one INSERT; null: reported. `query` is its bound query, `table` its target.
std::shared_ptr<const SinkNode> bind_insert(const sql::Insert& insert, const Relation& query, Table& table,
                                            const BindContext& context);
/// The sink without a table of a bare query: its rows are the output.
std::shared_ptr<const SinkNode> output_of(const Relation& query, const BindContext& context);

}  // namespace leat::plan
