#include "pipelines/base/option_judgement.h"

#include <algorithm>

namespace leat {

void judge_together(std::vector<OptionError>& errors,
                    const std::function<void(std::vector<OptionError>&)>& judge) {
  std::vector<OptionError> found;
  judge(found);
  const std::vector<OptionError> before = errors;
  for (OptionError& error : found) {
    const bool follows = std::ranges::any_of(before, [&](const OptionError& known) {
      return known.key == error.key || error.message.find("'" + known.key + "'") != std::string::npos;
    });
    if (!follows) errors.push_back(std::move(error));
  }
}

}  // namespace leat
