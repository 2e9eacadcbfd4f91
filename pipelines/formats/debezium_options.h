// The options of the format debezium-json, by Flink's names: most are json's.
#pragma once

#include "pipelines/base/options.h"
#include "pipelines/formats/json_options.h"

namespace leat::formats {

struct DebeziumOptions : JsonOptions {
  bool schema_include = false;
};

const OptionTable<DebeziumOptions>& debezium_options();

}  // namespace leat::formats
