// leat check: plans files as leat serve would, without touching the network, and says all that is wrong with
// them; and configuration files (*.toml). A SELECT alone is an error here, too: its rows have a reader under
// leat run only.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "daemon/cli/configuration.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/pipeline_text.h"
#include "daemon/cli/verbs.h"
#include "daemon/config/time_zone.h"
#include "daemon/runtime/catalog.h"
#include "daemon/runtime/neighbours.h"
#include "daemon/runtime/pipeline_file.h"

namespace leat::cli {
namespace {

/// Those of a folder; a file itself. Errors: io.
Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return std::vector{path};
  return runtime::pipeline_files(path);
}

bool check_file(const std::string& path, runtime::Neighbours& together) {
  const auto text = read_pipeline(path, "");
  if (!text) {
    fmt::print(stderr, "leat check: {}\n", text.error().message);
    return false;
  }
  const auto outcome = plan::plan_pipeline({.file = path,
                                            .text = text->text,
                                            .overrides = {},
                                            .allow_select = false,
                                            .host_time_zone = config::host_time_zone()},
                                           runtime::catalog());
  print_messages(outcome);
  if (!outcome.ok()) return false;
  together.add(path, outcome.plan);
  fmt::print("{}: ok\n", path);
  return true;
}

bool check_pipelines(const std::string& path, runtime::Neighbours& together) {
  const auto files = files_of(path);
  if (!files) {
    fmt::print(stderr, "leat check: {}\n", files.error().message);
    return false;
  }
  if (files->empty()) fmt::print(stderr, "leat check: {}: the folder holds no *.sql file\n", path);
  bool good = true;
  for (const std::string& file : *files) good = check_file(file, together) && good;
  return good;
}

bool check_together(const runtime::Neighbours& together) {
  for (const std::string& loose : together.loose_ends())
    fmt::print(stderr, "leat check: warning: {}\n", loose);
  const std::vector<std::string> clashes = together.clashes();
  for (const std::string& clash : clashes) fmt::print(stderr, "leat check: {}\n", clash);
  return clashes.empty();
}

bool check_configuration(const std::string& path, const std::vector<std::string>& settings) {
  const auto good = checked_configuration(path, true, settings);
  if (!good) fmt::print(stderr, "leat check: {}\n", good.error().message);
  if (good) fmt::print("{}: ok\n", path);
  return good.has_value();
}

bool is_configuration(const std::string& path) {
  return std::filesystem::path(path).extension() == ".toml";
}

}  // namespace

int check(const CheckOptions& options) {
  if (!options.settings.empty() && std::ranges::none_of(options.paths, is_configuration)) {
    fmt::print(stderr, "leat check: --set is for a configuration, and none of the PATHs is a *.toml\n");
    return kUsage;
  }
  bool good = true;
  runtime::Neighbours together;
  for (const std::string& path : options.paths) {
    const bool right = is_configuration(path) ? check_configuration(path, options.settings)
                                              : check_pipelines(path, together);
    good = right && good;
  }
  good = check_together(together) && good;
  return good ? kOk : kBadConfig;
}

}  // namespace leat::cli
