// CREATE TABLE … LIKE and CREATE TABLE … AS: what a table takes from another one or from a query.
#pragma once

#include "pipelines/plan/table.h"

namespace leat::plan {

/// Puts the columns, the watermark, the key and the options of LIKE's table and of `statement` together in
/// `table`, unbound, by LIKE's options (without any: INCLUDING ALL OVERWRITING OPTIONS).
/// With AS the columns of the statement that the query does not have come first, then the query's, each with
/// the type that the statement declares for it, or else its own. A list of bare names orders the query's.
void merge_definitions(const sql::CreateTable& statement, const TableOrigin& origin, Table& table,
                       const BindContext& context);

}  // namespace leat::plan
