// Reading and planning a pipeline for the command line: from a file or from -e, with --set overrides.
#pragma once

#include <string>
#include <vector>

#include "pipelines/base/result.h"
#include "pipelines/plan/planner.h"

namespace leat::cli {

struct PipelineText {
  std::string name;  ///< For messages: the path, or "<command line>".
  std::string text;
};
/// Errors: not found (names the file).
Result<PipelineText> read_pipeline(const std::string& file, const std::string& command_text);

/// "K=V" each. Errors: invalid.
Result<OptionMap> parse_settings(const std::vector<std::string>& settings);

/// Warnings and errors on standard error, as rendered.
void print_messages(const plan::PlanOutcome& outcome);

}  // namespace leat::cli
