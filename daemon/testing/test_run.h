// One pipeline test, from its folder to the verdict.
#pragma once

#include <filesystem>
#include <string>

#include "pipelines/base/result.h"

namespace leat::testing {

enum class Expectations : std::uint8_t {
  kCompare,
  kWrite,  ///< What comes out becomes what is expected.
};

struct Verdict {
  bool passed = false;
  std::string detail;  ///< Of a failed test: what differs, table by table.
};

/// Runs the test in memory, by the clock of its rows. Errors: invalid: a folder that cannot be read, or a
/// pipeline that cannot be planned, with its messages.
Result<Verdict> run_test(const std::filesystem::path& folder, Expectations expectations);

}  // namespace leat::testing
