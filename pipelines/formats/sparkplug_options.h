// The options of the format sparkplug.
#pragma once

#include "pipelines/base/options.h"

namespace leat::formats {

struct SparkplugOptions {
  bool ignore_parse_errors = false;
  /// Of a payload that comes compressed in another: the bound that the connector's options have.
  ByteSize max_decompressed{1U << 20};
};

const OptionTable<SparkplugOptions>& sparkplug_options();

}  // namespace leat::formats
