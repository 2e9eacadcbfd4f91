// What options mean together is judged even when one of them cannot be read, so that all errors of a table
// are reported at once.
#pragma once

#include <functional>
#include <vector>

#include "pipelines/base/options.h"

namespace leat {

/// Calls `judge`, which appends what is wrong, and keeps of that what does not follow from an error that was
/// there before: what is at a key that is at fault already, or names one as '<key>'.
void judge_together(std::vector<OptionError>& errors,
                    const std::function<void(std::vector<OptionError>&)>& judge);

}  // namespace leat
