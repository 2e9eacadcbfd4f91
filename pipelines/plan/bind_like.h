// CREATE TABLE … LIKE: what a table takes from another one.
#pragma once

#include "pipelines/plan/table.h"

namespace leat::plan {

/// Puts the columns, the watermark, the key and the options of `base` and of `statement` together in `table`,
/// unbound, by LIKE's options (without any: INCLUDING ALL OVERWRITING OPTIONS). `base` may be null.
void merge_definitions(const sql::CreateTable& statement, const Table* base, Table& table,
                       const BindContext& context);

}  // namespace leat::plan
