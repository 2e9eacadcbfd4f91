#include "tests/fuzz/world.h"

namespace leat::fuzz {
namespace {

using OptionErrors = std::vector<OptionError>;

plan::ConnectorInfo reader(std::string name, bool bounded) {
  plan::ConnectorInfo info{.name = std::move(name), .can_read = true, .needs_format = true};
  info.source_options = [] { return std::vector<OptionDoc>(); };
  info.validate_source = [](const OptionMap&, const std::vector<OptionDoc>&, OptionErrors&) {};
  info.bounded = [bounded](const OptionMap&) { return bounded; };
  info.metadata = [](const OptionMap&) {
    return std::vector<plan::MetadataColumn>{{.key = "topic", .type = Type::string()}};
  };
  return info;
}

plan::Catalog make_catalog() {
  plan::ConnectorInfo out{.name = "out", .can_write = true};
  out.sink_options = [] { return std::vector<OptionDoc>(); };
  out.validate_sink = [](const OptionMap&, const std::vector<OptionDoc>&, OptionErrors&) {};
  out.changes = plan::SinkChanges::kRetract;
  plan::FormatInfo any{.name = "any", .can_decode = true, .can_encode = true};
  any.options = [] { return std::vector<OptionDoc>(); };
  any.validate = [](const OptionMap&, const Schema&, OptionErrors&) {};
  return {{reader("stream", false), reader("file", true), out}, {any}};
}

}  // namespace

const plan::Catalog& catalog() {
  static const plan::Catalog made = make_catalog();
  return made;
}

std::string tables() {
  return R"(
CREATE TABLE readings (ts TIMESTAMP(3), device STRING, v BIGINT, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'stream', 'format' = 'any');
CREATE TABLE sites (ts TIMESTAMP(3), device STRING, site BIGINT, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'stream', 'format' = 'any');
CREATE TABLE names (device STRING, name STRING) WITH ('connector' = 'file', 'format' = 'any');
CREATE TABLE out1 (device STRING, v BIGINT) WITH ('connector' = 'out');
)";
}

}  // namespace leat::fuzz
