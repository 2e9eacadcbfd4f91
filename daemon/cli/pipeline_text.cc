#include "daemon/cli/pipeline_text.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "daemon/runtime/pipeline_file.h"

namespace leat::cli {

Result<PipelineText> read_pipeline(const std::string& file, const std::string& command_text) {
  if (file.empty()) return PipelineText{"<command line>", command_text};
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    return fail(ErrorCode::kInvalid, fmt::format("{}: is a folder, expected a pipeline file", file));
  return runtime::read_file(file).map([&](std::string text) { return PipelineText{file, std::move(text)}; });
}

Result<OptionMap> parse_settings(const std::vector<std::string>& settings) {
  OptionMap map;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::kInvalid, fmt::format("--set: expected KEY=VALUE, found '{}'", setting));
    map[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  return map;
}

void print_messages(const plan::PlanOutcome& outcome) {
  for (const plan::Message& message : outcome.messages) fmt::print(stderr, "{}", message.rendered);
}

}  // namespace leat::cli
