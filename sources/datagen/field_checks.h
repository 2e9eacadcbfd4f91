// What the keys 'fields.<path>.<attribute>' of datagen say about columns: whether there is such a column,
// whether the attribute means anything for its type, and whether the value is one of it. Pure.
#pragma once

#include <vector>

#include "pipelines/base/options.h"
#include "pipelines/column/type.h"
#include "sources/datagen/datagen_options.h"

namespace leat::sources {

/// Appends what is wrong. `options` may hold defaults in place of what could not be read.
void check_fields(const DatagenOptions& options, const Schema& schema, std::vector<OptionError>& errors);

}  // namespace leat::sources
