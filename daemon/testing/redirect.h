// A plan whose tables are the files of a test in place of what they are connected to: each source reads its
// input file, to the end, and each sink gives its rows out.
#pragma once

#include "daemon/testing/test_folder.h"
#include "pipelines/plan/node.h"

namespace leat::testing {

/// Errors: invalid: a table without input, a file of a table that the pipeline does not read or write.
Status redirect(plan::Plan& plan, const TestFolder& test);

}  // namespace leat::testing
