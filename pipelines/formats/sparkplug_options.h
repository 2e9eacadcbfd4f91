// The options of the format sparkplug.
#pragma once

#include "pipelines/base/options.h"

namespace leat::formats {

struct SparkplugOptions {
  bool ignore_parse_errors = false;
};

const OptionTable<SparkplugOptions>& sparkplug_options();

}  // namespace leat::formats
