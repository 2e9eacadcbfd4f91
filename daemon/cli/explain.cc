// leat explain: the plan of a pipeline as a tree.
#include <fmt/format.h>

#include <cstdio>

#include "daemon/cli/exit_code.h"
#include "daemon/cli/pipeline_text.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/time_zone.h"
#include "daemon/runtime/catalog.h"

namespace leat::cli {

int explain(const ExplainOptions& options) {
  const auto settings = parse_settings(options.settings);
  if (!settings) {
    fmt::print(stderr, "leat explain: {}\n", settings.error().message);
    return kUsage;
  }
  const auto text = read_pipeline(options.file, options.text);
  if (!text) {
    fmt::print(stderr, "leat explain: {}\n", text.error().message);
    return kBadConfig;
  }
  const auto outcome = plan::plan_pipeline({.file = text->name,
                                            .text = text->text,
                                            .overrides = *settings,
                                            .allow_select = true,
                                            .host_time_zone = config::host_time_zone()},
                                           runtime::catalog());
  print_messages(outcome);
  if (!outcome.ok()) return kBadConfig;
  for (const std::string& answer : outcome.explained) fmt::print("{}\n", answer);
  if (!outcome.plan.sinks.empty()) fmt::print("{}", plan::explain(outcome.plan));
  return kOk;
}

}  // namespace leat::cli
