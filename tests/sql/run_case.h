// Runs one case of a script on the real runtime: sources, dataflow, commits, store in memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pipelines/base/result.h"
#include "tests/sql/script.h"

namespace leat::sql_test {

enum class Mode : std::uint8_t {
  kWhole,   ///< As `leat run` does it.
  kOneRow,  ///< Every batch is one line of input.
  kCut,  ///< One line, one commit; behind each commit the pipeline is destroyed and made anew from the store.
};
std::string_view to_string(Mode mode);

struct Outcome {
  std::vector<std::string> rows;  ///< "+I[a, 1]", in order.
  std::vector<std::string> dead;  ///< Reasons of the dead letters, in order.
  std::uint64_t restarts = 0;
  std::string error;  ///< The rendered messages of a refused pipeline, or why it failed.
};

/// In the present folder, which holds the case's files.
Outcome run_case(const Case& test, Mode mode);

}  // namespace leat::sql_test
