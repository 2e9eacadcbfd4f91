// The secrets that a pipeline's text only names ('${env:NAME}', pipelines/base/placeholders.h): looked up
// when a source or a sink is built, so that a pipeline that is started again sees a new one.
#pragma once

#include "pipelines/base/options.h"
#include "pipelines/base/result.h"
#include "pipelines/plan/catalog.h"

namespace leat::runtime {

/// What a source or sink is built with. Errors: invalid (a variable that is not set, a secret that the option
/// cannot be), io (a file that cannot be read: it may come yet). They name the option and the place, never
/// the secret.
Result<OptionMap> with_secrets(const OptionMap& options,
                               const std::function<void(const OptionMap&, const std::vector<OptionDoc>&,
                                                        std::vector<OptionError>&)>& validate);

}  // namespace leat::runtime
