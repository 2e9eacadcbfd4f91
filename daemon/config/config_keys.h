// What the layers of the configuration (layers.h) need of its keys: the table that reads them, and what no
// table knows. For this folder only.
#pragma once

#include <vector>

#include "daemon/config/config.h"
#include "pipelines/base/options.h"

namespace leat::config {

const OptionTable<Config>& config_table();

/// What the types of the table do not know. The messages name the key, the caller adds the place.
void check_words(const Config& config, std::vector<OptionError>& errors);

}  // namespace leat::config
